"""The auditor's overview in figures; each opens the search behind it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.domain.errors import NothingHere
from portal.domain.permissions import Permission
from portal.services.dashboard import SPANS
from portal.web.guard import requires
from portal.web.house import house, jobs

blueprint = Blueprint("oversight_figures", __name__)
_USUAL = 30


@blueprint.get("/oversight/figures")
@requires(Permission.READ_FIGURES)
def page() -> ResponseReturnValue:
    dashboard = house().dashboard
    if dashboard.needs_refresh():
        jobs().start("analytics", dashboard.refresh)
    chosen = request.args.get("days", default=str(_USUAL))
    if chosen not in map(str, SPANS):
        raise NothingHere
    found = dashboard.figures(int(chosen))
    return render_template("oversight/figures.html", found=found, chosen=int(chosen), spans=SPANS)
