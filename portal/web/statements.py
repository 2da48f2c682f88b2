"""What Article 15 of the GDPR entitles a person to know, on one page."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.web.guard import requires
from portal.web.house import actor, house

blueprint = Blueprint("statements", __name__)


@blueprint.get("/me/statement")
@requires(Permission.READ_OWN_TRAIL)
def page() -> ResponseReturnValue:
    return render_template(
        "statements/page.html",
        statement=house().statements.statement(actor()),
        marks=house().disputes.own.marks(actor()),
    )
