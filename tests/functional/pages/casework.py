"""A caseworker's pages."""

from __future__ import annotations

from collections.abc import Sequence

from tests.functional.pages.base import PortalPage


class OwnCases(PortalPage):
    path = "/casework/cases"

    def choose(self) -> CasePage:
        """The newest case."""
        self.page.locator(".gh-table a").first.click()
        return CasePage(self.page, self.site)


class CasePage(PortalPage):
    """One case: whom, and which registries."""

    def open_record(self) -> OpenedRecord:
        """The first person's record, in the registries that the page has ticked itself."""
        self.page.locator("input[name=person]").first.check()
        self.page.get_by_role("button", name="Open the record").click()
        return OpenedRecord(self.page, self.site)


class PurposeChoice(PortalPage):
    path = "/casework"

    def choose(self, purpose: str) -> ReasonForm:
        self.page.get_by_label(purpose, exact=True).check()
        self.page.get_by_role("button", name="Continue").click()
        return ReasonForm(self.page, self.site)


class ReasonForm(PortalPage):
    """Whom, in which case and why, before anything is seen."""

    @property
    def permitted_fields(self) -> str:
        self.unfold("Which fields this purpose opens")
        return self.page.locator("details").filter(has_text="Which fields this purpose opens").first.inner_text()

    def fill(
        self, *, personal_code: str, case: str, reason: str, registries: Sequence[str] | None = None
    ) -> OpenedRecord:
        """Send the form; `registries` by name, else those that the page has ticked itself."""
        self.page.locator("input[name=personal_code]").fill(personal_code)
        self.page.locator("input[name=case]").fill(case)
        self.page.locator("textarea[name=justification]").fill(reason)
        if registries is not None:
            for box in self.page.locator("input[name=registries]").all():
                box.uncheck()
            for name in registries:
                self.page.get_by_label(name, exact=True).check()
        self.page.get_by_role("button", name="Open the record").click()
        return OpenedRecord(self.page, self.site)


class OpenedRecord(PortalPage):
    """What was opened; or the form again, with what is wrong with it."""

    @property
    def registries(self) -> list[str]:
        return self.page.locator(".gh-registry > h2").all_inner_texts()


class OwnCasework(PortalPage):
    path = "/casework/history"

    @property
    def rows(self) -> list[str]:
        return self.page.locator(".gh-table tbody tr").all_inner_texts()
