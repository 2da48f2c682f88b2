"""The Concentrix case, from the wrong link that a tax board bought to the statistics, in a real browser.

In 2016 a contractor of the British tax authority stopped the tax credits of single parents whom bought data linked with
strangers at their address. Here the person reads of it in time, and everybody whom it concerns plays their part.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from portal.demo.decisions import board_of
from portal.demo.personas import (
    CONTRACTOR_AGENT,
    FORMER_TENANT,
    LEAD_AUDITOR,
    PENSIONER,
    SINGLE_PARENT,
    code_of,
    name_of,
)
from portal.domain.identifiers import PersonalCode
from portal.domain.intended_decisions import DecisionState, Ground
from portal.services.decisions.announcing import Announcement
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import HEIGHT, WIDE, inspect
from tests.functional.pages.base import SignIn
from tests.functional.pages.casework import OwnCases
from tests.functional.pages.decisions import Decisions, OfficeDecisions
from tests.functional.pages.disputes import DisputePage, DisputeQueue

pytestmark = pytest.mark.browser

PARTNER = "Believed partner"
OFFICER = "Riina Raud"
WHY = "That man rented this flat years before I moved in. I have never met him; the children and I live here alone."
REASONS = (
    "The population register shows that he left before you came. The bought link is wrong, and we have deleted it."
)


class Reader:
    """Somebody in a browser window of their own, so that nobody has to sign out for the next."""

    def __init__(self, browser: Browser, demonstration: Demonstration, name: str) -> None:
        self.site = demonstration.url
        context = browser.new_context(locale="en-GB", viewport={"width": WIDE, "height": HEIGHT})
        context.set_default_timeout(20_000)
        self.page: Page = context.new_page()
        SignIn(self.page, self.site).open().as_person(name)
        expect(self.page.get_by_role("button", name="Sign out")).to_be_visible()


def _open_household(agent: Reader) -> Page:
    """The contractor's agent looks at the household, as the case says."""
    OwnCases(agent.page, agent.site).open().choose().open_record()
    stranger = f"{PARTNER}: {name_of(FORMER_TENANT)}"
    expect(agent.page.get_by_role("heading", name=stranger)).to_be_visible()
    return agent.page


def _other_decisions_withdrawn(demonstration: Demonstration, number: int) -> None:
    """What the statistics need beside hers: fewer than five are not told."""
    announcing, board = demonstration.house.decisions.announcing, board_of(demonstration.house)
    clock, zone = demonstration.house.decisions.on.clock, demonstration.house.decisions.on.zone
    for place in range(number):
        told = Announcement(
            subject=PersonalCode.parse(code_of(PENSIONER)),
            rule="undeclared-partner",
            reference=f"MTT-2026-{place}",
            automated=True,
            effect_on=clock().astimezone(zone).date() + timedelta(days=20),
            grounds=(Ground("population", "address", "registry"),),
        )
        other = announcing.announce(board, told, f"other-decision-{place}", request_id="other")
        announcing.withdraw(board, other.decision_id, request_id="other")


def _delete_the_link(demonstration: Demonstration) -> None:
    """The tax board corrects its own register, in its own system."""
    with closing(sqlite3.connect(demonstration.settings.data_dir / "registries" / "tax-benefits.db")) as connection:
        deleted = connection.execute(
            "DELETE FROM leibkonna_seos WHERE mk_tunnus LIKE ?", (f"%{code_of(SINGLE_PARENT)}",)
        )
        assert deleted.rowcount == 1
        connection.commit()


def _figures(auditor: Reader) -> list[str]:
    """Announced, contested, found right, withdrawn, final: of the tax board."""
    auditor.page.goto(f"{auditor.site}/oversight/figures")
    expect(auditor.page.get_by_role("heading", name="Figures", level=1)).to_be_visible()
    table = auditor.page.locator("table").filter(has_text="Decisions that rest on data")
    row = table.get_by_role("row").filter(has_text="Tax and Customs Board")
    return [cell.strip() for cell in row.get_by_role("cell").all_inner_texts()]


def test_a_wrong_bought_link_is_contested_before_it_costs_the_benefit_and_everybody_is_told(
    browser: Browser, demonstration: Demonstration
) -> None:
    house = demonstration.house
    announcing, board = house.decisions.announcing, board_of(house)
    mother, agent, officer, auditor = (
        Reader(browser, demonstration, name)
        for name in (name_of(SINGLE_PARENT), name_of(CONTRACTOR_AGENT), OFFICER, name_of(LEAD_AUDITOR))
    )
    _other_decisions_withdrawn(demonstration, 4)
    complaints = []

    # The wrong link: bought, matched by address, read by a contractor.
    _open_household(agent)

    # The notice of the intended decision.
    expect(mother.page.get_by_text("A decision about you is announced")).to_be_visible()
    decisions = Decisions(mother.page, mother.site).open()
    complaints += inspect(mother.page, "decisions")
    decision = decisions.open_one("Ending a benefit because of a partner who was not declared")
    assert "bought commercially" in decision.datum(PARTNER)
    assert "41 %" in decision.datum(PARTNER)
    complaints += inspect(mother.page, "decision")

    # She contests it, from the decision itself.
    contest = decision.contest()
    contest.send_nothing()
    complaints += inspect(mother.page, "contest, with mistakes")
    number = contest.send(PARTNER, WHY).number
    expect(mother.page.get_by_text("Against the decision")).to_be_visible()
    complaints += inspect(mother.page, "dispute")

    # The flag: for her, for officials, for the system that decides.
    decision = Decisions(mother.page, mother.site).open().open_one("Ending a benefit")
    assert "Contested since" in decision.datum(PARTNER)
    expect(_open_household(agent).get_by_text(f"Contested: {PARTNER}").first).to_be_visible()
    decision_id = decision.decision_id
    assert announcing.one(board, decision_id).contested_since is not None
    office = OfficeDecisions(officer.page, officer.site).open()
    assert "Contested since" in office.text
    complaints += inspect(officer.page, "decisions of the board")
    officer.page.get_by_role("link", name="MTT-2026-20881").click()
    expect(officer.page.get_by_text("The person contests it")).to_be_visible()
    complaints += inspect(officer.page, "decision of the board")

    # The data protection officer finds her right.
    DisputeQueue(officer.page, officer.site).open().open_one(number)
    expect(officer.page.get_by_role("heading", name="The decision that rests on it")).to_be_visible()
    complaints += inspect(officer.page, "dispute, for the officer")
    DisputePage(officer.page, officer.site).decide("The person is right", REASONS)

    # The correction; and no decision on what was found wrong.
    _delete_the_link(demonstration)
    mother.page.goto(f"{mother.site}/me/records/tax-benefits")
    expect(mother.page.get_by_role("heading", level=1)).to_be_visible()
    expect(mother.page.get_by_text(name_of(FORMER_TENANT))).to_have_count(0)
    assert announcing.one(board, decision_id).is_found_wrong
    Decisions(mother.page, mother.site).open().open_one("Ending a benefit")
    expect(mother.page.get_by_text("You were found right")).to_be_visible()

    # The decision is withdrawn.
    withdrawn = announcing.withdraw(board, decision_id, request_id="withdraw")
    assert withdrawn.state is DecisionState.WITHDRAWN
    mother.page.reload()
    expect(mother.page.get_by_text("Withdrawn: it does not take effect")).to_be_visible()
    complaints += inspect(mother.page, "withdrawn decision")

    # Whoever had received the link is told, takes it into account, and she sees both.
    agent.page.goto(f"{agent.site}/corrections")
    agent.page.get_by_role("button", name="I have taken it into account").first.click()
    expect(agent.page.get_by_text("Taken into account on").first).to_be_visible()
    mother.page.get_by_role("link", name=f"Dispute {number}").click()
    told = mother.page.locator("table").filter(has_text="Who had received it, and was told")
    expect(told.get_by_role("row").filter(has_text="Claimcheck").first).to_be_visible()
    by_contractor = told.get_by_role("row").filter(has_text="Claimcheck").all_inner_texts()
    assert any("not yet" not in row for row in by_contractor), by_contractor
    step = "withdrew a decision about you that it had announced"
    mother.page.goto(f"{mother.site}/me/accesses")
    mother.page.locator("details").filter(has_text=step).locator("summary").first.click()
    expect(mother.page.get_by_text(step).first).to_be_visible()

    # The statistics: five withdrawn are told, one contested is not.
    few = "fewer than 5"
    assert _figures(auditor) == ["5", few, few, "5", few]
    assert not complaints, complaints
