"""Decisions about a person that rest on data: announced before they take effect, held back while data are contested."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum

from portal.domain.errors import PortalError
from portal.domain.text import LocalizedText


class DecisionState(StrEnum):
    """Where a decision stands. Permanent."""

    INTENDED = "intended"
    WITHDRAWN = "withdrawn"
    FINAL = "final"


class DecisionRefused(PortalError):
    """What was reported cannot be. Nothing was kept; `mistakes` names each part and what is wrong with it."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(mistakes)))
        self.mistakes = mistakes


class DecisionKeyTaken(PortalError):
    """The idempotency key stands for another decision of the same system. Nothing was kept."""


class DecisionSettled(PortalError):
    """It is withdrawn or final, or somebody changed it in the meantime: read it again."""


class RestsOnContestedData(PortalError):
    """It cannot become final: the person contests it or what it rests on, and no human gave a reason to decide."""


class FoundWrong(PortalError):
    """It cannot become final: the person was found right. It is withdrawn, or changed and announced anew."""


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """One rule by which an organisation decides, in words for the person.

    `registry` is the organisation's own, in whose name its system reports. `data` holds the fields ("registry/field")
    that a decision by this rule may rest on.
    """

    code: str
    organisation: str
    registry: str
    name: LocalizedText
    explanation: LocalizedText
    consequence: LocalizedText
    appeal: LocalizedText
    data: frozenset[str]


@dataclass(frozen=True, slots=True)
class DecisionRules:
    """The rules of the country, and how many days before its effect a decision is announced at the least."""

    rules: Mapping[str, DecisionRule]
    notice_days: int = 14


@dataclass(frozen=True, slots=True)
class Ground:
    """One value that a decision rests on: where it is held, where it came from, how sure the match is, as of when.

    `source` is own, registry or purchased. `confidence` is in per cent; None where nothing was matched.
    """

    registry: str
    field: str
    source: str
    confidence: int | None = None
    as_of: date | None = None

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.field}"


@dataclass(frozen=True, slots=True)
class HumanDecision:
    """Somebody who looked at the matter in person and decides all the same (GDPR Article 22(3))."""

    official: str
    reason: str


def grounds_to_json(grounds: tuple[Ground, ...]) -> str:
    return json.dumps([asdict(ground) for ground in grounds], default=date.isoformat, sort_keys=True)


def grounds_from_json(text: str) -> tuple[Ground, ...]:
    return tuple(
        Ground(**known | {"as_of": None if known["as_of"] is None else date.fromisoformat(known["as_of"])})
        for known in json.loads(text)
    )
