"""Who may use a route. A route that does not say so is closed to everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, abort, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assurance import Assurance, Demand
from portal.domain.errors import StrongerSignInNeeded
from portal.domain.machines import Operation
from portal.domain.permissions import ASSURANCE_NEEDED, Permission, role_may
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce
from portal.web.house import admit, house, present_or_none
from portal.web.request_log import name_who_asks

View = TypeVar("View", bound=Callable[..., Any])

_RULE = "__guard__"
_DEMAND = "__demand__"
#: How long a proof counts as fresh where something grave is done: long enough to finish a form, too short for lunch.
FRESH = timedelta(minutes=10)


class Public:
    """Open to everybody, with the reason why that is safe."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class AnySignedIn:
    """Open to every signed-in account."""


class Machine:
    """Open to client systems whose access token is for this operation; no person's session opens it."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation


Rule = Permission | Public | AnySignedIn | Machine


def requires(
    permission: Permission, *, assurance: Assurance | None = None, fresh: timedelta | None = None
) -> Callable[[View], View]:
    """Only for accounts whose role has `permission`; everybody else is told that there is nothing here.

    `assurance` asks for a surer sign-in than the permission does by itself (`ASSURANCE_NEEDED`); it can lower nothing.
    `fresh` asks that the person proved who they are no longer ago than that; FRESH is the usual measure. Whoever falls
    short proves it again (`portal.web.step_up`) and lands where they were going, with what they had filled in.
    """
    if assurance is not None and not assurance.reaches(ASSURANCE_NEEDED[permission]):
        raise ValueError(
            f"{permission} needs {ASSURANCE_NEEDED[permission]}; a route cannot be content with {assurance}"
        )

    def mark(view: View) -> View:
        setattr(view, _DEMAND, Demand(assurance or ASSURANCE_NEEDED[permission], fresh))
        return _marked(permission)(view)

    return mark


def signed_in(*, fresh: timedelta | None = None) -> Callable[[View], View]:
    """For every signed-in account, at any level; with `fresh`, only after a proof no older than that."""

    def mark(view: View) -> View:
        if fresh is not None:
            setattr(view, _DEMAND, Demand(Assurance.LOW, fresh))
        return _marked(AnySignedIn())(view)

    return mark


def machine(operation: Operation) -> Callable[[View], View]:
    """Only for registries' own systems; what it may do in which registry the service asks (`Admitted.require`)."""
    return _marked(Machine(operation))


def public(reason: str) -> Callable[[View], View]:
    return _marked(Public(reason))


def _marked(rule: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _RULE, rule)
        return view

    return mark


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    return getattr(app.view_functions[endpoint], _RULE, None)


def demand_of(app: Flask, endpoint: str) -> Demand | None:
    """What a route asks of the sign-in; None where anybody may go, or every signed-in account."""
    demand: Demand | None = getattr(app.view_functions[endpoint], _DEMAND, None)
    rule = rule_of(app, endpoint)
    return demand or (Demand(ASSURANCE_NEEDED[rule]) if isinstance(rule, Permission) else None)


def init_guard(app: Flask) -> None:
    public("style sheets, scripts and fonts: the same for everybody")(app.view_functions["static"])
    app.before_request(_enforce)


def _enforce() -> ResponseReturnValue | None:
    if request.endpoint is None:
        return None  # no route: Flask answers 404 or 405 itself
    rule = rule_of(current_app, request.endpoint)
    if isinstance(rule, Public):
        return None
    if isinstance(rule, Machine):
        admit(rule.operation)
        return None
    present = present_or_none()
    if present is None:
        return _send_to_sign_in(rule)
    name_who_asks(present)
    role = present.actor.role
    if not isinstance(rule, AnySignedIn) and (rule is None or not role_may(role, rule)):
        # The same answer as for a page that does not exist: a refusal must not tell what there is to refuse.
        announce(SecurityEvent.ROUTE_REFUSED, endpoint=request.endpoint)
        abort(404)
    demand = demand_of(current_app, request.endpoint)
    if demand is not None and not house().entrance.meets(present, demand):
        announce(SecurityEvent.STRONGER_SIGN_IN_NEEDED, endpoint=request.endpoint, needed=demand.level.value)
        raise StrongerSignInNeeded(demand)
    return None


def _send_to_sign_in(rule: Rule | None) -> ResponseReturnValue:
    if rule is None:
        abort(404)
    if request.method not in {"GET", "HEAD"}:
        abort(401)
    return redirect(url_for("login.choose", next=request.path))
