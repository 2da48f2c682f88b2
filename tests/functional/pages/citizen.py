"""A citizen's pages."""

from __future__ import annotations

from typing import Self

from playwright.sync_api import Download

from tests.functional.pages.base import PortalPage


class Overview(PortalPage):
    path = "/me"

    @property
    def answer(self) -> str:
        """The sentence that says how often others looked lately, and whether that was unusual."""
        return self.page.locator(".gh-verdict").inner_text()

    def open_registry(self, name: str) -> RegistryPage:
        self.page.get_by_role("link", name=name, exact=True).click()
        return RegistryPage(self.page, self.site)

    def all_looks(self) -> History:
        self.page.get_by_role("link", name="Everybody who looked, and when").click()
        return History(self.page, self.site)


class Records(PortalPage):
    path = "/me/records"

    def open_registry(self, name: str) -> RegistryPage:
        self.page.get_by_role("link", name=name, exact=True).click()
        return RegistryPage(self.page, self.site)


class RegistryPage(PortalPage):
    """What one registry holds on the reader."""

    @property
    def warnings(self) -> list[str]:
        return self.page.locator(".gh-answer--warning").all_inner_texts()


class History(PortalPage):
    path = "/me/accesses"
    #: One look: an item of the list that is no group of others.
    LOOK = ".gh-list__item:not(:has(.gh-list__item))"

    def unfold_cases(self) -> Self:
        """Show each look of every case."""
        folded = self.page.locator("details:not([open]) > summary").filter(has_text="Show each of them")
        while folded.count():
            folded.first.click()
        return self

    @property
    def sentences(self) -> list[str]:
        self.unfold_cases()
        return self.page.locator(f"{self.LOOK} .gh-line__sentence").all_inner_texts()

    @property
    def details(self) -> list[str]:
        """Where each look on this page is told in full: different for every look."""
        links = self.unfold_cases().page.get_by_role("link", name="Details and receipt")
        return [link.get_attribute("href") or "" for link in links.all()]

    @property
    def has_chart(self) -> bool:
        return self.page.get_by_role("img", name="Looks by others in the last twelve months").is_visible()

    def filter(self, *, kind: str | None = None, organisation: str | None = None, purpose: str | None = None) -> Self:
        self.unfold("Filter the list")
        for name, wanted in (("kind", kind), ("organisation", organisation), ("purpose", purpose)):
            if wanted is not None:
                self.page.locator(f"select[name={name}]").select_option(label=wanted)
        with self.page.expect_navigation():  # or what is looked for next is found on the page that goes
            self.page.get_by_role("button", name="Show").click()
        return self

    def filter_since(self, day: str, month: str, year: str) -> Self:
        self.unfold("Filter the list")
        for box, typed in zip(self.page.locator("input[name=since]").all(), (day, month, year), strict=True):
            box.fill(typed)
        with self.page.expect_navigation():  # or what is looked for next is found on the page that goes
            self.page.get_by_role("button", name="Show").click()
        return self

    @property
    def has_older(self) -> bool:
        return self.page.get_by_role("link", name="Older looks").count() > 0

    def older(self) -> Self:
        with self.page.expect_navigation():
            self.page.get_by_role("link", name="Older looks").click()
        return self

    def open_look(self, sentence: str) -> Look:
        """The details of the first look whose sentence holds `sentence`."""
        line = self.unfold_cases().page.locator(self.LOOK).filter(has_text=sentence).first
        line.get_by_role("link", name="Details and receipt").click()
        return Look(self.page, self.site)


class Look(PortalPage):
    """One look at the reader's data."""

    def receipt(self) -> Download:
        return self.download("Download the receipt")
