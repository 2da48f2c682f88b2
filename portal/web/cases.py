"""An official's own cases: the list, one case, and records opened from it with little ado."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.permissions import Permission
from portal.domain.purposes import Purpose
from portal.services.cases import AssignedCase
from portal.services.casework import JustificationRefused
from portal.services.circumstances import Opening
from portal.web.forms.cases import CaseOpeningForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.wording import REFUSALS, WEAKNESSES

blueprint = Blueprint("cases", __name__)


@blueprint.get("/casework/cases")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def assigned() -> ResponseReturnValue:
    return render_template("cases/assigned.html", cases=house().casework_room.cases.open_cases(actor()))


@blueprint.get("/casework/cases/<case_id>")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def case(case_id: str) -> ResponseReturnValue:
    found, purpose = _case(case_id)
    form = _form(found, purpose)
    form.registries.data = [choice.value for choice in form.registries.choices]
    if len(found.people) == 1:
        form.person.data = found.people[0].person_id
    return _shown(found, purpose, form)


@blueprint.post("/casework/cases/<case_id>")
@requires(Permission.OPEN_RECORDS_WITH_REASON)
def open_record(case_id: str) -> ResponseReturnValue:
    """The case decides the purpose. The form says which one it showed, so that a change in between is noticed."""
    found, purpose = _case(case_id)
    form = _form(found, purpose)
    if not form.validate():
        return _shown(found, purpose, form), 400
    opening = Opening(
        subject=found.person(form.person.data).code,
        purpose=form.purpose.data or purpose.code,
        registries=tuple(form.registries.data),
        case_id=found.case_id,
        justification=form.justification.data or "",
    )
    try:
        opened = house().casework.open_record(actor(), opening, request_id=request_id())
    except JustificationRefused as refusal:
        form.justification.errors = [WEAKNESSES[refusal.weakness]]
        return _shown(found, purpose, form, refused_in=refusal.entry), 400
    except AccessDenied as refusal:
        return _shown(found, purpose, form, refused_in=refusal.entry, refusal=REFUSALS[refusal.reason]), 403
    return render_template("casework/record.html", opened=opened, case_id=found.case_id)


def _case(case_id: str) -> tuple[AssignedCase, Purpose]:
    """Raises NothingHere when it is none of the actor's cases, or its purpose left the catalogue."""
    found = house().casework_room.cases.assigned(actor(), case_id)
    purpose = house().catalogue.purposes.get(found.purpose)
    if purpose is None:
        raise NothingHere
    return found, purpose


def _form(found: AssignedCase, purpose: Purpose) -> CaseOpeningForm:
    return CaseOpeningForm(found, house().casework.offers(actor(), purpose))


def _shown(
    found: AssignedCase,
    purpose: Purpose,
    form: CaseOpeningForm,
    *,
    refused_in: int | None = None,
    refusal: object | None = None,
) -> str:
    return render_template(
        "cases/case.html",
        case=found,
        purpose=purpose,
        form=form,
        offers=house().casework.offers(actor(), purpose),
        refused_in=refused_in,
        refusal=refusal,
    )
