"""The portal's tables, made once in a process and copied for each test: migrating took half of a portal's start.

What the migrations do has tests of its own (`tests/architecture/test_migrations.py`). On PostgreSQL each test migrates,
since copying a database there is hardly faster.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from portal.services.preparation import bring_tables_up_to_date


def give_tables(database_url: str) -> None:
    """Put the portal's tables where a SQLite file is to be; one that is there is left as it is."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite" and url.database and not (file := Path(url.database)).exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_tables())


@cache
def _tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "portal.db")
        bring_tables_up_to_date(f"sqlite:///{file}")
        return file.read_bytes()
