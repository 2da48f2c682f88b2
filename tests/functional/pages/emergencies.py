"""Pages about emergencies, in which an official opens what the rules refuse."""

from __future__ import annotations

from tests.functional.pages.base import PortalPage
from tests.functional.pages.oversight import StepUp


class EmergencyForm(PortalPage):
    """Asks first to confirm who one is."""

    path = "/casework/emergencies/new"

    def prove(self) -> EmergencyForm:
        if self.page.get_by_role("button", name="Confirm").count():
            StepUp(self.page, self.site).confirm()
        return self

    def declare(self, *, personal_code: str, reason: str) -> PortalPage:
        """Declare one that opens the first registry on offer."""
        self.prove()
        self.page.locator("input[name=personal_code]").fill(personal_code)
        self.page.locator("textarea[name=justification]").fill(reason)
        self.page.locator("input[name=registries]").first.check()
        self.page.get_by_role("button", name="Declare the emergency").click()
        return PortalPage(self.page, self.site)


class SupervisedEmergencies(PortalPage):
    path = "/supervision/emergencies"

    def open_first(self) -> PortalPage:
        self.page.locator("main a[href^='/supervision/emergencies/']").first.click()
        return PortalPage(self.page, self.site)
