"""After all trips were walked: what lies on the disk, and what the process wrote, names nobody."""

from __future__ import annotations

import io
import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from config.settings import Settings
from portal.app import create_app
from portal.demo.personas import _KNOWN, NEIGHBOUR, SINGLE_PARENT, code_of, name_of
from portal.domain.actors import Role
from portal.installation import initialise
from portal.logs import formatter
from portal.services.house import House
from portal.services.security_log import SECURITY_LOGGER
from tests.factories.apps import token_of
from tests.factories.demonstrations import make_country
from tests.factories.written import lines_naming

REASON = "Child allowance claim of 2 March: checking who lives in the household"
CASE = "SKA-2026-4711"
FORM = {"case": CASE, "justification": REASON, "registries": ["population"]}
#: GET requests of each role beside what is posted.
PAGES = {
    Role.CITIZEN: ["/me", "/me/records", "/me/records/population", "/me/accesses", "/sessions", "/me/accesses/none"],
    Role.CASEWORKER: ["/casework", "/casework/benefit-claim", "/casework/history", "/oversight"],
    Role.AUDITOR: ["/oversight", "/oversight/verification", "/me", "/sessions"],
}


@dataclass(frozen=True)
class Walked:
    """Where everything is after the walk, and all that was logged on it at the finest level."""

    folder: Path
    written: str


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    folder = tmp_path_factory.mktemp("walked")
    make_country(folder)
    written = io.StringIO()
    handlers = []
    for name, security in (("", False), (SECURITY_LOGGER, True)):
        handler = logging.StreamHandler(written)
        handler.setFormatter(formatter(as_json=True, security=security))
        logger = logging.getLogger(name)
        handlers.append((logger, handler, logger.level))
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    app = create_app(initialise(Settings.load({"GLASSHOUSE_DATA_DIR": str(folder)}, demo_people=200)))
    house: House = app.extensions["glasshouse"]
    for person in house.accounts.demonstration_people():
        _walk(app, person.account_id, person.role)
    house.log.close()
    for logger, handler, level in handlers:
        logger.removeHandler(handler)
        logger.setLevel(level)
    return Walked(folder, written.getvalue())


def _walk(app: Flask, account: str, role: Role) -> None:
    client = app.test_client()
    referer = {"Referer": "http://localhost/"}
    signing_in = {"csrf_token": token_of(client), "account": account}
    assert client.post("/sign-in/demonstration", data=signing_in, headers=referer).status_code == 302
    for path in PAGES.get(role, ["/sessions"]):
        client.get(path)
    posts: list[tuple[str, dict[str, object]]] = [
        ("/casework/benefit-claim", FORM | {"personal_code": code_of(SINGLE_PARENT)}),
        ("/casework/benefit-claim", FORM | {"personal_code": code_of(NEIGHBOUR), "justification": "check"}),
        ("/oversight", {"subject": code_of(SINGLE_PARENT)}),
        ("/oversight/export", {"subject": code_of(NEIGHBOUR), "format": "csv"}),
        ("/sign-out", {}),
    ]
    token = token_of(client)
    for path, data in posts:
        client.post(path, data={"csrf_token": token} | data, headers=referer).get_data()


def _people(folder: Path) -> tuple[set[str], set[str]]:
    """Names and codes of everybody one can sign in as, and of everybody who was looked at."""
    with closing(sqlite3.connect(folder / "portal.db")) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM accounts")}
    known = {name_of(persona) for persona in _KNOWN}
    return names | known, {code_of(persona) for persona in _KNOWN}


def test_no_line_that_was_written_names_anybody(walked: Walked) -> None:
    names, codes = _people(walked.folder)
    assert len(names) >= len(codes) > 10
    lines = walked.written.splitlines()
    assert len(lines) > 100  # it did log
    assert any('"event": "signed-in"' in line for line in lines)
    assert not lines_naming((*names, *codes, REASON, CASE), lines)


def test_a_name_with_letters_that_json_spells_otherwise_is_found(caplog: pytest.LogCaptureFixture) -> None:
    record = logging.LogRecord("portal", logging.INFO, __file__, 1, "Liis Mägi signed in", None, None)
    written = formatter(as_json=True).format(record)
    assert "Mägi" not in written
    assert lines_naming(["Liis Mägi"], [written]) == [written]


def test_the_databases_hold_no_code_and_no_word_of_a_body_in_clear(walked: Walked) -> None:
    _, codes = _people(walked.folder)
    kept = [path for path in walked.folder.iterdir() if path.is_file()]
    assert {"portal.db", "audit.db"} <= {path.name for path in kept}
    for path in kept:
        data = path.read_bytes()
        for secret in (*codes, REASON):  # a case is found by its reference, which therefore stands as it is
            assert secret.encode() not in data, f"{path.name} holds what should be sealed"


def test_keys_are_readable_by_their_owner_alone_and_stand_nowhere_else(walked: Walked) -> None:
    keys = [path for path in (walked.folder / "keys").iterdir() if path.suffix != ".vkey"]
    assert len(keys) >= 4
    for key in keys:
        assert key.stat().st_mode & 0o077 == 0
        secret = key.read_text(encoding="utf-8").strip().rpartition(":")[2]
        assert secret not in walked.written
        for path in walked.folder.iterdir():
            if path.is_file():
                assert secret.encode() not in path.read_bytes()
