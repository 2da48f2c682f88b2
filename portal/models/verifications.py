"""Runs of the log's verification, which an auditor asks for or which come round by themselves."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class VerificationRun(Base):
    """One verification, from the request to its verdict. `checked` and `size` count entries.

    `requested_by` is None for one that came round by itself. `since` is the size up to which an earlier run's verdict
    was trusted; 0 for a run over the whole log.
    """

    __tablename__ = "verification_runs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    requested_by: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    requested_at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(16))
    since: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(String(16))
    checked: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(default=0)
    root: Mapped[str | None] = mapped_column(String(64))
    first_broken: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(Text)
    heartbeat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
