"""Cases out of a case system's CSV file: read row by row, each with the line it begins on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

COLUMNS = ("reference", "kind", "purpose", "organisation", "team", "opened", "closed", "subjects", "officials")
MOST_ROWS = 10_000
#: Several people or officials stand in one cell, parted by spaces or vertical bars.
_PARTING = re.compile(r"[\s|]+")


class FileProblem(StrEnum):
    """Why a file as a whole cannot be read. Nothing of it was taken over."""

    NOT_UTF8 = "not-utf8"
    EMPTY = "empty"
    COLUMN_MISSING = "column-missing"
    COLUMN_TWICE = "column-twice"
    TOO_MANY_ROWS = "too-many-rows"
    NOT_CSV = "not-csv"


class CaseFileRefused(ValueError):
    """The file cannot be read at all. `detail` names a column or a number, never what a cell holds."""

    def __init__(self, problem: FileProblem, detail: str = "") -> None:
        super().__init__(f"{problem} {detail}".strip())
        self.problem = problem
        self.detail = detail


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case as a case system names it, unchecked. `line` is where it begins in the file or request."""

    line: int
    reference: str
    kind: str
    purpose: str
    organisation: str
    team: str
    opened: str
    closed: str
    subjects: tuple[str, ...] = field(repr=False)
    officials: tuple[str, ...]
    is_ragged: bool = False


def read_cases(content: bytes) -> list[CaseRow]:
    """The rows of a CSV file (RFC 4180) with a header, parted by commas or semicolons.

    Raises:
        CaseFileRefused: it is not UTF-8, not CSV, lacks a column or has one twice, lacks rows, or has more than
            `MOST_ROWS`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CaseFileRefused(FileProblem.NOT_UTF8) from None
    if "\0" in text:
        raise CaseFileRefused(FileProblem.NOT_CSV)
    first = text.partition("\n")[0]
    try:
        rows = list(_numbered(text, ";" if first.count(";") > first.count(",") else ","))
    except csv.Error:
        raise CaseFileRefused(FileProblem.NOT_CSV) from None
    if not rows:
        raise CaseFileRefused(FileProblem.EMPTY)
    header = [name.strip().casefold() for name in rows[0][1]]
    for column in COLUMNS:
        if column not in header:
            raise CaseFileRefused(FileProblem.COLUMN_MISSING, column)
        if header.count(column) > 1:
            raise CaseFileRefused(FileProblem.COLUMN_TWICE, column)
    if len(rows) == 1:
        raise CaseFileRefused(FileProblem.EMPTY)
    if len(rows) - 1 > MOST_ROWS:
        raise CaseFileRefused(FileProblem.TOO_MANY_ROWS, str(MOST_ROWS))
    return [_row(line, header, cells) for line, cells in rows[1:]]


def _numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, with the line each begins on: a quoted cell may run over several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _row(line: int, header: list[str], cells: list[str]) -> CaseRow:
    values = dict(zip(header, (cell.strip() for cell in cells), strict=False))
    values |= dict.fromkeys(set(COLUMNS) - values.keys(), "")
    return CaseRow(
        line=line,
        reference=values["reference"],
        kind=values["kind"],
        purpose=values["purpose"],
        organisation=values["organisation"],
        team=values["team"],
        opened=values["opened"],
        closed=values["closed"],
        subjects=_parts(values["subjects"]),
        officials=_parts(values["officials"]),
        is_ragged=len(cells) != len(header),
    )


def _parts(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in _PARTING.split(cell) if part))
