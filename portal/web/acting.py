"""Looking for somebody else: at what registries hold on them, and at who looked. Each look is an entry of theirs."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.domain.mandates import ParentageUnknown
from portal.domain.permissions import Permission
from portal.web.guard import requires
from portal.web.house import actor, house, request_id

blueprint = Blueprint("acting", __name__)


@blueprint.get("/me/for")
@requires(Permission.ACT_FOR_OTHERS)
def children() -> ResponseReturnValue:
    """The actor's children, from the population register. A page of its own, so that it is asked only when wanted."""
    found = house().mandates.acting.children(actor(), request_id=request_id())
    return render_template("mandates/children.html", children=found)


@blueprint.get("/me/for/<mandate>")
@requires(Permission.ACT_FOR_OTHERS)
def overview(mandate: str) -> ResponseReturnValue:
    room = house().mandates
    standing = room.acting.standing(actor(), mandate, request_id=request_id())
    return render_template("mandates/acting.html", standing=standing, looks=room.history.of_standing(standing))


@blueprint.get("/me/for/<mandate>/records/<registry>")
@requires(Permission.ACT_FOR_OTHERS)
def records(mandate: str, registry: str) -> ResponseReturnValue:
    looked = house().mandates.acting.look(actor(), mandate, registry, request_id=request_id())
    shut = {one.field.code for one in looked.closed}
    marks = [one for one in house().disputes.own.marks(looked.standing.principal, registry) if one.field not in shut]
    return render_template("mandates/records.html", looked=looked, registry=looked.registry, marks=marks)


@blueprint.get("/me/for/<mandate>/accesses/<registry>")
@requires(Permission.ACT_FOR_OTHERS)
def accesses(mandate: str, registry: str) -> ResponseReturnValue:
    before = request.args.get("before")
    seen = house().mandates.acting.accesses(actor(), mandate, registry, before=before, request_id=request_id())
    return render_template("mandates/accesses.html", seen=seen, registry=seen.registry)


@blueprint.errorhandler(ParentageUnknown)
def no_answer(_unknown: ParentageUnknown) -> ResponseReturnValue:
    return render_template("mandates/no_answer.html"), 503
