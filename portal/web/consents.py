"""Consents: what companies and others ask of the person, what the person gave, and how to end it."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.consents import ConsentAlreadyDecided, ConsentState
from portal.domain.permissions import Permission
from portal.services.consents.record import MEDIA_TYPE
from portal.web.guard import requires
from portal.web.house import actor, house, request_id
from portal.web.i18n import language

blueprint = Blueprint("consents", __name__)


@blueprint.get("/me/consents")
@requires(Permission.DECIDE_OWN_CONSENTS)
def overview() -> ResponseReturnValue:
    consents = house().consents.own.all(actor())
    return render_template(
        "consents/overview.html",
        waiting=[one for one in consents if one.state is ConsentState.WAITING],
        given=[one for one in consents if one.state is ConsentState.GIVEN],
        past=[one for one in consents if one.state not in {ConsentState.WAITING, ConsentState.GIVEN}],
    )


@blueprint.get("/me/consents/<consent>")
@requires(Permission.DECIDE_OWN_CONSENTS)
def one(consent: str) -> ResponseReturnValue:
    return _page(consent)


@blueprint.post("/me/consents/<consent>/give")
@requires(Permission.DECIDE_OWN_CONSENTS)
def give(consent: str) -> ResponseReturnValue:
    try:
        house().consents.own.give(actor(), consent, request_id=request_id())
    except ConsentAlreadyDecided:
        return _page(consent, came_late=True), 409
    return redirect(url_for("consents.one", consent=consent), 303)


@blueprint.post("/me/consents/<consent>/refuse")
@requires(Permission.DECIDE_OWN_CONSENTS)
def refuse(consent: str) -> ResponseReturnValue:
    try:
        house().consents.own.refuse(actor(), consent, request_id=request_id())
    except ConsentAlreadyDecided:
        return _page(consent, came_late=True), 409
    return redirect(url_for("consents.one", consent=consent), 303)


@blueprint.post("/me/consents/<consent>/end")
@requires(Permission.DECIDE_OWN_CONSENTS)
def end(consent: str) -> ResponseReturnValue:
    try:
        house().consents.own.end(actor(), consent, request_id=request_id())
    except ConsentAlreadyDecided:
        return _page(consent, came_late=True), 409
    return redirect(url_for("consents.one", consent=consent), 303)


@blueprint.get("/me/consents/<consent>/record")
@requires(Permission.DECIDE_OWN_CONSENTS)
def record(consent: str) -> ResponseReturnValue:
    page = url_for("consents.one", consent=consent, _external=True)
    made = house().consents.records.for_person(actor(), consent, language(), page, request_id=request_id())
    answer = jsonify(made)
    answer.mimetype = MEDIA_TYPE
    answer.headers["Content-Disposition"] = "attachment; filename=glasshouse-consent.jsonld"
    return answer


def _page(consent: str, *, came_late: bool = False) -> str:
    shown = house().consents.own.one(actor(), consent)
    return render_template("consents/one.html", consent=shown, came_late=came_late)
