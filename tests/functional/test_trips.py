"""The three trips that the portal is for, in a real browser, with JavaScript and without."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page

from portal.demo.personas import (
    BENEFIT_OFFICER,
    BENEFIT_SUPERVISOR,
    LEAD_AUDITOR,
    NEIGHBOUR,
    PUBLIC_FIGURE,
    SINGLE_PARENT,
    code_of,
    name_of,
)
from tests.factories.demonstrations import Demonstration
from tests.functional.inspection import HEIGHT, WIDE, Listener
from tests.functional.pages.base import PortalPage, SignIn
from tests.functional.pages.casework import OpenedRecord, OwnCasework, PurposeChoice
from tests.functional.pages.citizen import History, Overview
from tests.functional.pages.disputes import Contest, DisputePage, DisputeQueue
from tests.functional.pages.oversight import TrailSearch, Verification

pytestmark = pytest.mark.browser

BOARD = "Social Insurance Board"
PURPOSE = "Deciding on a benefit claim"
REASON = "Child allowance claim of 2 March: checking who lives in the household."
CASE = "SKA-2026-4711"


@pytest.fixture(params=[True, False], ids=["with-scripts", "without-scripts"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(
        locale="en-GB", viewport={"width": WIDE, "height": HEIGHT}, java_script_enabled=request.param
    )
    page = context.new_page()
    page.set_default_timeout(15_000)
    listener = Listener(page)
    yield page
    context.close()
    assert not listener.complaints, listener.complaints


def _signed_in(page: Page, demonstration: Demonstration, persona: str) -> str:
    """Sign in by the list of the demonstration; gives the portal's address."""
    SignIn(page, demonstration.url).open().as_person(name_of(persona))
    return demonstration.url


def _open_record(page: Page, site: str, persona: str, *, reason: str = REASON) -> OpenedRecord:
    form = PurposeChoice(page, site).open().choose(PURPOSE)
    return form.fill(personal_code=code_of(persona), case=CASE, reason=reason, registries=["Population Register"])


def _check(demonstration: Demonstration, command: str, file: Path) -> str:
    """`python -m audit …` as somebody runs it who has nothing of the portal's but its public keys."""
    keys = demonstration.settings.data_dir / "keys"
    arguments = [command, str(file), "--vkey", str(keys / "log.vkey")]
    if command == "check-export":
        arguments += ["--export-vkey", str(keys / "export.vkey")]
    done = subprocess.run(
        [sys.executable, "-m", "audit", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _kept(download: Download, folder: Path) -> Path:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def test_a_citizen_sees_what_is_held_and_who_looked_and_takes_the_proof_home(
    page: Page, demonstration: Demonstration, tmp_path: Path
) -> None:
    site = _signed_in(page, demonstration, SINGLE_PARENT)
    overview = Overview(page, site)
    assert overview.answer.startswith("In the last 30 days 1 organisation looked at your data")
    held = overview.open_registry("Tax and Benefits Register")
    assert any("bought from others" in warning for warning in held.warnings)
    assert "This was bought, not told by you; matched with" in held.text
    history = Overview(page, site).open().all_looks()
    assert history.has_chart
    newest = history.sentences
    assert newest
    history.filter(kind="Only systems")
    assert history.sentences
    announced = ("asked for your consent", "announced a decision")
    by_systems = [line for line in history.sentences if not any(words in line for words in announced)]
    assert by_systems
    assert all("No person looked" in sentence for sentence in by_systems), by_systems
    history.filter(kind="Only I myself")
    assert "You looked at your own data in the Tax and Benefits Register." in history.sentences
    receipt = _kept(history.open().filter(kind="Only people").open_look("looked at").receipt(), tmp_path)
    assert _check(demonstration, "check-receipt", receipt).startswith("TRUE: entry")


def test_a_long_history_is_read_page_by_page_and_no_look_twice(page: Page, demonstration: Demonstration) -> None:
    history = History(page, _signed_in(page, demonstration, PUBLIC_FIGURE)).open()
    seen = history.details
    while history.has_older:
        seen += history.older().details
    assert len(seen) > len(set(history.details)), "the person has but one page of looks"
    assert len(seen) == len(set(seen))


def test_a_caseworker_gets_data_only_for_a_reason_and_the_person_sees_it(
    page: Page, demonstration: Demonstration
) -> None:
    site = _signed_in(page, demonstration, BENEFIT_OFFICER)
    assert "Population Register" in PurposeChoice(page, site).open().choose(PURPOSE).permitted_fields
    refused = _open_record(page, site, NEIGHBOUR, reason="check")
    assert refused.errors == ["The reason is too short. Write at least 20 characters."]
    assert "Irina" not in refused.text
    opened = _open_record(page, site, NEIGHBOUR)
    assert opened.registries == ["Population Register"]
    assert "Irina" in opened.text
    own = OwnCasework(page, site).open()
    assert REASON in own.rows[0]
    assert "Refused" in own.rows[1]
    own.sign_out()
    _signed_in(page, demonstration, NEIGHBOUR)
    look = Overview(page, site).open().all_looks().open_look(f"at {BOARD} looked at")
    assert look.fact("Case") == CASE
    assert look.fact("Reason given") == REASON
    assert look.fact("Official") == name_of(BENEFIT_OFFICER)


def test_an_auditor_finds_exports_and_proves(page: Page, demonstration: Demonstration, tmp_path: Path) -> None:
    site = _signed_in(page, demonstration, LEAD_AUDITOR)
    found = TrailSearch(page, site).open().search(subject=code_of(NEIGHBOUR), outcome="Shown")
    assert found.count >= len(found.rows) > 0
    entry = found.open_first()
    _check(demonstration, "check-receipt", _kept(entry.receipt(), tmp_path))
    refused = TrailSearch(page, site).open().search(outcome="Refused")
    wanted = refused.count
    export = _kept(refused.ask_for_export("JSON Lines").confirm().go_on_to_download(), tmp_path)
    _check(demonstration, "check-export", export)
    with zipfile.ZipFile(export) as archive:
        assert len(archive.read("trail.jsonl").splitlines()) == wanted
    some = TrailSearch(page, site).open().search(subject=code_of(NEIGHBOUR), outcome="Refused")
    made = some.export("Bundle").wait_until_ready()
    _check(demonstration, "check-export", _kept(made.fetch(), tmp_path))
    assert Verification(page, site).open().start().wait_for_result() == "The log is sound"
    newest = TrailSearch(page, site).open().search(organisation="Data Protection Inspectorate").rows
    assert any("Trail exported" in row for row in newest)
    assert any("Trail searched" in row for row in newest)


def test_a_person_contests_a_look_and_the_officer_decides(page: Page, demonstration: Demonstration) -> None:
    site = _signed_in(page, demonstration, SINGLE_PARENT)
    why = "I asked for no benefit in that month and do not know why anybody looked."
    opened = Contest(page, site).open().begin().send(why)
    number = opened.number
    opened.write("I add that I had moved away by then, as the register says.").sign_out()
    _signed_in(page, demonstration, BENEFIT_SUPERVISOR)
    dispute = DisputeQueue(page, site).open().open_one(number)
    assert why in dispute.text
    dispute.answer("We ask the official and write again within the week.")
    reasons = "The case had been closed by then. The official has been told, and the look was not in order."
    dispute.decide("The person is right", reasons).sign_out()
    _signed_in(page, demonstration, SINGLE_PARENT)
    page.get_by_role("link", name="See what it is about").first.click()
    hers = DisputePage(page, site)
    assert "You were right" in hers.text
    assert reasons in hers.text
    assert any("dealt with a dispute" in sentence for sentence in History(page, site).open().sentences)


def test_a_reader_changes_the_language_where_they_stand(page: Page, demonstration: Demonstration) -> None:
    here = PortalPage(page, demonstration.url).open()
    here.choose_language("Eesti")
    assert page.locator("html").get_attribute("lang") == "et"
    assert here.heading == "Vaadake, mida riik teie kohta hoiab ja kes on seda vaadanud"
    page.get_by_role("link", name="Русский").click()
    assert here.heading == "Узнайте, что государство хранит о вас и кто это смотрел"
