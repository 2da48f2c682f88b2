"""A caseworker states a purpose and a reason, and only then sees a record. The answer to the POST is the only copy."""

from __future__ import annotations

from contextlib import suppress

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.actions import Reason
from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.permissions import Permission
from portal.domain.purposes import Purpose
from portal.services.casework import JustificationRefused
from portal.services.circumstances import Opening
from portal.services.justification import MAXIMUM_LENGTH
from portal.web.forms.casework import PurposeForm, ReasonForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.wording import REFUSALS, WEAKNESSES

blueprint = Blueprint("casework", __name__)

#: Under which field a refusal is shown, where one can be mended by typing something else.
_FIELD_OF_REFUSAL = {
    Reason.OWN_RECORD: "personal_code",
    Reason.REGISTRY: "registries",
    Reason.CASE_MISSING: "case",
}


@blueprint.get("/casework")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def start() -> ResponseReturnValue:
    purposes = house().casework.purposes(actor())
    form = PurposeForm(request.args, purposes)
    if "asked" in request.args and form.validate():
        return redirect(url_for("casework.reason", purpose=form.purpose.data))
    offers = [house().casework.offers(actor(), purpose) for purpose in purposes]
    return render_template(
        "casework/start.html",
        form=form,
        offers_of=offers,
        may_break_glass=house().safeguards.emergencies.may_declare(actor()),
        knows_seals=any(purpose.sealing is not None for purpose in purposes),
    )


@blueprint.get("/casework/<purpose>")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def reason(purpose: str) -> ResponseReturnValue:
    stated = house().casework.purpose(actor(), purpose)
    form = _form(stated)
    form.registries.data = [choice.value for choice in form.registries.choices]
    return _asked(stated, form)


@blueprint.post("/casework/<purpose>")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def open_record(purpose: str) -> ResponseReturnValue:
    """Rendered at once and never redirected: the record has no address that could be opened again without a reason."""
    try:
        stated = house().casework.purpose(actor(), purpose)
    except NothingHere:
        _have_refusal_logged(purpose)
        raise
    form = _form(stated)
    if not form.validate():
        return _asked(stated, form), 400
    try:
        opened = house().casework.open_record(actor(), form.opening(purpose), request_id=request_id())
    except JustificationRefused as refusal:
        form.justification.errors = [WEAKNESSES[refusal.weakness]]
        return _asked(stated, form, refused_in=refusal.entry), 400
    except AccessDenied as refusal:
        field = _FIELD_OF_REFUSAL.get(refusal.reason)
        if field is None:
            return _asked(stated, form, refused_in=refusal.entry, refusal=REFUSALS[refusal.reason]), 403
        form[field].errors = [REFUSALS[refusal.reason]]
        return _asked(stated, form, refused_in=refusal.entry), 403
    return render_template("casework/record.html", opened=opened)


@blueprint.get("/casework/history")
@requires(Permission.READ_OWN_CASEWORK)
def history() -> ResponseReturnValue:
    page = house().casework.history(actor(), before=request.args.get("before"))
    return render_template("casework/history.html", page=page, catalogue=house().catalogue)


def _have_refusal_logged(purpose: str) -> None:
    """A purpose that is not the actor's: whoever asks for a person under it all the same leaves an entry, sees 404."""
    form = ReasonForm((), case_required=False)
    del form.registries
    if form.validate():
        opening = Opening(
            subject=PersonalCode.parse(form.personal_code.data),
            purpose=purpose,
            case=form.case.data or None,
            justification=form.justification.data or "",
        )
        with suppress(AccessDenied):
            house().casework.open_record(actor(), opening, request_id=request_id())


def _form(stated: Purpose) -> ReasonForm:
    return ReasonForm(house().casework.offers(actor(), stated), case_required=stated.case_required)


def _asked(stated: Purpose, form: ReasonForm, *, refused_in: int | None = None, refusal: object | None = None) -> str:
    return render_template(
        "casework/reason.html",
        purpose=stated,
        form=form,
        offers=house().casework.offers(actor(), stated),
        longest=MAXIMUM_LENGTH,
        refused_in=refused_in,
        refusal=refusal,
    )
