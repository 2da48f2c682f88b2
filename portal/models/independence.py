"""Whose identity an auditor has had revealed, for how long, and which acts of auditors another auditor has reviewed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class Reveal(Base):
    """That one session sees, until a moment, who acted and whose data it was in one entry."""

    __tablename__ = "reveals"
    __table_args__ = (UniqueConstraint("session_id", "seq", name="uq_reveals_session_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(BigInteger)
    ends_at: Mapped[datetime] = mapped_column(index=True)


class AuditorReview(Base):
    """That one auditor looked at one act of another; `entry` is the log's entry that says so."""

    __tablename__ = "auditor_reviews"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, unique=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    at: Mapped[datetime]
    entry: Mapped[int] = mapped_column(BigInteger)
