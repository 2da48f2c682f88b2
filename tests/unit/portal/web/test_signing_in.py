"""Signing in and out: only as whom one may, to nowhere else, and with nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories.apps import FakePortal, token_of


def test_the_demonstrations_people_are_listed_by_role(portal: FakePortal) -> None:
    page = portal.client().get("/sign-in").get_data(as_text=True)
    for name in ("Mari Maasikas", "Kadri Kask", "Aita Aruste"):
        assert name in page


@pytest.mark.parametrize(
    ("account", "home"), [("citizen", "/me"), ("caseworker", "/casework/cases"), ("auditor", "/oversight")]
)
def test_each_role_begins_at_its_own_page(portal: FakePortal, account: str, home: str) -> None:
    client = portal.client()
    answer = portal.post(client, "/sign-in/demonstration", account=portal.accounts[account])
    assert answer.location == home
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("account", ["", "none", "' OR 1=1 --", "0" * 5000])
def test_nobody_can_sign_in_as_somebody_who_is_not_there(portal: FakePortal, account: str) -> None:
    client = portal.client()
    assert portal.post(client, "/sign-in/demonstration", account=account).status_code == 404
    assert client.get("/me").status_code == 302


def test_without_the_demonstration_nobody_is_listed_or_signed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portal = FakePortal.build(tmp_path, monkeypatch, demo_sign_in=False)
    client = portal.app.test_client()
    assert "Mari Maasikas" not in client.get("/sign-in").get_data(as_text=True)
    with portal.app.test_request_context():
        token = token_of(client) if "csrf_token" in client.get("/").get_data(as_text=True) else ""
    answer = client.post("/sign-in/demonstration", data={"account": portal.accounts["citizen"], "csrf_token": token})
    assert answer.status_code in {401, 403, 404}
    assert client.get("/me").status_code == 302
    portal.close()


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
    ],
)
def test_signing_in_never_leads_to_another_host(portal: FakePortal, target: str) -> None:
    client = portal.client()
    answer = portal.post(client, "/sign-in/demonstration", account=portal.accounts["citizen"], next=target)
    assert answer.location == "/me"


def test_signing_in_leads_back_to_the_page_that_was_asked_for(portal: FakePortal) -> None:
    client = portal.client()
    sent = client.get("/me/accesses")
    assert sent.location == "/sign-in?next=/me/accesses"
    answer = portal.post(client, "/sign-in/demonstration", account=portal.accounts["citizen"], next="/me/accesses")
    assert answer.location == "/me/accesses"


def test_nothing_of_the_session_before_survives_signing_in(portal: FakePortal) -> None:
    client = portal.client()
    with client.session_transaction() as session:
        session["planted"] = "by an attacker"
    portal.post(client, "/sign-in/demonstration", account=portal.accounts["citizen"])
    with client.session_transaction() as session:
        assert "planted" not in session


def test_signing_out_ends_the_session_and_tells_the_browser_to_forget(portal: FakePortal) -> None:
    client = portal.client("citizen")
    answer = portal.post(client, "/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert client.get("/me").status_code == 302


def test_signing_out_needs_the_form(portal: FakePortal) -> None:
    client = portal.client("citizen")
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 403
    assert client.get("/me").status_code == 200


def test_the_cookie_is_for_this_host_alone_and_for_no_script(portal: FakePortal) -> None:
    client = portal.client("citizen")
    client.get("/me")
    for name in ("session", "glasshouse"):
        cookie = client.get_cookie(name)
        assert cookie is not None
        assert (cookie.http_only, cookie.same_site, cookie.path, cookie.origin_only) == (True, "Lax", "/", True)


def test_an_account_that_was_closed_is_out_at_the_next_request(portal: FakePortal) -> None:
    from sqlalchemy import create_engine, text

    client = portal.client("citizen")
    engine = create_engine(portal.settings.database_url)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE accounts SET is_active = :no WHERE id = :id"), {"no": False, "id": portal.accounts["citizen"]}
        )
    engine.dispose()
    assert client.get("/me").status_code == 302
