"""Decisions that rest on data: the person's pages and the organisation's."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.functional.pages.base import PortalPage
from tests.functional.pages.disputes import DisputePage


class Decisions(PortalPage):
    path = "/me/decisions"

    def open_one(self, name: str) -> DecisionPage:
        self.page.get_by_role("link", name=name).first.click()
        expect(self.page.get_by_role("heading", name=name, level=1)).to_be_visible()
        return DecisionPage(self.page, self.site)


class DecisionPage(PortalPage):
    """One decision about the reader."""

    @property
    def decision_id(self) -> str:
        return self.page.url.rpartition("/")[2]

    def datum(self, name: str) -> str:
        """All that stands in the row of this value."""
        return self.page.get_by_role("row").filter(has_text=name).inner_text()

    def contest(self) -> ContestDecision:
        self.page.get_by_role("button", name="Contest this decision").click()
        expect(self.page.get_by_role("heading", name="Contest a decision", level=1)).to_be_visible()
        return ContestDecision(self.page, self.site)


class ContestDecision(PortalPage):
    def send_nothing(self) -> None:
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.page.get_by_text("There is a problem")).to_be_visible()

    def send(self, about: str, why: str) -> DisputePage:
        self.page.get_by_label(about).check()
        self.page.get_by_label("Why?").fill(why)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.page.get_by_role("heading", name="What was written")).to_be_visible()
        return DisputePage(self.page, self.site)


class OfficeDecisions(PortalPage):
    path = "/decisions"
