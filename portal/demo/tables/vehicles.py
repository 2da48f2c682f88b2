"""Vehicles, their owners, and the relation between the two."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from portal.demo.people import Person, Status
from portal.demo.personas import CITIZENS, LAND_OWNER
from portal.demo.tables.rows import Row, as_text

FILE = "vehicles.db"
SCHEMA = """
CREATE TABLE omanik (omanik_id INTEGER PRIMARY KEY, isiku_kood TEXT NOT NULL UNIQUE, nimi TEXT NOT NULL);
CREATE TABLE soiduk (
  soiduk_id INTEGER PRIMARY KEY, reg_mark TEXT NOT NULL UNIQUE, mark TEXT NOT NULL, mudel TEXT NOT NULL,
  esmane_reg_aasta INTEGER NOT NULL
);
CREATE TABLE omandisuhe (
  suhe_id INTEGER PRIMARY KEY, omanik_id INTEGER NOT NULL, soiduk_id INTEGER NOT NULL, suhte_liik TEXT NOT NULL,
  kehtiv_alates DATE NOT NULL, kehtiv_kuni DATE
);
CREATE TABLE ylevaatus (soiduk_id INTEGER PRIMARY KEY, kehtib_kuni DATE NOT NULL);
"""
INDEXES = "CREATE INDEX omandisuhe_omanik ON omandisuhe (omanik_id);"
_LETTERS = "ABCDEFGHJKLMNPRSTUVXYZ"
_MODELS = (
    ("Škoda", "Octavia"), ("Škoda", "Fabia"), ("Toyota", "Corolla"), ("Toyota", "RAV4"), ("Volkswagen", "Golf"),
    ("Volkswagen", "Passat"), ("Volvo", "V60"), ("Volvo", "XC60"), ("Ford", "Focus"), ("Kia", "Ceed"),
    ("Honda", "CR-V"), ("Nissan", "Leaf"), ("Mazda", "CX-5"), ("Opel", "Astra"), ("Peugeot", "308"),
    ("Subaru", "Outback"),
)  # fmt: skip
#: Of the adults, how many have or had a vehicle: with the children counted, about half of the people.
_WITH_VEHICLE = 0.62


class VehicleTables:
    """Newest vehicle last. The farmer among the personas has three; the other personas one or none, by chance."""

    def __init__(self, today: date, rng: Random) -> None:
        self._today = today
        self._rng = rng
        self._owners = 0
        self._vehicles = 0

    def common_rows(self) -> Iterator[Row]:
        yield from ()

    def rows_of(self, person: Person) -> Iterator[Row]:
        count = self._how_many(person)
        if count == 0:
            return
        self._owners += 1
        yield "omanik", (self._owners, person.code, person.name)
        sold: date | None = None
        for place in range(count):
            keeps = person.persona == LAND_OWNER or place == 0
            since = (sold or self._today) - timedelta(days=self._rng.randrange(120, 2400))
            yield from self._vehicle(since, None if keeps else sold)
            sold = since - timedelta(days=1)

    def _how_many(self, person: Person) -> int:
        if person.persona == LAND_OWNER:
            return 3
        grown_up = person.status not in {Status.CHILD, Status.STUDENT} or person.persona in CITIZENS[:1]
        if not grown_up or self._rng.random() >= _WITH_VEHICLE:
            return 0
        return self._rng.choices((1, 2, 3), (58, 30, 12))[0]

    def _vehicle(self, since: date, until: date | None) -> Iterator[Row]:
        self._vehicles += 1
        number = self._vehicles
        make, model = self._rng.choice(_MODELS)
        yield "soiduk", (number, _plate(number), make, model, since.year - self._rng.choice((0, 0, 2, 4, 7, 11)))
        role = "K" if self._rng.random() < 0.07 else "O"
        yield "omandisuhe", (number, self._owners, number, role, as_text(since), as_text(until))
        if until is None:
            due = self._today + timedelta(days=self._rng.randrange(-60, 700))
            yield "ylevaatus", (number, as_text(due))


def _plate(number: int) -> str:
    """Three digits and three letters, no two alike below ten million vehicles."""
    digits = number * 7919 % 1000
    rest = number
    letters = ""
    for _ in range(3):
        rest, place = divmod(rest, len(_LETTERS))
        letters += _LETTERS[place]
    return f"{digits:03d} {letters}"
