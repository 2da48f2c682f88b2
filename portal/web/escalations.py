"""An auditor's pages for what supervisors handed over."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.escalations import Escalations
from portal.services.reviews import AlreadyDecided
from portal.web.forms.supervision import VerdictForm
from portal.web.guard import requires
from portal.web.house import actor, house, present, request_id
from portal.web.i18n import gettext as _

blueprint = Blueprint("escalations", __name__)


def _desk() -> Escalations:
    return house().casework_room.escalations


@blueprint.get("/oversight/escalations")
@requires(Permission.SETTLE_ESCALATIONS)
def overview() -> ResponseReturnValue:
    found = _desk().all()
    pseudonym = house().identities.official
    names = {
        one.official: _("Official %(pseudonym)s", pseudonym=pseudonym(one.official, one.organisation)) for one in found
    }
    return render_template("supervision/escalations.html", reviews=found, names=names)


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
    entries = [house().oversight.numbered(look.seq) for _reference, look in found.looks]
    people = house().identities.of(present().session.session_id, entries)
    is_revealed = any(named.is_revealed for named in people.values())
    pseudonym = house().identities.official(found.review.official, found.review.organisation)
    return render_template(
        "supervision/escalation.html", found=found, form=form, is_revealed=is_revealed, pseudonym=pseudonym
    )
