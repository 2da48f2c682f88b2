"""As the portal is served: over https, in a real browser, which keeps to headers and cookies like no other client."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.factories.apps import FakePortal
from tests.functional.conftest import LivePortal

pytestmark = pytest.mark.browser


def _certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for this machine, which nobody but this test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "tls.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def secure_portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LivePortal]:
    portal = FakePortal.build(tmp_path, monkeypatch, public_url="https://127.0.0.1")
    server = make_server("127.0.0.1", 0, portal.app, threaded=True, ssl_context=_certificate(tmp_path))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield LivePortal(f"https://127.0.0.1:{server.server_port}", portal)
    server.shutdown()
    thread.join()
    server.server_close()
    portal.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", ignore_https_errors=True)
    yield context.new_page()
    context.close()


def _signed_in(page: Page, live: LivePortal) -> None:
    page.goto(f"{live.url}/sign-in")
    page.get_by_role("button", name="Mari Maasikas").click()
    page.wait_for_url("**/me")


def test_forms_are_trusted_over_https_and_cookies_are_bound_to_the_host(page: Page, secure_portal: LivePortal) -> None:
    _signed_in(page, secure_portal)
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    for name in ("__Host-glasshouse", "__Host-session"):
        cookie = cookies[name]
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, True, "Lax", "/")
    answer = page.goto(f"{secure_portal.url}/me")
    assert answer is not None
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000; includeSubDomains")
    assert page.evaluate("window.crossOriginIsolated") is True  # the browser took COOP and COEP at their word


def test_after_signing_out_the_back_button_shows_nothing(page: Page, secure_portal: LivePortal) -> None:
    _signed_in(page, secure_portal)
    page.goto(f"{secure_portal.url}/me/records")
    heading = page.locator("h1").inner_text()
    with page.expect_response(lambda answer: answer.url.endswith("/sign-out")) as leaving:
        page.get_by_role("button", name="Sign out").click()
    assert '"cookies"' in (leaving.value.header_value("clear-site-data") or "")
    page.wait_for_load_state()
    page.go_back()
    page.wait_for_load_state()
    assert page.locator("h1").inner_text() != heading
    assert not [cookie for cookie in page.context.cookies() if cookie["name"] == "__Host-glasshouse"]


def test_a_page_of_another_site_can_neither_frame_nor_read_nor_post_to_the_portal(
    page: Page, secure_portal: LivePortal
) -> None:
    _signed_in(page, secure_portal)
    target = secure_portal.url
    page.route("https://evil.example/**", lambda route: route.fulfill(
        content_type="text/html",
        body=f'<iframe src="{target}/me"></iframe><form method="post" action="{target}/sessions/end-others">'
        '<button>Win a prize</button></form>',
    ))  # fmt: skip
    page.goto("https://evil.example/")
    framed = page.frames[1]
    framed.wait_for_load_state()
    assert "Mari" not in framed.content()
    assert page.evaluate(f"fetch('{target}/me').then(() => 'read', () => 'refused')") == "refused"
    with page.expect_navigation() as navigation:
        page.get_by_role("button", name="Win a prize").click()
    answer = navigation.value
    assert answer is not None
    assert answer.status in {401, 403}
