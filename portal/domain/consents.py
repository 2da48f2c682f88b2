"""Consents to share data with companies and others: what is asked, in which state it is, and why it may not be had."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from portal.domain.errors import PortalError
from portal.domain.text import LocalizedText


class ConsentState(StrEnum):
    """Where a consent stands. `EXPIRED`, `USED` and `OVER` come by themselves, the others by somebody's act."""

    WAITING = "waiting"
    GIVEN = "given"
    REFUSED = "refused"
    ENDED = "ended"
    #: Nobody answered in time.
    EXPIRED = "expired"
    #: It was for one use, and that was made.
    USED = "used"
    #: It held as long as it was given for.
    OVER = "over"


class ConsentRequestRefused(PortalError):
    """What is asked for cannot be asked for. Nothing was kept; `mistakes` names each part and what is wrong with it."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__(", ".join(sorted(mistakes)))
        self.mistakes = mistakes


class TooManyRequests(PortalError):
    """The recipient asked this person, or people in all, too often lately. Nothing was kept."""


class ConsentKeyTaken(PortalError):
    """The idempotency key stands for another request of the same system. Nothing was kept."""


class ConsentNotInForce(PortalError):
    """The recipient gets nothing: no such consent holds now, or it covers less. The refusal is an entry."""


class ConsentAlreadyDecided(PortalError):
    """Somebody was faster, or the time ran out: the caller shows the consent as it stands now."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may ask, beyond what the catalogue says of the organisation."""

    organisation: str
    description: LocalizedText
    address: str


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """How consents work in this country. `purposes` gives a purpose's term of the Data Privacy Vocabulary."""

    recipients: Mapping[str, Recipient]
    purposes: Mapping[str, str]
    request: timedelta = timedelta(days=14)
    longest_days: int = 365
    per_person: int = 3
    per_person_within: timedelta = timedelta(days=30)
    a_day: int = 2000
    jurisdiction: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation as the person was told of it."""

    code: str
    name: LocalizedText
    contact: str
    description: LocalizedText | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class AskedField:
    """One field that is asked for, as the person was told of it."""

    code: str
    name: LocalizedText
    meaning: LocalizedText
    sensitive: bool


@dataclass(frozen=True, slots=True)
class AskedRegistry:
    """What is asked for of one registry. `controller` answers for the registry."""

    code: str
    name: LocalizedText
    controller: Party
    fields: tuple[AskedField, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(one.code for one in self.fields)


@dataclass(frozen=True, slots=True)
class AskedPurpose:
    """For what it is asked, as the person was told; `term` is the Data Privacy Vocabulary's word for it."""

    code: str
    term: str
    name: LocalizedText
    explanation: LocalizedText
    retention: LocalizedText
    lawful_basis: LocalizedText


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Everything the person is told before they decide, frozen when they are asked: a catalogue may change, this not.

    `days` is how long the consent holds once given; `continuing` means any number of uses, else it is for one.
    """

    recipient: Party
    purpose: AskedPurpose
    registries: tuple[AskedRegistry, ...]
    days: int
    continuing: bool
    jurisdiction: str = field(default="")

    @property
    def fields(self) -> dict[str, tuple[str, ...]]:
        return {registry.code: registry.codes for registry in self.registries}

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @property
    def sha256(self) -> str:
        """What the log's entry of the giving commits to: the very words."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> Notice:
        known = json.loads(text)
        return cls(
            recipient=_party(known["recipient"]),
            purpose=AskedPurpose(**_with_texts(known["purpose"])),
            registries=tuple(_registry(one) for one in known["registries"]),
            days=known["days"],
            continuing=known["continuing"],
            jurisdiction=known["jurisdiction"],
        )


def _with_texts(known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: LocalizedText(**value) if isinstance(value, dict) else value for name, value in known.items()}


def _party(known: Mapping[str, Any]) -> Party:
    return Party(**_with_texts(known))


def _registry(known: Mapping[str, Any]) -> AskedRegistry:
    fields = tuple(AskedField(**_with_texts(one)) for one in known["fields"])
    return AskedRegistry(known["code"], LocalizedText(**known["name"]), _party(known["controller"]), fields)
