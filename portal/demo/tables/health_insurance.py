"""Insurance as history rows, and lists of family doctors joined to their health centres."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from portal.demo.livelihood import ADULT_AGE, PENSION_AGE
from portal.demo.names import draw_names
from portal.demo.people import Person, Status
from portal.demo.places import address
from portal.demo.tables.employment import employer_name
from portal.demo.tables.rows import Cell, Row, as_text

FILE = "health-insurance.db"
SCHEMA = """
CREATE TABLE tervisekeskus (keskus_id INTEGER PRIMARY KEY, nimi TEXT NOT NULL, omavalitsus TEXT NOT NULL);
CREATE TABLE nimistu (nimistu_kood TEXT PRIMARY KEY, perearst TEXT NOT NULL, keskus_id INTEGER) WITHOUT ROWID;
CREATE TABLE nimistu_liige (
  patsiendi_ik TEXT NOT NULL, nimistu_kood TEXT NOT NULL, nimistus_alates DATE NOT NULL, nimistus_kuni DATE
);
CREATE TABLE kindlustuskaitse (
  kindlustatu_ik TEXT NOT NULL, alus TEXT NOT NULL, kehtib_alates DATE NOT NULL, kehtib_kuni DATE, maksja TEXT NOT NULL
);
"""
INDEXES = """
CREATE INDEX nimistu_liige_patsient ON nimistu_liige (patsiendi_ik);
CREATE INDEX kindlustuskaitse_kindlustatu ON kindlustuskaitse (kindlustatu_ik);
"""
_CENTRES = 24
_LISTS_OF_A_CENTRE = 5
_STATE = "Riik"
#: Insurance that ended before this day was never entered.
_REGISTER_BEGINS = date(2002, 1, 1)
#: How many people have no family doctor.
_WITHOUT_DOCTOR = 0.06
#: Insurance through work lasts on for two months after the last day (Health Insurance Act, illustrative).
_TAIL = timedelta(days=61)


class HealthInsuranceTables:
    """People at home without a contract are not insured: some have nothing here but a doctor, some nothing at all."""

    def __init__(self, today: date, rng: Random) -> None:
        self._today = today
        self._rng = rng

    def common_rows(self) -> Iterator[Row]:
        names = draw_names(_CENTRES)
        for centre in range(_CENTRES):
            town = address(centre * 720).municipality
            yield "tervisekeskus", (centre, f"{town} {_ordinal(centre)}tervisekeskus", town)
            for place in range(_LISTS_OF_A_CENTRE):
                pool = names.pool(self._rng)
                sex = self._rng.choice("FFFM")
                doctor = f"{pool.first_name(sex, self._rng)} {pool.borne_by(pool.family_name(self._rng), sex)}"
                yield "nimistu", (_list_code(centre, place), doctor, centre)

    def rows_of(self, person: Person) -> Iterator[Row]:
        for basis, since, until, payer in self._spells(person):
            yield "kindlustuskaitse", (person.code, basis, as_text(since), as_text(until), payer)
        if self._rng.random() >= _WITHOUT_DOCTOR:
            centre = person.home.number // 720 % 8 + 8 * self._rng.randrange(3)
            since = max(person.born, person.residences[-1].since) + timedelta(days=self._rng.randrange(60))
            list_code = _list_code(centre, self._rng.randrange(_LISTS_OF_A_CENTRE))
            yield "nimistu_liige", (person.code, list_code, as_text(min(since, self._today)), None)

    def _spells(self, person: Person) -> Iterator[tuple[Cell, date, date | None, str]]:
        grown_up = _birthday(person.born, ADULT_AGE)
        if grown_up >= _REGISTER_BEGINS and person.citizenship == "EST":
            yield "laps", person.born, None if grown_up > self._today else grown_up - timedelta(days=1), _STATE
        if person.status is Status.STUDENT:
            yield "yliopilane", grown_up, None, _STATE
        retired = _birthday(person.born, PENSION_AGE)
        for job in reversed(person.jobs):
            until = None if job.until is None else job.until + _TAIL
            yield "tootaja", job.since, until, employer_name(job.employer)
        if person.status is Status.UNEMPLOYED:
            since = max((b.since for b in person.benefits if b.kind == "tootu"), default=self._today)
            yield "tootu", since, None, _STATE
        if person.status is Status.PENSIONER:
            yield "pensionar", retired, None, _STATE


def _birthday(born: date, age: int) -> date:
    return date(born.year + age, born.month, min(born.day, 28))


def _list_code(centre: int, place: int) -> str:
    return f"N{centre * _LISTS_OF_A_CENTRE + place:04d}"


def _ordinal(centre: int) -> str:
    return ("", "Uus ", "Kesklinna ")[centre // 8]
