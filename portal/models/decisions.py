"""Decisions that were announced: about whom and on what they rest is sealed."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class AnnouncedDecision(Base):
    """One decision. `last_entry` is the log's entry of its latest step, and tells a change that came in between.

    `was_contested` and `was_upheld` are set when it is settled: whether the person contested what it rests on, and
    whether they were right.
    """

    __tablename__ = "announced_decisions"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    rule: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str] = mapped_column(String(64))
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_grounds: Mapped[bytes] = mapped_column(LargeBinary)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    automated: Mapped[bool]
    effect_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(16), index=True)
    announced_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    sealed_reason: Mapped[bytes | None] = mapped_column(LargeBinary)
    was_contested: Mapped[bool]
    was_upheld: Mapped[bool]
    first_entry: Mapped[int] = mapped_column(BigInteger)
    last_entry: Mapped[int] = mapped_column(BigInteger)
