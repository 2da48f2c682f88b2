"""What every file has that is made in the background and kept until it expires."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class FileJob(Base):
    """One file, from the request until it goes. `worker` is the run that makes it now; a silent one is dead.

    The key of the file is sealed; the file itself lies in a folder under the row's id.
    """

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    requested_by: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    requested_at: Mapped[datetime]
    request_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), index=True)
    problem: Mapped[str | None] = mapped_column(String(64))
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(36))
    heartbeat_at: Mapped[datetime]
    filename: Mapped[str | None] = mapped_column(String(80))
    size: Mapped[int | None] = mapped_column(BigInteger)
    sealed_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
