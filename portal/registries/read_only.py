"""Engines that can read and nothing else, and that give up rather than wait for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

#: Seconds to wait for a connection, a lock or an answer. A person is waiting on the page.
PATIENCE = 5
_POOL: dict[str, Any] = {"pool_size": 4, "max_overflow": 8, "pool_timeout": PATIENCE}


def read_only_engine(url: str) -> Engine:
    """An engine that has not connected yet. Parameters never appear in its errors or its log.

    SQLite files are opened with mode=ro and query_only; PostgreSQL sessions are read-only with a statement timeout. Any
    other database must be given an account that can only read.

    Raises:
        ValueError, sqlalchemy.exc.SQLAlchemyError, ImportError: the URL is none, or its driver is not installed.
    """
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite_engine(parsed)
    arguments = _postgresql_arguments(parsed) if backend == "postgresql" else {}
    return create_engine(parsed, hide_parameters=True, pool_pre_ping=True, connect_args=arguments, **_POOL)


def _sqlite_engine(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("a registry needs a file")
    file = Path(url.database).absolute().as_uri() + "?mode=ro"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(file, uri=True, timeout=PATIENCE, check_same_thread=False)
        connection.execute("PRAGMA query_only = ON")
        return connection

    return create_engine("sqlite://", creator=connect, hide_parameters=True, poolclass=QueuePool, **_POOL)


def _postgresql_arguments(url: URL) -> dict[str, Any]:
    given = str(url.query.get("options", ""))
    settings = ("default_transaction_read_only=on", f"statement_timeout={PATIENCE * 1000}")
    options = " ".join([given, *(f"-c {setting}" for setting in settings)]).strip()
    return {"connect_timeout": PATIENCE, "tcp_user_timeout": PATIENCE * 2000, "options": options}
