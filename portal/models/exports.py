"""Exports of the trail that are made in the background."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary, String, true
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.file_jobs import FileJob


class ExportJob(FileJob):
    """One export. `entry` is where the log has the request. The criteria are sealed, since they may name a person.

    `with_names`: its rows show who people are, and the entry says why.
    """

    __tablename__ = "export_jobs"

    format: Mapped[str] = mapped_column(String(16))
    entry: Mapped[int | None] = mapped_column(BigInteger)
    with_names: Mapped[bool] = mapped_column(default=True, server_default=true())
    sealed_criteria: Mapped[bytes] = mapped_column(LargeBinary)
