"""Personal codes for invented people: valid in form, and no two alike."""

from __future__ import annotations

from datetime import date
from random import Random

from stdnum.ee import ik

_LAST_SERIAL = 999


def personal_code(sex: str, born: date, serial: int) -> str:
    """The code (EVS 585) of a person of `sex` "M" or "F" born on that day, with the check digit."""
    century = (born.year - 1800) // 100 * 2 + (1 if sex == "M" else 2)
    digits = f"{century}{born:%y%m%d}{serial:03d}"
    return digits + ik.calc_check_digit(digits + "0")


class CodeBook:
    """Gives out codes, each once. Codes of personas are taken before any other is given."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, code: str) -> str:
        """Raises ValueError when somebody has this code already."""
        if code in self._taken:
            raise ValueError("two people of the demonstration have one personal code")
        self._taken.add(code)
        return code

    def give(self, sex: str, born: date, rng: Random) -> str:
        serial = rng.randrange(1, _LAST_SERIAL + 1)
        while (code := personal_code(sex, born, serial)) in self._taken:
            serial = serial % _LAST_SERIAL + 1
        return self.take(code)
