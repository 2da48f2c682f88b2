"""The first pages: what this is, and for a citizen the short answer."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission
from portal.services.alerts import AlertKind
from portal.services.trail import TrailFilter
from portal.web.guard import public, requires
from portal.web.house import actor, actor_or_none, house
from portal.web.login import HOME_OF

blueprint = Blueprint("home", __name__)

#: How many of the last looks the overview shows; the history has them all.
LATEST = 5


@blueprint.get("/")
@public("says what the portal is; shows nothing of anybody")
def welcome() -> ResponseReturnValue:
    viewer = actor_or_none()
    return redirect(url_for(HOME_OF[viewer.role])) if viewer else render_template("home/welcome.html")


@blueprint.get("/me")
@requires(Permission.READ_OWN_TRAIL)
def me() -> ResponseReturnValue:
    """Who looked lately, from the log alone. No registry is asked: that would be seven entries for a greeting."""
    trail = house().trail
    return render_template(
        "home/me.html",
        notices=trail.notices(actor()),
        judgement=trail.judgement(actor()),
        # A finding stands among the notices, with what was found.
        alerts=[one for one in house().safeguards.alerts.waiting(actor()) if one.kind != AlertKind.FINDING_ON_YOU],
        latest=trail.history(actor(), TrailFilter(), length=LATEST).lines,
        registries=house().catalogue.registries.values(),
    )
