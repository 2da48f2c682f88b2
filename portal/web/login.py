"""Signing in and out. In a demonstration a page lists the people one may sign in as.

The browser holds a random token and nothing else. Flask's own signed cookie carries the mark against forged forms and
never says who somebody is: of flask-login only the loader that reads a request is used.
"""

from __future__ import annotations

from flask import (
    Blueprint,
    Flask,
    Request,
    Response,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import LoginManager
from werkzeug.wrappers import Response as BaseResponse

from config.identity import OidcSettings
from portal.domain.actors import Actor, Role
from portal.domain.assurance import Assurance
from portal.domain.devices import Device, network_of
from portal.domain.text import LocalizedText
from portal.services.accounts import DemonstrationAccount
from portal.services.entrance import Visit
from portal.services.provider import ProviderSignOut
from portal.services.sessions import Method, Proof
from portal.web.guard import public, signed_in
from portal.web.house import SignedIn, actor_or_none, house, present, request_id
from portal.web.i18n import language
from portal.web.security_headers import allowing_form_to, clear_site_data
from portal.web.tokens import token_of, with_token, without_token

blueprint = Blueprint("login", __name__)

#: Where each role begins.
HOME_OF = {
    Role.CITIZEN: "home.me",
    Role.CASEWORKER: "cases.assigned",
    Role.AUDITOR: "oversight.search",
    Role.SUPERVISOR: "supervision.overview",
    Role.ADMINISTRATOR: "administration.accounts",
}

#: What a demonstration's choice of person counts as: enough for every page, and not the highest.
AS_DEMONSTRATION = Proof(Method.DEMONSTRATION, Assurance.SUBSTANTIAL)


def init_login(app: Flask, *, demo_sign_in: bool, provider: OidcSettings | None) -> None:
    app.config["DEMO_SIGN_IN"] = demo_sign_in
    app.config["SIGN_IN_PROVIDER"] = provider and LocalizedText(
        provider.display_name_en, provider.display_name_et, provider.display_name_ru
    )
    manager = LoginManager()
    manager.session_protection = None  # its "strong" mode binds to the address, which phones change
    manager.init_app(app, add_context_processor=False)  # it would ask the database even for the page of a failure
    manager.request_loader(_load)


def _load(incoming: Request) -> SignedIn | None:
    present = None if token_of(incoming) is None else house().entrance.who(visit())
    if present is None:
        return None
    if present.session.method is Method.DEMONSTRATION and not current_app.config["DEMO_SIGN_IN"]:
        return None  # begun before the demonstration was switched off
    return SignedIn(present)


@blueprint.get("/sign-in")
@public("one has to get in somewhere")
def choose() -> ResponseReturnValue:
    if (signed := actor_or_none()) is not None:
        return redirect(url_for(HOME_OF[signed.role]))
    people = house().accounts.demonstration_people() if current_app.config["DEMO_SIGN_IN"] else []
    by_role: dict[Role, list[DemonstrationAccount]] = {}
    for person in people:
        by_role.setdefault(person.role, []).append(person)
    provider = current_app.config["SIGN_IN_PROVIDER"]
    wanted = local_path(request.args.get("next"))
    return render_template("login/choose.html", people=by_role, provider=provider, next=wanted)


@blueprint.post("/sign-in/demonstration")
@public("signs in; refused unless the demonstration is switched on")
def as_demonstration_person() -> ResponseReturnValue:
    if not current_app.config["DEMO_SIGN_IN"]:
        abort(404)
    person = house().accounts.demonstration_person(request.form.get("account", ""))
    token = house().entrance.let_in(person, AS_DEMONSTRATION, visit())
    return welcomed(person, token, local_path(request.form.get("next")))


@blueprint.post("/sign-out")
@signed_in()
def sign_out() -> ResponseReturnValue:
    present_method = present().session.method
    id_token = house().entrance.sign_out(present(), request_id())
    session.clear()
    openid = house().staff_openid if present_method is Method.STAFF_OPENID else house().openid
    if openid is not None and id_token is not None:
        farewell_there = openid.sign_out(id_token, language())
        if farewell_there is not None:
            return clear_site_data(without_token(_offered(farewell_there)))
    # By way of the language page: the browser forgets its cookies here, and the reader's language should stay.
    farewell = url_for("pages.language", code=language(), next=url_for("home.welcome"))
    return clear_site_data(without_token(redirect(farewell)))


def _offered(there: ProviderSignOut) -> Response:
    """Out of here; and the way out of the provider, which the person may take.

    The ID token, which names them, goes in a form rather than in an address unless the provider takes nothing else.
    """
    g.without_viewer = True  # the session was over a moment ago
    response = make_response(render_template("login/signed_out.html", there=there))
    return allowing_form_to(response, there.origin)


def visit() -> Visit:
    """What the entrance needs to know of this request."""
    return Visit(
        request_id(),
        Device.of_user_agent(request.user_agent.string),
        token_of(request),
        network_of(request.remote_addr),
    )


def welcomed(person: Actor, token: str, wanted: str | None) -> BaseResponse:
    """Send somebody who was let in to the page they wanted, with the token of their session."""
    session.clear()  # nothing of the session before sign-in survives it: fixation
    return with_token(redirect(wanted or url_for(HOME_OF[person.role])), token)


def local_path(target: str | None) -> str | None:
    """A path of this portal or nothing: never another host (open redirect)."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return None
