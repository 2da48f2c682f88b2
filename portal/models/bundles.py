"""Bundles in which people take all away that government holds on them."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.file_jobs import FileJob

_IS_OPEN = text("state IN ('waiting', 'running')")


class BundleJob(FileJob):
    """One person's bundle, in the `language` in which it was asked for. Nobody has two in the making.

    `file_header` and `sealed_file_key` are of a bundle under a passphrase, and only until it is made: the beginning of
    the encrypted file, and the key to encrypt it with. The passphrase itself is nowhere.
    """

    __tablename__ = "bundle_jobs"

    language: Mapped[str] = mapped_column(String(8))
    is_encrypted: Mapped[bool]
    attempts: Mapped[int] = mapped_column(default=0)
    file_header: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_file_key: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("uq_bundle_jobs_one_open", "requested_by", unique=True, sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN),
    )
