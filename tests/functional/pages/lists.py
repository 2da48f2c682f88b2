"""Pages about lists of people who are opened together."""

from __future__ import annotations

from typing import Self

from tests.functional.pages.base import PortalPage


class Lists(PortalPage):
    path = "/casework/lists"

    def choose(self, purpose: str) -> ListForm:
        self.page.get_by_label(purpose, exact=True).check()
        self.page.get_by_role("button", name="Continue").click()
        return ListForm(self.page, self.site)


class ListForm(PortalPage):
    def send(self, *, people: str, case: str, reason: str) -> Self:
        """`people` is the text of a file with one personal code a line."""
        upload = {"name": "people.csv", "mimeType": "text/csv", "buffer": people.encode()}
        self.page.locator("input[name=people]").set_input_files(upload)  # type: ignore[arg-type]
        self.page.locator("input[name=case]").fill(case)
        self.page.locator("textarea[name=justification]").fill(reason)
        self.page.get_by_role("button", name="Open the list").click()
        return self
