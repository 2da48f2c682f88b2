"""The land register: people under numbers of its own, shares in property, mortgages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from portal.demo.people import Person, Status
from portal.demo.personas import CITIZENS, LAND_OWNER
from portal.demo.places import Address, address, on_the_map
from portal.demo.tables.rows import Row, as_text

FILE = "land.db"
SCHEMA = """
CREATE TABLE isikute_nimekiri (omaniku_nr INTEGER PRIMARY KEY, isikukood TEXT NOT NULL UNIQUE, nimi TEXT NOT NULL);
CREATE TABLE kinnistu (
  kinnistu_nr TEXT PRIMARY KEY, lahiaadress TEXT NOT NULL, pindala_ha DECIMAL(10, 4) NOT NULL,
  sihtotstarve TEXT NOT NULL, ida_m DECIMAL(9, 1), pohi_m DECIMAL(9, 1)
) WITHOUT ROWID;
CREATE TABLE omandiosa (
  osa_nr INTEGER PRIMARY KEY, omaniku_nr INTEGER NOT NULL, kinnistu_nr TEXT NOT NULL, osa TEXT NOT NULL,
  kande_kuupaev DATE NOT NULL
);
CREATE TABLE hypoteek (
  kinnistu_nr TEXT PRIMARY KEY, summa DECIMAL(12, 2) NOT NULL, hypoteegipidaja TEXT NOT NULL
) WITHOUT ROWID;
"""
INDEXES = "CREATE INDEX omandiosa_omanik ON omandiosa (omaniku_nr);"
#: Of the adults, how many own land: about a fifth of all people.
_WITH_LAND = 0.25
_BANKS = ("Põhjapank AS", "Rannapank AS", "Ühistupank TÜ")
_WITHOUT_LAND = frozenset(CITIZENS) - {LAND_OWNER}


class LandTables:
    """Owners get numbers in no order that tells anything of their codes."""

    def __init__(self, today: date, rng: Random) -> None:
        self._today = today
        self._rng = rng
        self._owners = 0
        self._properties = 0

    def common_rows(self) -> Iterator[Row]:
        yield from ()

    def rows_of(self, person: Person) -> Iterator[Row]:
        is_farmer = person.persona == LAND_OWNER
        may_own = person.status is not Status.CHILD and person.persona not in _WITHOUT_LAND
        if not is_farmer and not (may_own and self._rng.random() < _WITH_LAND):
            return
        self._owners += 1
        owner = 500_000 + self._owners * 13
        yield "isikute_nimekiri", (owner, person.code, person.name)
        homes = self._rng.choices((1, 2), (85, 15))[0]
        for place in range(3 if is_farmer else homes):
            yield from self._property(person, owner, person.home if place == 0 else self._elsewhere())

    def _elsewhere(self) -> Address:
        return address(self._rng.randrange(40_000))

    def _property(self, person: Person, owner: int, where: Address) -> Iterator[Row]:
        rng = self._rng
        self._properties += 1
        number = str(2_000_000 + self._properties * 7)
        is_home = where.number == person.home.number
        use = "elamumaa" if is_home else rng.choices(("maatulundus", "elamumaa", "arimaa"), (70, 25, 5))[0]
        area = round(rng.uniform(0.05, 0.4) if use == "elamumaa" else rng.uniform(0.6, 38), 4)
        yield "kinnistu", (number, where.line, area, use, *map(float, on_the_map(where.line)))
        share = rng.choices(("1/1", "1/2", "1/3"), (62, 33, 5))[0]
        grown_up = min(self._today, date(person.born.year + 18, person.born.month, min(person.born.day, 28)))
        entered = grown_up + (self._today - grown_up) * rng.random()
        yield "omandiosa", (self._properties, owner, number, share, as_text(entered))
        if is_home and rng.random() < 0.45:
            yield "hypoteek", (number, rng.randrange(20, 260) * 1000.0, rng.choice(_BANKS))
