"""What the gate asks of a registry, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Protocol

from portal.domain.identifiers import PersonalCode
from portal.registries.description import Source

#: A value of a record, as Python has it. None: the registry holds the record and nothing in this field.
Value = str | int | date | Decimal | bool | None


class RegistryUnavailable(Exception):
    """The registry gave no answer that can be relied on. The caller records the failure and says so on the page.

    The message names the registry and never what the database said: a driver's text may hold data.
    """

    def __init__(self, registry: str) -> None:
        super().__init__(f"the registry {registry} gave no answer")
        self.registry = registry


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One value, where this one came from, how sure the match is (0 to 1; None: not a match), and as of which day."""

    value: Value = field(repr=False)
    source: Source
    confidence: float | None = None
    as_of: date | None = None

    def __repr__(self) -> str:
        return f"<FieldValue {self.source.kind}>"


@dataclass(frozen=True, slots=True)
class Record:
    """One row of one kind that a registry holds on a person: values by field code, in the registry's order."""

    fields: Mapping[str, FieldValue]

    def __repr__(self) -> str:
        return f"<Record of {', '.join(self.fields)}>"


class Connector(Protocol):
    """A registry as the gate sees it. Every method raises RegistryUnavailable, and no other error, on any failure."""

    def fetch(self, subject: PersonalCode, fields: Sequence[str]) -> tuple[Record, ...]:
        """The person's records with exactly these fields; empty when nothing is held."""
        ...

    def count(self, subject: PersonalCode) -> int:
        """How many records are held on the person."""
        ...

    def ping(self) -> None:
        """Return when the registry answers."""
        ...
