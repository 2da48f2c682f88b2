"""Whom the invented population register marks. The code alone decides, so that an older country can be brought up."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

from config.settings import SettingsError
from portal.demo.personas import PUBLIC_FIGURE, code_of

COLUMN = "kaitse TEXT NOT NULL DEFAULT 'puudub'"
NONE, PROTECTED_ADDRESS, FIGURE = "puudub", "aadress", "avalik"
#: Of a thousand people.
_ADDRESSES, _FIGURES = 1.2, 0.8


def mark_of(code: str, seed: int) -> str:
    """The mark on the person with this code, as the register stores it."""
    if code == code_of(PUBLIC_FIGURE):
        return FIGURE
    drawn = Random(f"{seed}/protection/{code}").random() * 1000  # noqa: S311 - invented people, not secrets
    if drawn < _ADDRESSES:
        return PROTECTED_ADDRESS
    return FIGURE if drawn < _ADDRESSES + _FIGURES else NONE


def bring_up(population: Path, seed: int) -> bool:
    """Give a register that was written before there were marks its column, all or nothing. False: it had it.

    Raises:
        SettingsError: the file cannot be changed; the message says what to do.
    """
    try:
        return _brought_up(population, seed)
    except sqlite3.Error:
        what = (
            f"data_dir: {population} lacks the marks of this version and cannot be given them; stop the portal that"
            " uses it, or let the demonstration be made anew in another GLASSHOUSE_DATA_DIR"
        )
        raise SettingsError([what]) from None


def _brought_up(population: Path, seed: int) -> bool:
    with closing(sqlite3.connect(f"{population.resolve().as_uri()}?mode=rw", uri=True)) as connection:
        if any(name == "kaitse" for _, name, *_ in connection.execute("PRAGMA table_info(isik)")):
            return False
        connection.isolation_level = None
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"ALTER TABLE isik ADD COLUMN {COLUMN}")
        codes = [code for (code,) in connection.execute("SELECT isikukood FROM isik")]
        marked = [(mark, code) for code in codes if (mark := mark_of(code, seed)) != NONE]
        connection.executemany("UPDATE isik SET kaitse = ? WHERE isikukood = ?", marked)
        connection.execute("COMMIT")
    return True
