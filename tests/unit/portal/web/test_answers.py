"""What every answer carries, and what errors say and do not say."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.factories.apps import FakePortal
from tests.factories.people import MARY

PAGES = {
    None: [
        "/",
        "/sign-in",
        "/staff/sign-in",
        "/staff/enrol",
        "/about",
        "/verify-help",
        "/accessibility",
        "/healthz",
        "/readyz",
        "/nothing",
    ],
    "citizen": ["/me", "/me/records", "/me/records/population", "/me/accesses", "/me/accesses/none", "/sessions"],
    "caseworker": ["/casework", "/casework/benefit-claim", "/casework/history"],
    "administrator": ["/administration", "/administration/requests", "/account"],
    "auditor": ["/oversight", "/oversight/verification"],
}
VISITS = [(account, path) for account, paths in PAGES.items() for path in paths]


@pytest.mark.parametrize(("account", "path"), VISITS)
def test_every_answer_is_guarded_by_its_headers_and_never_kept(
    portal: FakePortal, account: str | None, path: str
) -> None:
    headers = portal.client(account).get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    for name in ("Opener", "Resource"):
        assert headers[f"Cross-Origin-{name}-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "geolocation=()" in headers["Permissions-Policy"]
    assert "Server" not in headers
    assert "X-Powered-By" not in headers


@pytest.mark.parametrize(("account", "path"), VISITS)
def test_no_page_holds_inline_script_or_style_or_names_another_host(
    portal: FakePortal, account: str | None, path: str
) -> None:
    import re

    page = portal.client(account).get(path).get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert not re.search(r"\sstyle=", page)
    assert not re.search(r"\son[a-z]+=", page)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", page)


@pytest.mark.parametrize(("account", "path"), [visit for visit in VISITS if visit[1] not in {"/healthz", "/readyz"}])
def test_every_page_has_a_title_one_heading_a_language_and_unique_ids(
    portal: FakePortal, account: str | None, path: str
) -> None:
    import re

    page = portal.client(account).get(path).get_data(as_text=True)
    assert re.search(r"<title>\s*\S", page)
    assert len(re.findall(r"<h1[\s>]", page)) == 1
    assert re.search(r'<html[^>]* lang="en"', page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert len(re.findall(r"<main[\s>]", page)) == 1


@pytest.mark.parametrize("language", ["et", "ru"])
def test_the_language_can_be_chosen_and_stays(portal: FakePortal, language: str) -> None:
    client = portal.client()
    client.get(f"/language/{language}")
    assert f'lang="{language}"' in client.get("/about").get_data(as_text=True)


def test_an_unexpected_error_tells_neither_what_nor_whom(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError(f"while reading {MARY.reveal()}")

    portal.app.testing = False
    client = portal.client("citizen")
    monkeypatch.setattr(portal.house.records.__class__, "holdings", explode)
    with caplog.at_level(logging.DEBUG):
        answer = client.get("/me/records")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 500
    for shown in (page, caplog.text):
        assert MARY.reveal() not in shown
    assert "Traceback" not in page


def test_a_body_that_is_too_large_is_refused_before_it_is_read(portal: FakePortal) -> None:
    client = portal.client("caseworker")
    answer = portal.post(client, "/casework/benefit-claim", justification="x" * 2_000_000)
    assert answer.status_code == 413


def test_a_forged_forwarding_header_is_not_believed(portal: FakePortal) -> None:
    answer = portal.client().get("/me", headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert "evil.example" not in answer.location


def test_the_portal_is_not_ready_while_the_log_cannot_be_read(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.errors import LogUnavailable

    def fail() -> None:
        raise LogUnavailable("no disk")

    assert portal.client().get("/readyz").status_code == 200
    monkeypatch.setattr(portal.house.log, "ping", fail)
    assert portal.client().get("/readyz").status_code == 503
    assert portal.client().get("/healthz").status_code == 200


def test_ordinary_logs_never_hold_personal_data(portal: FakePortal, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        portal.registries["population"].holds(MARY, **{"given-names": "Salajane"})
        client = portal.client("caseworker")
        portal.post(
            client, "/casework/benefit-claim", personal_code=MARY.reveal(), case="C-1", registries=["population"],
            justification="Deciding the housing benefit claim received on 3 March",
        )  # fmt: skip
        portal.client("citizen").get("/oversight")
    assert MARY.reveal() not in caplog.text
    assert "Salajane" not in caplog.text
    assert "housing benefit" not in caplog.text
    assert "refused" in caplog.text


def test_over_https_every_cookie_is_bound_to_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    portal = FakePortal.build(tmp_path, monkeypatch, public_url="https://data.example")
    client = portal.app.test_client()
    answers = [client.get(path, base_url="https://data.example") for path in ("/sign-in", "/language/et")]
    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-session", "__Host-language"}
    for cookie in cookies:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain=") for attribute in attributes)
    assert "et" in client.get("/about", base_url="https://data.example").get_data(as_text=True).partition(">")[2][:60]
    portal.close()
