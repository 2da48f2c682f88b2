"""Runs that rank the looks of a period by how unusual they are."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class UnusualRun(Base):
    """One run. `result` is JSON of entry numbers, rules and their numbers: nothing of anybody stands in it."""

    __tablename__ = "unusual_runs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    requested_at: Mapped[datetime]
    request_id: Mapped[str] = mapped_column(String(64))
    days: Mapped[int]
    state: Mapped[str] = mapped_column(String(16))
    looks: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)
    result: Mapped[str | None] = mapped_column(Text)
    heartbeat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
