"""What is grave asks again who one is, loses nothing that was filled in, and leads back to where one was going."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from audit.entry import Access
from audit.errors import LogUnavailable
from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.assurance import Assurance, Demand
from portal.domain.devices import Device
from portal.domain.permissions import Permission
from portal.services.entrance import Visit
from portal.services.sessions import Method, Proof
from portal.web.guard import FRESH, demand_of, requires
from tests.factories.apps import FakePortal, token_of
from tests.factories.people import MARY

FILLED_IN = {"subject": MARY.reveal(), "case": 'C-1 "<ä>"', "format": "csv"}


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[FakePortal]:
    portal = FakePortal.build(tmp_path, monkeypatch, clock=clock)
    yield portal
    portal.close()


def _cookie(client: FlaskClient) -> str:
    cookie = client.get_cookie("glasshouse")
    assert cookie is not None
    return cookie.value


def _step_ups(portal: FakePortal) -> list[Access]:
    found = [logged.access for logged in portal.house.log.stream(TrailQuery()) if logged.access]
    return [access for access in found if access.action == Action.STEP_UP]


def _form(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.partition("<main")[2])
    return {unescape(name): unescape(value) for name, value in fields}


def _add_page(portal: FakePortal, **asked: object) -> None:
    view = requires(Permission.READ_OWN_TRAIL, **asked)(lambda: "the grave page")  # type: ignore[arg-type]
    portal.app.add_url_rule("/me/grave", "grave", view, methods=["GET", "POST", "PUT"])


def test_an_export_asks_the_auditor_again_and_then_sends_what_was_filled_in(portal: FakePortal) -> None:
    client = portal.client("auditor")
    before = _cookie(client)
    asked = portal.post(client, "/oversight/export", **FILLED_IN)
    assert asked.status_code == 303
    page = client.get(asked.location).get_data(as_text=True)
    assert "Nothing has been sent yet" in page
    assert "stands for it" in page
    assert MARY.reveal() not in asked.location + page
    confirmed = portal.post(client, asked.location)
    assert _cookie(client) != before
    ready = client.get(confirmed.location)
    assert ready.headers["Cache-Control"] == "no-store"
    form = _form(ready.get_data(as_text=True))
    assert {name: form[name] for name in FILLED_IN} == FILLED_IN
    done = client.post("/oversight/export", data=form, headers={"Referer": "http://localhost/"})
    assert done.status_code == 200
    assert done.mimetype == "application/zip"
    assert [(one.outcome, one.details["method"], one.details["assurance"]) for one in _step_ups(portal)] == [
        ("done", "demonstration", "high")
    ]


def test_nothing_is_exported_before(portal: FakePortal) -> None:
    client = portal.client("auditor")
    portal.post(client, "/oversight/export", **FILLED_IN)
    found = [logged.access for logged in portal.house.log.stream(TrailQuery()) if logged.access]
    assert [access.action for access in found] == [Action.SIGN_IN]


def test_the_old_token_opens_nothing_after_a_step_up_and_is_not_revived_by_another(portal: FakePortal) -> None:
    client = portal.client("auditor")
    old = _cookie(client)
    portal.post(client, "/step-up/none/demonstration")
    stolen = portal.app.test_client()
    stolen.set_cookie("glasshouse", old)
    assert stolen.get("/oversight").status_code == 302
    assert client.get("/oversight").status_code == 200


def test_a_fresh_proof_serves_for_a_while_and_then_is_asked_for_again(timed: FakePortal, clock: Clock) -> None:
    client = timed.client("auditor", stepped_up=True)
    clock.now += FRESH
    assert timed.post(client, "/oversight/export", **FILLED_IN).status_code == 200
    clock.now += timedelta(seconds=1)
    assert timed.post(client, "/oversight/export", **FILLED_IN).status_code == 303
    assert client.get("/oversight").status_code == 200


def test_a_page_that_is_only_opened_is_come_back_to_with_its_query(portal: FakePortal) -> None:
    _add_page(portal, assurance=Assurance.HIGH)
    client = portal.client("citizen")
    asked = client.get("/me/grave?tab=2")
    assert asked.status_code == 303
    back = portal.post(client, asked.location)
    led = client.get(back.location)
    assert (led.status_code, led.location) == (303, "/me/grave?tab=2")
    assert client.get(led.location).get_data(as_text=True) == "the grave page"
    assert client.get(back.location).status_code == 404


def test_freshness_alone_can_be_asked_for(timed: FakePortal, clock: Clock) -> None:
    _add_page(timed, fresh=timedelta(minutes=2))
    client = timed.client("citizen")
    assert client.get("/me/grave").status_code == 200
    clock.now += timedelta(minutes=3)
    assert client.get("/me/grave").status_code == 303


def test_going_on_without_a_proof_leads_back_to_the_proof(portal: FakePortal) -> None:
    client = portal.client("auditor")
    asked = portal.post(client, "/oversight/export", **FILLED_IN)
    skipped = client.get(asked.location.removesuffix("/demonstration"))
    assert (skipped.status_code, skipped.location) == (303, asked.location)


def test_nobody_else_goes_on_with_it(portal: FakePortal) -> None:
    asked = portal.post(portal.client("auditor"), "/oversight/export", **FILLED_IN)
    for account in ("auditor", "caseworker"):
        other = portal.client(account, stepped_up=True)
        for path in (asked.location, asked.location.removesuffix("/demonstration")):
            answer = other.get(path)
            assert answer.status_code == 404
            assert MARY.reveal() not in answer.get_data(as_text=True)


def test_a_form_from_elsewhere_is_never_kept_for_the_victim_to_send(portal: FakePortal) -> None:
    client = portal.client("auditor")
    assert client.post("/oversight/export", data=FILLED_IN).status_code == 403
    assert _rows(portal, "errands") == 0


def test_confirming_needs_the_pages_own_form(portal: FakePortal) -> None:
    client = portal.client("auditor")
    assert client.post("/step-up/none/demonstration").status_code == 403
    assert _step_ups(portal) == []


def test_whoever_lacks_the_permission_is_not_asked_to_prove_anything(portal: FakePortal) -> None:
    for account in ("citizen", "caseworker"):
        assert portal.post(portal.client(account), "/oversight/export", **FILLED_IN).status_code == 404


def test_without_the_entry_there_is_no_step_up(portal: FakePortal, monkeypatch: pytest.MonkeyPatch) -> None:
    client = portal.client("auditor")
    token, csrf = _cookie(client), token_of(client)

    def fail(*_: object) -> None:
        raise LogUnavailable("no disk")

    with monkeypatch.context() as patch:
        patch.setattr(portal.house.log, "append_all", fail)
        headers = {"Referer": "http://localhost/"}
        answer = client.post("/step-up/none/demonstration", data={"csrf_token": csrf}, headers=headers)
        assert answer.status_code == 503
    assert _cookie(client) == token
    assert portal.post(client, "/oversight/export", **FILLED_IN).status_code == 303


def test_what_waits_goes_with_the_session(portal: FakePortal) -> None:
    client = portal.client("auditor")
    portal.post(client, "/oversight/export", **FILLED_IN)
    assert _rows(portal, "errands") == 1
    portal.post(client, "/sign-out")
    assert _rows(portal, "errands") == 0


def test_a_step_up_is_in_the_citizens_own_history(portal: FakePortal) -> None:
    client = portal.client("citizen", stepped_up=True)
    assert "You proved again who you are." in client.get("/me/accesses?kind=own").get_data(as_text=True)


def test_in_production_no_button_stands_for_a_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even for somebody who kept a session of the demonstration, or signed in otherwise."""
    portal = FakePortal.build(tmp_path, monkeypatch, demo_sign_in=False)
    person = portal.house.accounts.actor(portal.accounts["auditor"])
    for method, status in ((Method.DEMONSTRATION, 401), (Method.OPENID, 404)):
        client = portal.app.test_client()
        token = portal.house.entrance.let_in(person, Proof(method, Assurance.SUBSTANTIAL), Visit("r", Device()))
        client.set_cookie("glasshouse", token)
        data = {"csrf_token": token_of(client)} if method is Method.OPENID else {}
        answer = client.post("/step-up/none/demonstration", data=data, headers={"Referer": "http://localhost/"})
        assert answer.status_code == status
        assert client.get("/step-up/none/demonstration").status_code in {302, 404}
    assert _step_ups(portal) == []
    portal.close()


def test_a_method_that_cannot_be_kept_is_refused_in_words(portal: FakePortal) -> None:
    _add_page(portal, assurance=Assurance.HIGH)
    client = portal.client("citizen")
    answer = client.put("/me/grave", headers={"X-CSRFToken": token_of(client), "Referer": "http://localhost/"})
    assert answer.status_code == 403
    assert "more secure sign-in" in answer.get_data(as_text=True)


def test_files_that_were_chosen_are_not_kept_and_the_page_says_so(portal: FakePortal) -> None:
    _add_page(portal, assurance=Assurance.HIGH)
    client = portal.client("citizen")
    asked = portal.post(client, "/me/grave", note="kept", paper=(io.BytesIO(b"%PDF"), "proof.pdf"))
    assert "Choose them again" in client.get(asked.location).get_data(as_text=True)
    back = portal.post(client, asked.location)
    page = client.get(back.location).get_data(as_text=True)
    assert "Choose them again" in page
    assert _form(page)["note"] == "kept"


def test_the_export_states_what_it_asks(portal: FakePortal) -> None:
    assert demand_of(portal.app, "exports.start") == Demand(Assurance.HIGH, FRESH)


def _rows(portal: FakePortal, table: str) -> int:
    from sqlalchemy import create_engine, text

    engine = create_engine(portal.settings.database_url)
    with engine.connect() as connection:
        count: int = connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one()
    engine.dispose()
    return count
