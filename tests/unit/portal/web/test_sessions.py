"""What the browser holds opens a session only while the server keeps it."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from portal.domain.assurance import Assurance
from portal.domain.devices import Device
from portal.domain.permissions import Permission
from portal.services.entrance import Visit
from portal.services.sessions import Method, Proof
from portal.web.guard import demand_of, requires, rule_of
from tests.factories.apps import FakePortal, token_of

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def _token(client: FlaskClient) -> str:
    cookie = client.get_cookie("glasshouse")
    assert cookie is not None
    return cookie.value


def _with_token(portal: FakePortal, token: str) -> FlaskClient:
    client = portal.app.test_client()
    client.set_cookie("glasshouse", token)
    return client


def test_the_cookie_holds_a_random_token_and_nothing_else(portal: FakePortal) -> None:
    tokens = {_token(portal.client("citizen")) for _ in range(5)}
    assert len(tokens) == 5
    assert all(TOKEN.fullmatch(token) for token in tokens)


def test_a_token_that_was_there_before_signing_in_is_not_the_one_after(portal: FakePortal) -> None:
    """Session fixation: an attacker plants a token of their own choice, or one of their own session."""
    attacker = portal.client("neighbour")
    for planted in ("A" * 43, _token(attacker)):
        victim = _with_token(portal, planted)
        portal.post(victim, "/sign-in/demonstration", account=portal.accounts["citizen"])
        assert _token(victim) != planted
        assert victim.get("/me").status_code == 200
        page = _with_token(portal, planted).get("/me")
        assert page.status_code == 302


def test_a_cookie_kept_from_before_signing_out_opens_nothing(portal: FakePortal) -> None:
    client = portal.client("citizen")
    kept = _token(client)
    assert _with_token(portal, kept).get("/me").status_code == 200
    portal.post(client, "/sign-out")
    assert client.get_cookie("glasshouse") is None
    assert _with_token(portal, kept).get("/me").status_code == 302


def test_flasks_own_cookie_says_nothing_of_who_somebody_is(portal: FakePortal) -> None:
    client = portal.client()
    with client.session_transaction() as session:
        session["_user_id"] = portal.accounts["citizen"]
        session["_fresh"] = True
    assert client.get("/me").status_code == 302


def test_a_remember_me_cookie_signs_nobody_in(portal: FakePortal) -> None:
    from flask_login.utils import encode_cookie

    client = portal.app.test_client()
    with portal.app.test_request_context():
        client.set_cookie("remember_token", encode_cookie(portal.accounts["citizen"]))
    assert client.get("/me").status_code == 302


def test_two_devices_are_two_sessions_and_each_ends_by_itself(portal: FakePortal) -> None:
    laptop, phone = portal.client("citizen"), portal.client("citizen")
    portal.post(laptop, "/sign-out")
    assert laptop.get("/me").status_code == 302
    assert phone.get("/me").status_code == 200


def test_somebody_ended_elsewhere_is_out_at_the_next_request(portal: FakePortal) -> None:
    here, there = portal.client("citizen"), portal.client("citizen")
    page = here.get("/sessions").get_data(as_text=True)
    [reference] = re.findall(r'name="session" value="([^"]+)"', page)
    assert portal.post(here, "/sessions/end", session=reference).location == "/sessions"
    assert there.get("/me").status_code == 302
    assert here.get("/me").status_code == 200
    assert "only" in here.get("/sessions").get_data(as_text=True)


def test_all_other_sessions_end_at_once(portal: FakePortal) -> None:
    here, *others = (portal.client("citizen") for _ in range(4))
    neighbour = portal.client("neighbour")
    portal.post(here, "/sessions/end-others")
    assert [one.get("/me").status_code for one in others] == [302, 302, 302]
    assert here.get("/me").status_code == neighbour.get("/me").status_code == 200


def test_ending_sessions_takes_a_fresh_proof_and_then_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0])
    here, there = portal.client("citizen"), portal.client("citizen")
    now[0] += timedelta(minutes=11)
    asked = portal.post(here, "/sessions/end-others")
    assert asked.status_code == 303
    assert asked.location.startswith("/step-up/")
    assert there.get("/me").status_code == 200, "nothing ended yet"
    portal.post(here, asked.location)
    assert "/sessions/end-others" in here.get(asked.location.removesuffix("/demonstration")).get_data(as_text=True)
    portal.post(here, "/sessions/end-others")
    assert there.get("/me").status_code == 302
    portal.close()


def _sign_in_with(portal: FakePortal, account: str, agent: str) -> FlaskClient:
    client = portal.app.test_client()
    client.environ_base["HTTP_USER_AGENT"] = agent
    client.post("/sign-in/demonstration", data={"csrf_token": token_of(client), "account": portal.accounts[account]})
    return client


@pytest.mark.parametrize(("account", "page"), [("citizen", "/me"), ("caseworker", "/account")])
def test_a_sign_in_on_a_new_kind_of_device_is_told_to_whose_account_it_is(
    portal: FakePortal, account: str, page: str
) -> None:
    told = "Somebody signed in as you on a kind of device"
    usual, new = "Firefox/127.0 Linux", "Chrome/126.0 Windows"
    assert told not in _sign_in_with(portal, account, usual).get(page).get_data(as_text=True), "the first of all"
    assert told not in _sign_in_with(portal, account, usual).get(page).get_data(as_text=True)
    _sign_in_with(portal, account, new)
    assert told in _sign_in_with(portal, account, usual).get(page).get_data(as_text=True)


def test_a_token_used_from_another_kind_of_device_opens_nothing_and_ends_the_session(portal: FakePortal) -> None:
    client = portal.client("citizen")
    stolen = _with_token(portal, _token(client))
    chrome = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36"}
    assert stolen.get("/me/records", headers=chrome).status_code == 302
    assert client.get("/me").status_code == 302, "and its owner signs in anew"
    page = portal.client("citizen").get("/me/accesses?kind=own").get_data(as_text=True)
    assert "A session of yours was ended: it was used from another kind of device" in page


def test_an_auditor_in_another_network_proves_again_and_a_citizen_reads_on(portal: FakePortal) -> None:
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    assert portal.client("citizen").get("/me/records", environ_base=elsewhere).status_code == 200
    auditor = portal.client("auditor")
    asked = auditor.get("/oversight", environ_base=elsewhere)
    assert (asked.status_code, asked.location.startswith("/step-up/")) == (303, True)
    assert auditor.get("/oversight").status_code == 200


def test_the_network_of_a_session_stands_nowhere_in_the_clear(portal: FakePortal) -> None:
    client = portal.app.test_client()
    data = {"csrf_token": token_of(client), "account": portal.accounts["citizen"]}
    client.post("/sign-in/demonstration", data=data, environ_base={"REMOTE_ADDR": "203.0.113.77"})
    for file in portal.settings.data_dir.rglob("*"):
        assert not file.is_file() or b"203.0.113" not in file.read_bytes(), file


def test_a_form_that_arrives_after_the_session_ended_says_so(portal: FakePortal) -> None:
    here, there = portal.client("citizen"), portal.client("citizen")
    token = token_of(there)
    portal.post(here, "/sessions/end-others")
    answer = there.post("/sign-out", data={"csrf_token": token})
    assert answer.status_code == 401
    assert "You have been signed out" in answer.get_data(as_text=True)


def test_nobody_sees_or_ends_a_session_of_somebody_else(portal: FakePortal) -> None:
    victim = portal.client("citizen")
    portal.client("citizen")
    attacker = portal.client("neighbour")
    [reference] = re.findall(r'name="session" value="([^"]+)"', victim.get("/sessions").get_data(as_text=True))
    assert reference not in attacker.get("/sessions").get_data(as_text=True)
    refused = portal.post(attacker, "/sessions/end", session=reference)
    missing = portal.post(attacker, "/sessions/end", session="none")
    assert refused.status_code == missing.status_code == 404
    assert refused.data == missing.data


def test_the_page_names_devices_coarsely_and_never_what_a_client_wrote(portal: FakePortal) -> None:
    client = portal.app.test_client()
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0 <script>alert(1)</script>"
    token = token_of(client)
    data = {"csrf_token": token, "account": portal.accounts["citizen"]}
    client.post("/sign-in/demonstration", data=data, headers={"User-Agent": agent})
    page = client.get("/sessions", headers={"User-Agent": agent}).get_data(as_text=True)
    assert "Firefox on Linux" in page
    assert "alert(1)" not in page
    assert "127.0" not in page


def test_idle_and_absolute_limits_end_a_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [datetime(2026, 3, 2, 8, 0, tzinfo=UTC)]
    limits = {"session_idle_minutes": 15, "session_absolute_minutes": 60}
    portal = FakePortal.build(tmp_path, monkeypatch, clock=lambda: now[0], **limits)
    idle, busy = portal.client("citizen"), portal.client("citizen")
    for _ in range(5):
        now[0] += timedelta(minutes=10)
        assert busy.get("/sessions").status_code == 200
    assert idle.get("/sessions").status_code == 302
    now[0] += timedelta(minutes=10)
    assert busy.get("/sessions").status_code == 302
    portal.close()


def test_a_role_that_changes_takes_the_session_with_it(portal: FakePortal) -> None:
    client = portal.client("caseworker")
    engine = create_engine(portal.settings.database_url)
    with engine.begin() as connection:
        change = text("UPDATE accounts SET role = 'auditor' WHERE id = :id")
        connection.execute(change, {"id": portal.accounts["caseworker"]})
    engine.dispose()
    assert client.get("/casework").status_code == 302
    assert client.get("/oversight").status_code == 302


def test_the_token_is_in_no_log_and_in_no_database(portal: FakePortal, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client = portal.client("citizen")
        token = _token(client)
        client.get("/me")
        client.get("/oversight")
        portal.post(client, "/sign-out")
    assert token not in caplog.text
    for file in portal.settings.data_dir.rglob("*"):
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = FakePortal.build(tmp_path, monkeypatch, public_url="https://data.example")
    client = portal.app.test_client()
    page = client.get("/sign-in", base_url="https://data.example").get_data(as_text=True)
    [token] = set(re.findall(r'name="csrf_token" value="([^"]+)"', page))
    answer = client.post(
        "/sign-in/demonstration",
        data={"csrf_token": token, "account": portal.accounts["citizen"]},
        base_url="https://data.example",
        headers={"Referer": "https://data.example/sign-in"},
    )
    [cookie] = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("__Host-glasshouse=")]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert attributes == {"secure", "httponly", "path=/", "samesite=lax"}
    portal.close()


def test_signing_in_and_ending_sessions_stands_among_ones_own_looks(portal: FakePortal) -> None:
    here = portal.client("citizen")
    portal.client("citizen")
    portal.post(here, "/sessions/end-others")
    page = here.get("/me/accesses?kind=own").get_data(as_text=True)
    assert "You signed in." in page
    assert "You ended a session of yours from another device." in page
    assert "You signed in." not in here.get("/me/accesses").get_data(as_text=True)


def test_every_route_with_a_permission_needs_at_least_a_substantial_sign_in(portal: FakePortal) -> None:
    for endpoint in portal.app.view_functions:
        if isinstance(rule_of(portal.app, endpoint), Permission):
            demand = demand_of(portal.app, endpoint)
            assert demand is not None, endpoint
            assert demand.level.reaches(Assurance.SUBSTANTIAL), endpoint


def test_somebody_who_signed_in_at_a_low_level_is_told_and_sees_nothing(portal: FakePortal) -> None:
    person = portal.house.accounts.actor(portal.accounts["citizen"])
    low = Proof(Method.OPENID, Assurance.LOW)
    client = _with_token(portal, portal.house.entrance.let_in(person, low, Visit("r", Device())))
    for route in portal.app.url_map.iter_rules():
        rule = rule_of(portal.app, route.endpoint)
        if isinstance(rule, Permission) and "GET" in (route.methods or ()) and route.rule.startswith("/me"):
            path = portal.app.url_map.bind("localhost").build(route.endpoint, dict.fromkeys(route.arguments, "x"))
            answer = client.get(path)
            assert answer.status_code == 403, route.rule
            assert "more secure sign-in" in answer.get_data(as_text=True)
    assert client.get("/sessions").status_code == 200
    assert client.get("/casework").status_code == 404


def test_a_route_may_ask_for_more_and_never_for_less() -> None:
    @requires(Permission.READ_OWN_TRAIL, assurance=Assurance.HIGH)
    def view() -> str:
        return ""

    assert view.__demand__.level is Assurance.HIGH  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="cannot be content"):
        requires(Permission.READ_OWN_TRAIL, assurance=Assurance.LOW)
