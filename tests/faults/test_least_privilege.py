"""The application's role on PostgreSQL appends, reads and erases; it changes neither what was logged nor a trigger."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ProgrammingError

from audit import schema
from tests.factories.logs import LogHome, an_access

pytestmark = [pytest.mark.fault, pytest.mark.postgres]

DENIED = [
    "UPDATE entries SET leaf = ''",
    "DELETE FROM entries",
    "TRUNCATE entries",
    "UPDATE bodies SET sealed = ''",
    "TRUNCATE bodies CASCADE",
    "UPDATE checkpoints SET note = ''",
    "DELETE FROM checkpoints",
    "DELETE FROM tiles",
    "DELETE FROM head",
    "UPDATE erasures SET tombstone = 0",
    "DELETE FROM idempotency",
    "DROP TRIGGER entries_refuses_update ON entries",
    "ALTER TABLE entries DISABLE TRIGGER ALL",
    "DROP TABLE entries",
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
    "SET session_replication_role = replica",
]


@pytest.fixture
def homes(tmp_path: Path, postgres_url: str) -> Iterator[tuple[LogHome, LogHome]]:
    """A log as its owner opens it, and as the application does, with the least it needs."""
    owner = LogHome.make(tmp_path, postgres_url)
    role, password = f"app_{secrets.token_hex(4)}", secrets.token_hex(8)
    engine = create_engine(postgres_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'"))
        for statement in schema.grants(role):
            connection.execute(text(statement))
    url = make_url(postgres_url).set(username=role, password=password)
    yield (
        owner,
        replace(owner, settings=replace(owner.settings, database_url=url.render_as_string(hide_password=False))),
    )
    with engine.begin() as connection:
        connection.execute(text(f"DROP OWNED BY {role}"))
        connection.execute(text(f"DROP ROLE {role}"))
    engine.dispose()


def test_it_appends_reads_and_erases(homes: tuple[LogHome, LogHome]) -> None:
    owner, application = homes
    log = application.open()
    for number in range(3):
        log.append(an_access(case=f"C-{number}"), idempotency_key=f"r{number}")
    log.erase_entries([1], basis="GDPR Article 17(1)(d)")
    log.erase_subject("EE38001085718", basis="GDPR Article 17(1)(d)")
    log.append(an_access())
    assert log.verify().ok
    log.close()
    assert owner.verify().ok


@pytest.mark.parametrize("statement", DENIED)
def test_it_cannot_change_what_was_logged_nor_what_guards_it(homes: tuple[LogHome, LogHome], statement: str) -> None:
    owner, application = homes
    log = application.open()
    log.append(an_access())
    log.close()
    engine = create_engine(application.settings.database_url)
    with engine.connect() as connection, pytest.raises(ProgrammingError) as denied:
        connection.execute(text(statement))
    engine.dispose()
    # "must be owner of", "permission denied for", "permission denied to set parameter"
    assert "InsufficientPrivilege" in str(denied.value)
    assert owner.verify().ok


@pytest.mark.parametrize("role", ["", "Robert", 'x"; DROP TABLE entries', "1st", "a-b"])
def test_a_name_that_would_need_quoting_is_refused(role: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        schema.grants(role)
