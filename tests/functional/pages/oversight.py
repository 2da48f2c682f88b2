"""An auditor's pages."""

from __future__ import annotations

from typing import Self

from playwright.sync_api import Download, Page

from tests.functional.pages.base import PortalPage


class TrailSearch(PortalPage):
    path = "/oversight"

    def search(
        self,
        *,
        subject: str | None = None,
        organisation: str | None = None,
        outcome: str | None = None,
        case: str | None = None,
    ) -> SearchResults:
        for name, wanted in (("subject", subject), ("case", case)):
            if wanted is not None:
                self.page.locator(f"input[name={name}]").fill(wanted)
        for name, wanted in (("organisation", organisation), ("outcome", outcome)):
            if wanted is not None:
                self.page.locator(f"select[name={name}]").select_option(label=wanted)
        self.page.get_by_role("button", name="Search", exact=True).click()
        return SearchResults(self.page, self.site)


class SearchResults(PortalPage):
    @property
    def count(self) -> int:
        said = self.page.locator(".govuk-body-l").first.inner_text()
        return int("".join(sign for sign in said.partition("entr")[0] if sign.isdigit()))

    @property
    def rows(self) -> list[str]:
        return self.page.locator(".gh-table tbody tr").all_inner_texts()

    def open_first(self) -> EntryPage:
        self.page.locator(".gh-table tbody a").first.click()
        return EntryPage(self.page, self.site)

    def ask_for_export(self, kind: str) -> StepUp:
        """The first time; `kind` is as in `export`."""
        self.export(kind)
        return StepUp(self.page, self.site)

    def export(self, kind: str) -> ExportPage:
        """`kind` is how the format's words begin: "CSV", "JSON Lines", "Bundle"."""
        choice = self.page.get_by_label("Export what was found as")
        words = choice.locator("option").all_inner_texts()
        choice.select_option(label=next(offered for offered in words if offered.startswith(kind)))
        self.page.get_by_role("button", name="Export", exact=True).click()
        if kind == "Bundle":  # it names people, so that a page asks why
            self.page.locator("textarea[name=reason]").fill("The court of the county asked for it")
            self.page.get_by_role("button", name="Export with names").click()
        return ExportPage(self.page, self.site)


class StepUp(PortalPage):
    """Where one confirms again who one is before something grave."""

    def confirm(self) -> Self:
        self.page.get_by_role("button", name="Confirm").click()
        return self

    def go_on_to_download(self) -> Download:
        return self.download("Continue")


class ExportPage(PortalPage):
    """An export in the background."""

    def wait_until_ready(self) -> Self:
        assert _followed_to_its_end(self.page, "The export is being made") == "The export is ready"
        return self

    def fetch(self) -> Download:
        with self.page.expect_download() as downloading:
            self.page.get_by_role("button", name="Download (").click()
        return downloading.value


class EntryPage(PortalPage):
    """One entry of the log."""

    def receipt(self) -> Download:
        return self.download("Download the receipt")

    def open_finding(self, why: str) -> PortalPage:
        self.page.get_by_role("button", name="Open a finding").click()
        self.page.locator("textarea[name=text]").fill(why)
        self.page.get_by_role("button", name="Open the finding").click()
        return PortalPage(self.page, self.site)

    def everything_this_official_did(self) -> SearchResults:
        self.page.get_by_role("button", name="Everything this official did").click()
        return SearchResults(self.page, self.site)


class Verification(PortalPage):
    path = "/oversight/verification"

    def start(self) -> Self:
        self.page.get_by_role("button", name="Start a verification").click()
        return self

    def wait_for_result(self) -> str:
        """What the page says in the end. Without JavaScript its own link is followed until then."""
        return _followed_to_its_end(self.page, "The verification is running")


def _followed_to_its_end(page: Page, running: str) -> str:
    for _ in range(120):
        answer = page.locator(".gh-answer__figure").inner_text()
        if answer != running:
            return answer
        link = page.get_by_role("link", name="See how far it is")
        if link.count():
            link.click()
        page.wait_for_timeout(250)
    raise AssertionError("it did not end")
