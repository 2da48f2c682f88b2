"""Contracts of work as a history, joined to the employers."""

from __future__ import annotations

from collections.abc import Iterator

from portal.demo.livelihood import EMPLOYERS, KNOWN_EMPLOYERS
from portal.demo.people import Person
from portal.demo.tables.rows import Row, as_text

FILE = "employment.db"
SCHEMA = """
CREATE TABLE tooandja (registrikood TEXT PRIMARY KEY, nimi TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tooleping (
  kanne_nr INTEGER PRIMARY KEY, tootaja_kood TEXT NOT NULL, tooandja_rk TEXT NOT NULL, ametikoht TEXT NOT NULL,
  lepingu_liik TEXT NOT NULL, koormus DECIMAL(3, 2) NOT NULL, alguskuupaev DATE NOT NULL, loppkuupaev DATE,
  lopetamise_alus TEXT
);
"""
INDEXES = "CREATE INDEX tooleping_tootaja ON tooleping (tootaja_kood);"
_WORDS = (
    "Põhja", "Järve", "Metsa", "Ranna", "Kivi", "Tamme", "Päikese", "Tuule", "Jõe", "Kesk", "Uus", "Vana", "Hea",
    "Kiire", "Soo", "Mere", "Laane", "Lõuna", "Ida", "Lääne",
)  # fmt: skip
_TRADES = (
    "Kaubandus", "Ehitus", "Transport", "Puit", "Toit", "Tarkvara", "Hooldus", "Metall", "Trükk", "Energia", "Tekstiil",
    "Puhastus", "Turism", "Aiand", "Meedia",
)  # fmt: skip
_FORMS = ("OÜ", "AS", "SA")


class EmploymentTables:
    """Each contract is one row; a new one with the same employer is another."""

    def __init__(self) -> None:
        self._entries = 0

    def common_rows(self) -> Iterator[Row]:
        for number in range(EMPLOYERS + len(KNOWN_EMPLOYERS)):
            yield "tooandja", (_employer_code(number), employer_name(number))

    def rows_of(self, person: Person) -> Iterator[Row]:
        for job in reversed(person.jobs):
            self._entries += 1
            yield (
                "tooleping",
                (
                    self._entries, person.code, _employer_code(job.employer), job.title, job.kind, job.share,
                    as_text(job.since), as_text(job.until), job.ground,
                ),
            )  # fmt: skip


def employer_name(number: int) -> str:
    if number >= EMPLOYERS:
        return KNOWN_EMPLOYERS[number - EMPLOYERS]
    rest, word = divmod(number, len(_WORDS))
    form, trade = divmod(rest, len(_TRADES))
    return f"{_WORDS[word]} {_TRADES[trade]} {_FORMS[form % len(_FORMS)]}"


def _employer_code(number: int) -> str:
    return str(10_400_000 + number * 37)
