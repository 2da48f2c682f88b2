"""Lists of people whose records are opened under one purpose and case, and how far each of them is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class BulkJob(Base):
    """One list. `worker` is the run that performs it now; one that has not been heard of for a while is dead."""

    __tablename__ = "bulk_jobs"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    purpose: Mapped[str] = mapped_column(String(64))
    case: Mapped[str] = mapped_column(String(64))
    registries: Mapped[str] = mapped_column(String(2000))
    sealed_justification: Mapped[bytes] = mapped_column(LargeBinary)
    request_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    total: Mapped[int]
    worker: Mapped[str | None] = mapped_column(String(36))
    requested_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]


class BulkRow(Base):
    """One person of a list. The personal code and the result are sealed, and gone once the results are.

    `begun_at` is set before the log is asked and never changed after: it makes a repeated row the same entry.
    """

    __tablename__ = "bulk_rows"

    job_id: Mapped[str] = mapped_column(ForeignKey("bulk_jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed_code: Mapped[bytes | None] = mapped_column(LargeBinary)
    begun_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(16), index=True)
    reason: Mapped[str | None] = mapped_column(String(64))
    entry: Mapped[int | None] = mapped_column(BigInteger)
    sealed_result: Mapped[bytes | None] = mapped_column(LargeBinary)
