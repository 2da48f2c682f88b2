"""Mandates: what the person gave and received, giving one, and ending one."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assurance import Assurance
from portal.domain.mandates import MandateRefused, MandateState
from portal.domain.permissions import Permission
from portal.web.forms.mandates import MandateForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, request_id

blueprint = Blueprint("mandates", __name__)


@blueprint.get("/me/mandates")
@requires(Permission.ACT_FOR_OTHERS)
def overview() -> ResponseReturnValue:
    mandates = house().mandates.desk.all(actor())
    in_force = [one for one in mandates if one.state is MandateState.IN_FORCE]
    return render_template(
        "mandates/overview.html",
        given=[one for one in in_force if one.was_given],
        received=[one for one in in_force if not one.was_given],
        past=[one for one in mandates if one.state is not MandateState.IN_FORCE],
    )


@blueprint.get("/me/mandates/new")
@requires(Permission.GIVE_MANDATES, assurance=Assurance.HIGH, fresh=FRESH)
def new() -> ResponseReturnValue:
    return _form_page(_form())


@blueprint.post("/me/mandates/new")
@requires(Permission.GIVE_MANDATES, assurance=Assurance.HIGH, fresh=FRESH)
def give() -> ResponseReturnValue:
    form = _form()
    if not form.validate():
        return _form_page(form), 400
    try:
        mandate = house().mandates.desk.give(actor(), form.wanted(), request_id=request_id())
    except MandateRefused as refused:
        form.show(refused)
        return _form_page(form), 400
    return redirect(url_for("mandates.one", mandate=mandate), 303)


@blueprint.get("/me/mandates/<mandate>")
@requires(Permission.ACT_FOR_OTHERS)
def one(mandate: str) -> ResponseReturnValue:
    room = house().mandates
    shown = room.desk.one(actor(), mandate)
    return render_template("mandates/one.html", mandate=shown, looks=room.history.under(actor(), mandate))


@blueprint.post("/me/mandates/<mandate>/end")
@requires(Permission.ACT_FOR_OTHERS)
def end(mandate: str) -> ResponseReturnValue:
    """Either side, at once. It asks for no fresh proof: taking back must never be harder than giving."""
    house().mandates.desk.end(actor(), mandate, request_id=request_id())
    return redirect(url_for("mandates.one", mandate=mandate), 303)


def _form() -> MandateForm:
    return MandateForm(house().catalogue.registries.values(), house().mandates.desk.latest_day())


def _form_page(form: MandateForm) -> str:
    return render_template("mandates/new.html", form=form)
