"""Staff in a real browser with a virtual authenticator: enrol, sign in, and what the pages say when it fails."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from portal.domain.actors import Role
from portal.services.administration import Invitation
from tests.factories.apps import FakePortal
from tests.factories.staff import PASSWORD, REASON
from tests.functional.conftest import LivePortal
from tests.functional.inspection import inspect

pytestmark = pytest.mark.browser


@pytest.fixture
def named_portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LivePortal]:
    """A portal under a name, since an authenticator answers no address of digits."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://localhost:{port}"
    portal = FakePortal.build(tmp_path, monkeypatch, public_url=url, allowed_hosts=("127.0.0.1",))
    server = make_server("127.0.0.1", port, portal.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield LivePortal(url, portal)
    server.shutdown()
    thread.join()
    server.server_close()
    portal.close()


def _authenticator(page: Page, *, verifies: bool = True) -> tuple[Any, str]:
    """Chromium's virtual authenticator, which verifies its user or cannot (WebAuthn, section 11)."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def _code(portal: FakePortal, role: Role) -> str:
    invitation = Invitation("Tiina Tamm", role, "population-authority", REASON)
    code = portal.house.staff.administration.invite_from_the_machine(invitation, "r").code
    assert code is not None
    return code


def _invite(page: Page, role: str) -> None:
    page.get_by_label("Full name").fill("Mart Mets")
    page.get_by_label("Role").select_option(role)
    page.get_by_label("Organisation").select_option("social-insurance-board")
    page.get_by_label("Why").fill(REASON)
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("heading", name="Give this link to Mart Mets")).to_be_visible()


def _enrol(page: Page, url: str, code: str, *, look: list[str] | None = None) -> None:
    page.goto(f"{url}/staff/enrol#{code}")
    expect(page.get_by_label("Code from your link")).to_have_value(code)
    assert code not in page.url, "the code leaves the address bar, and with it the history"
    page.get_by_role("button", name="Continue").click()
    if look is not None:
        look += inspect(page, "enrolment")
    page.get_by_label("Choose a password").fill(PASSWORD)
    page.get_by_label("Name of this passkey").fill("Work laptop")
    page.get_by_role("button", name="Make the passkey and finish").click()
    expect(page.get_by_role("heading", name="You can sign in now")).to_be_visible()


def _sign_in(page: Page, url: str) -> None:
    page.goto(f"{url}/staff/sign-in")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Use the passkey and sign in").click()


def test_somebody_enrols_signs_in_and_invites_with_a_real_passkey(named_portal: LivePortal, page: Page) -> None:
    _authenticator(page)
    _enrol(page, named_portal.url, _code(named_portal.portal, Role.ADMINISTRATOR))
    _sign_in(page, named_portal.url)
    expect(page.get_by_role("heading", name="Accounts of staff")).to_be_visible()
    page.get_by_role("button", name="Invite somebody").click()
    _invite(page, "caseworker")
    page.goto(f"{named_portal.url}/account/passkeys/add")
    page.get_by_label("Name of the new passkey").fill("The same laptop")
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_text("This authenticator already holds a passkey of yours.")).to_be_visible()


def test_every_page_of_staff_is_accessible_and_fits_its_window(named_portal: LivePortal, page: Page) -> None:
    """Those that `test_every_page.py` cannot reach, since they need an authenticator or are shown once."""
    _authenticator(page)
    complaints: list[str] = []
    _enrol(page, named_portal.url, _code(named_portal.portal, Role.ADMINISTRATOR), look=complaints)
    complaints += inspect(page, "enrolled")
    page.goto(f"{named_portal.url}/staff/sign-in")
    complaints += inspect(page, "sign-in")
    _sign_in(page, named_portal.url)
    expect(page.get_by_role("heading", name="Accounts of staff")).to_be_visible()
    auditor = f"/administration/accounts/{named_portal.portal.accounts['auditor']}"
    for path in ("/account", "/account/passkeys/add", "/account/password", auditor):
        page.goto(named_portal.url + path)
        complaints += inspect(page, path)
    page.goto(f"{named_portal.url}/administration/invite")
    _invite(page, "auditor")
    complaints += inspect(page, "the link, shown once")
    page.goto(f"{named_portal.url}/administration/requests")
    complaints += inspect(page, "a request that waits")
    assert not complaints, "\n".join(complaints)


def test_an_authenticator_that_cannot_verify_its_user_lets_nobody_in(named_portal: LivePortal, page: Page) -> None:
    session, authenticator = _authenticator(page)
    _enrol(page, named_portal.url, _code(named_portal.portal, Role.CASEWORKER))
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    _sign_in(page, named_portal.url)
    expect(page.get_by_text("The passkey gave no answer")).to_be_visible()
    assert page.url.endswith("/staff/sign-in")


def test_a_copied_authenticator_whose_counter_lags_behind_is_refused(named_portal: LivePortal, page: Page) -> None:
    session, authenticator = _authenticator(page)
    _enrol(page, named_portal.url, _code(named_portal.portal, Role.CASEWORKER))
    [copy] = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    for _ in range(2):
        _sign_in(page, named_portal.url)
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        with page.expect_navigation():
            page.get_by_role("button", name="Sign out").click()
    session.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
    session.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": copy})
    _sign_in(page, named_portal.url)
    expect(page.get_by_text("That did not work")).to_be_visible()


def test_without_javascript_and_at_another_address_the_page_says_what_to_do(
    named_portal: LivePortal, browser: Browser, page: Page
) -> None:
    plain = browser.new_context(java_script_enabled=False, locale="en-GB").new_page()
    plain.goto(f"{named_portal.url}/staff/sign-in")
    expect(plain.get_by_text("A passkey needs JavaScript")).to_be_visible()
    expect(plain.get_by_role("button", name="Use the passkey and sign in")).to_be_hidden()
    plain.context.close()
    page.goto(named_portal.url.replace("localhost", "127.0.0.1") + "/staff/sign-in")
    expect(page.get_by_text(f"A passkey works at one address only: {named_portal.url}")).to_be_visible()
