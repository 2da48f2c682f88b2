"""`make screenshots`: take the pictures of docs/images again, from a small demonstration country made for the purpose.

Needs what the tests need (`make test` installs it): the development requirements and chromium.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from portal.demo.personas import (
    BENEFIT_OFFICER,
    LEAD_AUDITOR,
    NEIGHBOUR,
    PENSIONER,
    SINGLE_PARENT,
    TEENAGER,
    code_of,
    name_of,
)
from tests.factories.demonstrations import demonstration_of, make_country
from tests.functional.conftest import ARGUMENTS, CHROMIUM
from tests.functional.pages.base import SignIn
from tests.functional.pages.casework import PurposeChoice
from tests.functional.pages.citizen import History, Overview
from tests.functional.pages.disputes import Contest
from tests.functional.pages.oversight import TrailSearch, Verification

IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDE = {"width": 1100, "height": 800}
NARROW = {"width": 360, "height": 800}
PURPOSE = "Deciding on a benefit claim"
REASON = "Child allowance claim of 2 March: checking who lives in the household."


def home(page: Page, site: str) -> None:
    Overview(page, site).open()


def bought(page: Page, site: str) -> None:
    Overview(page, site).open().open_registry("Tax and Benefits Register")


def look(page: Page, site: str) -> None:
    History(page, site).open().filter(organisation="Claimcheck Services")
    History(page, site).open_look("looked at")


def history(page: Page, site: str) -> None:
    History(page, site).open()


def knowledge(page: Page, site: str) -> None:
    page.goto(f"{site}/me/knowledge")


def dispute(page: Page, site: str) -> None:
    why = "I asked for no benefit in that month and do not know why anybody looked."
    Contest(page, site).open().begin().send(why)
    page.get_by_role("heading", name="What was written").wait_for()


def mandate(page: Page, site: str) -> None:
    page.goto(f"{site}/me/for")
    page.get_by_role("link", name=name_of(TEENAGER)).click()
    page.get_by_role("link", name="What it holds (Health Insurance Register)").click()
    page.get_by_role("heading", name="Closed to you").wait_for()


def refusal(page: Page, site: str) -> None:
    form = PurposeChoice(page, site).open().choose(PURPOSE)
    form.fill(personal_code=code_of(PENSIONER), case="SKA-2026-4711", reason="checking the data as usual")


def record(page: Page, site: str) -> None:
    form = PurposeChoice(page, site).open().choose(PURPOSE)
    form.fill(personal_code=code_of(PENSIONER), case="SKA-2026-4711", reason=REASON)


def search(page: Page, site: str) -> None:
    TrailSearch(page, site).open().search(outcome="Refused")


def verification(page: Page, site: str) -> None:
    Verification(page, site).open().start().wait_for_result()


#: Name of the picture, who is signed in, how wide the window is, and what they do.
PICTURES: tuple[tuple[str, str, dict[str, int], Callable[[Page, str], None]], ...] = (
    ("home", SINGLE_PARENT, WIDE, home),
    ("home-phone", SINGLE_PARENT, NARROW, home),
    ("bought-data", SINGLE_PARENT, WIDE, bought),
    ("look", SINGLE_PARENT, WIDE, look),
    ("history", SINGLE_PARENT, WIDE, history),
    ("history-phone", SINGLE_PARENT, NARROW, history),
    ("knowledge", SINGLE_PARENT, WIDE, knowledge),
    ("dispute", SINGLE_PARENT, WIDE, dispute),
    ("dispute-phone", SINGLE_PARENT, NARROW, dispute),
    ("mandate", NEIGHBOUR, WIDE, mandate),
    ("mandate-phone", NEIGHBOUR, NARROW, mandate),
    ("refusal", BENEFIT_OFFICER, WIDE, refusal),
    ("record", BENEFIT_OFFICER, WIDE, record),
    ("search", LEAD_AUDITOR, WIDE, search),
    ("verification", LEAD_AUDITOR, WIDE, verification),
)


def take(browser: Browser, site: str) -> None:
    for number, (name, persona, window, do) in enumerate(PICTURES, start=1):
        context = browser.new_context(locale="en-GB", viewport=window, reduced_motion="reduce")  # type: ignore[arg-type]
        page = context.new_page()
        SignIn(page, site).open().as_person(name_of(persona))
        do(page, site)
        page.screenshot(path=IMAGES / f"{name}.png")
        context.close()
        print(f"  pictures: {number} of {len(PICTURES)} ({name})")


def main() -> int:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        print("Making a small demonstration country …")
        make_country(Path(folder, "country"))
        with demonstration_of(Path(folder, "country"), Path(folder, "served")) as demonstration:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            take(browser, demonstration.url)
            browser.close()
    print(f"The pictures are in {IMAGES}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
