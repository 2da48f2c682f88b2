"""How a view reaches the services and knows who is asking."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, request
from flask_login import UserMixin, current_user

from portal.domain.actors import Actor
from portal.domain.machines import Operation
from portal.jobs.runner import JobRunner
from portal.services.entrance import Present
from portal.services.house import House
from portal.services.machines import Admitted
from portal.web.client_certificates import thumbprint_of_request

_HOUSE = "glasshouse"
_JOBS = "glasshouse-jobs"


class SignedIn(UserMixin):  # type: ignore[misc]  # flask-login ships no types
    """What flask-login keeps for a request: the actor and the session, loaded anew each time."""

    def __init__(self, present: Present) -> None:
        self.present = present

    def get_id(self) -> str:
        return self.present.actor.account_id


def furnish(extensions: dict[str, object], house: House, jobs: JobRunner) -> None:
    extensions[_HOUSE] = house
    extensions[_JOBS] = jobs


def house() -> House:
    return cast(House, current_app.extensions[_HOUSE])


def jobs() -> JobRunner:
    return cast(JobRunner, current_app.extensions[_JOBS])


def present() -> Present:
    """The signed-in person and their session. Only for views behind `requires`."""
    return cast(SignedIn, current_user).present


def present_or_none() -> Present | None:
    return present() if current_user.is_authenticated else None


def actor() -> Actor:
    """The signed-in person. Only for views behind `requires`."""
    return present().actor


def actor_or_none() -> Actor | None:
    return present().actor if current_user.is_authenticated else None


def request_id() -> str:
    """The id under which this request stands in the log and in the ordinary logs."""
    return cast(str, g.request_id)


def admit(operation: Operation) -> None:
    """Let in the client system whose token this request carries (RFC 6750, section 2.1). Raises ClientRefused."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    given = token.strip() if kind.lower() == "bearer" else None
    g.admitted = house().machines.admit(given, thumbprint_of_request(), operation)


def admitted() -> Admitted:
    """The client system that asks. Only for views behind `machine`."""
    return cast(Admitted, g.admitted)
