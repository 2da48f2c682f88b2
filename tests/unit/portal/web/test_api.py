"""Registries' own systems report accesses: with their own key, over their own certificate, for their own registries."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from audit.receipt import parse_receipt
from portal.domain.actions import Action
from tests.factories.apps import FakePortal
from tests.factories.client_systems import (
    AUDIENCE,
    CODE,
    a_certificate,
    a_client,
    a_report,
    claims,
    token_form,
    write_catalogue,
    write_keys,
)
from tests.factories.people import MARY
from tests.fakes.hostile_provider import ec_key, rsa_key, signed, signed_with_the_public_key, unsigned

OTHER = a_client(
    code='"land-system"',
    organisation='"land-register"',
    scopes='["accesses.report:land", "accesses.read:land"]',
    certificates=f'["{a_certificate("land").thumbprint}"]',
    jwks_file='"land.json"',
)


class Agency:
    """A registry's system behind the proxy at 127.0.0.1, which tells its certificate."""

    def __init__(self, portal: FakePortal, catalogue: Path) -> None:
        self.portal = portal
        self.catalogue = catalogue

    def ask_token(self, form: dict[str, str] | None = None, certificate: str | None = None, **where: Any) -> Any:
        header = a_certificate().header if certificate is None else certificate
        return self.portal.app.test_client().post(
            "/api/oauth/token", data=form or token_form(), headers=_certified(header), **where
        )

    def token(self) -> str:
        answer = self.ask_token()
        assert answer.status_code == 200, answer.get_data(as_text=True)
        token: str = answer.json["access_token"]
        return token

    def report(
        self, report: Any = None, *, token: str | None = None, key: str = "report-0001", certificate: str | None = None
    ) -> Any:
        headers = _certified(a_certificate().header if certificate is None else certificate)
        headers |= {"Authorization": f"Bearer {token or self.token()}", "Idempotency-Key": key}
        return self.portal.app.test_client().post("/api/v1/accesses", json=report or a_report(), headers=headers)

    def receipt(self, path: str, token: str | None = None, certificate: str | None = None) -> Any:
        headers = _certified(certificate or a_certificate().header)
        headers["Authorization"] = f"Bearer {token or self.token()}"
        return self.portal.app.test_client().get(path, headers=headers)

    def entries(self, action: Action | None = None) -> list[Access]:
        found = [logged.access for logged in self.portal.house.log.stream(TrailQuery()) if logged.access]
        return [access for access in found if action is None or access.action == action]


def _certified(header: str) -> dict[str, str]:
    return {"X-Client-Certificate": header} if header else {}


def _build(folder: Path, patch: pytest.MonkeyPatch, **settings: Any) -> Agency:
    catalogue = write_catalogue(folder, a_client(), OTHER)
    machines = {"certificate_proxies": "127.0.0.1/32"} | settings.pop("machines", {})
    return Agency(FakePortal.build(folder, patch, catalogue_dir=catalogue, machines=machines, **settings), catalogue)


@pytest.fixture(scope="module")
def the_agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    with pytest.MonkeyPatch.context() as patch:
        agency = _build(tmp_path_factory.mktemp("agency"), patch)
        yield agency
        agency.portal.close()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agency]:
    agency = _build(tmp_path, monkeypatch)
    yield agency
    agency.portal.close()


def test_a_reported_access_stands_in_the_persons_history_and_its_receipt_holds(own: Agency) -> None:
    answer = own.report()
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    [entry] = own.entries(Action.READ)
    assert (entry.source, entry.subject, entry.organisation) == (CODE, MARY.subject, "social-insurance-board")
    assert entry.lawful_basis == "GDPR Article 6(1)(e); Family Benefits Act, § 22"
    fetched = own.receipt(answer.location)
    assert parse_receipt(fetched.json["receipt"]).body is not None
    assert fetched.json["logged_at"] == answer.json["logged_at"]
    page = own.portal.client("citizen").get("/me/accesses").get_data(as_text=True)
    assert "Social Insurance Board" in page


def test_the_entry_of_the_sign_in_names_the_system_and_its_scope(own: Agency) -> None:
    own.token()
    [entry] = own.entries(Action.CLIENT_SIGN_IN)
    assert (entry.official, entry.organisation, entry.outcome) == (CODE, "population-authority", "done")
    assert entry.details["scope"] == "accesses.read:population accesses.report:population"


def test_sending_again_gives_the_same_answer_and_no_second_entry(own: Agency) -> None:
    token = own.token()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: own.report(token=token, key="again-and-again"), range(6)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_data() for answer in answers}) == 1
    assert len(own.entries(Action.READ)) == 1
    other = own.report(a_report(case="STO-2026-2"), token=token, key="again-and-again")
    assert (other.status_code, other.mimetype) == (409, "application/problem+json")
    assert len(own.entries(Action.READ)) == 1


BAD_REPORTS: dict[str, tuple[dict[str, Any], str]] = {
    "another calendar": ({"occurred_at": "2999-01-01T00:00:00Z"}, "occurred_at"),
    "no zone": ({"occurred_at": "2026-03-02T10:15:00"}, "occurred_at"),
    "no such purpose": ({"purpose": "curiosity"}, "purpose"),
    "no such organisation": ({"organisation": "nobody"}, "organisation"),
    "no such action": ({"action": "delete"}, "action"),
    "no such outcome": ({"outcome": "secret"}, "outcome"),
    "a field of another registry": ({"fields": ["plate-number"]}, "fields"),
    "a field twice": ({"fields": ["given-names", "given-names"]}, "fields"),
    "no field": ({"fields": []}, "fields"),
    "no case": ({"case": ...}, "case"),
    "a case that looks like another": ({"case": "S\u041aA-2026-1"}, "case"),
    "a wrong code": ({"subject": "38001085719"}, "subject"),
    "a number as code": ({"subject": 38001085718}, "subject"),
    "a name as pseudonym": ({"official": "Mari Maasikas"}, "official"),
    "another visibility": ({"seal": "x"}, "seal"),
    "another source": ({"source": "portal"}, "source"),
    "too long": ({"justification": "x" * 1001}, "justification"),
}


@pytest.mark.parametrize("bad", BAD_REPORTS)
def test_a_report_that_cannot_be_is_refused_by_its_field_and_logged_nowhere(the_agency: Agency, bad: str) -> None:
    changes, field = BAD_REPORTS[bad]
    before = len(the_agency.entries(Action.READ))
    answer = the_agency.report(a_report(**changes), key=f"bad-{len(bad)}-{field}")
    assert answer.status_code == 422
    assert field in " ".join(answer.json["mistakes"])
    assert MARY.reveal() not in answer.get_data(as_text=True)
    assert "Mari" not in answer.get_data(as_text=True)
    assert len(the_agency.entries(Action.READ)) == before


@pytest.mark.parametrize("key", ["", "short", "with space here", "x" * 129, "Ünicode-key"])
def test_a_report_needs_a_key_of_its_own(the_agency: Agency, key: str) -> None:
    answer = the_agency.report(key=key)
    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json["mistakes"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 50_000])
def test_what_is_no_report_is_no_error_of_ours(the_agency: Agency, body: bytes) -> None:
    headers = _certified(a_certificate().header) | {
        "Authorization": f"Bearer {the_agency.token()}",
        "Idempotency-Key": "report-0001",
        "Content-Type": "application/json",
    }
    answer = the_agency.portal.app.test_client().post("/api/v1/accesses", data=body, headers=headers)
    assert answer.status_code in {400, 422}
    assert answer.mimetype == "application/problem+json"


LIES: dict[str, Callable[[], str]] = {
    "another's name": lambda: signed(claims(iss="land-system", sub="land-system")),
    "another subject": lambda: signed(claims(sub="land-system")),
    "nobody's name": lambda: signed(claims(iss="nobody", sub="nobody")),
    "another audience": lambda: signed(claims(aud="https://another.example/token")),
    "several audiences": lambda: signed(claims(aud=[AUDIENCE, "https://another.example"])),
    "no audience": lambda: signed(claims(aud=...)),
    "expired": lambda: signed(claims(exp=int(time.time()) - 60)),
    "no end": lambda: signed(claims(exp=...)),
    "an end far off": lambda: signed(claims(exp=int(time.time()) + 3600)),
    "words as end": lambda: signed(claims(exp="soon")),
    "from tomorrow": lambda: signed(claims(iat=int(time.time()) + 3600)),
    "not valid yet": lambda: signed(claims(nbf=int(time.time()) + 3600)),
    "no id": lambda: signed(claims(jti=...)),
    "an endless id": lambda: signed(claims(jti="x" * 300)),
    "unsigned": lambda: unsigned(claims(), {"alg": "none"}),
    "HS256 with the public key": lambda: signed_with_the_public_key(claims(), rsa_key("first")),
    "a stranger's key": lambda: signed(claims(), rsa_key("stranger")),
    "a stranger's key under the known id": lambda: signed(claims(), rsa_key("stranger"), kid="first"),
    "its key inside": lambda: signed(claims(), rsa_key("x"), kid="first", jwk=rsa_key("x").as_dict(private=False)),
    "words": lambda: "words",
    "dots": lambda: "..",
    "a megabyte": lambda: signed(claims(pad="x" * 20_000)),
    "depth": lambda: ".".join(["e30", "W1tb" * 1500, "x"]),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_assertion_that_does_not_hold_gives_no_token(
    the_agency: Agency, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = len(the_agency.entries())
    answer = the_agency.ask_token(token_form(LIES[lie]()))
    assert (answer.status_code, answer.json) == (401, {"error": "invalid_client"})
    assert "client-refused" in caplog.text
    assert len(the_agency.entries()) == before


def test_an_assertion_serves_once_even_for_many_at_once(the_agency: Agency) -> None:
    assertion = signed(claims())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: the_agency.ask_token(token_form(assertion)).status_code, range(8)))
    assert sorted(answers) == [200] + [401] * 7


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
        ({"scope": "accesses.report:land"}, "invalid_scope"),
        ({"scope": "accesses.report:population admin"}, "invalid_scope"),
        ({"scope": "   "}, "invalid_scope"),
    ],
)
def test_what_is_not_registered_is_not_given(the_agency: Agency, changes: dict[str, str], error: str) -> None:
    answer = the_agency.ask_token(token_form(**changes))
    assert answer.status_code in {400, 401}
    assert answer.json == {"error": error}


def test_asking_for_too_much_or_with_another_certificate_is_an_entry(own: Agency) -> None:
    own.ask_token(token_form(scope="accesses.report:land"))
    own.ask_token(certificate=a_certificate("stranger").header)
    own.ask_token(certificate="")
    denied = own.entries(Action.CLIENT_SIGN_IN)
    assert [(one.outcome, one.reason, one.official) for one in denied] == [
        ("denied", "scope-not-granted", CODE),
        ("denied", "certificate-unknown", CODE),
        ("denied", "certificate-unknown", CODE),
    ]


def test_a_token_may_be_asked_for_less_and_then_serves_for_no_more(the_agency: Agency) -> None:
    narrow = the_agency.ask_token(token_form(scope="accesses.read:population")).json
    assert narrow["scope"] == "accesses.read:population"
    refused = the_agency.report(token=narrow["access_token"], key="narrow-token")
    assert (refused.status_code, refused.json) == (403, {"error": "insufficient_scope"})


def test_a_token_is_for_its_own_registries_alone(the_agency: Agency) -> None:
    answer = the_agency.report(a_report(registry="land", fields=["parcel"]), key="another-registry")
    assert (answer.status_code, answer.json) == (403, {"error": "insufficient_scope"})


@pytest.mark.parametrize("certificate", ["", a_certificate("land").header, a_certificate("stranger").header])
def test_a_stolen_token_opens_nothing_without_its_certificate(the_agency: Agency, certificate: str) -> None:
    answer = the_agency.report(token=the_agency.token(), certificate=certificate, key="stolen-token")
    assert (answer.status_code, answer.json) == (401, {"error": "invalid_token"})
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Basic eDp4", f"Bearer {'A' * 43}", "Bearer é"])
def test_without_a_token_nothing_opens(the_agency: Agency, authorization: str) -> None:
    headers = _certified(a_certificate().header) | {"Idempotency-Key": "report-0001"}
    headers["Authorization"] = authorization
    for answer in (
        the_agency.portal.app.test_client().post("/api/v1/accesses", json=a_report(), headers=headers),
        the_agency.portal.app.test_client().get("/api/v1/accesses/x", headers=headers),
    ):
        assert (answer.status_code, answer.json) == (401, {"error": "invalid_token"})


def test_a_persons_session_opens_nothing_of_the_api(the_agency: Agency) -> None:
    client = the_agency.portal.client("auditor", stepped_up=True)
    answer = client.post("/api/v1/accesses", json=a_report(), headers=_certified(a_certificate().header))
    assert answer.status_code == 401


def test_the_certificates_header_is_believed_from_the_proxy_alone(
    the_agency: Agency, caplog: pytest.LogCaptureFixture
) -> None:
    for address in ("192.0.2.7", "127.0.0.2", "::1", ""):
        answer = the_agency.ask_token(environ_base={"REMOTE_ADDR": address})
        assert answer.status_code == 401, address
    assert caplog.text.count("certificate-header-refused") == 4


def test_a_forged_address_does_not_make_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agency = _build(tmp_path, monkeypatch, trusted_proxies=1)
    headers = _certified(a_certificate().header) | {"X-Forwarded-For": "127.0.0.1"}
    client = agency.portal.app.test_client()
    base = {"REMOTE_ADDR": "192.0.2.7"}
    answer = client.post("/api/oauth/token", data=token_form(), headers=headers, environ_base=base)
    assert answer.status_code == 401
    agency.portal.close()


@pytest.mark.parametrize("header", ["x", "%00", "-----BEGIN CERTIFICATE-----", "A" * 100_000, "ä"])
def test_what_is_no_certificate_is_none(the_agency: Agency, header: str) -> None:
    assert the_agency.ask_token(certificate=header).status_code == 401


def test_a_certificate_that_has_ended_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = a_certificate("ended", days=-1)
    catalogue = write_catalogue(tmp_path, a_client(certificates=f'["{ended.thumbprint}"]'))
    machines = {"certificate_proxies": "127.0.0.1"}
    portal = FakePortal.build(tmp_path, monkeypatch, catalogue_dir=catalogue, machines=machines)
    assert Agency(portal, catalogue).ask_token(certificate=ended.header).status_code == 401
    portal.close()


def test_without_a_configured_proxy_no_system_gets_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agency = _build(tmp_path, monkeypatch, machines={"certificate_proxies": ""})
    assert agency.ask_token().status_code == 401
    agency.portal.close()


def test_a_system_rotates_its_keys_without_asking_anybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime.now(UTC)]
    agency = _build(tmp_path, monkeypatch, clock=lambda: now[0])
    assert agency.ask_token().status_code == 200
    write_keys(agency.catalogue, rsa_key("first"), ec_key("second"))
    now[0] += timedelta(minutes=2)
    moment = int(now[0].timestamp())
    times = {"iat": moment, "exp": moment + 60}
    assert agency.ask_token(token_form(signed(claims(**times), ec_key("second")))).status_code == 200
    write_keys(agency.catalogue, ec_key("second"))
    now[0] += timedelta(hours=1)
    moment = int(now[0].timestamp())
    times = {"iat": moment, "exp": moment + 60}
    assert agency.ask_token(token_form(signed(claims(**times)))).status_code == 401
    agency.portal.close()


def test_a_token_does_not_serve_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime.now(UTC)]
    agency = _build(tmp_path, monkeypatch, clock=lambda: now[0], machines={"access_token_minutes": 5})
    answer = agency.ask_token()
    assert answer.json["expires_in"] == 300
    now[0] += timedelta(minutes=5)
    assert agency.report(token=answer.json["access_token"]).status_code == 401
    agency.portal.close()


def test_another_system_reads_no_receipt_of_this_ones(own: Agency) -> None:
    answer = own.report()
    land = a_certificate("land")
    form = token_form(signed(claims(iss="land-system", sub="land-system"), rsa_key("land")))
    token = own.ask_token(form, certificate=land.header).json["access_token"]
    for path in (answer.location, "/api/v1/accesses/none"):
        refused = own.receipt(path, token, land.header)
        assert (refused.status_code, refused.json["title"]) == (404, "There is nothing here")


def test_when_the_log_cannot_write_nothing_is_acknowledged(own: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    token = own.token()

    def fail(*_: object, **__: object) -> None:
        raise LogUnavailable("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(own.portal.house.log, "append", fail)
        patch.setattr(own.portal.house.log, "append_all", fail)
        refused = own.report(token=token)
        assert own.ask_token().status_code == 503
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert own.report(token=token).status_code == 201


def test_the_description_is_openapi_3_1_and_names_every_route(the_agency: Agency) -> None:
    document = the_agency.portal.app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    rules = {
        re.sub(r"<(reference|consent|decision|correction)>", "{id}", rule.rule)
        for rule in the_agency.portal.app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and not rule.rule.endswith("openapi.json")
    }
    assert set(document["paths"]) == rules
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}" in text
    report = document["components"]["schemas"]["AccessReport"]
    assert set(report["required"]) == set(a_report()) - {"official", "case", "justification"}
    assert report["additionalProperties"] is False


@pytest.mark.postgres
def test_the_same_holds_on_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_url: str) -> None:
    agency = _build(tmp_path, monkeypatch, database_url=postgres_url)
    assertion = signed(claims())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: agency.ask_token(token_form(assertion)).status_code, range(8)))
    assert sorted(answers) == [200] + [401] * 7
    assert agency.report().status_code == 201
    agency.portal.close()
