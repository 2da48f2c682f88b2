"""The formats of an export, and the trail rendered in the plain ones, in constant memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from types import MappingProxyType

from audit.log import LoggedAccess
from audit.portable import COLUMNS, row_of
from portal.services.exporting.fhir import fhir_bundle
from portal.services.exporting.maker import MADE_BY, Maker
from portal.services.exporting.parquet import parquet_file
from portal.services.spreadsheets import neutralised

_BLOCK = 64 * 1024


class ExportFormat(StrEnum):
    """CSV is for reading in a spreadsheet (formulas neutralised), JSON Lines and Parquet are exact, FHIR is for systems
    of health care, and the court bundle proves each entry by itself."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"
    FHIR = "fhir"
    COURT = "court"


#: Gives the bytes of a file from the entries that it is to hold, and who made it.
Rendering = Callable[[Iterable[LoggedAccess], Maker], Iterator[bytes]]


def as_csv(entries: Iterable[LoggedAccess], maker: Maker) -> Iterator[bytes]:
    """RFC 4180 in UTF-8, a header first."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow((*COLUMNS, *MADE_BY))
    made = [neutralised(one) for one in maker]
    for logged in entries:
        row = row_of(logged.seq, logged.logged_at, logged.access)
        writer.writerow([*(neutralised(_cell(row[column])) for column in COLUMNS), *made])
        if buffer.tell() >= _BLOCK:
            yield _taken(buffer)
    yield _taken(buffer)


def as_json_lines(entries: Iterable[LoggedAccess], maker: Maker) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    made = dict(zip(MADE_BY, maker, strict=True))
    for logged in entries:
        buffer.write(json_line(logged, made))
        if buffer.tell() >= _BLOCK:
            yield _taken(buffer)
    yield _taken(buffer)


def json_line(logged: LoggedAccess, made: Mapping[str, str] = MappingProxyType({})) -> str:
    row = {**row_of(logged.seq, logged.logged_at, logged.access), **made}
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"


#: The formats that are one file, with the file's name.
FILES: dict[ExportFormat, tuple[str, Rendering]] = {
    ExportFormat.CSV: ("trail.csv", as_csv),
    ExportFormat.JSONL: ("trail.jsonl", as_json_lines),
    ExportFormat.PARQUET: ("trail.parquet", parquet_file),
    # A profile of health care has no place for the maker; the manifest says who it is.
    ExportFormat.FHIR: ("trail.fhir.json", lambda entries, _maker: fhir_bundle(entries)),
}


def _taken(buffer: io.StringIO) -> bytes:
    block = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return block


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else str(value)
