"""Preparing an installation: the portal's tables and, for a demonstration, the accounts of its people."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from alembic import command
from alembic.config import Config

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migration_config(database_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", database_url.replace("%", "%%"))
    return config


def bring_tables_up_to_date(database_url: str) -> None:
    """Apply every migration that this database has not had. Safe to repeat."""
    command.upgrade(migration_config(database_url), "head")


def make_secret() -> str:
    """32 random bytes as text."""
    return secrets.token_urlsafe(32)


def write_private_file(path: Path, text: str) -> None:
    """Write a new file that only its owner may read. Raises FileExistsError rather than replacing a key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")
