"""An auditor has the looks of a period ranked, and reads first what nothing explains."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.errors import NothingHere
from portal.domain.permissions import Permission
from portal.services.unusual_looks import SPANS
from portal.web.guard import requires
from portal.web.house import actor, house, jobs, request_id

blueprint = Blueprint("unusual", __name__)

#: How often the page of a running ranking asks again, in seconds.
REFRESH_SECONDS = 2


@blueprint.get("/oversight/unusual")
@requires(Permission.RANK_LOOKS)
def overview() -> ResponseReturnValue:
    return render_template("unusual/overview.html", runs=house().unusual.recent(actor()), spans=SPANS)


@blueprint.post("/oversight/unusual")
@requires(Permission.RANK_LOOKS)
def start() -> ResponseReturnValue:
    days = request.form.get("days", "")
    if days not in map(str, SPANS):
        raise NothingHere
    unusual = house().unusual
    run_id = unusual.request(actor(), int(days), request_id=request_id())
    jobs().start("unusual looks", partial(unusual.perform, actor(), run_id))
    return redirect(url_for("unusual.run", run_id=run_id), 303)


@blueprint.get("/oversight/unusual/<run_id>")
@requires(Permission.RANK_LOOKS)
def run(run_id: str) -> ResponseReturnValue:
    found = house().unusual.run(actor(), run_id)
    return render_template("unusual/run.html", run=found, refresh=None if found.is_over else REFRESH_SECONDS)
