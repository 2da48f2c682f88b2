"""A person takes all away, without JavaScript, and checks a receipt with what lies in the bundle, without a network."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, expect

from portal.demo.personas import SINGLE_PARENT, name_of
from tests.factories.age_files import opened
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import HEIGHT, WIDE
from tests.functional.pages.base import SignIn
from tests.functional.pages.bundle import BundleOverview

pytestmark = pytest.mark.browser

PASSPHRASE = "neli korrektset hobust õunaaias"


def test_a_person_takes_a_locked_bundle_away_opens_it_and_proves_a_look(
    browser: Browser, demonstration: Demonstration, tmp_path: Path
) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": WIDE, "height": HEIGHT}, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(15_000)
    SignIn(page, demonstration.url).open().as_person(name_of(SINGLE_PARENT))
    expect(page.get_by_role("heading", level=1)).to_have_text("Who looked at your data lately")
    page.get_by_role("link", name="Take it all away").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Take it all away")
    made = BundleOverview(page, demonstration.url).ask().locked(PASSPHRASE).wait_until_ready()
    fetched = made.fetch()
    assert fetched.suggested_filename.endswith(".zip.age")
    plain = tmp_path / "glasshouse.zip"
    plain.write_bytes(opened(fetched.path().read_bytes(), PASSPHRASE))
    made.delete()
    context.close()
    folder = tmp_path / "bundle"
    with ZipFile(plain) as archive:
        archive.extractall(folder)
    looks = json.loads((folder / "accesses.json").read_text(encoding="utf-8"))["accesses"]
    look = next(one for one in looks if one["action"] == "read")
    offline = browser.new_context(locale="en-GB", offline=True)
    checking = offline.new_page()
    checking.goto((folder / "verify.html").as_uri())
    checking.locator("#file").set_input_files(folder / look["receipt"])
    expect(checking.locator("#verdict .verdict")).to_have_attribute("data-verdict", "true")
    offline.close()
