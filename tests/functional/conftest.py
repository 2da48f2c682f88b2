"""A real browser, and a portal that it can reach. Each test has a fresh context: nothing of another test is kept."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from portal.demo.personas import _KNOWN, code_of, name_of
from portal.logs import formatter
from portal.services.security_log import SECURITY_LOGGER
from tests.factories.apps import FakePortal
from tests.factories.demonstrations import Demonstration, demonstration_of, make_country
from tests.factories.people import JUHAN, KADRI, MARY
from tests.factories.written import lines_naming

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


#: Who acts and who is looked at in these tests (`FakePortal.build`, and the demonstration). No log may know them.
NAMES = (
    "Maasikas", "Juurikas", "Kadri Kask", "Kuusk", "Aruste", "Siiri Saar", "Data Ametnik", "Uku Uurija", "Ülle Ülem",
    "Anu Aru", "Tiit Teine", *(name_of(persona) for persona in _KNOWN),
)  # fmt: skip
CODES = tuple(code.reveal() for code in (MARY, JUHAN, KADRI)) + tuple(code_of(persona) for persona in _KNOWN)


@pytest.fixture(scope="session", autouse=True)
def no_log_names_anybody() -> Iterator[None]:
    """All that is logged while these tests run, at the finest level, holds nobody's name and nobody's code."""
    written = io.StringIO()
    loggers = {logging.getLogger(): False, logging.getLogger(SECURITY_LOGGER): True}
    levels = {logger: logger.level for logger in loggers}
    handlers = {}
    for logger, security in loggers.items():
        handlers[logger] = logging.StreamHandler(written)
        handlers[logger].setFormatter(formatter(as_json=True, security=security))
        logger.addHandler(handlers[logger])
        logger.setLevel(logging.DEBUG)
    yield
    for logger, handler in handlers.items():
        logger.removeHandler(handler)
        logger.setLevel(levels[logger])
    found = lines_naming((*NAMES, *CODES), written.getvalue().splitlines())
    assert not found, f"a log line names somebody: {found[0]}"


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


@pytest.fixture(scope="session")
def country(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small demonstration country that no test touches; each copies it."""
    folder = tmp_path_factory.mktemp("country")
    make_country(folder)
    return folder


@pytest.fixture
def demonstration(country: Path, tmp_path: Path) -> Iterator[Demonstration]:
    """The demonstration over registries of its own, with a history of accesses, listening on this machine."""
    with demonstration_of(country, tmp_path / "demonstration") as made:
        yield made
