"""What a database gives, as what the description says it is. Databases differ: SQLite has no dates and no decimals."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.registries.description import FieldType, Provenance, Source
from portal.registries.records import Value

_CENT = Decimal("0.01")


def value_of(kind: FieldType, stored: Any) -> Value:
    """Raises ValueError or ArithmeticError, which may quote the value, when it is not of this kind."""
    if stored is None:
        return None
    match kind:
        case FieldType.TEXT:
            return str(stored)
        case FieldType.INTEGER:
            return _integer(stored)
        case FieldType.DECIMAL:
            return Decimal(str(stored))
        case FieldType.MONEY:
            return Decimal(str(stored)).quantize(_CENT)
        case FieldType.DATE:
            return as_date(stored)
        case FieldType.BOOLEAN:
            return _boolean(stored)


def as_date(stored: Any) -> date | None:
    """A day out of a date, a time, or ISO 8601 text. Raises ValueError."""
    if stored is None:
        return None
    if isinstance(stored, datetime):
        return stored.date()
    if isinstance(stored, date):
        return stored
    return datetime.fromisoformat(str(stored)).date()


def confidence_of(stored: Any) -> float | None:
    """How sure a match is, 0 to 1. Raises ValueError for anything else: a wrong measure is worse than none."""
    if stored is None:
        return None
    confidence = float(stored)
    if not 0 <= confidence <= 1:
        raise ValueError("a confidence lies between 0 and 1")
    return confidence


def source_of(provenance: Provenance, declared: Source, stored: Any) -> Source:
    """Where this row's value is from.

    Raises:
        ValueError: the row states a source that the description does not know. Bought data must never pass for the
            registry's own because a code was new.
    """
    if provenance.source is None or stored is None:
        return declared
    source = provenance.sources.get(str(stored))
    if source is None:
        raise ValueError("a source that is not described")
    return source


def _integer(stored: Any) -> int:
    number = Decimal(str(stored))
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def _boolean(stored: Any) -> bool:
    if stored not in (0, 1):
        raise ValueError("neither true nor false")
    return bool(stored)
