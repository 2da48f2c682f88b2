"""Staff at their employer's provider: there, back again, and the provider's own word that a session is over."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from portal.services.openid import OpenIdSignIn
from portal.services.sessions import Method
from portal.web import openid, step_up
from portal.web.guard import public, signed_in
from portal.web.house import house, present

blueprint = Blueprint("staff_openid", __name__)

step_up.WAYS[Method.STAFF_OPENID] = "staff_openid.confirm"


@blueprint.get("/staff/sign-in/provider")
@public("leads to the provider; nothing of anybody is shown")
def start() -> ResponseReturnValue:
    return openid.led_to(_provider())


@blueprint.get("/staff/sign-in/return")
@public("lets in whom the employer's provider vouches for; every check is in the service")
def complete() -> ResponseReturnValue:
    return openid.came_back(_provider())


@blueprint.get("/step-up/<errand>/employer")
@signed_in()
def confirm(errand: str) -> ResponseReturnValue:
    _provider()
    waiting = house().errands.get(present().session.session_id, errand)
    return render_template("staff/confirm_at_provider.html", errand=errand, waiting=waiting)


@blueprint.get("/step-up/<errand>/employer/start")
@signed_in()
def start_confirming(errand: str) -> ResponseReturnValue:
    return openid.led_to_step_up(_provider(), errand)


@blueprint.post("/staff/sign-in/back-channel-logout")
@public("the provider's server says whose session is over; its signature is checked")
def back_channel_logout() -> ResponseReturnValue:
    return openid.told_that_it_is_over(_provider())


def _provider() -> OpenIdSignIn:
    provider = house().staff_openid
    if provider is None:
        abort(404)
    return provider
