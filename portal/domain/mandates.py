"""Mandates: one person acts for another, in named registries and until a day."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Self

from portal.domain.errors import PortalError
from portal.domain.identifiers import PersonalCode

#: Years: from this birthday on nobody acts for a person as their parent (Family Law Act, § 120; Civil Code, § 8).
ADULT_AT = 18
_LAST_OF_FEBRUARY = 28


class Side(StrEnum):
    """Which of the two somebody is; also who ended a mandate."""

    GIVER = "giver"
    RECEIVER = "receiver"


class MandateState(StrEnum):
    """How a mandate stands at a moment. OVER: its time ran out; ENDED: one of the two ended it before."""

    IN_FORCE = "in-force"
    OVER = "over"
    ENDED = "ended"


class MandateFault(StrEnum):
    """Why a mandate cannot be given. None of them depends on whether anybody has the code that was typed."""

    SELF = "self"
    SCOPE = "scope"
    PAST = "past"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many"


class MandateRefused(PortalError):
    """No mandate was given. The caller shows the form again with `fault` in words."""

    def __init__(self, fault: MandateFault) -> None:
        super().__init__(f"mandate refused: {fault}")
        self.fault = fault


class ParentageUnknown(PortalError):
    """The register that knows whose child somebody is gave no answer. The caller shows nothing and says so: 503."""


class ClosedBy(StrEnum):
    """Why a field of a child stays closed to the parent."""

    #: The child has reached the age from which the registry closes what is sensitive.
    AGE = "age"
    #: A mark on the child, such as a protected address, guards the field.
    PROTECTION = "protection"


@dataclass(frozen=True, slots=True)
class MandateLimits:
    """How long a mandate may hold from the day it is given, and how many one person may have in force."""

    longest: timedelta
    at_once: int = 20


@dataclass(frozen=True, slots=True)
class Parties:
    """Who gave a mandate to whom. `receiver_called` is the giver's own word for the receiver, who never reads it."""

    giver: PersonalCode = field(repr=False)
    giver_name: str = field(repr=False)
    receiver: PersonalCode = field(repr=False)
    receiver_called: str = field(repr=False)

    def as_json(self) -> str:
        return json.dumps(
            {
                "giver": self.giver.reveal(),
                "giver-name": self.giver_name,
                "receiver": self.receiver.reveal(),
                "receiver-called": self.receiver_called,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        kept = json.loads(text)
        return cls(
            PersonalCode.parse(kept["giver"]),
            kept["giver-name"],
            PersonalCode.parse(kept["receiver"]),
            kept["receiver-called"],
        )


def birthday(born: date, years: int) -> date:
    """The day on which somebody is so many years old. Of whoever was born on 29 February, the earlier of the two days
    that come into question: a right that ends then must not last a day too long.
    """
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, born.month, _LAST_OF_FEBRUARY)
