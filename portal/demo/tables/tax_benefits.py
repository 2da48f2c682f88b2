"""Tax years, benefits, and whom the board believes a person lives with. People are known by EE and their digits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from portal.demo.people import Person, Status
from portal.demo.tables.rows import Row, as_text, euros

FILE = "tax-benefits.db"
SCHEMA = """
CREATE TABLE maksuaasta (
  mk_tunnus TEXT NOT NULL, aasta INTEGER NOT NULL, tulu_kokku DECIMAL(12, 2) NOT NULL, tulumaks DECIMAL(12, 2) NOT NULL,
  sotsiaalmaks DECIMAL(12, 2) NOT NULL, tagastus DECIMAL(12, 2) NOT NULL, esitatud DATE, PRIMARY KEY (mk_tunnus, aasta)
) WITHOUT ROWID;
CREATE TABLE toetus (
  toetus_id INTEGER PRIMARY KEY, mk_tunnus TEXT NOT NULL, toetuse_liik TEXT NOT NULL,
  summa_kuus DECIMAL(10, 2) NOT NULL, makstakse_alates DATE NOT NULL, makstakse_kuni DATE, staatus TEXT NOT NULL
);
CREATE TABLE leibkonna_seos (
  seos_id INTEGER PRIMARY KEY, mk_tunnus TEXT NOT NULL, partneri_nimi TEXT NOT NULL, seose_liik TEXT NOT NULL,
  aadress TEXT NOT NULL, allikas TEXT NOT NULL, vaste_kindlus REAL, seisuga DATE NOT NULL
);
"""
INDEXES = """
CREATE INDEX toetus_isik ON toetus (mk_tunnus);
CREATE INDEX leibkonna_seos_isik ON leibkonna_seos (mk_tunnus);
"""
_YEARS = 4
_TAX_FREE = 7_848
_INCOME_TAX, _SOCIAL_TAX = 0.22, 0.33


class TaxBenefitsTables:
    """The last four whole years of income for whoever had any, and all claims."""

    def __init__(self, today: date, rng: Random) -> None:
        self._today = today
        self._rng = rng
        self._benefits = 0
        self._links = 0

    def common_rows(self) -> Iterator[Row]:
        yield from ()

    def rows_of(self, person: Person) -> Iterator[Row]:
        key = f"EE{person.code}"
        for year in range(self._today.year - _YEARS, self._today.year):
            yield from self._tax_year(person, key, year)
        for benefit in person.benefits:
            self._benefits += 1
            since, until = as_text(benefit.since), as_text(benefit.until)
            yield "toetus", (self._benefits, key, benefit.kind, euros(benefit.monthly), since, until, benefit.status)
        for link in person.links:
            self._links += 1
            yield (
                "leibkonna_seos",
                (
                    self._links, key, link.partner, link.ground, link.address, link.source, link.confidence,
                    as_text(link.as_of),
                ),
            )  # fmt: skip

    def _tax_year(self, person: Person, key: str, year: int) -> Iterator[Row]:
        income = round(sum(_earned(job.since, job.until, year) * job.salary for job in person.jobs), 2)
        if person.status is Status.PENSIONER:
            income += sum(12 * euros(b.monthly) for b in person.benefits if b.since.year < year)
        if income <= 0:
            return
        tax = round(max(0, income - _TAX_FREE) * _INCOME_TAX, 2)
        refund = round(tax * self._rng.choice((0, 0, 0.02, 0.06, 0.11, -0.04)), 2)
        declared = date(year + 1, 2, 15) + timedelta(days=self._rng.randrange(70))
        is_declared = refund != 0 and declared <= self._today
        social = round(income * _SOCIAL_TAX, 2)
        yield "maksuaasta", (key, year, income, tax, social, refund, as_text(declared) if is_declared else None)


def _earned(since: date, until: date | None, year: int) -> float:
    """Months of `year` that a contract covered."""
    first, last = max(since, date(year, 1, 1)), min(until or date.max, date(year, 12, 31))
    return max(0, (last - first).days + 1) / 30.4375
