"""Tokens of client systems live in the database: they end with the client, its scope, its certificate, and by time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from portal.domain.machines import ClientRefused, ClientSystem, OAuthError, Operation
from portal.domain.text import LocalizedText
from portal.services.machines import Machines, Terms
from portal.services.outbound import LimitedTransport
from portal.services.preparation import bring_tables_up_to_date
from tests.factories.client_systems import AUDIENCE, CODE, claims
from tests.factories.logs import LogHome
from tests.fakes.hostile_provider import ec_key, rsa_key, signed

THUMBPRINT = "t" * 43
SCOPES = frozenset({"accesses.report:population", "accesses.read:population"})
NAME = LocalizedText("System", "Süsteem", "Система")
SYSTEM = ClientSystem(
    CODE, NAME, "population-authority", SCOPES, frozenset({THUMBPRINT}), None, "https://keys.example/"
)

Answer = Callable[[httpx2.Request], httpx2.Response]


class Office:
    """Machines over a database that the migrations made, with keys at an address that a test answers for."""

    def __init__(self, folder: Path, url: str) -> None:
        bring_tables_up_to_date(url)
        self.engine = create_engine(url)
        self.now = datetime.now(UTC)
        self.log = LogHome.make(folder, f"sqlite:///{folder / 'log.db'}").open()
        self.fetched = 0
        self.answer: Answer = lambda _request: httpx2.Response(200, json=_keys(rsa_key("first")))

    def machines(self, *clients: ClientSystem) -> Machines:
        transport = LimitedTransport(httpx2.MockTransport(self._answer), 5)
        terms = Terms(frozenset({AUDIENCE}), timedelta(minutes=10), transport)
        known = {client.code: client for client in clients}
        return Machines(known, sessionmaker(self.engine), self.log, lambda: self.now, terms)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.fetched += 1
        return self.answer(request)

    def assertion(self, key: str = "first") -> str:
        moment = int(self.now.timestamp())
        return signed(claims(iat=moment, exp=moment + 60), rsa_key(key))

    def rows(self, table: str) -> str:
        with self.engine.connect() as connection:
            return repr(connection.execute(text(f"SELECT * FROM {table}")).all())


def _keys(*keys: object) -> dict[str, object]:
    return {"keys": [key.as_dict(private=False) for key in keys]}  # type: ignore[attr-defined]


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[Office]:
    office = Office(tmp_path, database_url)
    yield office
    office.log.close()
    office.engine.dispose()


def _refusal(machines: Machines, token: str, thumbprint: str | None = THUMBPRINT) -> OAuthError:
    with pytest.raises(ClientRefused) as refused:
        machines.admit(token, thumbprint, Operation.REPORT_ACCESS)
    return refused.value.error


def test_a_token_opens_while_the_client_its_scope_and_its_certificate_are_registered(office: Office) -> None:
    token = office.machines(SYSTEM).issue(office.assertion(), None, THUMBPRINT, "r").token
    assert office.machines(SYSTEM).admit(token, THUMBPRINT, Operation.REPORT_ACCESS).scopes == SCOPES
    assert _refusal(office.machines(), token) is OAuthError.INVALID_TOKEN
    withdrawn = ClientSystem(
        CODE, NAME, "x", frozenset({"accesses.read:population"}), SYSTEM.certificates, None, SYSTEM.jwks_uri
    )
    assert _refusal(office.machines(withdrawn), token) is OAuthError.INSUFFICIENT_SCOPE
    changed = ClientSystem(CODE, NAME, "x", SCOPES, frozenset({"u" * 43}), None, SYSTEM.jwks_uri)
    assert _refusal(office.machines(changed), token) is OAuthError.INVALID_TOKEN
    for thumbprint in (None, "", "u" * 43):
        assert _refusal(office.machines(SYSTEM), token, thumbprint) is OAuthError.INVALID_TOKEN
    office.now += timedelta(minutes=10)
    assert _refusal(office.machines(SYSTEM), token) is OAuthError.INVALID_TOKEN


def test_the_database_holds_no_token_and_no_assertion_and_forgets_what_has_ended(office: Office) -> None:
    assertion = office.assertion()
    token = office.machines(SYSTEM).issue(assertion, None, THUMBPRINT, "r").token
    assert token not in office.rows("access_tokens")
    assert assertion not in office.rows("used_assertions")
    office.now += timedelta(minutes=11)
    office.machines(SYSTEM).issue(office.assertion(), None, THUMBPRINT, "r")
    assert office.rows("access_tokens").count(CODE) == 1


def test_a_used_assertion_is_remembered_by_another_process(office: Office) -> None:
    assertion = office.assertion()
    office.machines(SYSTEM).issue(assertion, None, THUMBPRINT, "r")
    with pytest.raises(ClientRefused, match="used before"):
        office.machines(SYSTEM).issue(assertion, None, THUMBPRINT, "r")


def test_keys_at_an_address_are_fetched_seldom_and_anew_for_an_unknown_one(office: Office) -> None:
    machines = office.machines(SYSTEM)
    for _ in range(3):
        machines.issue(office.assertion(), None, THUMBPRINT, "r")
    assert office.fetched == 1
    office.answer = lambda _request: httpx2.Response(200, json=_keys(rsa_key("first"), rsa_key("second")))
    office.now += timedelta(minutes=2)
    machines.issue(office.assertion("second"), None, THUMBPRINT, "r")
    assert office.fetched == 2
    for _ in range(3):
        with pytest.raises(ClientRefused, match="key"):
            machines.issue(office.assertion("stranger"), None, THUMBPRINT, "r")
    assert office.fetched == 2


ANSWERS: dict[str, Answer] = {
    "an error": lambda _request: httpx2.Response(500),
    "a redirect to the inside": lambda _request: httpx2.Response(302, headers={"Location": "http://169.254.169.254/"}),
    "no JSON": lambda _request: httpx2.Response(200, content=b"<html>"),
    "a list": lambda _request: httpx2.Response(200, content=b"[]"),
    "depth": lambda _request: httpx2.Response(200, content=b"[" * 100_000),
    "a flood": lambda _request: httpx2.Response(200, content=b" " * 300_000),
    "a private world": lambda _request: httpx2.Response(200, json={"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_address_that_gives_no_keys_lets_nobody_in(office: Office, answer: str) -> None:
    office.answer = ANSWERS[answer]
    with pytest.raises(ClientRefused) as refused:
        office.machines(SYSTEM).issue(office.assertion(), None, THUMBPRINT, "r")
    assert refused.value.error is OAuthError.INVALID_CLIENT
    assert office.fetched == 1


def test_a_key_of_a_curve_serves_as_well(office: Office) -> None:
    office.answer = lambda _request: httpx2.Response(200, json=_keys(ec_key("curve")))
    moment = int(office.now.timestamp())
    assertion = signed(claims(iat=moment, exp=moment + 60), ec_key("curve"))
    assert office.machines(SYSTEM).issue(assertion, None, THUMBPRINT, "r").scope == " ".join(sorted(SCOPES))
