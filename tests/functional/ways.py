"""How to reach the pages that a link alone does not lead to. Each way ends with the page on the screen.

`test_every_page.py` follows all links by itself. A page that only a form leads to, or that looks different once a form
was sent, has its way here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from portal.demo.personas import PENSIONER, code_of
from portal.domain.actors import Role
from tests.functional.pages.base import PortalPage
from tests.functional.pages.casework import PurposeChoice
from tests.functional.pages.citizen import History
from tests.functional.pages.oversight import StepUp, TrailSearch, Verification

Way = Callable[[PortalPage], object]

PURPOSE = "Deciding on a benefit claim"
REASON = "Child allowance claim of 2 March: checking who lives in the household."


def _open_record(here: PortalPage, **changes: str) -> None:
    form = PurposeChoice(here.page, here.site).open().choose(PURPOSE)
    form.fill(**{"personal_code": code_of(PENSIONER), "case": "SKA-2026-1", "reason": REASON, **changes})


def _ask_for_export(here: PortalPage) -> StepUp:
    return TrailSearch(here.page, here.site).open().search(outcome="Refused").ask_for_export("CSV")


def _verify(here: PortalPage) -> None:
    Verification(here.page, here.site).open().start().wait_for_result()


#: By role and, first, the endpoint that answers; several ways may lead to the same one.
WAYS: Mapping[Role | None, Mapping[tuple[str, str], Way]] = {
    None: {("errors", "nothing is here"): lambda here: here.page.goto(f"{here.site}/nowhere")},
    Role.CITIZEN: {
        ("trail.history", "a filter with a mistake"): lambda here: (
            History(here.page, here.site).open().filter_since("31", "2", "2026")
        ),
        ("records.registry", "with bought data"): lambda here: here.page.goto(f"{here.site}/me/records/tax-benefits"),
        ("trail.history", "own looks"): lambda here: here.page.goto(f"{here.site}/me/accesses?kind=own"),
    },
    Role.CASEWORKER: {
        ("casework.open_record", "opened"): _open_record,
        ("casework.open_record", "a thoughtless reason"): lambda here: _open_record(here, reason="check"),
        ("casework.open_record", "every mistake"): lambda here: _open_record(
            here, personal_code="1", case="", reason=""
        ),
        ("casework.start", "no purpose chosen"): lambda here: here.page.goto(f"{here.site}/casework?asked=1"),
    },
    Role.AUDITOR: {
        ("oversight.results", "found"): lambda here: TrailSearch(here.page, here.site).open().search(),
        ("oversight.results", "nothing found"): lambda here: (
            TrailSearch(here.page, here.site).open().search(case="NO-SUCH-CASE")
        ),
        ("oversight.results", "a mistake"): lambda here: TrailSearch(here.page, here.site).open().search(subject="1"),
        ("oversight.entry", "of the trail"): lambda here: (
            TrailSearch(here.page, here.site).open().search(outcome="Shown").open_first()
        ),
        ("step_up.demonstration", "for an export"): _ask_for_export,
        ("step_up.go_on", "to the export"): lambda here: _ask_for_export(here).confirm(),
        ("oversight.verification_run", "sound"): _verify,
    },
}

#: Routes that answer with something other than a page of the portal, and never show up as a link on one.
NO_PAGES: Mapping[str, str] = {
    "static": "style sheets, scripts and fonts",
    "log.tile": "a tile of the log in its public binary format",
}
