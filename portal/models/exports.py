"""Exports of the trail that are made in the background."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.file_jobs import FileJob


class ExportJob(FileJob):
    """One export. The criteria are sealed, since they may name a person."""

    __tablename__ = "export_jobs"

    format: Mapped[str] = mapped_column(String(16))
    sealed_criteria: Mapped[bytes] = mapped_column(LargeBinary)
