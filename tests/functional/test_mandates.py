"""One person lets another look, both see it, it ends at once; a mother looks for her daughter. In a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.demo.personas import JOB_SEEKER, NEIGHBOUR, TEENAGER, code_of, name_of
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import HEIGHT, WIDE, inspect
from tests.functional.pages.base import SignIn

pytestmark = pytest.mark.browser

GIVER, RECEIVER, DAUGHTER = name_of(JOB_SEEKER), name_of(NEIGHBOUR), name_of(TEENAGER)


def _signed_in(browser: Browser, site: str, name: str, *, scripts: bool = False) -> Page:
    context = browser.new_context(
        locale="en-GB", viewport={"width": WIDE, "height": HEIGHT}, java_script_enabled=scripts
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    SignIn(page, site).open().as_person(name)
    expect(page.get_by_role("heading", level=1)).to_have_text("Who looked at your data lately")
    return page


def _follow(page: Page, link: str, heading: str) -> None:
    page.get_by_role("link", name=link, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def _give(page: Page) -> str:
    """Give the mandate after a fresh proof; its address."""
    _follow(page, "Mandates", "Mandates: looking for each other")
    page.get_by_role("button", name="Give a mandate").click()
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Give a mandate")
    page.get_by_label("Personal code of the person who may look for you").fill(code_of(NEIGHBOUR))
    page.get_by_label("What you call this person").fill("the nurse next door")
    page.get_by_label("Population Register").check()
    last = (datetime.now(UTC) + timedelta(days=30)).date()
    for label, value in (("Day", last.day), ("Month", last.month), ("Year", last.year)):
        page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_role("button", name="Give the mandate").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("the nurse next door may look for you")
    return page.url


def test_a_mandate_is_given_used_seen_by_both_and_ended(browser: Browser, demonstration: Demonstration) -> None:
    giver = _signed_in(browser, demonstration.url, GIVER)
    address = _give(giver)
    other = _signed_in(browser, demonstration.url, RECEIVER)
    _follow(other, "Mandates", "Mandates: looking for each other")
    _follow(other, f"You may look for {GIVER}", f"You may look for {GIVER}")
    other.get_by_role("button", name=f"Look for {GIVER}").click()
    expect(other.get_by_role("heading", level=1)).to_have_text(f"Looking for {GIVER}")
    acting = other.url
    other.get_by_role("link", name="What it holds (Population Register)").click()
    expect(other.get_by_role("heading", level=1)).to_have_text(f"Population Register: {GIVER}")
    expect(other.get_by_text("This look is entry")).to_be_visible()
    other.go_back()
    _follow(other, "Who looked at it (Population Register)", f"Who looked in the Population Register: {GIVER}")
    giver.reload()
    for page in (giver, _at(other, address)):
        expect(page.get_by_text("Both of you see this list.")).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(3)  # the heading and two looks
    giver.get_by_role("link", name="Everything by mandates in your history, with receipts").click()
    expect(giver.get_by_text(f"Your representative {RECEIVER} looked at").first).to_be_visible()
    _at(giver, address).get_by_role("button", name="End the mandate now").click()
    expect(giver.get_by_text("by you")).to_be_visible()
    answer = other.goto(f"{acting}/records/population")
    assert answer is not None
    assert answer.status == 404
    expect(_at(other, address).get_by_text("by the other side")).to_be_visible()
    looking = _signed_in(browser, demonstration.url, RECEIVER, scripts=True)
    complaints = [wrong for path in (address, acting) for wrong in inspect(_at(looking, path), path)]
    for page in (giver, other, looking):
        page.context.close()
    assert not complaints, complaints


def test_a_mother_looks_for_her_daughter_and_the_daughter_keeps_what_is_hers(
    browser: Browser, demonstration: Demonstration
) -> None:
    mother = _signed_in(browser, demonstration.url, RECEIVER, scripts=True)
    _follow(mother, "Mandates", "Mandates: looking for each other")
    _follow(mother, "Look for a child of yours", "Looking for your child")
    complaints = inspect(mother, "children")
    _follow(mother, DAUGHTER, f"Looking for {DAUGHTER}")
    mother.get_by_role("link", name="What it holds (Health Insurance Register)").click()
    expect(mother.get_by_text("Closed to you: Reason for insurance")).to_be_visible()
    expect(mother.get_by_text("From the age of 14 a young person decides")).to_be_visible()
    expect(mother.get_by_role("rowheader", name="Health centre")).to_be_visible()
    expect(mother.get_by_role("rowheader", name="Reason for insurance")).to_have_count(0)
    complaints += inspect(mother, "closed field")
    mother.go_back()
    health = "Health Insurance Register"
    _follow(mother, f"Who looked at it ({health})", f"Who looked in the {health}: {DAUGHTER}")
    complaints += inspect(mother, "who looked")
    daughter = _signed_in(browser, demonstration.url, DAUGHTER)
    _follow(daughter, "Who looked", "Who looked at your data")
    sentence = f"Your representative {RECEIVER} looked at 6 fields of your data in the {health}."
    expect(daughter.get_by_text(sentence)).to_be_visible()
    for page in (mother, daughter):
        page.context.close()
    assert not complaints, complaints


def _at(page: Page, address: str) -> Page:
    page.goto(address)
    return page
