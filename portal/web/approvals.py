"""Four eyes: an official asks, a second person decides, and what was approved opens once."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.errors import AccessDenied
from portal.domain.permissions import Permission
from portal.services.casework import JustificationRefused
from portal.web.forms.approvals import APPROVE, DecisionForm
from portal.web.forms.casework import ReasonForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, request_id
from portal.web.wording import REFUSALS, WEAKNESSES

blueprint = Blueprint("approvals", __name__)


@blueprint.get("/approvals")
@requires(Permission.APPROVE_ACCESSES)
def overview() -> ResponseReturnValue:
    approvals = house().safeguards.approvals
    return render_template(
        "approvals/overview.html", waiting=approvals.waiting_for(actor()), asked=approvals.asked_by(actor())
    )


@blueprint.post("/approvals/ask/<purpose>")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def ask(purpose: str) -> ResponseReturnValue:
    stated = house().casework.purpose(actor(), purpose)
    form = ReasonForm(house().casework.offers(actor(), stated), case_required=stated.case_required)
    if not form.validate():
        return render_template("approvals/not_asked.html", purpose=stated, form=form, refusal=None), 400
    try:
        house().safeguards.four_eyes.ask(actor(), form.opening(purpose), request_id=request_id())
    except JustificationRefused as refused:
        form.justification.errors = [WEAKNESSES[refused.weakness]]
        return render_template("approvals/not_asked.html", purpose=stated, form=form, refusal=None), 400
    except AccessDenied as refused:
        said = REFUSALS[refused.reason]
        return render_template("approvals/not_asked.html", purpose=stated, form=form, refusal=said), 403
    return redirect(url_for("approvals.overview"), 303)


@blueprint.post("/approvals/<approval>/decision")
@requires(Permission.APPROVE_ACCESSES, fresh=FRESH)
def decide(approval: str) -> ResponseReturnValue:
    form = DecisionForm()
    if form.validate():
        approve = form.answer.data == APPROVE
        house().safeguards.four_eyes.decide(actor(), approval, approve=approve, request_id=request_id())
        return redirect(url_for("approvals.overview"), 303)
    approvals = house().safeguards.approvals
    page = render_template(
        "approvals/overview.html",
        waiting=approvals.waiting_for(actor()),
        asked=approvals.asked_by(actor()),
        form=form,
    )
    return page, 400


@blueprint.post("/approvals/<approval>/open")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def open_record(approval: str) -> ResponseReturnValue:
    """Rendered at once, like every opened record; the approval is used up by it."""
    try:
        opened = house().safeguards.four_eyes.open_record(actor(), approval, request_id=request_id())
    except AccessDenied as refused:
        approvals = house().safeguards.approvals
        page = render_template(
            "approvals/overview.html",
            waiting=approvals.waiting_for(actor()),
            asked=approvals.asked_by(actor()),
            refusal=REFUSALS[refused.reason],
        )
        return page, 403
    return render_template("approvals/record.html", opened=opened)
