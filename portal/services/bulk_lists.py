"""Reading a list of people: one personal code a row, every mistake named by its row, none of them repeating a code."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from enum import StrEnum

from portal.domain.identifiers import InvalidPersonalCode, PersonalCode

MAXIMUM_ROWS = 10_000
MAXIMUM_BYTES = 512 * 1024
#: How many mistakes are named; the others are of the same kinds.
MISTAKES_NAMED = 20
_DELIMITERS = ",;\t"


class RowFault(StrEnum):
    """What is wrong with one row."""

    NO_CODE = "no-code"
    REPEATED = "repeated"


class ListFault(StrEnum):
    """What is wrong with the file as a whole."""

    TOO_LARGE = "too-large"
    NOT_TEXT = "not-text"
    EMPTY = "empty"
    TOO_MANY = "too-many"
    ROWS = "rows"


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A row by its number in the file (from 1). `first` is the row that it repeats."""

    row: int
    fault: RowFault
    first: int | None = None


class ListRefused(Exception):
    """The list cannot be used, and nothing of it was. `rows` names the first faulty ones, `faulty` counts them all."""

    def __init__(self, fault: ListFault, rows: tuple[FaultyRow, ...] = (), faulty: int = 0) -> None:
        super().__init__(f"no list: {fault}")
        self.fault = fault
        self.rows = rows
        self.faulty = faulty


def read_list(content: bytes) -> list[PersonalCode]:
    """The people in the order of the file: CSV in UTF-8, the code in the first column, a heading allowed.

    Raises ListRefused for a file that is too large, no text, empty, too long, or has a row without a valid code or with
    one that was there before.
    """
    if len(content) > MAXIMUM_BYTES:
        raise ListRefused(ListFault.TOO_LARGE)
    cells = _first_cells(content)
    if cells and not any(letter.isdigit() for letter in cells[0][1]):
        cells = cells[1:]
    if not cells:
        raise ListRefused(ListFault.EMPTY)
    if len(cells) > MAXIMUM_ROWS:
        raise ListRefused(ListFault.TOO_MANY)
    codes: dict[PersonalCode, int] = {}
    faulty: list[FaultyRow] = []
    for row, cell in cells:
        try:
            code = PersonalCode.parse(cell)
        except InvalidPersonalCode:
            faulty.append(FaultyRow(row, RowFault.NO_CODE))
            continue
        if code in codes:
            faulty.append(FaultyRow(row, RowFault.REPEATED, codes[code]))
        codes.setdefault(code, row)
    if faulty:
        raise ListRefused(ListFault.ROWS, tuple(faulty[:MISTAKES_NAMED]), len(faulty))
    return list(codes)


def _first_cells(content: bytes) -> list[tuple[int, str]]:
    """The first cell of each row that has any, with the row's number."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListRefused(ListFault.NOT_TEXT) from None
    if any(ord(sign) < 32 and sign not in "\r\n\t" for sign in text):
        raise ListRefused(ListFault.NOT_TEXT)
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        raise ListRefused(ListFault.NOT_TEXT) from None
    return [(number, row[0].strip()) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)]
