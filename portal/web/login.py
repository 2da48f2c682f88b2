"""Signing in and out. In a demonstration a page lists the people one may sign in as."""

from __future__ import annotations

from itertools import groupby

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, login_user, logout_user

from portal.domain.actors import Role
from portal.domain.errors import NothingHere
from portal.web.guard import public, signed_in
from portal.web.house import SignedIn, actor, actor_or_none, house, request_id
from portal.web.i18n import language
from portal.web.security_headers import clear_site_data

blueprint = Blueprint("login", __name__)

#: Where each role begins.
HOME_OF = {Role.CITIZEN: "home.me", Role.CASEWORKER: "casework.start", Role.AUDITOR: "oversight.search"}


def init_login(app: Flask, *, demo_sign_in: bool) -> None:
    app.config["DEMO_SIGN_IN"] = demo_sign_in
    manager = LoginManager()
    manager.session_protection = None  # its "strong" mode binds to the address, which phones change
    manager.init_app(app, add_context_processor=False)  # it would ask the database even for the page of a failure
    manager.user_loader(_load)


def _load(account_id: str) -> SignedIn | None:
    try:
        return SignedIn(house().accounts.actor(account_id))
    except NothingHere:
        return None


@blueprint.get("/sign-in")
@public("one has to get in somewhere")
def choose() -> ResponseReturnValue:
    if (signed := actor_or_none()) is not None:
        return redirect(url_for(HOME_OF[signed.role]))
    people = house().accounts.demonstration_people() if current_app.config["DEMO_SIGN_IN"] else []
    by_role = {role: list(group) for role, group in groupby(people, key=lambda person: person.role)}
    return render_template("login/choose.html", people=by_role, next=local_path(request.args.get("next")))


@blueprint.post("/sign-in/demonstration")
@public("signs in; refused unless the demonstration is switched on")
def as_demonstration_person() -> ResponseReturnValue:
    if not current_app.config["DEMO_SIGN_IN"]:
        abort(404)
    person = house().accounts.sign_in_as_demonstration_person(request.form.get("account", ""), request_id=request_id())
    session.clear()  # nothing of the session before sign-in survives it: fixation
    login_user(SignedIn(person))
    session.permanent = True
    return redirect(local_path(request.form.get("next")) or url_for(HOME_OF[person.role]))


@blueprint.post("/sign-out")
@signed_in()
def sign_out() -> ResponseReturnValue:
    house().accounts.sign_out(actor(), request_id=request_id())
    logout_user()
    session.clear()
    # By way of the language page: the browser forgets its cookies here, and the reader's language should stay.
    farewell = url_for("pages.language", code=language(), next=url_for("home.welcome"))
    return clear_site_data(redirect(farewell))


def local_path(target: str | None) -> str | None:
    """A path of this portal or nothing: never another host (open redirect)."""
    if target and target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable():
        return target
    return None
