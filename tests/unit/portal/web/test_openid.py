"""Signing in through a provider: an honest one lets the right person in, and no lie lets in anybody else."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.assurance import Assurance
from portal.domain.devices import Device
from portal.domain.permissions import Permission
from portal.services.entrance import Visit
from portal.web.guard import requires
from tests.factories.apps import FakePortal, token_of
from tests.factories.people import JUHAN, MARY
from tests.factories.sign_ins import SignIn, provider_settings
from tests.fakes.hostile_provider import (
    CLIENT_ID,
    JUHANS_SUB,
    MARYS_SUB,
    Claims,
    HostileProvider,
    challenge_of,
    ec_key,
    hostile_provider,
    rsa_key,
    signed,
    signed_with_the_public_key,
    unsigned,
)


@pytest.fixture(scope="module")
def the_provider() -> Iterator[HostileProvider]:
    with hostile_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def the_portal(the_provider: HostileProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakePortal]:
    """One portal for the tests of this file that leave nothing behind which another one could see."""
    with pytest.MonkeyPatch.context() as patch:
        portal = FakePortal.build(tmp_path_factory.mktemp("portal"), patch, **provider_settings(the_provider.issuer))
        _add_grave_page(portal)
        yield portal
        portal.close()


@pytest.fixture
def provider(the_provider: HostileProvider) -> HostileProvider:
    the_provider.be_honest()
    return the_provider


@pytest.fixture
def portal(the_portal: FakePortal) -> FakePortal:
    BEFORE[the_portal.settings.data_dir] = len(list(the_portal.house.log.stream(TrailQuery())))
    return the_portal


@pytest.fixture
def own_portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider) -> Iterator[FakePortal]:
    portal = FakePortal.build(tmp_path, monkeypatch, **provider_settings(provider.issuer))
    yield portal
    portal.close()


#: How many entries stood in a portal's log before the test.
BEFORE: dict[Path, int] = {}


def _add_grave_page(portal: FakePortal) -> None:
    asked = requires(Permission.READ_OWN_TRAIL, assurance=Assurance.HIGH, fresh=timedelta(minutes=5))
    portal.app.add_url_rule("/me/grave", "grave", asked(lambda: "the grave page"))


def _entries(portal: FakePortal, action: Action = Action.SIGN_IN) -> list[Access]:
    """The test's own entries."""
    found = [logged.access for logged in portal.house.log.stream(TrailQuery()) if logged.access]
    found = found[BEFORE.get(portal.settings.data_dir, 0) :]
    return [access for access in found if access.action == action]


def _set(**changes: Any) -> Callable[[Claims], None]:
    def change(claims: Claims) -> None:
        for name, value in changes.items():
            if value is ...:
                claims.pop(name, None)
            else:
                claims[name] = value

    return change


def test_the_person_whom_the_provider_vouches_for_is_in_where_they_were_going(
    portal: FakePortal, provider: HostileProvider
) -> None:
    sign_in = SignIn.begin(portal, provider, "/sign-in/provider?next=/me/accesses")
    back = sign_in.come_back()
    assert (back.status_code, back.location) == (302, "/me/accesses")
    assert "You signed in." in sign_in.client.get("/me/accesses?kind=own").get_data(as_text=True)
    [entry] = _entries(portal)
    assert (entry.subject, entry.details["method"], entry.details["assurance"]) == (
        MARY.subject, "openid", "substantial",
    )  # fmt: skip


def test_the_request_carries_what_binds_the_answer_to_it(own_portal: FakePortal, provider: HostileProvider) -> None:
    first, second = SignIn.begin(own_portal, provider), SignIn.begin(own_portal, provider)
    asked = first.asked
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == "http://127.0.0.1:5000/sign-in/return"
    assert asked["acr_values"] == "substantial"
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name]) >= 43
        assert asked[name] != second.asked[name]
    provider.nonce = first.asked["nonce"]
    first.come_back()
    [posted] = [form for form in provider.posted if "code" in form]
    assert challenge_of(posted["code_verifier"]) == asked["code_challenge"]
    assert "prompt" not in asked


def test_a_person_who_comes_again_has_the_same_account_and_their_name_follows(
    own_portal: FakePortal, provider: HostileProvider
) -> None:
    first = SignIn.begin(own_portal, provider)
    first.come_back()
    provider.change = _set(family_name="Kask")
    second = SignIn.begin(own_portal, provider)
    second.come_back()
    assert "Mari Kask" in second.client.get("/me").get_data(as_text=True)
    assert "Mari Kask" in first.client.get("/sessions").get_data(as_text=True)
    assert second.client.get("/sessions").get_data(as_text=True).count("sign-in service") >= 2


def test_taras_nested_names_and_bare_answers_do_as_well(portal: FakePortal, provider: HostileProvider) -> None:
    inner = {"given_name": "MARY ÄNN", "family_name": "O’CONNEŽ-ŠUSLIK", "date_of_birth": "2000-01-01"}
    provider.change = _set(given_name=..., family_name=..., sid=..., auth_time=..., profile_attributes=inner)
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back().status_code == 302
    assert "MARY ÄNN O’CONNEŽ-ŠUSLIK" in sign_in.client.get("/me").get_data(as_text=True)


LIES: dict[str, Callable[[Claims], None]] = {
    "another issuer": _set(iss="http://127.0.0.1:1/evil"),
    "no issuer": _set(iss=...),
    "an issuer with a slash": lambda claims: claims.update(iss=claims["iss"] + "/"),
    "another audience": _set(aud="another-client"),
    "a second audience": _set(aud=[CLIENT_ID, "another-client"]),
    "a second audience, authorised": _set(aud=[CLIENT_ID, "another-client"], azp=CLIENT_ID),
    "another authorised party": _set(azp="another-client"),
    "no audience": _set(aud=...),
    "another nonce": _set(nonce="n" * 43),
    "no nonce": _set(nonce=...),
    "an empty nonce": _set(nonce=""),
    "a list as nonce": lambda claims: claims.update(nonce=[claims["nonce"]]),
    "expired": lambda claims: claims.update(exp=claims["iat"] - 31),
    "no end": _set(exp=...),
    "an endless end": _set(exp=float("inf")),
    "words as end": _set(exp="tomorrow"),
    "issued tomorrow": lambda claims: claims.update(iat=claims["iat"] + 86_400, exp=claims["exp"] + 86_400),
    "no time of issue": _set(iat=...),
    "not valid yet": lambda claims: claims.update(nbf=claims["iat"] + 86_400),
    "no subject": _set(sub=...),
    "a wrong hash of the access token": _set(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "a logout token": _set(events={"http://schemas.openid.net/event/backchannel-logout": {}}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_hold_lets_nobody_in(portal: FakePortal, provider: HostileProvider, lie: str) -> None:
    provider.change = LIES[lie]
    sign_in = SignIn.begin(portal, provider)
    back = sign_in.come_back()
    assert back.status_code == 400
    assert "could not trust the answer" in back.get_data(as_text=True)
    assert not sign_in.is_in()
    assert _entries(portal) == []


FORGERIES: dict[str, Callable[[Claims], str]] = {
    "none": lambda claims: unsigned(claims, {"alg": "none"}),
    "NONE": lambda claims: unsigned(claims, {"alg": "NONE", "kid": "first"}),
    "none with a signature": lambda claims: unsigned(claims, {"alg": "none", "kid": "first"}, b"x" * 256),
    "RS256 with no signature": lambda claims: unsigned(claims, {"alg": "RS256", "kid": "first"}),
    "HS256 with the public key": lambda claims: signed_with_the_public_key(claims, rsa_key("first")),
    "a stranger's key": lambda claims: signed(claims, rsa_key("stranger")),
    "a stranger's key under the provider's id": lambda claims: signed(claims, rsa_key("stranger"), kid="first"),
    "a stranger's curve under the provider's id": lambda claims: signed(claims, ec_key("stranger"), kid="first"),
    "its key inside": lambda claims: signed(
        claims, rsa_key("stranger"), kid="first", jwk=rsa_key("stranger").as_dict(private=False)
    ),
    "another's address for keys": lambda claims: signed(
        claims, rsa_key("stranger"), kid="first", jku="http://127.0.0.1:1/jwks"
    ),
    "a critical header nobody knows": lambda claims: unsigned(claims, {"alg": "RS256", "kid": "first", "crit": ["x"]}),
    "a header of another kind": lambda claims: signed(claims, typ="logout+jwt"),
    "cut off": lambda claims: signed(claims)[:-1],
    "no token": lambda _claims: "words",
    "empty": lambda _claims: "",
    "too many dots": lambda claims: signed(claims) + ".x",
    "deep": lambda _claims: ".".join(["e30", "W" * 9000, ""]),
    "a megabyte": lambda claims: signed(claims | {"pad": "x" * 200_000}),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(
    portal: FakePortal, provider: HostileProvider, forgery: str
) -> None:
    provider.sign = FORGERIES[forgery]
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back().status_code in {400, 503}
    assert not sign_in.is_in()
    assert _entries(portal) == []


@pytest.mark.parametrize(("seconds", "is_let_in"), [(0, True), (25, True), (-25, True), (40, False), (-340, False)])
def test_clocks_may_differ_a_little_and_no_more(
    portal: FakePortal, provider: HostileProvider, seconds: int, is_let_in: bool
) -> None:
    """The provider's clock is ahead by `seconds`; its tokens live for 300, and 30 are forgiven."""
    real = provider.now
    provider.now = lambda: real() + seconds
    sign_in = SignIn.begin(portal, provider)
    sign_in.come_back()
    assert sign_in.is_in() == is_let_in


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "http://127.0.0.1:1/honest-but-other"},
        {"iss": None},
        {"iss": ""},
        {"code": None},
        {"code": ""},
        {"code": "x" * 3000},
    ],
)
def test_an_answer_of_another_provider_or_without_its_name_is_refused(
    portal: FakePortal, provider: HostileProvider, changes: dict[str, str | None]
) -> None:
    """Mix-up (RFC 9207): the code is not even sent to the token endpoint."""
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back(**changes).status_code == 400
    assert not sign_in.is_in()
    assert "/token" not in provider.asked


def test_a_provider_that_never_names_itself_need_not(own_portal: FakePortal, provider: HostileProvider) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = False
    sign_in = SignIn.begin(own_portal, provider)
    assert sign_in.come_back(iss=None).status_code == 302
    assert sign_in.is_in()


def test_an_answer_serves_once(portal: FakePortal, provider: HostileProvider) -> None:
    provider.takes_codes_again = True
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back().status_code == 302
    portal.post(sign_in.client, "/sign-out")
    again = sign_in.come_back()
    assert again.status_code == 400
    assert "run out" in again.get_data(as_text=True)
    assert not sign_in.is_in()
    assert provider.asked["/token"] == 1


def test_a_code_that_was_used_before_is_not_taken(portal: FakePortal, provider: HostileProvider) -> None:
    provider.redeemed.add("stolen")
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back(code="stolen").status_code == 400
    assert not sign_in.is_in()


def test_an_answer_opens_nothing_in_another_browser(portal: FakePortal, provider: HostileProvider) -> None:
    """An attacker's answer does not sign the victim in as the attacker, nor a stolen one the thief as the victim."""
    sign_in = SignIn.begin(portal, provider)
    other = portal.app.test_client()
    assert sign_in.come_back(other).status_code == 400
    started_too = SignIn.begin(portal, provider).client
    assert sign_in.come_back(started_too).status_code == 400
    assert not sign_in.is_in(other)
    assert not sign_in.is_in(started_too)


@pytest.mark.parametrize("state", [None, "", "x", "x" * 43, "x" * 100_000, "é", "%00"])
def test_an_answer_that_nobody_asked_for_is_refused(
    portal: FakePortal, provider: HostileProvider, state: str | None
) -> None:
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back(state=state).status_code == 400
    assert not sign_in.is_in()


def test_a_parameter_sent_twice_is_refused(portal: FakePortal, provider: HostileProvider) -> None:
    sign_in = SignIn.begin(portal, provider)
    state = sign_in.asked["state"]
    answer = sign_in.client.get(f"/sign-in/return?state={state}&code=a&code=b&iss={provider.issuer}")
    assert answer.status_code == 400
    assert not sign_in.is_in()


def test_an_attempt_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider
) -> None:
    now = [datetime.now(UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0], **provider_settings(provider.issuer))
    provider.now = lambda: now[0].timestamp()
    late = SignIn.begin(portal, provider)
    now[0] += timedelta(minutes=15)
    assert late.come_back().status_code == 400
    soon = SignIn.begin(portal, provider)
    now[0] += timedelta(minutes=14)
    assert soon.come_back().status_code == 302
    portal.close()


@pytest.mark.parametrize(
    ("acr", "reason"),
    [
        (None, "assurance-missing"),
        ("low", "assurance-too-low"),
        ("", "assurance-missing"),
        ("HIGH", "assurance-missing"),
        ("http://eidas.europa.eu/LoA/low", "assurance-too-low"),
    ],
)
def test_a_missing_or_low_level_is_refused_and_stands_in_the_persons_history(
    portal: FakePortal, provider: HostileProvider, acr: str | None, reason: str
) -> None:
    provider.acr = acr
    sign_in = SignIn.begin(portal, provider)
    back = sign_in.come_back()
    assert back.status_code == 403
    assert "ID card, Mobile-ID or Smart-ID" in back.get_data(as_text=True)
    assert not sign_in.is_in()
    [entry] = _entries(portal)
    assert (entry.subject, entry.outcome, entry.reason) == (MARY.subject, "denied", reason)
    mary = portal.client("citizen")
    assert "was not let in" in mary.get("/me/accesses?kind=own").get_data(as_text=True)


@pytest.mark.parametrize("sub", ["38001085718", "EE3800108571", "EE38001085719", "LV38001085718", "ee38001085718", "x"])
def test_whoever_has_no_estonian_code_is_told_so_and_is_nobody(
    portal: FakePortal, provider: HostileProvider, sub: str
) -> None:
    provider.sub = sub
    sign_in = SignIn.begin(portal, provider)
    assert sign_in.come_back().status_code == 403
    assert not sign_in.is_in()


def test_a_closed_account_stays_closed_and_the_attempt_is_in_the_log(
    own_portal: FakePortal, provider: HostileProvider
) -> None:
    engine = create_engine(own_portal.settings.database_url)
    with engine.begin() as connection:
        close = text("UPDATE accounts SET is_active = :no WHERE id = :id")
        connection.execute(close, {"no": False, "id": own_portal.accounts["citizen"]})
    engine.dispose()
    sign_in = SignIn.begin(own_portal, provider)
    assert sign_in.come_back().status_code == 403
    assert not sign_in.is_in()
    assert [entry.reason for entry in _entries(own_portal)] == ["account-closed"]


@pytest.mark.parametrize(
    ("error", "says"),
    [("access_denied", "turned back"), ("user_cancel", "turned back"), ("server_error", "could not sign you in")],
)
def test_turning_back_is_no_failure_and_what_the_provider_wrote_is_not_shown(
    portal: FakePortal, provider: HostileProvider, error: str, says: str
) -> None:
    sign_in = SignIn.begin(portal, provider)
    back = sign_in.come_back(code=None, error=error, error_description="<b>Click https://evil.example</b>")
    page = back.get_data(as_text=True)
    assert says in page
    assert "evil.example" not in page
    assert not sign_in.is_in()


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_host(portal: FakePortal, provider: HostileProvider, target: str) -> None:
    sign_in = SignIn.begin(portal, provider, f"/sign-in/provider?next={target}")
    assert sign_in.come_back().location == "/me"


def test_a_token_planted_before_is_not_the_one_after(portal: FakePortal, provider: HostileProvider) -> None:
    attacker = portal.client("neighbour").get_cookie("glasshouse")
    assert attacker is not None
    victim = portal.app.test_client()
    victim.set_cookie("glasshouse", attacker.value)
    with victim.session_transaction() as flask_session:
        flask_session["planted"] = "by an attacker"
    sign_in = SignIn.begin(portal, provider, client=victim)
    sign_in.come_back()
    after = victim.get_cookie("glasshouse")
    assert after is not None
    assert after.value != attacker.value
    stolen = portal.app.test_client()
    stolen.set_cookie("glasshouse", attacker.value)
    assert stolen.get("/me").status_code == 302
    with victim.session_transaction() as flask_session:
        assert "planted" not in flask_session


def test_without_the_entry_nobody_is_let_in(
    portal: FakePortal, provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in = SignIn.begin(portal, provider)

    def fail(*_: object) -> None:
        raise LogUnavailable("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(portal.house.log, "append_all", fail)
        assert sign_in.come_back().status_code == 503
    assert not sign_in.is_in()


def test_keys_may_rotate_at_any_time_and_a_key_that_was_withdrawn_signs_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider
) -> None:
    now = [datetime.now(UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0], **provider_settings(provider.issuer))
    provider.now = lambda: now[0].timestamp()
    assert SignIn.begin(portal, provider).come_back().status_code == 302
    now[0] += timedelta(minutes=2)
    provider.keys = [rsa_key("first"), ec_key("second")]
    provider.sign = lambda claims: signed(claims, ec_key("second"))
    assert SignIn.begin(portal, provider).come_back().status_code == 302
    assert provider.asked["/jwks"] == 2
    provider.keys = [ec_key("second")]
    now[0] += timedelta(hours=1)
    provider.sign = lambda claims: signed(claims, rsa_key("first"))
    assert SignIn.begin(portal, provider).come_back().status_code == 400
    portal.close()


def test_tokens_with_unknown_keys_do_not_make_the_portal_a_nuisance(
    own_portal: FakePortal, provider: HostileProvider
) -> None:
    provider.sign = lambda claims: signed(claims, rsa_key("stranger"))
    for _ in range(5):
        assert SignIn.begin(own_portal, provider).come_back().status_code == 400
    assert provider.asked["/jwks"] == 1


def test_signing_out_here_offers_to_sign_out_there(portal: FakePortal, provider: HostileProvider) -> None:
    sign_in = SignIn.begin(portal, provider)
    sign_in.come_back()
    kept = sign_in.client.get_cookie("glasshouse")
    assert kept is not None
    out = portal.post(sign_in.client, "/sign-out")
    page = out.get_data(as_text=True)
    assert "Mari Maasikas" not in page
    assert out.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert f'action="{provider.issuer}/logout"' in page
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    assert fields["post_logout_redirect_uri"] == "http://127.0.0.1:5000/signed-out"
    assert fields["id_token_hint"].count(".") == 2
    assert f"form-action 'self' {provider.issuer}" in out.headers["Content-Security-Policy"]
    sign_in.client.set_cookie("glasshouse", kept.value)
    assert not sign_in.is_in()
    assert sign_in.client.get("/signed-out?state=language-et").location == "/language/et?next=/"


def test_the_providers_word_ends_the_sessions_it_names_and_no_others(
    own_portal: FakePortal, provider: HostileProvider
) -> None:
    first = SignIn.begin(own_portal, provider)
    first.come_back()
    provider.change = _set(sid="another-session")
    second = SignIn.begin(own_portal, provider)
    second.come_back()
    answer = _log_out(own_portal, signed(provider.logout_claims()))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert (first.is_in(), second.is_in()) == (False, True)
    assert _log_out(own_portal, signed(provider.logout_claims(sid=...))).status_code == 200
    assert not second.is_in()
    ended = _entries(own_portal, Action.SESSION_END)
    assert [(entry.subject, entry.reason) for entry in ended] == [(MARY.subject, "ended-by-provider")] * 2


def test_a_logout_token_played_again_ends_nothing_that_began_later(
    portal: FakePortal, provider: HostileProvider
) -> None:
    real = provider.now
    SignIn.begin(portal, provider).come_back()
    provider.now = lambda: real() - 60
    token = signed(provider.logout_claims())
    provider.now = real
    later = SignIn.begin(portal, provider)
    later.come_back()
    assert _log_out(portal, token).status_code == 200
    assert later.is_in()


LOGOUT_LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "http://127.0.0.1:1"},
    "another audience": {"aud": "another-client"},
    "no event": {"events": ...},
    "another event": {"events": {"x": {}}},
    "an ID token's nonce": {"nonce": "n"},
    "no id": {"jti": ...},
    "an old one": {"iat": 1_000_000_000},
    "one from tomorrow": {"iat": 4_000_000_000},
    "no time": {"iat": ...},
    "nobody": {"sid": ..., "sub": ...},
    "nobody we know": {"sid": ..., "sub": "x"},
    "expired": {"exp": 1_000_000_000},
}


@pytest.mark.parametrize("lie", [*LOGOUT_LIES, "unsigned", "HS256", "an ID token", "nothing", "two"])
def test_a_logout_token_that_does_not_hold_ends_nothing(
    portal: FakePortal, provider: HostileProvider, lie: str
) -> None:
    sign_in = SignIn.begin(portal, provider)
    sign_in.come_back()
    honest = provider.logout_claims()
    token = {
        "unsigned": lambda: unsigned(honest, {"alg": "none"}),
        "HS256": lambda: signed_with_the_public_key(honest, rsa_key("first")),
        "an ID token": lambda: signed(provider.claims()),
        "nothing": lambda: "",
        "two": lambda: [signed(honest), signed(honest)],
    }.get(lie, lambda: signed(provider.logout_claims(**LOGOUT_LIES.get(lie, {}))))()
    assert _log_out(portal, token).status_code == 400
    assert sign_in.is_in()


def _log_out(portal: FakePortal, token: object) -> Any:
    return portal.app.test_client().post("/sign-in/back-channel-logout", data={"logout_token": token})


def test_names_cannot_dress_up_as_something_else(portal: FakePortal, provider: HostileProvider) -> None:
    provider.change = _set(given_name="<script>alert(1)</script>", family_name="\u202eirak\r\nX: y\x1b[31m")
    sign_in = SignIn.begin(portal, provider)
    sign_in.come_back()
    page = sign_in.client.get("/me").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page


def test_neither_codes_nor_tokens_nor_people_are_in_the_ordinary_log(
    portal: FakePortal, provider: HostileProvider, caplog: pytest.LogCaptureFixture
) -> None:
    secrets: list[str] = []

    def sign(claims: Claims) -> str:
        secrets.append(signed(claims))
        return secrets[-1]

    provider.sign = sign
    with caplog.at_level(logging.DEBUG, logger="portal"):
        for change in (_set(), _set(acr="low"), _set(nonce="wrong"), _set(sub="EE1")):
            provider.change = change
            sign_in = SignIn.begin(portal, provider)
            sign_in.come_back(code="the-secret-code")
            secrets += [sign_in.asked["state"], sign_in.asked["nonce"]]
    told = "\n".join(record.getMessage() for record in caplog.records)
    assert "sign-in refused" in told
    for secret in (*secrets, "the-secret-code", MARY.reveal(), "Maasikas", MARYS_SUB):
        assert secret not in told


class TestStepUp:
    """The provider proves again who somebody is."""

    def _waiting(self, portal: FakePortal, provider: HostileProvider) -> tuple[SignIn, str]:
        """Mary, signed in, has asked for a page that needs the highest level, freshly proved."""
        sign_in = SignIn.begin(portal, provider)
        sign_in.come_back()
        asked_for = sign_in.client.get("/me/grave")
        assert asked_for.status_code == 303
        page = sign_in.client.get(asked_for.location).get_data(as_text=True)
        assert "You stay signed in here" in page
        return SignIn.begin(portal, provider, f"{asked_for.location}/start", sign_in.client), asked_for.location

    def test_a_fresh_proof_at_the_highest_level_opens_the_page(
        self, portal: FakePortal, provider: HostileProvider
    ) -> None:
        step_up, _ = self._waiting(portal, provider)
        before = step_up.client.get_cookie("glasshouse")
        assert (step_up.asked["prompt"], step_up.asked["max_age"], step_up.asked["acr_values"]) == (
            "login", "300", "high",
        )  # fmt: skip
        provider.acr = "high"
        back = step_up.come_back()
        led = step_up.client.get(back.location)
        assert led.location == "/me/grave"
        assert step_up.client.get("/me/grave").get_data(as_text=True) == "the grave page"
        after = step_up.client.get_cookie("glasshouse")
        assert before is not None
        assert after is not None
        assert before.value != after.value
        [entry] = _entries(portal, Action.STEP_UP)
        assert (entry.outcome, entry.details["assurance"]) == ("done", "high")

    @pytest.mark.parametrize(
        ("lie", "reason"),
        [
            ({"acr": "substantial"}, "assurance-too-low"),
            ({"acr": ...}, "assurance-missing"),
            ({"sub": JUHANS_SUB}, "another-person"),
            ({"auth_time": 1_000_000_000}, "proof-too-old"),
            ({"auth_time": ...}, "proof-too-old"),
        ],
    )
    def test_anything_less_leaves_the_session_as_it_was_and_an_entry(
        self, portal: FakePortal, provider: HostileProvider, lie: Claims, reason: str
    ) -> None:
        step_up, _ = self._waiting(portal, provider)
        provider.acr = "high"
        provider.change = _set(**lie)
        back = step_up.come_back()
        assert back.status_code == 403
        assert "You are signed in as you were before" in back.get_data(as_text=True)
        assert step_up.client.get("/me/grave").status_code == 303
        assert step_up.is_in()
        [entry] = _entries(portal, Action.STEP_UP)
        assert (entry.outcome, entry.reason, entry.subject) == ("denied", reason, MARY.subject)
        assert JUHAN.subject not in {one.subject for one in _entries(portal)}

    def test_it_ends_with_the_session_that_began_it(self, portal: FakePortal, provider: HostileProvider) -> None:
        step_up, _ = self._waiting(portal, provider)
        provider.acr = "high"
        portal.post(step_up.client, "/sign-out")
        assert step_up.come_back().status_code == 400
        assert not step_up.is_in()

    def test_another_session_of_the_same_person_is_not_lifted(
        self, portal: FakePortal, provider: HostileProvider
    ) -> None:
        step_up, _ = self._waiting(portal, provider)
        other = SignIn.begin(portal, provider)
        other.come_back()
        provider.acr = "high"
        cookie = other.client.get_cookie("glasshouse")
        assert cookie is not None
        step_up.client.set_cookie("glasshouse", cookie.value)
        provider.nonce = step_up.asked["nonce"]
        assert step_up.come_back().status_code == 400
        assert step_up.client.get("/me/grave").status_code == 303

    def test_a_strangers_errand_cannot_be_begun(self, portal: FakePortal, provider: HostileProvider) -> None:
        _, page = self._waiting(portal, provider)
        stranger = portal.client("neighbour")
        assert stranger.get(page).status_code == 404
        assert stranger.get(f"{page}/start").status_code == 404


def test_an_old_proof_at_the_provider_is_not_fresh_here(portal: FakePortal, provider: HostileProvider) -> None:
    """Single sign-on: the person came in by a proof of two hours ago, and what is grave asks again."""
    provider.acr = "high"
    provider.change = lambda claims: claims.update(auth_time=claims["iat"] - 7200)
    sign_in = SignIn.begin(portal, provider)
    sign_in.come_back()
    token = sign_in.client.get_cookie("glasshouse").value  # type: ignore[union-attr]
    session = portal.house.entrance.who(Visit("r", Device(), token))
    assert session is not None
    assert (session.session.started_at - session.session.proved_at).total_seconds() >= 7199


def test_a_provider_that_proves_each_time_need_not_say_when(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider
) -> None:
    portal = FakePortal.build(
        tmp_path, monkeypatch, **provider_settings(provider.issuer, proves_each_time=True, step_up_with=())
    )
    _add_grave_page(portal)
    provider.change = _set(auth_time=...)
    step_up, _ = TestStepUp()._waiting(portal, provider)
    assert "prompt" not in step_up.asked
    provider.acr = "high"
    assert step_up.come_back().status_code == 303
    portal.close()


def test_without_a_provider_its_pages_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = FakePortal.build(tmp_path, monkeypatch)
    client = portal.app.test_client()
    for path in ("/sign-in/provider", "/sign-in/return?state=x"):
        assert client.get(path).status_code == 404
    assert client.post("/sign-in/back-channel-logout", data={"logout_token": "x"}).status_code == 404
    assert "Sign in with" not in client.get("/sign-in").get_data(as_text=True)
    assert token_of(client)
    portal.close()


@pytest.mark.postgres
def test_the_whole_way_holds_on_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: HostileProvider, postgres_url: str
) -> None:
    portal = FakePortal.build(tmp_path, monkeypatch, database_url=postgres_url, **provider_settings(provider.issuer))
    _add_grave_page(portal)
    step_up, _ = TestStepUp()._waiting(portal, provider)
    provider.acr = "high"
    assert step_up.come_back().status_code == 303
    assert step_up.client.get("/me/grave").get_data(as_text=True) == "the grave page"
    assert step_up.come_back().status_code == 400
    portal.post(step_up.client, "/sign-out")
    assert not step_up.is_in()
    portal.close()
