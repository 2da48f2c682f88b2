"""Mandates: one person acts for another, in named registries and until a day."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Self

from portal.domain.errors import PortalError
from portal.domain.identifiers import PersonalCode


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
