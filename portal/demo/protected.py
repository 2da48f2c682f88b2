"""What older demonstration countries lack: marks on people, and where properties lie.

The code of a person, the address of a property alone decide, so that an older country can be brought up to what a new
one has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from config.settings import SettingsError
from portal.demo.personas import PUBLIC_FIGURE, code_of
from portal.demo.places import on_the_map

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


def bring_up(registries: Path, seed: int) -> bool:
    """Give registers that were written before there were these columns theirs, all or nothing. False: they had them.

    Raises:
        SettingsError: a file cannot be changed; the message says what to do.
    """
    steps = (("population.db", "isik", "kaitse", _mark(seed)), ("land.db", "kinnistu", "ida_m", _map))
    done = [_brought_up(registries / file, table, column, fill) for file, table, column, fill in steps]
    return any(done)


def _brought_up(file: Path, table: str, column: str, fill: Callable[[sqlite3.Connection], None]) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True)) as connection:
            if any(name == column for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")):
                return False
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            fill(connection)
            connection.execute("COMMIT")
            return True
    except sqlite3.Error:
        what = (
            f"data_dir: {file} lacks columns of this version and cannot be given them; stop the portal that"
            " uses it, or let the demonstration be made anew in another GLASSHOUSE_DATA_DIR"
        )
        raise SettingsError([what]) from None


def _mark(seed: int) -> Callable[[sqlite3.Connection], None]:
    def fill(connection: sqlite3.Connection) -> None:
        connection.execute(f"ALTER TABLE isik ADD COLUMN {COLUMN}")
        codes = [code for (code,) in connection.execute("SELECT isikukood FROM isik")]
        marked = [(mark, code) for code in codes if (mark := mark_of(code, seed)) != NONE]
        connection.executemany("UPDATE isik SET kaitse = ? WHERE isikukood = ?", marked)

    return fill


def _map(connection: sqlite3.Connection) -> None:
    for column in ("ida_m", "pohi_m"):
        connection.execute(f"ALTER TABLE kinnistu ADD COLUMN {column} DECIMAL(9, 1)")
    lines = {line for (line,) in connection.execute("SELECT lahiaadress FROM kinnistu")}
    places = [(*map(float, on_the_map(line)), line) for line in lines]
    connection.executemany("UPDATE kinnistu SET ida_m = ?, pohi_m = ? WHERE lahiaadress = ?", places)
