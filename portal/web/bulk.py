"""Lists of people under one purpose and case: asked for, followed, and their results fetched once."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.bulk import WeakListReason
from portal.services.justification import MAXIMUM_LENGTH
from portal.web.forms.bulk import ListForm
from portal.web.forms.casework import PurposeForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, jobs, request_id
from portal.web.wording import WEAKNESSES

blueprint = Blueprint("bulk", __name__)

#: How often the page of a running list asks again, in seconds.
REFRESH_SECONDS = 3


@blueprint.get("/casework/lists")
@requires(Permission.OPEN_LISTS)
def overview() -> ResponseReturnValue:
    form = PurposeForm(request.args, house().casework.purposes(actor()))
    if "asked" in request.args and form.validate():
        return redirect(url_for("bulk.new", purpose=form.purpose.data))
    return render_template("bulk/overview.html", form=form, lists=house().safeguards.bulk.recent(actor()))


@blueprint.get("/casework/lists/new/<purpose>")
@requires(Permission.OPEN_LISTS)
def new(purpose: str) -> ResponseReturnValue:
    return _asked(purpose, _form(purpose))


@blueprint.post("/casework/lists/new/<purpose>")
@requires(Permission.OPEN_LISTS)
def submit(purpose: str) -> ResponseReturnValue:
    form = _form(purpose)
    if not form.validate():
        return _asked(purpose, form), 400
    stated = house().casework.purpose(actor(), purpose)
    try:
        job = house().safeguards.bulk.submit(actor(), stated, form.request(), request_id=request_id())
    except WeakListReason as refusal:
        form.justification.errors = [WEAKNESSES[refusal.weakness]]
        return _asked(purpose, form), 400
    jobs().start("list", partial(house().safeguards.bulk_runs.run, job))
    return redirect(url_for("bulk.job", job=job), 303)


@blueprint.get("/casework/lists/<job>")
@requires(Permission.OPEN_LISTS)
def job(job: str) -> ResponseReturnValue:
    shown = house().safeguards.bulk.job(actor(), job)
    return render_template("bulk/job.html", job=shown, refresh=None if shown.is_over else REFRESH_SECONDS)


@blueprint.post("/casework/lists/<job>/results")
@requires(Permission.OPEN_LISTS, fresh=FRESH)
def results(job: str) -> ResponseReturnValue:
    handed_over = house().safeguards.bulk.hand_over(actor(), job, request_id=request_id())
    headers = {"Content-Disposition": f"attachment; filename=glasshouse-list-{job[:8]}.csv"}
    return Response(handed_over, mimetype="text/csv", headers=headers)


def _form(purpose: str) -> ListForm:
    """Raises NothingHere for a purpose that is not the actor's."""
    return ListForm(house().casework.offers(actor(), house().casework.purpose(actor(), purpose)))


def _asked(purpose: str, form: ListForm) -> str:
    stated = house().casework.purpose(actor(), purpose)
    return render_template("bulk/new.html", purpose=stated, form=form, longest=MAXIMUM_LENGTH)
