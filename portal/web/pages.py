"""Pages for everybody: what this is, how to check a receipt, accessibility, language, and whether the portal lives."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from audit.errors import AuditError
from audit.witness_client import WitnessState
from portal.domain.errors import NothingHere
from portal.domain.text import LANGUAGES
from portal.web.guard import public
from portal.web.house import house
from portal.web.i18n import LANGUAGE_COOKIE_SECONDS
from portal.web.login import local_path

blueprint = Blueprint("pages", __name__)


@blueprint.get("/about")
@public("the same for everybody")
def about() -> ResponseReturnValue:
    return render_template("pages/about.html")


@blueprint.get("/verify-help")
@public("the same for everybody")
def verify_help() -> ResponseReturnValue:
    return render_template("pages/verify_help.html")


@blueprint.get("/accessibility")
@public("the same for everybody")
def accessibility() -> ResponseReturnValue:
    return render_template("pages/accessibility.html")


@blueprint.get("/language/<code>")
@public("keeps the choice of language in the reader's own browser; nothing else changes")
def language(code: str) -> ResponseReturnValue:
    if code not in LANGUAGES:
        raise NothingHere
    response = redirect(local_path(request.args.get("next")) or url_for("home.welcome"))
    response.set_cookie(
        current_app.config["LANGUAGE_COOKIE"],
        code,
        max_age=LANGUAGE_COOKIE_SECONDS,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


@blueprint.get("/healthz")
@public("says only that the process answers")
def healthz() -> ResponseReturnValue:
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
@public("says only whether the log can write, and whether its witnesses confirm it")
def readyz() -> ResponseReturnValue:
    """Ready means: the log takes entries. Without it no page with data works.

    A witness that refuses is told here too, for the alarm; it stops nothing, or it could stop the portal.
    """
    try:
        house().log.ping()
        refusing = [report.name for report in house().log.witness_reports() if report.state is WitnessState.REFUSED]
    except AuditError:
        return Response("the audit log does not answer\n", 503, mimetype="text/plain")
    alarms = "".join(f"ALARM: the witness {name} refuses this log\n" for name in refusing)
    return Response(f"ready\n{alarms}", mimetype="text/plain")
