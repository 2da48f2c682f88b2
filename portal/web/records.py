"""A person's own records, registry by registry."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.web.guard import requires
from portal.web.house import actor, house, request_id

blueprint = Blueprint("records", __name__)


@blueprint.get("/me/records")
@requires(Permission.READ_OWN_RECORDS)
def overview() -> ResponseReturnValue:
    holdings = house().records.holdings(actor(), request_id=request_id())
    return render_template("records/overview.html", holdings=holdings)


@blueprint.get("/me/records/<code>")
@requires(Permission.READ_OWN_RECORDS)
def registry(code: str) -> ResponseReturnValue:
    opened = house().records.open(actor(), code, request_id=request_id())
    controller = house().catalogue.organisations.get(opened.registry.controller)
    marks = house().disputes.own.marks(actor(), code)
    return render_template(
        "records/registry.html", opened=opened, registry=opened.registry, controller=controller, marks=marks
    )
