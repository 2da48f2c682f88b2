"""A supervisor's pages: the team, what to review, who is away, cases from a file. None shows whose data it was."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.errors import AccessDenied
from portal.domain.permissions import Permission
from portal.services.case_files import CaseFileRefused, read_cases
from portal.services.case_import import RowOutcome, RowState
from portal.services.reviews import AlreadyDecided
from portal.services.supervision import ReviewedAccess, Supervision
from portal.web.forms.cases import CaseFileForm
from portal.web.forms.supervision import AbsenceForm, EscalationForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.supervision_wording import file_problem
from portal.web.wording import REFUSALS

blueprint = Blueprint("supervision", __name__)


def _supervision() -> Supervision:
    return house().casework_room.supervision


@blueprint.get("/supervision")
@requires(Permission.SUPERVISE_TEAM)
def overview() -> ResponseReturnValue:
    desk = _supervision()
    return render_template(
        "supervision/overview.html",
        team=desk.team(actor(), request_id=request_id()),
        open_reviews=desk.open_reviews(actor()),
    )


@blueprint.get("/supervision/reviews")
@requires(Permission.SUPERVISE_TEAM)
def reviews() -> ResponseReturnValue:
    desk = _supervision()
    waiting, decided = desk.open_reviews(actor()), desk.decided_reviews(actor())
    return render_template(
        "supervision/reviews.html", waiting=waiting, decided=decided, names=desk.names([*waiting, *decided])
    )


@blueprint.get("/supervision/reviews/<review_id>")
@requires(Permission.SUPERVISE_TEAM)
def review(review_id: str) -> ResponseReturnValue:
    return _review_page(_supervision().review(actor(), review_id, request_id=request_id()), EscalationForm())


@blueprint.post("/supervision/reviews/<review_id>/confirm")
@requires(Permission.SUPERVISE_TEAM)
def confirm(review_id: str) -> ResponseReturnValue:
    try:
        _supervision().confirm(actor(), review_id, request_id=request_id())
    except AlreadyDecided:
        return redirect(url_for("supervision.review", review_id=review_id), 303)
    except AccessDenied as refusal:
        return _refused(review_id, refusal)
    return redirect(url_for("supervision.reviews"), 303)


@blueprint.post("/supervision/reviews/<review_id>/escalate")
@requires(Permission.SUPERVISE_TEAM)
def escalate(review_id: str) -> ResponseReturnValue:
    form = EscalationForm()
    if not form.validate():
        return _review_page(_supervision().review(actor(), review_id, request_id=request_id()), form), 400
    try:
        _supervision().escalate(actor(), review_id, form.reason.data, request_id=request_id())
    except AlreadyDecided:
        return redirect(url_for("supervision.review", review_id=review_id), 303)
    except AccessDenied as refusal:
        return _refused(review_id, refusal)
    return redirect(url_for("supervision.reviews"), 303)


@blueprint.get("/supervision/officials/<account_id>")
@requires(Permission.SUPERVISE_TEAM)
def official(account_id: str) -> ResponseReturnValue:
    before = request.args.get("before")
    member, page = _supervision().accesses(actor(), account_id, before=before, request_id=request_id())
    return render_template("supervision/official.html", member=member, page=page)


@blueprint.get("/supervision/absences")
@requires(Permission.SUPERVISE_TEAM)
def absences() -> ResponseReturnValue:
    return _absences_page(_absence_form())


@blueprint.post("/supervision/absences")
@requires(Permission.SUPERVISE_TEAM)
def note_absence() -> ResponseReturnValue:
    form = _absence_form()
    is_valid, first, last = form.validate(), form.first.data, form.last.data
    if not is_valid or first is None or last is None:
        return _absences_page(form), 400
    _supervision().note_absence(actor(), form.official.data or "", first, last, request_id=request_id())
    return redirect(url_for("supervision.absences"), 303)


@blueprint.post("/supervision/absences/<absence_id>/take-back")
@requires(Permission.SUPERVISE_TEAM)
def take_back_absence(absence_id: str) -> ResponseReturnValue:
    _supervision().take_back_absence(actor(), absence_id, request_id=request_id())
    return redirect(url_for("supervision.absences"), 303)


@blueprint.get("/supervision/cases")
@requires(Permission.IMPORT_CASES)
def cases() -> ResponseReturnValue:
    return render_template("supervision/cases.html", form=CaseFileForm(), outcomes=None, counts={})


@blueprint.post("/supervision/cases")
@requires(Permission.IMPORT_CASES)
def import_cases() -> ResponseReturnValue:
    """The result is the answer to the POST: it names lines and references, and no person."""
    form = CaseFileForm()
    outcomes: list[RowOutcome] | None = None
    if form.validate():
        try:
            rows = read_cases(form.file.data.read())
            outcomes = house().casework_room.case_import.take_over(rows, by=actor(), request_id=request_id())
        except CaseFileRefused as refusal:
            form.file.errors = [file_problem(refusal.problem, refusal.detail)]
    counts = {state: sum(outcome.state is state for outcome in outcomes or ()) for state in RowState}
    page = render_template("supervision/cases.html", form=form, outcomes=outcomes, counts=counts)
    return page, 200 if outcomes is not None else 400


def _review_page(found: ReviewedAccess, form: EscalationForm, *, refusal: object | None = None) -> str:
    return render_template("supervision/review.html", found=found, form=form, refusal=refusal)


def _refused(review_id: str, refusal: AccessDenied) -> ResponseReturnValue:
    found = _supervision().review(actor(), review_id, request_id=request_id())
    return _review_page(found, EscalationForm(), refusal=REFUSALS[refusal.reason]), 403


def _absence_form() -> AbsenceForm:
    return AbsenceForm(house().accounts.team_of(actor()))


def _absences_page(form: AbsenceForm) -> str:
    names = {member.account_id: member.name for member in house().accounts.team_of(actor())}
    return render_template(
        "supervision/absences.html", form=form, absences=_supervision().absences(actor()), names=names
    )
