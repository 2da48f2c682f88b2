"""How to reach the pages that a link alone does not lead to. Each way ends with the page on the screen.

`test_every_page.py` follows all links by itself. A page that only a form leads to, or that looks different once a form
was sent, has its way here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from portal.demo.personas import (
    BENEFIT_OFFICER,
    BENEFIT_SUPERVISOR,
    LEAD_AUDITOR,
    PATROL_OFFICER,
    PENSIONER,
    SINGLE_PARENT,
    code_of,
    name_of,
)
from portal.domain.actors import Role
from tests.functional.pages.base import PortalPage, SignIn
from tests.functional.pages.bundle import BundleOverview
from tests.functional.pages.casework import OwnCases, PurposeChoice
from tests.functional.pages.citizen import History
from tests.functional.pages.disputes import Contest, DisputePage, DisputeQueue
from tests.functional.pages.emergencies import EmergencyForm, SupervisedEmergencies
from tests.functional.pages.lists import Lists
from tests.functional.pages.oversight import ExportPage, StepUp, TrailSearch, Verification
from tests.functional.pages.seals import SealForm, SupervisedSeals

Way = Callable[[PortalPage], object]


@dataclass(frozen=True)
class Reader:
    """Somebody who walks through the pages: a persona of the demonstration, or a visitor who has not signed in.

    For a role that nobody in the demonstration has, `organisation` says where somebody is put for the walk;
    `called` is the name of somebody whom the demonstration has and who is nobody in its registries.
    """

    role: Role | None
    persona: str | None = None
    organisation: str | None = None
    called: str | None = None

    @property
    def name(self) -> str:
        return name_of(self.persona) if self.persona else self.called or f"Somebody, {self.role}"

    def __str__(self) -> str:
        return self.persona or self.role or "visitor"


VISITOR = Reader(None)
CITIZEN = Reader(Role.CITIZEN, SINGLE_PARENT)
CASEWORKER = Reader(Role.CASEWORKER, BENEFIT_OFFICER)
POLICE = Reader(Role.CASEWORKER, PATROL_OFFICER)
AUDITOR = Reader(Role.AUDITOR, LEAD_AUDITOR)
SUPERVISOR = Reader(Role.SUPERVISOR, organisation="police")
ADMINISTRATOR = Reader(Role.ADMINISTRATOR, called="Tiit Aas")
BOARD_SUPERVISOR = Reader(Role.SUPERVISOR, BENEFIT_SUPERVISOR)
#: Each role has one reader at least; a role whose pages differ by organisation has several.
READERS = (VISITOR, CITIZEN, CASEWORKER, POLICE, AUDITOR, SUPERVISOR, BOARD_SUPERVISOR, ADMINISTRATOR)
#: Routes that only some organisations or accounts of a role have, and who of the readers has them.
ONLY_FOR = {
    "seals.overview": POLICE,
    "seals.new": POLICE,
    "seals.seal": POLICE,
    "cases.case": CASEWORKER,
    "supervision.review": BOARD_SUPERVISOR,
    "dpo.queue": BOARD_SUPERVISOR,
    "dpo.one": BOARD_SUPERVISOR,
    "dpo.withholding": BOARD_SUPERVISOR,
    "seals.supervised_seal": SUPERVISOR,
    "emergencies.overview": POLICE,
    "emergencies.new": POLICE,
    "emergencies.emergency": POLICE,
    "emergencies.supervised_emergency": SUPERVISOR,
}

PURPOSE = "Deciding on a benefit claim"
#: One row that is taken over and one that is refused.
CASES = f"""reference,kind,purpose,organisation,team,opened,closed,subjects,officials
SKA-2026-77777,Benefit,benefit-claim,social-insurance-board,,2026-03-02,,{code_of(PENSIONER)},
SKA-2026-77778,Benefit,benefit-claim,social-insurance-board,,yesterday,,{code_of(PENSIONER)},
"""
WHY = "I asked for no benefit at that time and do not know why anybody looked."
REASON = "Child allowance claim of 2 March: checking who lives in the household."


def _open_record(here: PortalPage, **changes: str) -> None:
    form = PurposeChoice(here.page, here.site).open().choose(PURPOSE)
    form.fill(**{"personal_code": code_of(PENSIONER), "case": "SKA-2026-1", "reason": REASON, **changes})


def _open_from_case(here: PortalPage) -> None:
    OwnCases(here.page, here.site).open().choose().open_record()


def _review(here: PortalPage) -> None:
    here.page.goto(f"{here.site}/supervision/reviews")
    here.page.locator("table a").first.click()


def _escalate_without_a_reason(here: PortalPage) -> None:
    _review(here)
    here.page.get_by_role("button", name="Hand it to the auditor").click()


def _take_over_cases(here: PortalPage) -> None:
    here.page.goto(f"{here.site}/supervision/cases")
    file = {"name": "cases.csv", "mimeType": "text/csv", "buffer": CASES.encode()}
    here.page.locator("input[type=file]").set_input_files([file])
    here.page.get_by_role("button", name="Take over").click()


def _bundle(here: PortalPage) -> ExportPage:
    """After an export has been confirmed: the proof is still fresh."""
    return TrailSearch(here.page, here.site).open().search(outcome="Refused").export("Bundle")


def _ask_for_export(here: PortalPage) -> StepUp:
    return TrailSearch(here.page, here.site).open().search(outcome="Refused").ask_for_export("CSV")


def _mandate_form(here: PortalPage) -> PortalPage:
    """What the demonstration's sign-in counts as is not enough; a proof that was just given is not asked for again."""
    here.page.goto(f"{here.site}/me/mandates/new")
    if here.page.get_by_role("button", name="Confirm", exact=True).count():
        here.page.get_by_role("button", name="Confirm", exact=True).click()
    here.page.get_by_role("heading", name="Give a mandate").wait_for()
    return here


def _register_seal(here: PortalPage) -> PortalPage:
    until = datetime.now(UTC).date() + timedelta(days=30)
    form = SealForm(here.page, here.site).open()
    return form.register(personal_code=code_of(PENSIONER), case="PPA-2026-9", until=until)


def _declare_emergency(here: PortalPage) -> PortalPage:
    reason = "Found unconscious in the street; looking for relatives and a doctor to call."
    return EmergencyForm(here.page, here.site).open().declare(personal_code=code_of(PENSIONER), reason=reason)


def _at_the_police(here: PortalPage, do: Callable[[PortalPage], PortalPage]) -> None:
    """Something that a supervisor's colleague does first; afterwards the supervisor is signed in again."""
    here.sign_out()
    SignIn(here.page, here.site).open().as_person(POLICE.name)
    do(here).sign_out()
    SignIn(here.page, here.site).open().as_person(SUPERVISOR.name)


def _dispute(here: PortalPage) -> DisputePage:
    """A citizen opens it first; afterwards the officer is signed in again."""
    here.sign_out()
    SignIn(here.page, here.site).open().as_person(name_of(SINGLE_PARENT))
    opened = Contest(here.page, here.site).open().begin().send(WHY)
    number = opened.number
    opened.sign_out()
    SignIn(here.page, here.site).open().as_person(BOARD_SUPERVISOR.name)
    return DisputeQueue(here.page, here.site).open().open_one(number)


def _withhold(here: PortalPage) -> DisputePage:
    """In the dispute that is open; of another one, about this officer's own step, they would see nothing."""
    dispute = DisputePage(here.page, here.site)
    return dispute.answer("We asked [[1: Juhan Mets]] and write again.", told="We asked").open_withholding()


def _supervised_seal(here: PortalPage) -> PortalPage:
    _at_the_police(here, _register_seal)
    return SupervisedSeals(here.page, here.site).open().open_first()


def _supervised_emergency(here: PortalPage) -> PortalPage:
    _at_the_police(here, _declare_emergency)
    return SupervisedEmergencies(here.page, here.site).open().open_first()


def _list_of_people(here: PortalPage, people: str) -> None:
    form = Lists(here.page, here.site).open().choose(PURPOSE)
    form.send(people=people, case="SKA-2026-2", reason=REASON)


def _finding(here: PortalPage) -> PortalPage:
    entry = TrailSearch(here.page, here.site).open().search(organisation="Police").open_first()
    return entry.open_finding("Looks at night and names no case.")


def _saving(here: PortalPage) -> None:
    TrailSearch(here.page, here.site).open().search(outcome="Refused")
    here.page.get_by_role("button", name="Save this search").click()
    here.page.get_by_role("heading", name="Save this search").wait_for()


def _save_search(here: PortalPage) -> None:
    _saving(here)
    here.page.get_by_label("Name of the search").fill("Refused looks")
    here.page.get_by_label("What is it for?").fill("Each quarter they are gone through.")
    here.page.get_by_role("button", name="Save", exact=True).click()
    here.page.get_by_role("heading", name="Refused looks").wait_for()


def _save_without_a_name(here: PortalPage) -> None:
    _saving(here)
    here.page.get_by_role("button", name="Save", exact=True).click()
    here.page.get_by_text("There is a problem").wait_for()


def _reveal(here: PortalPage) -> None:
    """Who the people of an entry are; the proof for the export is still fresh."""
    TrailSearch(here.page, here.site).open().search(outcome="Shown").open_first()
    here.page.get_by_label("Why do you need to see who they are?").fill("A complaint names this look.")
    here.page.get_by_role("button", name="Show who they are").click()
    here.page.get_by_text("Personal code of the person looked at").wait_for()


def _rank(here: PortalPage) -> None:
    here.page.goto(f"{here.site}/oversight/unusual")
    here.page.get_by_role("button", name="Rank the looks").click()
    here.page.get_by_text("to be read first").wait_for()


def _invite_with_mistakes(here: PortalPage) -> None:
    here.page.goto(f"{here.site}/administration/invite")
    here.page.get_by_role("button", name="Invite").click()


def _verify(here: PortalPage) -> None:
    Verification(here.page, here.site).open().start().wait_for_result()


#: By reader and, first, the endpoint that answers; several ways may lead to the same one.
WAYS: Mapping[Reader, Mapping[tuple[str, str], Way]] = {
    VISITOR: {("errors", "nothing is here"): lambda here: here.page.goto(f"{here.site}/nowhere")},
    CITIZEN: {
        ("trail.history", "a filter with a mistake"): lambda here: (
            History(here.page, here.site).open().filter_since("31", "2", "2026")
        ),
        ("records.registry", "with bought data"): lambda here: here.page.goto(f"{here.site}/me/records/tax-benefits"),
        ("disputes.contest", "from a line"): lambda here: Contest(here.page, here.site).open().begin(),
        ("disputes.submit_contest", "without a word"): lambda here: (
            Contest(here.page, here.site).open().begin().send("")
        ),
        ("disputes.one", "just opened"): lambda here: Contest(here.page, here.site).open().begin().send(WHY),
        ("mandates.new", "after a fresh proof"): _mandate_form,
        ("mandates.give", "without a word"): lambda here: (
            _mandate_form(here).page.get_by_role("button", name="Give the mandate").click()
        ),
        ("trail.history", "own looks"): lambda here: here.page.goto(f"{here.site}/me/accesses?kind=own"),
        ("bundle.new", "after a fresh proof"): lambda here: BundleOverview(here.page, here.site).open().ask(),
        ("bundle.start", "with a mistake"): lambda here: BundleOverview(here.page, here.site).open().ask().send(),
        ("bundle.one", "ready, locked"): lambda here: (
            BundleOverview(here.page, here.site)
            .open()
            .ask()
            .locked("four correct horses in an orchard")
            .wait_until_ready()
        ),
    },
    CASEWORKER: {
        ("cases.open_record", "opened from a case"): _open_from_case,
        ("casework.open_record", "opened"): _open_record,
        ("casework.open_record", "a thoughtless reason"): lambda here: _open_record(here, reason="check"),
        ("casework.open_record", "every mistake"): lambda here: _open_record(
            here, personal_code="1", case="", reason=""
        ),
        ("bulk.new", "asked"): lambda here: Lists(here.page, here.site).open().choose(PURPOSE),
        ("bulk.new", "no list of codes"): lambda here: _list_of_people(here, "somebody"),
        ("bulk.job", "asked for"): lambda here: _list_of_people(
            here, f"{code_of(PENSIONER)}\n{code_of(SINGLE_PARENT)}"
        ),
        ("casework.start", "no purpose chosen"): lambda here: here.page.goto(f"{here.site}/casework?asked=1"),
    },
    POLICE: {
        ("seals.new", "with mistakes"): lambda here: (
            SealForm(here.page, here.site).open().register(personal_code="1", case="", until=date(2020, 1, 1))
        ),
        ("seals.seal", "just registered"): _register_seal,
        ("emergencies.new", "after a fresh proof"): lambda here: EmergencyForm(here.page, here.site).open().prove(),
        ("emergencies.emergency", "declared"): _declare_emergency,
    },
    SUPERVISOR: {
        ("seals.supervised_seal", "to prolong"): _supervised_seal,
        ("emergencies.supervised_emergency", "to review"): _supervised_emergency,
    },
    ADMINISTRATOR: {
        ("administration.send_invitation", "with mistakes"): _invite_with_mistakes,
    },
    BOARD_SUPERVISOR: {
        ("dpo.one", "to decide"): _dispute,
        ("dpo.withholding", "one passage withheld"): _withhold,
        ("supervision.review", "to decide"): _review,
        ("supervision.escalate", "no reason given"): _escalate_without_a_reason,
        ("supervision.import_cases", "one row refused"): _take_over_cases,
        ("supervision.note_absence", "a mistake"): lambda here: (
            here.page.goto(f"{here.site}/supervision/absences"),
            here.page.get_by_role("button", name="Note it").click(),
        ),
    },
    AUDITOR: {
        ("oversight.results", "found"): lambda here: TrailSearch(here.page, here.site).open().search(),
        ("oversight.results", "nothing found"): lambda here: (
            TrailSearch(here.page, here.site).open().search(case="NO-SUCH-CASE")
        ),
        ("oversight.results", "a mistake"): lambda here: TrailSearch(here.page, here.site).open().search(subject="1"),
        ("oversight.entry", "of the trail"): lambda here: (
            TrailSearch(here.page, here.site).open().search(outcome="Shown").open_first()
        ),
        ("saved_searches.new", "to be named"): _saving,
        ("saved_searches.save", "without a name"): _save_without_a_name,
        ("saved_searches.overview", "one saved"): _save_search,
        ("findings.file", "just opened"): _finding,
        ("unusual.run", "ranked"): _rank,
        ("step_up.demonstration", "for an export"): _ask_for_export,
        ("step_up.go_on", "to the export"): lambda here: _ask_for_export(here).confirm(),
        ("exports.one", "ready"): lambda here: _bundle(here).wait_until_ready(),
        ("oversight.entry", "revealed"): _reveal,
        ("oversight.verification_run", "sound"): _verify,
    },
}

#: Routes that answer with something other than a page of the portal, and never show up as a link on one.
NO_PAGES: Mapping[str, str] = {
    "static": "style sheets, scripts and fonts",
    "openid.start": "leads to an OpenID provider: tests/functional/test_openid.py",
    "openid.complete": "an OpenID provider leads here: tests/functional/test_openid.py",
    "openid.step_up": "only after a sign-in by an OpenID provider: tests/functional/test_openid.py",
    "openid.start_step_up": "leads to an OpenID provider: tests/functional/test_openid.py",
    "decisions.office_one": "only where one was announced: tests/functional/test_decisions.py looks at it",
    "told.confirm": "only with a link from a mail: tests/unit/portal/web/test_told.py",
    "told.stop": "only with a link from a mail: tests/functional/test_told.py looks at it",
    "trail.sealed_receipt": "a file, and only once a seal has ended: tests/unit/portal/web/test_seals.py",
    "account.new_passkey": "only for an account with a passkey: tests/functional/test_staff.py looks at it",
    "account.password": "only for an account with a password: tests/functional/test_staff.py looks at it",
    "staff_openid.start": "leads to an OpenID provider: tests/unit/portal/web/test_staff_openid.py",
    "staff_openid.complete": "an OpenID provider leads here: tests/unit/portal/web/test_staff_openid.py",
    "staff_openid.confirm": "only after a sign-in by an OpenID provider: tests/unit/portal/web/test_staff_openid.py",
    "staff_openid.start_confirming": "leads to an OpenID provider: tests/unit/portal/web/test_staff_openid.py",
    "staff.confirm": "only for a session that a passkey began: tests/functional/test_staff.py looks at it",
    "disputes.attachment": "a file, and only where one was sent: tests/unit/portal/web/test_attachments.py",
    "dpo.attachment": "a file, and only where one was sent: tests/unit/portal/web/test_attachments.py",
    "log.tile": "a tile of the log in its public binary format",
}
