"""A citizen's whole trip without a mouse: everything is reached by Tab, opened by Enter, and visibly in focus."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from portal.demo.personas import SINGLE_PARENT, name_of
from tests.factories.demonstrations import Demonstration

pytestmark = pytest.mark.browser

#: Nothing on these pages is further away.
FURTHEST = 120
#: What the focus looks like: anything that differs from the same element without it.
LOOKS = "e => { const s = getComputedStyle(e); return [s.outlineStyle, s.outlineWidth, s.boxShadow] }"


def _reach(page: Page, words: str) -> None:
    """Tab until something that says `words` has the focus, and see that it shows."""
    for _ in range(FURTHEST):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        if focused.count() and words in _said(page):
            outline, width, shadow = focused.evaluate(LOOKS)
            assert shadow != "none" or (outline != "none" and width != "0px"), f"the focus on {words} cannot be seen"
            return
    raise AssertionError(f"no Tab leads to {words!r} on {page.url}")


def _said(page: Page) -> str:
    """The text of what has the focus, or of its label."""
    said: str = page.evaluate(
        "() => { const e = document.activeElement;"
        " return [e.ariaLabel, e.labels && e.labels.length ? e.labels[0].textContent : e.textContent]"
        ".filter(Boolean).join(' ').replace(/\\s+/g, ' ').trim() }"
    )
    return said


def _go(page: Page, words: str, heading: str) -> None:
    _reach(page, words)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(heading)


def test_the_whole_trip_of_a_citizen_needs_no_mouse(page: Page, demonstration: Demonstration) -> None:
    page.goto(demonstration.url + "/sign-in")
    _go(page, f"Sign in as {name_of(SINGLE_PARENT)}", "Who looked at your data lately")
    _go(page, "My data", "What registries hold on you")
    _go(page, "Population Register", "Population Register")
    _reach(page, "What does this mean?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("it must be corrected (GDPR Article 16)")).to_be_visible()
    _go(page, "Who looked", "Who looked at your data")
    _reach(page, "Filter the list")
    page.keyboard.press("Enter")
    _reach(page, "How it ended")
    page.keyboard.press("s")  # as one chooses in a list: "Shown"
    _reach(page, "Show")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "outcome=released" in page.url
    _go(page, "Details and receipt", "One look at your data")
    _reach(page, "What does this mean?")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Why it is allowed")).to_be_visible()
    _reach(page, "Download the receipt")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    assert downloading.value.suggested_filename.startswith("glasshouse-receipt-")
    _reach(page, "Sign out")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("See what government holds on you")
