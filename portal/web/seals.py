"""Seals: an official registers an authority's order and opens records under it; a supervisor moves its end."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.permissions import Permission
from portal.services.casework import JustificationRefused
from portal.services.justification import MAXIMUM_LENGTH
from portal.services.seals import SealRefused, ShownSeal
from portal.web.forms.seals import ProlongForm, SealForm, UnderSealForm, in_words
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, request_id
from portal.web.wording import REFUSALS, WEAKNESSES

blueprint = Blueprint("seals", __name__)


@blueprint.get("/casework/seals")
@requires(Permission.SEAL_ACCESSES)
def overview() -> ResponseReturnValue:
    _only_where_the_law_knows_seals()
    return render_template("seals/overview.html", seals=house().safeguards.seals.of_actor(actor()))


@blueprint.get("/casework/seals/new")
@requires(Permission.SEAL_ACCESSES)
def new() -> ResponseReturnValue:
    return render_template("seals/new.html", form=_form())


@blueprint.post("/casework/seals/new")
@requires(Permission.SEAL_ACCESSES, fresh=FRESH)
def register() -> ResponseReturnValue:
    form = _form()
    if not form.validate():
        return render_template("seals/new.html", form=form), 400
    try:
        seal = house().safeguards.sealed_casework.register(actor(), form.wanted(), request_id=request_id())
    except SealRefused as refusal:
        form.show(refusal)
        return render_template("seals/new.html", form=form), 400
    return redirect(url_for("seals.seal", seal=seal), 303)


@blueprint.get("/casework/seals/<seal>")
@requires(Permission.SEAL_ACCESSES)
def seal(seal: str) -> ResponseReturnValue:
    shown = house().safeguards.seals.seal(actor(), seal)
    form = UnderSealForm(house().safeguards.sealed_casework.offers(actor(), shown))
    return _asked(shown, form)


@blueprint.post("/casework/seals/<seal>")
@requires(Permission.SEAL_ACCESSES)
def open_record(seal: str) -> ResponseReturnValue:
    """Rendered at once, like every opened record."""
    shown = house().safeguards.seals.seal(actor(), seal)
    form = UnderSealForm(house().safeguards.sealed_casework.offers(actor(), shown))
    if not form.validate():
        return _asked(shown, form), 400
    try:
        opened = house().safeguards.sealed_casework.open_record(
            actor(), seal, tuple(form.registries.data), form.justification.data or "", request_id=request_id()
        )
    except JustificationRefused as refusal:
        form.justification.errors = [WEAKNESSES[refusal.weakness]]
        return _asked(shown, form, refused_in=refusal.entry), 400
    except AccessDenied as refusal:
        return _asked(shown, form, refused_in=refusal.entry, refusal=REFUSALS[refusal.reason]), 403
    return render_template("seals/record.html", opened=opened, seal=shown)


@blueprint.get("/supervision/seals")
@requires(Permission.PROLONG_SEALS)
def supervised() -> ResponseReturnValue:
    return render_template("seals/supervised.html", seals=house().safeguards.seals.of_actor(actor()))


@blueprint.get("/supervision/seals/<seal>")
@requires(Permission.PROLONG_SEALS)
def supervised_seal(seal: str) -> ResponseReturnValue:
    shown = house().safeguards.seals.seal(actor(), seal)
    return render_template("seals/supervised_seal.html", seal=shown, form=ProlongForm(shown.latest_day))


@blueprint.post("/supervision/seals/<seal>")
@requires(Permission.PROLONG_SEALS, fresh=FRESH)
def prolong(seal: str) -> ResponseReturnValue:
    shown = house().safeguards.seals.seal(actor(), seal)
    form = ProlongForm(shown.latest_day)
    if not form.validate() or form.until.data is None:
        return render_template("seals/supervised_seal.html", seal=shown, form=form), 400
    try:
        house().safeguards.seals.prolong(actor(), seal, form.until.data, request_id=request_id())
    except SealRefused as refusal:
        form.until.errors = [in_words(refusal)]
        return render_template("seals/supervised_seal.html", seal=shown, form=form), 400
    return redirect(url_for("seals.supervised_seal", seal=seal), 303)


def _form() -> SealForm:
    _only_where_the_law_knows_seals()
    purposes = house().safeguards.sealed_casework.purposes(actor())
    return SealForm(purposes, house().catalogue.organisations, house().safeguards.seals.latest_day())


def _only_where_the_law_knows_seals() -> None:
    if not house().safeguards.sealed_casework.purposes(actor()):
        raise NothingHere


def _asked(
    shown: ShownSeal, form: UnderSealForm, *, refused_in: int | None = None, refusal: object | None = None
) -> str:
    return render_template(
        "seals/seal.html", seal=shown, form=form, longest=MAXIMUM_LENGTH, refused_in=refused_in, refusal=refusal
    )
