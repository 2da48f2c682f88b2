"""Where a person takes all away."""

from __future__ import annotations

from typing import Self

from playwright.sync_api import Download, expect

from tests.functional.pages.base import PortalPage
from tests.functional.pages.oversight import StepUp


class BundleOverview(PortalPage):
    path = "/me/bundle"

    def ask(self) -> BundleForm:
        """Prove again who one is, and come to the form."""
        self.page.get_by_role("button", name="Make a bundle").click()
        expect(self.page.get_by_role("heading", level=1)).not_to_have_text("Take it all away")
        if "/step-up/" in self.page.url:
            StepUp(self.page, self.site).confirm()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Make a bundle of all your data")
        return BundleForm(self.page, self.site)


class BundleForm(PortalPage):
    def unlocked(self) -> BundlePage:
        self.page.get_by_label("No: whoever has the file can open it").check()
        return self.send()

    def locked(self, passphrase: str) -> BundlePage:
        self.page.get_by_label("Yes, lock it").check()
        self.page.get_by_label("Passphrase, if you lock it").fill(passphrase)
        self.page.get_by_label("The same passphrase once more").fill(passphrase)
        return self.send()

    def send(self) -> BundlePage:
        self.page.get_by_role("button", name="Make the bundle").click()
        return BundlePage(self.page, self.site)


class BundlePage(PortalPage):
    """One bundle, from the request to its end."""

    def wait_until_ready(self) -> Self:
        """Without JavaScript the page reads itself again until then."""
        expect(self.page.get_by_text("Your bundle is ready")).to_be_visible(timeout=30_000)
        return self

    def fetch(self) -> Download:
        with self.page.expect_download() as downloading:
            self.page.get_by_role("button", name="Download (").click()
        return downloading.value

    def delete(self) -> Self:
        self.page.get_by_role("button", name="Delete it now").click()
        expect(self.page.get_by_text("The bundle was deleted")).to_be_visible()
        return self
