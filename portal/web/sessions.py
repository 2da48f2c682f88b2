"""Where you are signed in: the account's own sessions, and ending them from here."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.web.guard import FRESH, signed_in
from portal.web.house import house, present, request_id

blueprint = Blueprint("sessions", __name__)


@blueprint.get("/sessions")
@signed_in()
def overview() -> ResponseReturnValue:
    return render_template(
        "sessions/overview.html",
        sessions=house().entrance.sessions_of(present()),
        this_one=present().session.session_id,
    )


@blueprint.post("/sessions/end")
@signed_in(fresh=FRESH)
def end() -> ResponseReturnValue:
    house().entrance.end_one(present(), request.form.get("session", ""), request_id())
    return redirect(url_for("sessions.overview"))


@blueprint.post("/sessions/end-others")
@signed_in(fresh=FRESH)
def end_others() -> ResponseReturnValue:
    house().entrance.end_others(present(), request_id())
    return redirect(url_for("sessions.overview"))
