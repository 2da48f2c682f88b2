"""What a registry's tables give the writer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Protocol

from portal.demo.people import Person

Cell = str | int | float | None
#: A table's name and the values of one row, in the order of its columns.
Row = tuple[str, tuple[Cell, ...]]


class RegistryTables(Protocol):
    """One registry's rows. Rows of one person come at once; those of no person (employers, doctors) come first."""

    def common_rows(self) -> Iterator[Row]: ...

    def rows_of(self, person: Person) -> Iterator[Row]: ...


def as_text(day: date | None) -> str | None:
    """SQLite keeps days as ISO 8601 text."""
    return None if day is None else day.isoformat()


def euros(cents: int) -> float:
    return cents / 100
