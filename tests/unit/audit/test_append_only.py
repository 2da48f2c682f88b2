"""The tables only grow: every other change is refused by the database itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from audit import schema
from tests.factories.logs import LogHome, an_access

REFUSED = [
    "UPDATE entries SET leaf = leaf",
    "DELETE FROM entries",
    "UPDATE tiles SET hashes = substr(hashes, 1, 32)",
    "UPDATE tiles SET level = level",
    "DELETE FROM tiles",
    "UPDATE checkpoints SET note = note",
    "DELETE FROM checkpoints",
    "UPDATE bodies SET organisation = 'another'",
    "DELETE FROM bodies",
    "UPDATE subjects SET labels = labels - 1",
    "DELETE FROM subjects",
    "DELETE FROM vault_keys",
    "UPDATE vault_keys SET name = 'another'",
    "UPDATE sources SET reported = 0",
    "DELETE FROM sources",
    "UPDATE idempotency SET seq = 1",
    "DELETE FROM idempotency",
    "UPDATE head SET size = size",
    "UPDATE head SET size = size - 1",
    "DELETE FROM head",
]


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    home = LogHome.make(tmp_path, database_url)
    log = home.open()
    log.append(an_access(), idempotency_key="k")
    log.append(an_access())
    log.close()
    return home


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses(home: LogHome, statement: str) -> None:
    engine = create_engine(home.settings.database_url)
    with pytest.raises(SQLAlchemyError, match="only grows"), engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
    assert home.verify().ok


@pytest.mark.parametrize("table", ["entries", "checkpoints", "bodies"])
def test_a_row_cannot_be_replaced_on_sqlite(tmp_path: Path, sqlite_url: str, table: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access())
    log.close()
    engine = create_engine(sqlite_url)
    with pytest.raises(SQLAlchemyError, match="only grows"), engine.begin() as connection:
        connection.execute(text(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}"))
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("table", sorted(schema.metadata.tables))
def test_a_table_cannot_be_truncated_on_postgresql(tmp_path: Path, postgres_url: str, table: str) -> None:
    LogHome.make(tmp_path, postgres_url)
    engine = create_engine(postgres_url)
    with pytest.raises(SQLAlchemyError, match="only grows"), engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {table} CASCADE"))
    engine.dispose()


def test_a_body_may_go_only_where_its_erasure_is_recorded(home: LogHome) -> None:
    engine = create_engine(home.settings.database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO erasures (seq, tombstone) VALUES (0, 1)"))
        connection.execute(text("DELETE FROM bodies WHERE seq = 0"))
    with pytest.raises(SQLAlchemyError, match="only grows"), engine.begin() as connection:
        connection.execute(text("DELETE FROM bodies WHERE seq = 1"))
    engine.dispose()
    report = home.verify()
    assert report.first_broken == 0, "entry 1 does not say that entry 0 was erased"
