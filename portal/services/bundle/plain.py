"""What a bundle holds for machines and spreadsheets: JSON exact, CSV (RFC 4180, UTF-8) with formulas neutralised.

Codes are the catalogue's and the log's, times are UTC (ISO 8601); words beside them are in the person's language.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from portal.domain.text import LocalizedText
from portal.registries.records import FieldValue, Value
from portal.services.records import OwnRecords
from portal.services.spreadsheets import neutralised
from portal.services.trail import SealNote, TrailLine

_BLOCK = 64 * 1024
ACCESS_COLUMNS = tuple(
    """
    entry happened_at logged_at kind action outcome reason what organisation organisation_name on_behalf_of official
    role registry registry_name fields field_names purpose purpose_name lawful_basis case justification withheld_until
    receipt
    """.split()  # noqa: SIM905 - the order of a file's columns reads best as one text
)
RECORD_COLUMNS = (
    "registry", "registry_name", "record", "field", "field_name", "value", "source", "source_name", "confidence",
    "as_of", "entry",
)  # fmt: skip
#: Says an entry as a sentence.
Sentence = Callable[[TrailLine], str]


def receipt_name(entry: int) -> str:
    return f"receipts/{entry}.txt"


def access_row(line: TrailLine, sentence: Sentence, language: str) -> dict[str, Any]:
    """One entry, as JSON has it."""

    def said(text: LocalizedText | None) -> str | None:
        return None if text is None else text.in_language(language)

    return {
        "entry": line.seq,
        "happened_at": _instant(line.occurred_at),
        "logged_at": _instant(line.logged_at),
        "kind": line.kind,
        "action": line.action,
        "outcome": line.outcome,
        "reason": line.reason,
        "what": sentence(line),
        "organisation": line.organisation and line.organisation.code,
        "organisation_name": line.organisation and said(line.organisation.name),
        "on_behalf_of": line.on_behalf_of and line.on_behalf_of.code,
        "official": line.official,
        "role": line.role,
        "registry": line.registry and line.registry.code,
        "registry_name": line.registry and said(line.registry.name),
        "fields": [field.code for field in line.fields],
        "field_names": [said(field.name) for field in line.fields],
        "purpose": line.purpose and line.purpose.code,
        "purpose_name": line.purpose and said(line.purpose.name),
        "lawful_basis": said(line.purpose.lawful_basis) if line.purpose else line.lawful_basis,
        "case": line.case,
        "justification": line.justification,
        "withheld": None if line.sealing is None else _withheld(line.sealing, said),
        "receipt": receipt_name(line.seq),
    }


def _withheld(note: SealNote, said: Callable[[LocalizedText | None], str | None]) -> dict[str, Any]:
    return {
        "authority": note.authority and note.authority.code,
        "lawful_basis": said(note.lawful_basis),
        "order": note.order,
        "since": _instant(note.since),
        "first_end": _instant(note.first_end),
        "until": _instant(note.until),
        "withheld_entry": note.sealed_entry,
        "receipt": receipt_name(note.sealed_entry),
    }


def accesses_json(rows: Iterable[Mapping[str, Any]], head: Mapping[str, Any]) -> Iterator[bytes]:
    """One object; the entries stand in the list `accesses`, each on a line of its own."""
    opening = json.dumps(head, ensure_ascii=False)[:-1]
    yield f'{opening}, "accesses": ['.encode()
    before = "\n"
    for block in _blocks(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows):
        yield (before + ",\n".join(block)).encode()
        before = ",\n"
    yield b"\n]}\n"


def accesses_csv(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    def cells(row: Mapping[str, Any]) -> list[str]:
        withheld = row["withheld"] or {}
        return [_cell(withheld.get("until") if name == "withheld_until" else row[name]) for name in ACCESS_COLUMNS]

    return _csv(ACCESS_COLUMNS, map(cells, rows))


def records_json(opened: Iterable[OwnRecords], head: Mapping[str, Any], language: str) -> bytes:
    """`records` is null where the registry gave no answer; `entry` is the person's own look, with its receipt."""
    registries = [
        {
            "registry": one.registry.code,
            "name": one.registry.name.in_language(language),
            "controller": one.registry.controller,
            "entry": one.entry,
            "receipt": receipt_name(one.entry),
            "records": None
            if one.records is None
            else [{code: _held(value, language) for code, value in record.fields.items()} for record in one.records],
        }
        for one in opened
    ]
    return json.dumps({**head, "registries": registries}, ensure_ascii=False, indent=1).encode() + b"\n"


def records_csv(opened: Iterable[OwnRecords], language: str) -> Iterator[bytes]:
    """One line for each value."""

    def lines() -> Iterator[list[str]]:
        for one in opened:
            registry = one.registry
            for number, record in enumerate(one.records or (), 1):
                for code, value in record.fields.items():
                    known = registry.fields.get(code)
                    held = _held(value, language)
                    row = (
                        registry.code,
                        registry.name.in_language(language),
                        number,
                        code,
                        None if known is None else known.name.in_language(language),
                        *(held[name] for name in ("value", "source", "source_name", "confidence", "as_of")),
                        one.entry,
                    )
                    yield [_cell(cell) for cell in row]

    return _csv(RECORD_COLUMNS, lines())


def _held(found: FieldValue, language: str) -> dict[str, Any]:
    return {
        "value": _plain(found.value),
        "source": found.source.kind,
        "source_name": None if found.source.name is None else found.source.name.in_language(language),
        "confidence": found.confidence,
        "as_of": None if found.as_of is None else found.as_of.isoformat(),
    }


def _plain(value: Value) -> str | int | bool | None:
    """A decimal number as text: a JSON number would be read as a binary fraction, which it is not."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _csv(columns: Iterable[str], rows: Iterable[list[str]]) -> Iterator[bytes]:
    def written() -> Iterator[str]:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\r\n")
        writer.writerow(columns)
        for row in rows:
            yield _taken(buffer)
            writer.writerow([neutralised(cell) for cell in row])
        yield _taken(buffer)

    for block in _blocks(written()):
        yield "".join(block).encode()


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _blocks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in their order, some at a time: so that not every line is compressed by itself."""
    block: list[str] = []
    length = 0
    for text in texts:
        block.append(text)
        length += len(text)
        if length >= _BLOCK:
            yield block
            block, length = [], 0
    if block:
        yield block


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _instant(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
