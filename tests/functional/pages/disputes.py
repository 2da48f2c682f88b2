"""Both sides of a dispute."""

from __future__ import annotations

from typing import Self

from playwright.sync_api import expect

from tests.functional.pages.base import PortalPage


class Contest(PortalPage):
    """From the newest look of the Social Insurance Board at the reader's data."""

    path = "/me/accesses?organisation=social-insurance-board"

    def begin(self) -> Self:
        # The looks of one case are folded into one, and each of them can be contested by itself.
        folded = self.page.locator("summary").filter(has_text="Show each of them")
        if folded.count():
            folded.first.click()
        self.page.get_by_role("link", name="Details and receipt").first.click()
        self.page.get_by_role("button", name="Contest this look").click()
        expect(self.page.get_by_role("heading", name="Contest this look")).to_be_visible()
        return self

    def send(self, why: str) -> DisputePage:
        self.page.get_by_label("Why?").fill(why)
        self.page.get_by_role("button", name="Send", exact=True).click()
        return DisputePage(self.page, self.site)


class DisputePage(PortalPage):
    """One dispute, for the person or for the officer."""

    @property
    def number(self) -> str:
        return self.heading.removeprefix("Dispute ")

    def write(self, text: str) -> Self:
        self.page.get_by_label("Your message").fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.page.get_by_text(text)).to_be_visible()
        return self

    def answer(self, text: str, *, told: str | None = None) -> Self:
        """`told` is what of the text is on the page afterwards, where that is not all of it."""
        self.page.get_by_label("Write to the person").check()
        self.page.get_by_label("What you write").fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.page.get_by_text(told or text)).to_be_visible()
        return self

    def open_withholding(self) -> Self:
        self.page.get_by_role("link", name="Withhold passages or files").click()
        expect(self.page.get_by_role("heading", name="Withhold passages or files")).to_be_visible()
        return self

    def decide(self, ruling: str, reasons: str) -> Self:
        self.page.get_by_label(ruling, exact=True).check()
        self.page.get_by_label("Reasons", exact=True).fill(reasons)
        self.page.get_by_role("button", name="Decide and tell the person").click()
        expect(self.page.get_by_text(reasons)).to_be_visible()
        return self


class DisputeQueue(PortalPage):
    path = "/dpo"

    def open_one(self, number: str) -> DisputePage:
        self.page.get_by_role("link", name=number).click()
        expect(self.page.get_by_role("heading", name=f"Dispute {number}")).to_be_visible()
        return DisputePage(self.page, self.site)
