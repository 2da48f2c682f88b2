"""Break-glass: an official opens a record in an emergency; a supervisor reviews it."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assurance import Assurance
from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.permissions import Permission
from portal.services.emergencies import EmergencyRefused, ReviewVerdict
from portal.services.justification import MAXIMUM_LENGTH
from portal.web.forms.emergencies import EmergencyForm, ReviewForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, request_id
from portal.web.wording import REFUSALS, WEAKNESSES

blueprint = Blueprint("emergencies", __name__)


@blueprint.get("/casework/emergencies")
@requires(Permission.BREAK_GLASS)
def overview() -> ResponseReturnValue:
    _only_with_the_right()
    return render_template("emergencies/overview.html", emergencies=house().safeguards.emergencies.of_actor(actor()))


@blueprint.get("/casework/emergencies/new")
@requires(Permission.BREAK_GLASS, assurance=Assurance.HIGH, fresh=FRESH)
def new() -> ResponseReturnValue:
    return _asked(_form())


@blueprint.post("/casework/emergencies/new")
@requires(Permission.BREAK_GLASS, assurance=Assurance.HIGH, fresh=FRESH)
def declare() -> ResponseReturnValue:
    form = _form()
    if not form.validate():
        return _asked(form), 400
    casework = house().safeguards.emergency_casework
    try:
        emergency = casework.declare(actor(), form.declaration(), request_id=request_id())
    except EmergencyRefused as refusal:
        if refusal.weakness is None:
            form.personal_code.errors = [REFUSALS[refusal.reason]]
        else:
            form.justification.errors = [WEAKNESSES[refusal.weakness]]
        return _asked(form), 400
    return redirect(url_for("emergencies.emergency", emergency=emergency), 303)


@blueprint.get("/casework/emergencies/<emergency>")
@requires(Permission.BREAK_GLASS)
def emergency(emergency: str) -> ResponseReturnValue:
    shown = house().safeguards.emergencies.emergency(actor(), emergency)
    return render_template("emergencies/emergency.html", emergency=shown, refusal=None)


@blueprint.post("/casework/emergencies/<emergency>")
@requires(Permission.BREAK_GLASS, assurance=Assurance.HIGH, fresh=FRESH)
def open_record(emergency: str) -> ResponseReturnValue:
    """Rendered at once, like every opened record; every look is an entry of its own."""
    shown = house().safeguards.emergencies.emergency(actor(), emergency)
    try:
        parts = house().safeguards.emergency_casework.open_record(actor(), emergency, request_id=request_id())
    except AccessDenied as refusal:
        said = REFUSALS[refusal.reason]
        return render_template("emergencies/emergency.html", emergency=shown, refusal=said), 403
    return render_template("emergencies/record.html", emergency=shown, parts=parts)


@blueprint.get("/supervision/emergencies")
@requires(Permission.REVIEW_EMERGENCIES)
def supervised() -> ResponseReturnValue:
    return render_template("emergencies/supervised.html", emergencies=house().safeguards.emergencies.of_actor(actor()))


@blueprint.get("/supervision/emergencies/<emergency>")
@requires(Permission.REVIEW_EMERGENCIES)
def supervised_emergency(emergency: str) -> ResponseReturnValue:
    shown = house().safeguards.emergencies.emergency(actor(), emergency)
    return render_template("emergencies/review.html", emergency=shown, form=ReviewForm())


@blueprint.post("/supervision/emergencies/<emergency>")
@requires(Permission.REVIEW_EMERGENCIES)
def review(emergency: str) -> ResponseReturnValue:
    emergencies = house().safeguards.emergencies
    form = ReviewForm()
    if not form.validate():
        shown = emergencies.emergency(actor(), emergency)
        return render_template("emergencies/review.html", emergency=shown, form=form), 400
    verdict = ReviewVerdict(form.verdict.data)
    emergencies.review(actor(), emergency, verdict, form.note.data, request_id=request_id())
    return redirect(url_for("emergencies.supervised_emergency", emergency=emergency), 303)


def _form() -> EmergencyForm:
    _only_with_the_right()
    return EmergencyForm(house().safeguards.emergencies.registries())


def _only_with_the_right() -> None:
    if not house().safeguards.emergencies.may_declare(actor()):
        raise NothingHere


def _asked(form: EmergencyForm) -> str:
    return render_template("emergencies/new.html", form=form, longest=MAXIMUM_LENGTH)
