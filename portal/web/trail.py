"""Who looked at my data: the history, one line of it, and its receipt."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from audit.receipt import Receipt
from portal.domain.permissions import Permission
from portal.services.trail import TrailFilter, TrailPage
from portal.web.forms.trail import FilterForm
from portal.web.guard import requires
from portal.web.house import actor, house

blueprint = Blueprint("trail", __name__)


@blueprint.get("/me/accesses")
@requires(Permission.READ_OWN_TRAIL)
def history() -> ResponseReturnValue:
    trail = house().trail
    form = FilterForm(request.args, trail.choices(actor()))
    is_valid = form.validate()
    wanted = form.wanted() if is_valid else TrailFilter()
    page = trail.history(actor(), wanted, before=request.args.get("before")) if is_valid else TrailPage([], None)
    shows_everything = wanted.is_empty and "before" not in request.args
    return render_template(
        "trail/history.html",
        form=form,
        is_valid=is_valid,
        is_filtered=not wanted.is_empty,
        page=page,
        judgement=trail.judgement(actor()) if shows_everything else None,
        criteria=request.args.to_dict(flat=False) | {"before": page.older},
        months=trail.by_month(actor()) if is_valid and shows_everything else None,
    )


@blueprint.get("/me/accesses/<reference>")
@requires(Permission.READ_OWN_TRAIL)
def line(reference: str) -> ResponseReturnValue:
    return render_template("trail/line.html", line=house().trail.line(actor(), reference))


@blueprint.get("/me/knowledge")
@requires(Permission.READ_OWN_TRAIL)
def knowledge() -> ResponseReturnValue:
    trail = house().trail
    return render_template("trail/knowledge.html", known=trail.knowledge(actor()), months=trail.by_month(actor()))


@blueprint.get("/me/accesses/<reference>/receipt")
@requires(Permission.READ_OWN_TRAIL)
def receipt(reference: str) -> ResponseReturnValue:
    return as_download(house().trail.receipt(actor(), reference))


@blueprint.get("/me/accesses/<reference>/sealed-receipt")
@requires(Permission.READ_OWN_TRAIL)
def sealed_receipt(reference: str) -> ResponseReturnValue:
    return as_download(house().trail.sealed_receipt(actor(), reference))


def as_download(proof: Receipt) -> Response:
    """A receipt as a text file to keep."""
    return Response(
        proof.text,
        mimetype="text/plain",
        headers={"Content-Disposition": f"attachment; filename=glasshouse-receipt-{proof.proof.index}.txt"},
    )
