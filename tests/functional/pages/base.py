"""What all pages of the portal have in common."""

from __future__ import annotations

from typing import Self

from playwright.sync_api import Download, Page


class PortalPage:
    """One page of the portal at `site` (its address without a path), shown in `page`."""

    path = "/"

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site

    def open(self) -> Self:
        self.page.goto(self.site + self.path)
        return self

    @property
    def heading(self) -> str:
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        return self.page.locator("main").inner_text()

    @property
    def errors(self) -> list[str]:
        """What the summary of mistakes says."""
        return self.page.locator(".govuk-error-summary__list li").all_inner_texts()

    def choose_language(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Language").get_by_role("link", name=name).click()

    def sign_out(self) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Sign out").click()

    def fact(self, key: str) -> str:
        """The value beside `key` in a list of facts."""
        row = self.page.locator(".govuk-summary-list__row").filter(
            has=self.page.get_by_text(key, exact=True).locator("xpath=self::dt")
        )
        return row.locator("dd").first.inner_text()

    def download(self, button: str) -> Download:
        with self.page.expect_download() as downloading:
            self.page.get_by_role("button", name=button).click()
        return downloading.value

    def unfold(self, summary: str) -> None:
        details = self.page.locator("details").filter(has_text=summary).first
        if details.get_attribute("open") is None:
            details.locator("summary").first.click()


class SignIn(PortalPage):
    path = "/sign-in"

    def as_person(self, name: str) -> None:
        self.page.get_by_role("button", name=f"Sign in as {name}", exact=True).click()
