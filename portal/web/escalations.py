"""An auditor's pages for what supervisors handed over."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.escalations import Escalations
from portal.services.reviews import AlreadyDecided
from portal.web.forms.supervision import VerdictForm
from portal.web.guard import requires
from portal.web.house import actor, house, request_id

blueprint = Blueprint("escalations", __name__)


def _desk() -> Escalations:
    return house().casework_room.escalations


@blueprint.get("/oversight/escalations")
@requires(Permission.SETTLE_ESCALATIONS)
def overview() -> ResponseReturnValue:
    found = _desk().all()
    return render_template("supervision/escalations.html", reviews=found, names=_desk().names(found))


@blueprint.get("/oversight/escalations/<review_id>")
@requires(Permission.SETTLE_ESCALATIONS)
def one(review_id: str) -> ResponseReturnValue:
    return _page(review_id, VerdictForm())


@blueprint.post("/oversight/escalations/<review_id>")
@requires(Permission.SETTLE_ESCALATIONS)
def settle(review_id: str) -> ResponseReturnValue:
    form = VerdictForm()
    if not form.validate():
        return _page(review_id, form), 400
    try:
        is_misuse = form.verdict.data == "misuse"
        _desk().settle(actor(), review_id, is_misuse=is_misuse, finding=form.finding.data, request_id=request_id())
    except AlreadyDecided:
        return redirect(url_for("escalations.one", review_id=review_id), 303)
    return redirect(url_for("escalations.overview"), 303)


def _page(review_id: str, form: VerdictForm) -> str:
    found = _desk().one(actor(), review_id, request_id=request_id())
    return render_template("supervision/escalation.html", found=found, form=form)
