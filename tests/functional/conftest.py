"""A real browser, and a portal that it can reach. Each test has a fresh context: nothing of another test is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.factories.apps import FakePortal

CHROMIUM = os.environ.get("GLASSHOUSE_TEST_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class LivePortal:
    """A portal of this test's own, listening on this machine."""

    url: str
    portal: FakePortal


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of 1280 pixels' width in English."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture
def live_portal(portal: FakePortal) -> Iterator[LivePortal]:
    server = make_server("127.0.0.1", 0, portal.app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield LivePortal(f"http://127.0.0.1:{server.server_port}", portal)
    server.shutdown()
    thread.join()
    server.server_close()
