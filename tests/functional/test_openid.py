"""The whole way through a real provider that nobody here wrote: in, out, up, and ended from there."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from audit.log import TrailQuery
from portal.domain.actions import SESSION_EVENTS
from portal.domain.assurance import Assurance
from portal.domain.permissions import Permission
from portal.services.clock import system_clock
from portal.web.guard import requires
from tests.factories.apps import FakePortal
from tests.factories.sign_ins import provider_settings
from tests.fakes.hostile_provider import CLIENT_ID, JUHANS_SUB, MARYS_SUB
from tests.fakes.real_provider import OTHER_CLIENT, RealProvider, real_provider

pytestmark = pytest.mark.xdist_group("oidc-provider")


@dataclass
class Ministry:
    """A portal that citizens reach through the provider, and nobody through a demonstration's list."""

    url: str
    portal: FakePortal
    ahead: timedelta = timedelta()

    def events(self) -> list[tuple[str, str, str | None]]:
        found = [logged.access for logged in self.portal.house.log.stream(TrailQuery()) if logged.access]
        return [(one.action, one.outcome, one.reason) for one in found if one.action in SESSION_EVENTS]


@pytest.fixture(scope="session")
def provider() -> Iterator[RealProvider]:
    with real_provider() as provider:
        yield provider


@pytest.fixture
def ministry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: RealProvider) -> Iterator[Ministry]:
    # This provider's cookies do not come along with a form of another site, so it is left with a link's request.
    settings = provider_settings(provider.issuer, logout_method="get")
    ministry: list[Ministry] = []

    def clock() -> object:
        return system_clock() + (ministry[0].ahead if ministry else timedelta())

    portal = FakePortal.build(
        tmp_path, monkeypatch, clock=clock, port=provider.portal_port, demo_sign_in=False, **settings
    )  # type: ignore[arg-type]
    grave = requires(Permission.READ_OWN_TRAIL, assurance=Assurance.HIGH, fresh=timedelta(minutes=5))
    portal.app.add_url_rule("/me/grave", "grave", grave(lambda: "<h1>The grave page</h1>"))
    ministry.append(Ministry(f"http://127.0.0.1:{provider.portal_port}", portal))
    server = make_server("127.0.0.1", provider.portal_port, portal.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield ministry[0]
    server.shutdown()
    thread.join()
    server.server_close()
    portal.close()


def _sign_in(page: Page, ministry: Ministry, path: str = "/me", level: str = "substantial") -> None:
    page.goto(ministry.url + path)
    page.get_by_role("button", name="Sign in with").click()
    page.get_by_role("link", name=f"Mari Maasikas, {level}").click()


@pytest.mark.browser
def test_a_citizen_signs_in_and_out_here_and_there(page: Page, ministry: Ministry) -> None:
    _sign_in(page, ministry, "/me/accesses")
    expect(page).to_have_url(f"{ministry.url}/me/accesses")
    expect(page.get_by_role("link", name="Mari Maasikas")).to_be_visible()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()
    page.get_by_role("button", name="Sign out of").click()
    page.get_by_role("button", name="Yes, sign me out").click()
    expect(page).to_have_url(f"{ministry.url}/")
    page.goto(f"{ministry.url}/me")
    page.get_by_role("button", name="Sign in with").click()
    expect(page.get_by_role("heading", name="Who are you?")).to_be_visible()
    assert ministry.events() == [("sign-in", "done", None), ("sign-out", "done", None)]


@pytest.mark.browser
def test_staying_signed_in_there_is_a_choice(page: Page, ministry: Ministry) -> None:
    _sign_in(page, ministry)
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("link", name="Stay signed in there").click()
    expect(page).to_have_url(f"{ministry.url}/")
    page.get_by_role("button", name="Sign in").or_(page.get_by_role("link", name="Sign in")).first.click()
    page.get_by_role("button", name="Sign in with").click()
    expect(page).to_have_url(f"{ministry.url}/me")


@pytest.mark.browser
def test_a_low_level_and_turning_back_let_nobody_in(page: Page, ministry: Ministry) -> None:
    _sign_in(page, ministry, level="low")
    expect(page.get_by_role("heading", name="That way of signing in is not secure enough")).to_be_visible()
    page.goto(f"{ministry.url}/me")
    expect(page).to_have_url(re.compile("/sign-in"))
    page.context.clear_cookies()
    page.goto(f"{ministry.url}/sign-in")
    page.get_by_role("button", name="Sign in with").click()
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="You did not sign in")).to_be_visible()
    assert ministry.events() == [("sign-in", "denied", "assurance-too-low")]


@pytest.mark.browser
def test_a_step_up_asks_the_provider_anew_and_leads_back(page: Page, ministry: Ministry) -> None:
    _sign_in(page, ministry)
    page.goto(f"{ministry.url}/me/grave")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_role("button", name="Confirm with").click()
    expect(page.get_by_text("Asked for: high")).to_be_visible()
    page.get_by_role("link", name="Mari Maasikas, high").click()
    expect(page.get_by_role("heading", name="The grave page")).to_be_visible()
    assert ministry.events() == [("sign-in", "done", None), ("step-up", "done", None)]


@pytest.mark.browser
def test_another_person_cannot_step_up_for_the_one_who_is_signed_in(page: Page, ministry: Ministry) -> None:
    _sign_in(page, ministry)
    page.goto(f"{ministry.url}/me/grave")
    page.get_by_role("button", name="Confirm with").click()
    page.get_by_role("link", name="Juhan Juurikas, high").click()
    # Another person at the provider is the end of the first one's session there, and it says so to the portal.
    expect(page.get_by_role("heading", name="This sign-in has run out")).to_be_visible()
    page.goto(f"{ministry.url}/me/grave")
    expect(page).to_have_url(re.compile("/sign-in"))
    assert ministry.events() == [("sign-in", "done", None), ("session-end", "done", "ended-by-provider")]


@pytest.mark.browser
def test_signing_out_at_the_provider_ends_the_session_here(
    browser: Browser, page: Page, ministry: Ministry, provider: RealProvider
) -> None:
    _sign_in(page, ministry)
    elsewhere = browser.new_context(locale="en-GB").new_page()
    _sign_in(elsewhere, ministry)
    page.goto(f"{provider.issuer}/session/end")
    page.get_by_role("button", name="Yes, sign me out").click()
    page.wait_for_load_state()
    deadline = time.monotonic() + 10
    while ("session-end", "done", "ended-by-provider") not in ministry.events() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ministry.events()[-1] == ("session-end", "done", "ended-by-provider"), provider.events()
    page.goto(f"{ministry.url}/me")
    expect(page).to_have_url(re.compile("/sign-in"))
    elsewhere.goto(f"{ministry.url}/me")
    expect(elsewhere).to_have_url(f"{ministry.url}/me")
    elsewhere.context.close()


@dataclass
class Way:
    """One sign-in without a browser, so that its steps can be mixed up."""

    ministry: Ministry
    client: FlaskClient
    authorization: str

    @classmethod
    def begin(cls, ministry: Ministry) -> Way:
        client = ministry.portal.app.test_client()
        return cls(ministry, client, client.get("/sign-in/provider").location)

    def answer(self, person: str = MARYS_SUB, level: str = "substantial", **changes: str) -> dict[str, str]:
        """What the provider sends back with the browser after the person chose, of the request with `changes`."""
        address = httpx2.URL(self.authorization).copy_merge_params(changes)
        with httpx2.Client(trust_env=False, timeout=10) as agent:
            url = str(address)
            while True:
                location = agent.get(url).headers["location"]
                url = urljoin(url, location)
                if url.startswith(self.ministry.url):
                    return dict(parse_qsl(urlsplit(url).query))
                if "/interaction/" in url:
                    url += f"?person={person}&level={level}"

    def come_back(self, answer: dict[str, str]) -> int:
        return self.client.get("/sign-in/return", query_string=answer).status_code

    def is_in(self) -> bool:
        return self.client.get("/me").status_code == 200


def test_a_code_of_another_sign_in_does_not_fit_this_one(ministry: Ministry) -> None:
    """Code injection: the verifier (PKCE) is not the one that the code was given for."""
    thief, victim = Way.begin(ministry), Way.begin(ministry)
    stolen = victim.answer()["code"]
    assert thief.come_back(thief.answer(JUHANS_SUB) | {"code": stolen}) == 400
    assert not thief.is_in()


def test_a_code_that_was_used_is_not_taken_again(ministry: Ministry) -> None:
    way, later = Way.begin(ministry), Way.begin(ministry)
    answer = way.answer()
    assert way.come_back(answer) == 302
    assert later.come_back(later.answer() | {"code": answer["code"]}) == 400
    assert not later.is_in()


def test_a_code_for_another_service_opens_nothing_here(ministry: Ministry) -> None:
    way = Way.begin(ministry)
    assert way.come_back(way.answer(client_id=OTHER_CLIENT)) == 400
    assert not way.is_in()


def test_a_changed_nonce_is_noticed(ministry: Ministry) -> None:
    way = Way.begin(ministry)
    assert way.come_back(way.answer(nonce="an attacker's own, from another sign-in")) == 400
    assert not way.is_in()


def test_a_provider_that_does_not_say_how_sure_it_is_lets_nobody_in(ministry: Ministry) -> None:
    way = Way.begin(ministry)
    assert way.come_back(way.answer(level="")) == 403
    assert ministry.events() == [("sign-in", "denied", "assurance-missing")]


def test_the_provider_names_itself_in_its_answers_and_a_wrong_name_is_noticed(ministry: Ministry) -> None:
    way = Way.begin(ministry)
    answer = way.answer()
    assert answer["iss"] in ministry.portal.settings.oidc.issuer  # type: ignore[union-attr]
    assert way.come_back(answer | {"iss": "https://another.example"}) == 400
    assert not way.is_in()


def test_the_provider_rotates_its_keys_and_people_go_on_signing_in(ministry: Ministry, provider: RealProvider) -> None:
    for algorithm in ("ES256", "RS256"):
        before = Way.begin(ministry)
        assert before.come_back(before.answer()) == 302
        provider.rotate_keys(algorithm)
        ministry.ahead += timedelta(minutes=2)
        after = Way.begin(ministry)
        assert after.come_back(after.answer()) == 302
        assert after.is_in()


def test_the_client_is_the_one_of_the_settings(ministry: Ministry) -> None:
    assert dict(parse_qsl(urlsplit(Way.begin(ministry).authorization).query))["client_id"] == CLIENT_ID
