"""A whole portal over new, empty databases; its registries are fakes that know the log."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url

from config.settings import Settings
from portal.app import create_app
from portal.domain.actors import Duty, Role
from portal.installation import initialise
from portal.services.accounts import NewAccount
from portal.services.clock import Clock, system_clock
from portal.services.house import House
from tests.factories.migrated import give_tables
from tests.factories.people import JUHAN, KADRI, MARY
from tests.fakes.registry import FakeRegistry


@dataclass
class FakePortal:
    """The application, its house, and an account of each role to sign in as."""

    app: Flask
    house: House
    settings: Settings
    registries: dict[str, FakeRegistry]
    accounts: dict[str, str]

    @classmethod
    def build(
        cls, folder: Path, monkeypatch: pytest.MonkeyPatch, *, clock: Clock = system_clock, **settings: Any
    ) -> FakePortal:
        """Accounts: "citizen" (Mary), "neighbour" (Juhan); "caseworker" (may break the glass), "colleague",
        their "supervisor" and data protection "officer";
        "detective" and their "chief"; "auditor"; "administrator"; "other supervisor" (of the tax board).
        """
        settings.setdefault("limits", {"enabled": False})  # tests are faster than people
        loaded = Settings.load({"GLASSHOUSE_DATA_DIR": str(folder)}, **settings)
        give_tables(loaded.database_url)
        given = initialise(loaded)
        registries: dict[str, FakeRegistry] = {}
        monkeypatch.setattr("portal.furnishing.connectors_of", lambda _settings, _catalogue: registries)
        app = create_app(given, clock=clock)
        app.testing = True
        house: House = app.extensions["glasshouse"]
        registries |= {code: FakeRegistry(code, house.log) for code in house.catalogue.registries}
        new = {
            "citizen": NewAccount(Role.CITIZEN, "Mari Maasikas", personal_code=MARY),
            "neighbour": NewAccount(Role.CITIZEN, "Juhan Juurikas", personal_code=JUHAN),
            "caseworker": NewAccount(
                Role.CASEWORKER, "Kadri Kask", "social-insurance-board", KADRI, duties=frozenset({Duty.BREAK_GLASS})
            ),
            "colleague": NewAccount(Role.CASEWORKER, "Karl Kuusk", "social-insurance-board", None),
            "supervisor": NewAccount(Role.SUPERVISOR, "Siiri Saar", "social-insurance-board", None),
            "officer": NewAccount(
                Role.SUPERVISOR, "Data Ametnik", "social-insurance-board", duties=frozenset({Duty.DATA_PROTECTION})
            ),
            "detective": NewAccount(Role.CASEWORKER, "Uku Uurija", "police", None),
            "chief": NewAccount(Role.SUPERVISOR, "Ülle Ülem", "police", None),
            "auditor": NewAccount(Role.AUDITOR, "Aita Aruste", "data-protection-inspectorate", None),
            "administrator": NewAccount(Role.ADMINISTRATOR, "Anu Aru", "population-authority", None),
            "other supervisor": NewAccount(Role.SUPERVISOR, "Tiit Teine", "tax-board", None),
        }
        ids = house.accounts.open(list(new.values()), demonstration=True)
        return cls(app, house, given, registries, dict(zip(new, ids, strict=True)))

    def client(self, account: str | None = None, *, stepped_up: bool = False) -> FlaskClient:
        """A browser's cookie jar, signed in as `account`. CSRF protection stays on: forms carry their token.

        `stepped_up`: somebody who has just proved again who they are, at the highest level.
        """
        client = self.app.test_client()
        if account is not None:
            answer = self.post(client, "/sign-in/demonstration", account=self.accounts[account])
            assert answer.status_code == 302, answer.get_data(as_text=True)[:500]
        if stepped_up:
            self.post(client, "/step-up/none/demonstration")
        return client

    def post(self, client: FlaskClient, path: str, **form: Any) -> Any:
        """Send a form as a page would: with the token of a page that was fetched first."""
        token = token_of(client)
        data = {"csrf_token": token, **form}
        return client.post(path, data=data, headers={"Referer": "http://localhost/"})

    def close(self) -> None:
        self.house.log.close()
        self.house.safeguards.seals._sessions.kw["bind"].dispose()

    @property
    def database_file(self) -> Path:
        return Path(make_url(self.settings.audit.database_url).database or "")


def token_of(client: FlaskClient) -> str:
    """The CSRF token that a page of this session carries."""
    for path in ("/", "/sign-in", "/about"):
        page = client.get(path, follow_redirects=True).get_data(as_text=True)
        before, found, rest = page.partition('name="csrf_token"')
        if found:
            tail = rest.partition(">")[0]
            head = before.rpartition("<")[2]
            return (head + tail).partition('value="')[2].partition('"')[0]
    raise AssertionError("no page of this session carries a form")
