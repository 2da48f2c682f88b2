"""What a registry answers: records, and for each value where it came from. None of them prints what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from portal.registries.description import Source

#: A value of a record, as Python has it. None: the registry holds the record and nothing in this field.
Value = str | int | date | Decimal | bool | None


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
