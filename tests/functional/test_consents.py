"""A person reads what a bank asks for, says yes, sees the use, and ends it, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from portal.demo.consents import system_of
from portal.demo.personas import SINGLE_PARENT, name_of
from portal.domain.consents import ConsentNotInForce
from portal.domain.machines import Operation
from portal.services.machines import Admitted
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import HEIGHT, WIDE, inspect
from tests.functional.pages.base import SignIn

pytestmark = pytest.mark.browser


def test_a_person_gives_a_consent_sees_its_use_and_ends_it(browser: Browser, demonstration: Demonstration) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": WIDE, "height": HEIGHT}, java_script_enabled=False)
    page = context.new_page()
    page.set_default_timeout(15_000)
    SignIn(page, demonstration.url).open().as_person(name_of(SINGLE_PARENT))
    page.get_by_role("link", name="Consents", exact=True).click()
    page.get_by_role("link", name="Järve Bank: Deciding on a loan that you asked for").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Järve Bank asks to receive data about you")
    consent = page.url.rpartition("/")[2]
    page.get_by_role("button", name="Yes, share these data").click()
    expect(page.get_by_role("heading", name="End this consent")).to_be_visible()
    house = demonstration.house
    asked = system_of(house, "jarve-bank", ("population", "tax-benefits"))
    scopes = frozenset(Operation.USE_CONSENT.scope(registry) for registry in ("population", "tax-benefits"))
    bank = Admitted(asked.client, scopes)
    used = house.consents.uses.use(bank, consent, {"population": ("address",)}, request_id="use")
    assert used.disclosures[0].records
    page.reload()
    expect(page.get_by_text("Used once, as agreed")).to_be_visible()
    with pytest.raises(ConsentNotInForce):
        house.consents.uses.use(bank, consent, None, request_id="use")
    page.get_by_role("link", name="Everything Järve Bank received or asked for").click()
    expect(page.get_by_text("With your consent Järve Bank received 1 field of your data")).to_be_visible()
    expect(
        page.get_by_text("Järve Bank asked for your data in the Population Register and was refused")
    ).to_be_visible()
    page.goto(f"{demonstration.url}/me/consents")
    page.get_by_role("link", name="Kindel Insurance: A quote for motor insurance").click()
    page.get_by_role("button", name="Yes, share these data").click()
    page.get_by_role("button", name="End the consent now").click()
    expect(page.get_by_text("Ended by you")).to_be_visible()
    context.close()
    scripted = browser.new_context(locale="en-GB", storage_state=None)
    looking = scripted.new_page()
    SignIn(looking, demonstration.url).open().as_person(name_of(SINGLE_PARENT))
    complaints = []
    for path in ("/me/consents", f"/me/consents/{consent}"):
        looking.goto(demonstration.url + path)
        complaints += inspect(looking, path)
    scripted.close()
    assert not complaints, complaints
