"""Driving licences and the doctor's certificates they rest on. People are known by EE and their digits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from portal.demo.people import Person
from portal.demo.tables.rows import Row, as_text

FILE = "driving-licences.db"
SCHEMA = """
CREATE TABLE tervisetoend (toendi_nr TEXT PRIMARY KEY, piirangud TEXT, kehtib_kuni DATE NOT NULL) WITHOUT ROWID;
CREATE TABLE juhiluba (
  loa_nr TEXT PRIMARY KEY, juht TEXT NOT NULL, kategooriad TEXT NOT NULL, valja_antud DATE NOT NULL,
  kehtib_kuni DATE NOT NULL, seisund TEXT NOT NULL, toendi_nr TEXT
) WITHOUT ROWID;
"""
INDEXES = "CREATE INDEX juhiluba_juht ON juhiluba (juht);"
_WITH_LICENCE = 0.68
_LIFE = timedelta(days=3652)


class LicenceTables:
    """One licence for ten years, and for some the one before it."""

    def __init__(self, today: date, rng: Random) -> None:
        self._today = today
        self._rng = rng
        self._licences = 0

    def common_rows(self) -> Iterator[Row]:
        yield from ()

    def rows_of(self, person: Person) -> Iterator[Row]:
        years = person.age_on(self._today) - 18
        if years < 0 or self._rng.random() >= _WITH_LICENCE:
            return
        issued = self._today - timedelta(days=self._rng.randrange(max(1, min(years * 365, 3900))))
        categories = self._rng.choices(("B", "A, B", "B, C", "B, BE", "AM, B", "B, C, D"), (70, 9, 8, 7, 4, 2))[0]
        if years > 11 and self._rng.random() < 0.4:
            yield from self._licence(person, categories, issued - _LIFE, None)
        yield from self._licence(person, categories, issued, self._restriction(person))

    def _licence(self, person: Person, categories: str, issued: date, restriction: str | None) -> Iterator[Row]:
        self._licences += 1
        number, certificate = f"EE{700_000 + self._licences}", f"T{self._licences:07d}"
        until = issued + _LIFE
        state = "aegunud" if until < self._today else "peatatud" if self._rng.random() < 0.01 else "kehtiv"
        has_certificate = restriction is not None or self._rng.random() < 0.5
        if has_certificate:
            yield "tervisetoend", (certificate, restriction, as_text(until))
        key = f"EE{person.code}"
        yield (
            "juhiluba",
            (number, key, categories, as_text(issued), as_text(until), state, certificate if has_certificate else None),
        )

    def _restriction(self, person: Person) -> str | None:
        if self._rng.random() < 0.2:
            return "01"
        return "61" if person.age_on(self._today) > 75 and self._rng.random() < 0.15 else None
