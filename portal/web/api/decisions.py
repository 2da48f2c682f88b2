"""Organisations' systems announce decisions about people, change and withdraw them, and make them final."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.intended_decisions import DecisionRefused, Ground, HumanDecision
from portal.domain.machines import Operation
from portal.services.decisions.announcing import Announcement
from portal.services.decisions.register import ShownDecision
from portal.web.api.problems import init_problems, mistakes_of, rfc3339
from portal.web.guard import machine
from portal.web.house import admitted, house, request_id

blueprint = Blueprint("api_decisions", __name__)
init_problems(blueprint)

Told = TypeVar("Told", bound=BaseModel)
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


class DecisionDatum(BaseModel):
    """One value that the decision rests on. The value itself is not told."""

    model_config = ConfigDict(extra="forbid", strict=True, title="DecisionDatum")

    registry: Code
    field: Code
    source: Literal["own", "registry", "purchased"] = Field(description="Where the registry has the value from")
    confidence: int | None = Field(default=None, ge=0, le=100, description="How sure the match is, in per cent")
    as_of: date | None = Field(default=None, strict=False, description="As of which day, ISO 8601")

    def ground(self) -> Ground:
        return Ground(**self.model_dump())


class DecisionChange(BaseModel):
    """When it takes effect and on what it rests."""

    model_config = ConfigDict(extra="forbid", strict=True, title="DecisionChange")

    effect_on: date = Field(strict=False, description="The day on which it takes effect, ISO 8601")
    data: list[DecisionDatum] = Field(min_length=1, max_length=50)

    def grounds(self) -> tuple[Ground, ...]:
        return tuple(datum.ground() for datum in self.data)


class DecisionAnnouncement(DecisionChange):
    """An intended decision about one person."""

    model_config = ConfigDict(extra="forbid", strict=True, title="DecisionAnnouncement")

    subject: str = Field(max_length=32, description="The personal code of the person it is about")
    rule: Code = Field(description="The rule, by its code in the catalogue of rules")
    reference: str = Field(pattern=r"^[A-Za-z0-9._/-]{1,64}$", description="The organisation's own reference")
    automated: bool = Field(description="true where no human took part (GDPR Article 22(1))")

    def told(self) -> Announcement:
        """Raises DecisionRefused when `subject` is no personal code."""
        try:
            subject = PersonalCode.parse(self.subject)
        except InvalidPersonalCode:
            raise DecisionRefused({"subject": "is no valid personal code"}) from None
        return Announcement(
            subject=subject,
            rule=self.rule,
            reference=self.reference,
            automated=self.automated,
            effect_on=self.effect_on,
            grounds=self.grounds(),
        )


class DecidedBy(BaseModel):
    """The human who decides although the data are contested."""

    model_config = ConfigDict(extra="forbid", strict=True, title="DecidedBy")

    official: str = Field(max_length=64, pattern=r"^[A-Za-z0-9._-]+$", description="A pseudonym, never a name")
    reason: str = Field(min_length=1, max_length=1000, description="Why; the person reads it")


class DecisionFinal(BaseModel):
    """Makes it final."""

    model_config = ConfigDict(extra="forbid", strict=True, title="DecisionFinal")

    human: DecidedBy | None = None


@blueprint.post("/api/v1/decisions")
@machine(Operation.ANNOUNCE_DECISION)
def announce() -> ResponseReturnValue:
    told = _read(DecisionAnnouncement).told()
    key = request.headers.get("Idempotency-Key", "")
    decision = house().decisions.announcing.announce(admitted(), told, key, request_id=request_id())
    where = {"Location": url_for("api_decisions.one", decision=decision.decision_id)}
    return jsonify(_standing(decision)), 201, where


@blueprint.get("/api/v1/decisions/<decision>")
@machine(Operation.ANNOUNCE_DECISION)
def one(decision: str) -> ResponseReturnValue:
    return jsonify(_standing(house().decisions.announcing.one(admitted(), decision)))


@blueprint.post("/api/v1/decisions/<decision>/change")
@machine(Operation.ANNOUNCE_DECISION)
def change(decision: str) -> ResponseReturnValue:
    new = _read(DecisionChange)
    changed = house().decisions.announcing.change(
        admitted(), decision, new.effect_on, new.grounds(), request_id=request_id()
    )
    return jsonify(_standing(changed))


@blueprint.post("/api/v1/decisions/<decision>/withdraw")
@machine(Operation.ANNOUNCE_DECISION)
def withdraw(decision: str) -> ResponseReturnValue:
    return jsonify(_standing(house().decisions.announcing.withdraw(admitted(), decision, request_id=request_id())))


@blueprint.post("/api/v1/decisions/<decision>/final")
@machine(Operation.ANNOUNCE_DECISION)
def make_final(decision: str) -> ResponseReturnValue:
    by = _read(DecisionFinal).human
    human = None if by is None else HumanDecision(by.official, by.reason)
    made = house().decisions.announcing.make_final(admitted(), decision, human, request_id=request_id())
    return jsonify(_standing(made))


def _read(kind: type[Told]) -> Told:
    """Raises DecisionRefused; and 400 and 415, as Flask does, for what is no JSON."""
    try:
        return kind.model_validate(request.get_json())
    except ValidationError as error:
        raise DecisionRefused(mistakes_of(error)) from None


def _standing(decision: ShownDecision) -> dict[str, Any]:
    return {
        "id": decision.decision_id,
        "state": decision.state.value,
        "effect_on": decision.effect_on.isoformat(),
        "announced_at": rfc3339(decision.announced_at),
        "contested_since": _moment(decision.contested_since),
        "found_wrong": decision.is_found_wrong,
        "data": [
            {
                "registry": shown.ground.registry,
                "field": shown.ground.field,
                "contested_since": _moment(shown.contested_since),
                "wrong_since": None if shown.wrong_since is None else shown.wrong_since.isoformat(),
            }
            for shown in decision.grounds
        ],
    }


def _moment(since: datetime | None) -> str | None:
    return None if since is None else rfc3339(since)
