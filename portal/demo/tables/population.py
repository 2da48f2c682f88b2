"""The population register: people, dwellings, addresses as a history, family ties through a link table."""

from __future__ import annotations

from collections.abc import Iterator

from portal.demo.people import Person
from portal.demo.protected import COLUMN, mark_of
from portal.demo.tables.rows import Row, as_text

FILE = "population.db"
SCHEMA = f"""
CREATE TABLE isik (
  isikukood TEXT PRIMARY KEY, eesnimi TEXT NOT NULL, perenimi TEXT NOT NULL, sugu TEXT NOT NULL,
  synniaeg DATE NOT NULL, kodakondsus TEXT, perekonnaseis TEXT NOT NULL, {COLUMN}
) WITHOUT ROWID;
CREATE TABLE aadress (
  aadress_id INTEGER PRIMARY KEY, lahiaadress TEXT NOT NULL, omavalitsus TEXT NOT NULL, maakond TEXT NOT NULL,
  sihtnumber TEXT NOT NULL
);
CREATE TABLE elukoht (isikukood TEXT NOT NULL, aadress_id INTEGER NOT NULL, alates DATE NOT NULL, kuni DATE);
CREATE TABLE isikuseos (
  isikukood TEXT NOT NULL, seotud_isikukood TEXT NOT NULL, seose_liik TEXT NOT NULL, alates DATE NOT NULL, kuni DATE
);
"""
INDEXES = """
CREATE INDEX elukoht_isik ON elukoht (isikukood);
CREATE INDEX isikuseos_isik ON isikuseos (isikukood);
"""


class PopulationTables:
    """Writes each dwelling once, when the first person to have lived there comes."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._written: set[int] = set()

    def common_rows(self) -> Iterator[Row]:
        yield from ()

    def rows_of(self, person: Person) -> Iterator[Row]:
        yield (
            "isik",
            (
                person.code, person.given, person.family, person.sex, as_text(person.born), person.citizenship,
                person.marital, mark_of(person.code, self._seed),
            ),
        )  # fmt: skip
        for residence in person.residences:
            home = residence.address
            if home.number not in self._written:
                self._written.add(home.number)
                yield "aadress", (home.number, home.street_and_house, home.municipality, home.county, home.postcode)
            yield "elukoht", (person.code, home.number, as_text(residence.since), as_text(residence.until))
        for tie in person.ties:
            yield "isikuseos", (person.code, tie.other, tie.kind, as_text(tie.since), None)
