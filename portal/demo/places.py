"""Invented towns, streets and blocks of flats. Households that come after one another live door to door."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random

_STREETS = (
    "Tamme", "Kase", "Pärna", "Kooli", "Järve", "Metsa", "Aia", "Jaama", "Veski", "Lille", "Pargi", "Sireli",
    "Vabriku", "Ranna", "Mäe", "Nurme", "Kuuse", "Lepa", "Turu", "Sadama", "Kiriku", "Õuna", "Linna", "Põllu",
)  # fmt: skip
_TOWNS = (
    ("Järvelinn", "Järvemaa"), ("Metsala vald", "Metsamaa"), ("Kivisaare", "Saaremaa"), ("Rannaküla vald", "Rannamaa"),
    ("Põhjalinn", "Põhjamaa"), ("Soonurme vald", "Metsamaa"), ("Veskijõe", "Järvemaa"), ("Kõrgemäe vald", "Rannamaa"),
)  # fmt: skip
#: Streets lie anywhere within these metres of the national grid (L-EST97), houses so many metres apart in them.
_WEST, _SOUTH, _ACROSS, _UPWARDS = 400_000, 6_400_000, 240_000, 180_000
_APART = 30
_HOUSE = re.compile(r"(?P<street>.+) (?P<house>\d+)(?P<letters>[A-Z]*)-\d+, (?P<town>.+)")
_FLATS = 12
_HOUSES = 60


@dataclass(frozen=True, slots=True)
class Address:
    """One dwelling. Neighbours have neighbouring numbers."""

    number: int
    street_and_house: str
    municipality: str
    county: str
    postcode: str

    @property
    def line(self) -> str:
        return f"{self.street_and_house}, {self.municipality}"


def address(number: int) -> Address:
    """The dwelling with this number, from 0: twelve flats to a house, sixty houses to a street."""
    block, flat = divmod(number, _FLATS)
    way, house = divmod(block, _HOUSES)
    town, street = way % len(_TOWNS), way // len(_TOWNS) % len(_STREETS)
    # A very large country has more streets than names; further ones are told apart by a letter of the house.
    letter = "" if (extra := way // (len(_TOWNS) * len(_STREETS))) == 0 else _letters(extra)
    municipality, county = _TOWNS[town]
    return Address(
        number,
        f"{_STREETS[street]} {house + 1}{letter}-{flat + 1}",
        municipality,
        county,
        f"{10 + town}{street:02d}{house % 10}",
    )


def on_the_map(line: str) -> tuple[int, int]:
    """Metres east and north of the house in `Address.line`; the flats of a house lie on one spot."""
    found = _HOUSE.fullmatch(line)
    if found is None:
        raise ValueError(f"no address of this country: {line!r}")
    drawn = Random("{street} {letters} {town}".format_map(found.groupdict()))  # noqa: S311 - invented places
    east, north = drawn.randrange(_ACROSS), drawn.randrange(_UPWARDS)
    return _WEST + east + _APART * int(found["house"]), _SOUTH + north


def town_of(number: int) -> int:
    return number // (_FLATS * _HOUSES) % len(_TOWNS)


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, position = divmod(number - 1, 26)
        letters = chr(ord("A") + position) + letters
    return letters
