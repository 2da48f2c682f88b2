"""Consents: who asked whom for what, and what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Consent(Base):
    """One request and the consent that may come of it. The person and the terms are sealed under the row's id.

    `subject_index` finds a person's own again and means nothing without the key. The `…_entry` columns are numbers of
    log entries. `request_digest` tells a repeated request from another one under the same idempotency key.
    """

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_asked", "recipient", "asked_at"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    client: Mapped[str] = mapped_column(String(64))
    recipient: Mapped[str] = mapped_column(String(64))
    subject_index: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    sealed_subject: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_notice: Mapped[bytes] = mapped_column(LargeBinary)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    state: Mapped[str] = mapped_column(String(16))
    continuing: Mapped[bool]
    days: Mapped[int]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    uses: Mapped[int]
    last_used_at: Mapped[datetime | None]
    asked_entry: Mapped[int] = mapped_column(BigInteger)
    decided_entry: Mapped[int | None] = mapped_column(BigInteger)
    ended_entry: Mapped[int | None] = mapped_column(BigInteger)
