"""Signing in through the provider: there, back again, and out; and the provider's own word that a session is over."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace

from flask import Blueprint, Response, abort, g, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from portal.domain.refusals import Refusal, SignInRefused
from portal.domain.security_events import SecurityEvent
from portal.domain.text import LANGUAGES
from portal.services.attempts import Aim
from portal.services.id_tokens import TokenRefused
from portal.services.openid import OpenIdSignIn
from portal.services.security_log import announce
from portal.services.sessions import Method
from portal.web.errors import Link, Message, page
from portal.web.guard import public, signed_in
from portal.web.house import house, present, present_or_none, request_id
from portal.web.i18n import language
from portal.web.i18n import lazy_gettext as _l
from portal.web.login import local_path, visit, welcomed
from portal.web.tokens import with_token

logger = logging.getLogger(__name__)

blueprint = Blueprint("openid", __name__)

#: In Flask's signed cookie: binds what comes back to the browser that set out.
_BROWSER = "sign-in-browser"
#: What a provider may send with the browser (RFC 6749, 4.1.2; RFC 9207). Each at most once.
_PARAMETERS = ("state", "code", "iss", "error")
_NOBODY_IN = _l("You are not signed in. Nothing was shown or sent.")
_STILL_IN = _l("You are signed in as you were before. Nothing was shown or sent.")
_TRY_AGAIN = _l("Start the sign-in again.")
REFUSALS = {
    Refusal.CANCELLED: Message(
        _l("You did not sign in"),
        _l("You turned back at the sign-in service."),
        _NOBODY_IN,
        _l("Start again whenever you like."),
    ),
    Refusal.UNKNOWN_ATTEMPT: Message(
        _l("This sign-in has run out"),
        _l("It took too long, was used already, or was begun in another browser."),
        _NOBODY_IN,
        _TRY_AGAIN,
    ),
    Refusal.NOT_TRUSTED: Message(
        _l("We could not trust the answer of the sign-in service"),
        _l("A check of what came back did not hold. The answer may have been used before, or changed on the way."),
        _NOBODY_IN,
        _l("Start the sign-in again. If it happens again, tell the people who run this portal."),
    ),
    Refusal.PROVIDER_REFUSED: Message(
        _l("The sign-in service could not sign you in"),
        _l("It sent you back and said that something went wrong there."),
        _NOBODY_IN,
        _TRY_AGAIN,
    ),
    Refusal.PROVIDER_SILENT: Message(
        _l("The sign-in service does not answer at the moment"),
        _l("We could not reach the service that proves who you are, or could not read its answer."),
        _NOBODY_IN,
        _l("Try again in a few minutes."),
    ),
    Refusal.ASSURANCE_MISSING: Message(
        _l("That way of signing in is not enough here"),
        _l("The sign-in service did not say how sure it is that you are you, and your data need a sure answer."),
        _NOBODY_IN,
        _l("Sign in again with another means, such as an ID card, Mobile-ID or Smart-ID."),
    ),
    Refusal.ASSURANCE_TOO_LOW: Message(
        _l("That way of signing in is not secure enough"),
        _l("The means you used proves less surely who you are than your data need."),
        _NOBODY_IN,
        _l("Sign in again with another means, such as an ID card, Mobile-ID or Smart-ID."),
    ),
    Refusal.ANOTHER_PERSON: Message(
        _l("Somebody else signed in"),
        _l("You are signed in here as one person, and another proved who they are."),
        _NOBODY_IN,
        _l("Sign in as the person who is signed in here, or sign out first."),
    ),
    Refusal.PROOF_TOO_OLD: Message(
        _l("We need a fresh sign-in"),
        _l("The sign-in service relied on an earlier sign-in, or did not say when you proved who you are."),
        _NOBODY_IN,
        _l("Sign out, also at the sign-in service, and sign in again."),
    ),
    Refusal.NOT_A_PERSON_WE_KNOW: Message(
        _l("We cannot find your data by this identity"),
        _l("The registries here know people by their Estonian personal code, and your sign-in carried none."),
        _NOBODY_IN,
        _l("If you have an Estonian personal code, sign in with a means that carries it."),
    ),
    Refusal.NO_ROLE: Message(
        _l("You have no role here"),
        _l("Your employer’s sign-in service vouched for you, but gives you no role in this portal, or more than one."),
        _NOBODY_IN,
        _l("Ask whoever looks after accounts at your organisation."),
    ),
    Refusal.ACCOUNT_CLOSED: Message(
        _l("Your account is closed"),
        _l("You proved who you are, but your account in this portal was closed."),
        _NOBODY_IN,
        _l("Ask the people who run this portal."),
    ),
}
_STATUS = {
    Refusal.PROVIDER_SILENT: 503,
    Refusal.ASSURANCE_MISSING: 403,
    Refusal.ASSURANCE_TOO_LOW: 403,
    Refusal.ANOTHER_PERSON: 403,
    Refusal.PROOF_TOO_OLD: 403,
    Refusal.NOT_A_PERSON_WE_KNOW: 403,
    Refusal.ACCOUNT_CLOSED: 403,
    Refusal.NO_ROLE: 403,
}
#: Refused with an entry and an event of their own, since the provider had vouched for somebody.
_IN_THE_HISTORY = frozenset(
    {
        Refusal.ASSURANCE_MISSING,
        Refusal.ASSURANCE_TOO_LOW,
        Refusal.ACCOUNT_CLOSED,
        Refusal.NO_ROLE,
        Refusal.ANOTHER_PERSON,
        Refusal.PROOF_TOO_OLD,
    }
)


@blueprint.get("/sign-in/provider")
@public("leads to the provider; nothing of anybody is shown")
def start() -> ResponseReturnValue:
    return led_to(_openid())


@blueprint.get("/step-up/<errand>/provider")
@signed_in()
def step_up(errand: str) -> ResponseReturnValue:
    _openid()
    waiting = house().errands.get(present().session.session_id, errand)
    return render_template("step_up/provider.html", errand=errand, waiting=waiting)


@blueprint.get("/step-up/<errand>/provider/start")
@signed_in()
def start_step_up(errand: str) -> ResponseReturnValue:
    return led_to_step_up(_openid(), errand)


@blueprint.get("/sign-in/return")
@public("lets in whom the provider vouches for; every check is in the service")
def complete() -> ResponseReturnValue:
    return came_back(_openid())


@blueprint.post("/sign-in/back-channel-logout")
@public("the provider's server says whose session is over; its signature is checked")
def back_channel_logout() -> ResponseReturnValue:
    return told_that_it_is_over(_openid())


def led_to(provider: OpenIdSignIn) -> ResponseReturnValue:
    """To the provider. A link rather than a form, since our policy lets no form lead to another host."""
    wanted = local_path(request.args.get("next"))
    try:
        return redirect(provider.begin(_browser_secret(), None, wanted=wanted, language=language()))
    except SignInRefused as refused:
        return _refused(refused)


def led_to_step_up(provider: OpenIdSignIn, errand: str) -> ResponseReturnValue:
    session_id = present().session.session_id
    demand = house().errands.get(session_id, errand).demand
    fresh = None if demand.fresh is None else int(demand.fresh.total_seconds())
    aim = Aim(url_for("step_up.go_on", errand=errand), demand.level, session_id, fresh)
    try:
        return redirect(provider.begin(_browser_secret(), aim, language=language()))
    except SignInRefused as refused:
        return _refused(refused)


def came_back(provider: OpenIdSignIn) -> ResponseReturnValue:
    answer = {name: values[0] for name in _PARAMETERS if len(values := request.args.getlist(name)) == 1}
    if any(len(request.args.getlist(name)) > 1 for name in _PARAMETERS):
        return _refused(SignInRefused(Refusal.NOT_TRUSTED, "a parameter was sent twice"))
    try:
        arrival = provider.complete(answer, session.get(_BROWSER), visit(), present_or_none())
    except SignInRefused as refused:
        return _refused(refused)
    if arrival.is_step_up:
        return with_token(redirect(local_path(arrival.wanted) or "/", 303), arrival.token)
    return welcomed(arrival.actor, arrival.token, local_path(arrival.wanted))


def told_that_it_is_over(provider: OpenIdSignIn) -> ResponseReturnValue:
    """OpenID Connect Back-Channel Logout 1.0, section 2.8: 200 when done, 400 when the token does not hold."""
    tokens = request.form.getlist("logout_token")
    token = tokens[0] if len(tokens) == 1 else ""  # which is no token
    try:
        ended = provider.end_by_provider(token, request_id())
    except (TokenRefused, SignInRefused) as refused:
        announce(SecurityEvent.PROVIDERS_WORD_REFUSED, check=str(refused))
        return jsonify(error="invalid_request"), 400
    logger.info("back-channel logout request=%s sessions=%s", request_id(), ended)
    return Response(status=200)


@blueprint.get("/signed-out")
@public("where the provider sends people back to after signing out")
def signed_out() -> ResponseReturnValue:
    """The browser has forgotten its cookies; the reader's language comes back from the provider in `state`."""
    code = request.args.get("state", "").removeprefix("language-")
    return redirect(url_for("pages.language", code=code if code in LANGUAGES else language(), next="/"))


def _openid() -> OpenIdSignIn:
    openid = house().openid
    if openid is None:
        abort(404)
    return openid


def _browser_secret() -> str:
    secret: str = session.setdefault(_BROWSER, secrets.token_urlsafe(32))
    return secret


def _refused(refused: SignInRefused) -> Response:
    logger.warning("sign-in refused request=%s check=%s", request_id(), refused)
    if refused.refusal not in _IN_THE_HISTORY:
        announce(SecurityEvent.SIGN_IN_REFUSED, method=Method.OPENID.value, reason=refused.refusal.value)
    g.page_in_other_languages = url_for("login.choose")  # this address holds what the provider sent, and serves once
    status, message = _STATUS.get(refused.refusal, 400), REFUSALS[refused.refusal]
    if present_or_none() is not None:
        return page(status, replace(message, lost=_STILL_IN))
    return page(status, message, link=Link(url_for("login.choose"), _l("Sign in")))
