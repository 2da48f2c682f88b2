"""An auditor's exports: sent at once where they are small, else made in the background and fetched when ready."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assurance import Assurance
from portal.domain.permissions import Permission
from portal.domain.security_events import SecurityEvent
from portal.services.exporting.court import MAXIMUM_ENTRIES
from portal.services.exporting.formats import ExportFormat
from portal.services.exports import ALWAYS_NAMED, TooManyForCourt
from portal.services.oversight import TrailSearch
from portal.services.security_log import announce
from portal.web.asking import wanted_of
from portal.web.downloads import as_attachment
from portal.web.forms.independence import ExportForm
from portal.web.guard import FRESH, requires
from portal.web.house import actor, house, jobs, request_id

blueprint = Blueprint("exports", __name__)

#: How often the page of a running export asks again, in seconds.
REFRESH_SECONDS = 2


@blueprint.post("/oversight/export")
@requires(Permission.EXPORT_TRAIL, assurance=Assurance.HIGH, fresh=FRESH)
def start() -> ResponseReturnValue:
    form = ExportForm(house().catalogue)
    wanted_format = form.export_format()
    if wanted_format is None:
        abort(400)
    is_named = form.names.data == "yes" or wanted_format in ALWAYS_NAMED
    if is_named and not form.is_asked.data:
        return _asked_why(form, wanted_format)
    if not is_named:
        del form.reason
    if not form.validate():
        if is_named and form.reason.errors:
            return _asked_why(form, wanted_format), 400
        abort(400)
    wanted, reason = wanted_of(form), form.reason.data if is_named else None
    try:
        is_made_at_once = house().exports.is_made_at_once(wanted, wanted_format)
    except TooManyForCourt:
        return render_template("exports/too_many.html", form=form, maximum=MAXIMUM_ENTRIES), 400
    announce(SecurityEvent.TRAIL_EXPORTED, format=wanted_format)
    way = _sent_at_once if is_made_at_once else _put_in_hand
    return way(wanted, wanted_format, reason)


def _asked_why(form: ExportForm, wanted: ExportFormat) -> str:
    """Before names and personal codes leave the portal, a page asks what they are needed for."""
    form.is_asked.data = "yes"
    return render_template("exports/reason.html", form=form, format=wanted, is_always=wanted in ALWAYS_NAMED)


@blueprint.get("/oversight/exports")
@requires(Permission.EXPORT_TRAIL)
def overview() -> ResponseReturnValue:
    return render_template("exports/overview.html", exports=house().export_desk.recent(actor()))


@blueprint.get("/oversight/exports/<job>")
@requires(Permission.EXPORT_TRAIL)
def one(job: str) -> ResponseReturnValue:
    shown = house().export_desk.export(actor(), job)
    return render_template("exports/one.html", job=shown, refresh=None if shown.is_over else REFRESH_SECONDS)


@blueprint.get("/oversight/exports/<job>/file")
@requires(Permission.EXPORT_TRAIL, assurance=Assurance.HIGH)
def file(job: str) -> ResponseReturnValue:
    download = house().export_desk.download(actor(), job, request_id=request_id())
    announce(SecurityEvent.TRAIL_EXPORTED, format="file")
    return as_attachment(download, job, "application/zip")


def _sent_at_once(wanted: TrailSearch, form: ExportFormat, reason: str | None) -> ResponseReturnValue:
    made = house().exports.export(actor(), wanted, form, reason=reason, request_id=request_id())
    headers = {
        "Content-Disposition": f"attachment; filename={made.filename}",
        "X-Accel-Buffering": "no",  # a proxy must not collect the archive before it passes it on
    }
    return Response(made.chunks, mimetype="application/zip", headers=headers)


def _put_in_hand(wanted: TrailSearch, form: ExportFormat, reason: str | None) -> ResponseReturnValue:
    desk = house().export_desk
    job = desk.request(actor(), wanted, form, reason=reason, request_id=request_id())
    jobs().start("export", partial(desk.run, job))
    return redirect(url_for("exports.one", job=job), 303)
