"""What stands in the navigation for each role."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, g, request, url_for

from portal.domain.actors import Actor, Duty, Role
from portal.web.house import actor_or_none
from portal.web.i18n import lazy_gettext as _l

_ITEMS = {
    Role.CITIZEN: (
        ("home.me", _l("Overview")),
        ("records.overview", _l("My data")),
        ("trail.history", _l("Who looked")),
        ("disputes.overview", _l("Disputes")),
        ("decisions.overview", _l("Decisions")),
        ("consents.overview", _l("Consents")),
        ("mandates.overview", _l("Mandates")),
        ("told.page", _l("How you are told")),
    ),
    Role.CASEWORKER: (
        ("cases.assigned", _l("My cases")),
        ("casework.start", _l("Outside a case")),
        ("approvals.overview", _l("Approvals")),
        ("casework.history", _l("What I opened")),
        ("decisions.office", _l("Decisions")),
        ("findings.questions", _l("Questions to you")),
        ("corrections.overview", _l("Corrections")),
    ),
    Role.AUDITOR: (
        ("oversight.search", _l("Search the trail")),
        ("unusual.overview", _l("Unusual looks")),
        ("findings.overview", _l("Findings")),
        ("oversight_figures.page", _l("Figures")),
        ("escalations.overview", _l("Handed over")),
        ("complaints.overview", _l("Complaints")),
        ("oversight.verification", _l("Verify the log")),
    ),
    Role.SUPERVISOR: (
        ("supervision.overview", _l("My team")),
        ("supervision.reviews", _l("Reviews")),
        ("supervision.absences", _l("Absences")),
        ("decisions.office", _l("Decisions")),
        ("alerts.overview", _l("Notices")),
        ("approvals.overview", _l("Approvals")),
        ("seals.supervised", _l("Seals")),
        ("emergencies.supervised", _l("Emergencies")),
        ("supervision.cases", _l("Take over cases")),
    ),
    Role.ADMINISTRATOR: (
        ("administration.accounts", _l("Accounts of staff")),
        ("administration.requests", _l("Requests")),
    ),
}

#: What stands there besides for accounts with a duty.
_OF_DUTY = {Duty.DATA_PROTECTION: (("dpo.queue", _l("Disputes")), ("corrections.overview", _l("Corrections")))}

#: To which entry the pages below it belong.
_BELOW = {
    "administration.invite": "administration.accounts",
    "administration.send_invitation": "administration.accounts",
    "administration.one": "administration.accounts",
    "administration.change_rights": "administration.accounts",
    "administration.act": "administration.accounts",
    "administration.approve": "administration.requests",
    "administration.refuse": "administration.requests",
    "records.registry": "records.overview",
    "statements.page": "records.overview",
    "bundle.overview": "records.overview",
    "bundle.new": "records.overview",
    "bundle.start": "records.overview",
    "bundle.one": "records.overview",
    "trail.line": "trail.history",
    "disputes.contest": "disputes.overview",
    "disputes.submit_contest": "disputes.overview",
    "disputes.ask": "disputes.overview",
    "disputes.submit": "disputes.overview",
    "disputes.one": "disputes.overview",
    "disputes.write": "disputes.overview",
    "disputes.withdraw": "disputes.overview",
    "disputes.send_to_authority": "disputes.overview",
    "dpo.one": "dpo.queue",
    "dpo.take_step": "dpo.queue",
    "dpo.decide": "dpo.queue",
    "dpo.withholding": "dpo.queue",
    "dpo.withhold": "dpo.queue",
    "decisions.one": "decisions.overview",
    "decisions.contest": "decisions.overview",
    "decisions.submit_contest": "decisions.overview",
    "decisions.office_one": "decisions.office",
    "consents.one": "consents.overview",
    "consents.give": "consents.overview",
    "consents.refuse": "consents.overview",
    "consents.end": "consents.overview",
    "mandates.one": "mandates.overview",
    "mandates.new": "mandates.overview",
    "mandates.give": "mandates.overview",
    "acting.children": "mandates.overview",
    "acting.overview": "mandates.overview",
    "acting.records": "mandates.overview",
    "acting.accesses": "mandates.overview",
    "told.choose": "told.page",
    "told.give_address": "told.page",
    "told.confirm": "told.page",
    "told.confirm_address": "told.page",
    "trail.knowledge": "trail.history",
    "cases.case": "cases.assigned",
    "cases.open_record": "cases.assigned",
    "supervision.official": "supervision.overview",
    "supervision.review": "supervision.reviews",
    "supervision.confirm": "supervision.reviews",
    "supervision.escalate": "supervision.reviews",
    "supervision.note_absence": "supervision.absences",
    "supervision.import_cases": "supervision.cases",
    "escalations.one": "escalations.overview",
    "unusual.news": "unusual.overview",
    "unusual.note_news": "unusual.overview",
    "oversight_figures.behind": "oversight_figures.page",
    "escalations.settle": "escalations.overview",
    "casework.reason": "casework.start",
    "casework.open_record": "casework.start",
    "seals.supervised_seal": "seals.supervised",
    "seals.prolong": "seals.supervised",
    "approvals.ask": "approvals.overview",
    "approvals.decide": "approvals.overview",
    "approvals.open_record": "approvals.overview",
    "emergencies.overview": "casework.start",
    "emergencies.new": "casework.start",
    "emergencies.declare": "casework.start",
    "emergencies.emergency": "casework.start",
    "emergencies.open_record": "casework.start",
    "emergencies.supervised_emergency": "emergencies.supervised",
    "emergencies.review": "emergencies.supervised",
    "bulk.overview": "casework.start",
    "bulk.new": "casework.start",
    "bulk.submit": "casework.start",
    "bulk.job": "casework.start",
    "seals.overview": "casework.start",
    "seals.new": "casework.start",
    "seals.register": "casework.start",
    "seals.seal": "casework.start",
    "seals.open_record": "casework.start",
    "oversight.results": "oversight.search",
    "oversight.entry": "oversight.search",
    "unusual.run": "unusual.overview",
    "findings.start": "findings.overview",
    "findings.open_finding": "findings.overview",
    "findings.file": "findings.overview",
    "findings.answer": "findings.questions",
    "independence.reveal_page": "oversight.search",
    "independence.reveal_entry": "oversight.search",
    "independence.auditors": "oversight.search",
    "saved_searches.overview": "oversight.search",
    "saved_searches.new": "oversight.search",
    "saved_searches.save": "oversight.search",
    "saved_searches.run": "oversight.search",
    "saved_searches.rename": "oversight.search",
    "saved_searches.new_name": "oversight.search",
    "exports.overview": "oversight.search",
    "exports.one": "oversight.search",
    "exports.start": "oversight.search",
    "oversight.verification_run": "oversight.verification",
}


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of the navigation: `is_current` when it is this very page, `is_active` when the page lies below it."""

    text: str
    href: str
    is_current: bool
    is_active: bool


def init_navigation(app: Flask) -> None:
    app.context_processor(_context)


def _context() -> dict[str, object]:
    # The page of a failure asks no database who is signed in: that may be the very thing that failed.
    viewer = None if g.get("without_viewer") else actor_or_none()
    return {"nav_items": _items(viewer), "viewer": viewer}


def _items(viewer: Actor | None) -> list[NavigationItem]:
    if viewer is None:
        return []
    items = _ITEMS[viewer.role] + tuple(
        item for duty, of_duty in _OF_DUTY.items() if duty in viewer.duties for item in of_duty
    )
    here = _BELOW.get(request.endpoint or "", request.endpoint)
    return [
        NavigationItem(str(text), url_for(endpoint), request.endpoint == endpoint, endpoint == here)
        for endpoint, text in items
    ]
