"""Who may use a route. A route that does not say so is closed to everybody."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.permissions import Permission, role_may
from portal.web.house import actor_or_none

View = TypeVar("View", bound=Callable[..., Any])

logger = logging.getLogger(__name__)

_RULE = "__guard__"


class Public:
    """Open to everybody, with the reason why that is safe."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class AnySignedIn:
    """Open to every signed-in account."""


Rule = Permission | Public | AnySignedIn


def requires(permission: Permission) -> Callable[[View], View]:
    """Only for accounts whose role has `permission`; everybody else is told that there is nothing here."""
    return _marked(permission)


def signed_in() -> Callable[[View], View]:
    return _marked(AnySignedIn())


def public(reason: str) -> Callable[[View], View]:
    return _marked(Public(reason))


def _marked(rule: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _RULE, rule)
        return view

    return mark


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    return getattr(app.view_functions[endpoint], _RULE, None)


def init_guard(app: Flask) -> None:
    public("style sheets, scripts and fonts: the same for everybody")(app.view_functions["static"])
    app.before_request(_name_the_request)
    app.before_request(_enforce)


def _name_the_request() -> None:
    g.request_id = secrets.token_hex(8)


def _enforce() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no route: Flask answers 404 or 405 itself
    rule = rule_of(current_app, request.endpoint)
    actor = actor_or_none()
    if isinstance(rule, Public):
        return None
    if actor is None:
        return _send_to_sign_in(rule)
    if not isinstance(rule, AnySignedIn) and (rule is None or not role_may(actor.role, rule)):
        # The same answer as for a page that does not exist: a refusal must not tell what there is to refuse.
        logger.warning("refused request=%s endpoint=%s role=%s", g.request_id, request.endpoint, actor.role)
        abort(404)
    return None


def _send_to_sign_in(rule: Rule | None) -> ResponseReturnValue:
    if rule is None:
        abort(404)
    if request.method not in {"GET", "HEAD"}:
        abort(401)
    return redirect(url_for("login.choose", next=request.path))
