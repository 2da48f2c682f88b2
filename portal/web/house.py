"""How a view reaches the services and knows who is asking."""

from __future__ import annotations

from typing import cast

from flask import current_app, g
from flask_login import UserMixin, current_user

from portal.domain.actors import Actor
from portal.jobs.runner import JobRunner
from portal.services.house import House

_HOUSE = "glasshouse"
_JOBS = "glasshouse-jobs"


class SignedIn(UserMixin):  # type: ignore[misc]  # flask-login ships no types
    """What flask-login keeps for a request: the actor, loaded anew from the accounts each time."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def get_id(self) -> str:
        return self.actor.account_id


def furnish(extensions: dict[str, object], house: House, jobs: JobRunner) -> None:
    extensions[_HOUSE] = house
    extensions[_JOBS] = jobs


def house() -> House:
    return cast(House, current_app.extensions[_HOUSE])


def jobs() -> JobRunner:
    return cast(JobRunner, current_app.extensions[_JOBS])


def actor() -> Actor:
    """The signed-in person. Only for views behind `requires`."""
    return cast(SignedIn, current_user).actor


def actor_or_none() -> Actor | None:
    return cast(SignedIn, current_user).actor if current_user.is_authenticated else None


def request_id() -> str:
    """The id under which this request stands in the log and in the ordinary logs."""
    return cast(str, g.request_id)
