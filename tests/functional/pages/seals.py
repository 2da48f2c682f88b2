"""Pages about seals: looks that are kept from their subject until a day."""

from __future__ import annotations

from datetime import date

from tests.functional.pages.base import PortalPage


class SealForm(PortalPage):
    path = "/casework/seals/new"

    def register(self, *, personal_code: str, case: str, until: date) -> PortalPage:
        """Register a seal of the first purpose and authority on offer."""
        self.page.locator("input[name=personal_code]").fill(personal_code)
        self.page.locator("input[name=case]").fill(case)
        self.page.locator("select[name=authority]").select_option(index=1)
        self.page.locator("input[name=ordered_by]").fill("Mari Maasikas, prosecutor")
        self.page.locator("input[name=order]").fill("K-2026-17")
        typed = (until.day, until.month, until.year)
        for box, number in zip(self.page.locator("input[name=until]").all(), typed, strict=True):
            box.fill(str(number))
        self.page.get_by_role("button", name="Register the seal").click()
        return PortalPage(self.page, self.site)


class SupervisedSeals(PortalPage):
    path = "/supervision/seals"

    def open_first(self) -> PortalPage:
        self.page.locator("main a[href^='/supervision/seals/']").first.click()
        return PortalPage(self.page, self.site)
