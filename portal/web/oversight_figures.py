"""The auditor's overview in figures; each opens the search, or the list, behind it."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from portal.domain.actions import Action
from portal.domain.errors import NothingHere
from portal.domain.permissions import Permission
from portal.services.dashboard import SPANS
from portal.services.proceedings.figures import LIST_LENGTH
from portal.services.proceedings.kinds import Kind, Stage
from portal.services.transparency import SMALL
from portal.web.guard import requires
from portal.web.house import actor, house, jobs, request_id

blueprint = Blueprint("oversight_figures", __name__)
_USUAL = 30
#: By which action of the log the proceedings of a kind are searched for; a review is of looks, which its list names.
_SEARCHED_BY = {
    Kind.EMERGENCY: Action.EMERGENCY,
    Kind.DISPUTE: Action.DISPUTE_OPENING,
    Kind.SEAL: Action.SEAL_ORDER,
}


@blueprint.get("/oversight/figures")
@requires(Permission.READ_FIGURES)
def page() -> ResponseReturnValue:
    dashboard = house().dashboard
    if dashboard.needs_refresh():
        jobs().start("analytics", dashboard.refresh)
    chosen = _span()
    found = dashboard.figures(chosen)
    return render_template(
        "oversight/figures.html",
        found=found,
        chosen=chosen,
        spans=SPANS,
        decisions=house().decisions.figures(),
        small=SMALL,
    )


@blueprint.get("/oversight/figures/<stage>")
@requires(Permission.READ_FIGURES)
def behind(stage: str) -> ResponseReturnValue:
    """The emergencies, reviews, disputes or seals that one figure counts, of one organisation or of all."""
    organisation = request.args.get("organisation")
    if stage not in set(Stage):
        raise NothingHere
    wanted, span = Stage(stage), _span()
    found = house().dashboard.proceedings.behind(actor(), wanted, span, organisation, request_id=request_id())
    return render_template(
        "oversight/proceedings.html",
        found=found,
        stage=wanted,
        span=span,
        organisation=organisation,
        action=_SEARCHED_BY.get(wanted.kind),
        length=LIST_LENGTH,
    )


def _span() -> int:
    chosen = request.args.get("days", default=str(_USUAL))
    if chosen not in map(str, SPANS):
        raise NothingHere
    return int(chosen)
