"""What an official was told about values that they received and that were found wrong."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.web.guard import requires
from portal.web.house import actor, house, request_id

blueprint = Blueprint("corrections", __name__)


@blueprint.get("/corrections")
@requires(Permission.TAKE_CORRECTIONS)
def overview() -> ResponseReturnValue:
    notices = house().disputes.corrections.waiting(actor())
    return render_template("corrections/overview.html", notices=notices, catalogue=house().catalogue)


@blueprint.post("/corrections/<notice>")
@requires(Permission.TAKE_CORRECTIONS)
def acknowledge(notice: str) -> ResponseReturnValue:
    house().disputes.corrections.acknowledge(actor(), notice, request_id=request_id())
    return redirect(url_for("corrections.overview"), 303)
