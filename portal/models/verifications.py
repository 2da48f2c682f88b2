"""Runs of the log's verification that an auditor asked for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class VerificationRun(Base):
    """One verification of the whole log, from the request to its verdict. `checked` and `size` count entries."""

    __tablename__ = "verification_runs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    requested_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    checked: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(default=0)
    root: Mapped[str | None] = mapped_column(String(64))
    first_broken: Mapped[int | None]
    problem: Mapped[str | None] = mapped_column(Text)
    heartbeat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
