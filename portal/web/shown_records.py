"""A registry's records as a page shows them: named by their first field, their origin said once where it is but one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import Flask

from portal.registries.description import Field
from portal.registries.records import FieldValue, Record
from portal.web.formatting import held
from portal.web.i18n import gettext as _
from portal.web.i18n import local


@dataclass(frozen=True)
class ShownField:
    """One field of a record. `explains` is False where the page has already said what the field means."""

    field: Field
    value: FieldValue
    explains: bool


@dataclass(frozen=True)
class ShownRecord:
    """One record. `origin` stands for all its values when they share one; else each has its own."""

    title: str
    fields: tuple[ShownField, ...]
    origin: FieldValue | None
    is_bought: bool


def init_shown_records(app: Flask) -> None:
    app.add_template_filter(shown_records, "shown_records")


def shown_records(records: Iterable[Record], fields: Sequence[Field]) -> list[ShownRecord]:
    """The records in their order, what was bought first: that is what a reader must not overlook."""
    explained: set[str] = set()
    shown = sorted((_shown(record, fields) for record in records), key=lambda record: not record.is_bought)
    result = []
    for record in shown:
        parts = tuple(ShownField(part.field, part.value, part.field.code not in explained) for part in record.fields)
        explained |= {part.field.code for part in parts}
        result.append(ShownRecord(record.title, parts, record.origin, record.is_bought))
    return result


def _shown(record: Record, fields: Sequence[Field]) -> ShownRecord:
    parts = tuple(ShownField(field, record.fields[field.code], True) for field in fields if field.code in record.fields)
    values = [part.value for part in parts]
    origins = {(value.source, value.confidence, value.as_of) for value in values}
    return ShownRecord(
        title=_title(parts),
        fields=parts,
        origin=values[0] if len(origins) == 1 else None,
        is_bought=any(value.source.is_purchased for value in values),
    )


def _title(parts: Sequence[ShownField]) -> str:
    if not parts:
        return _("Nothing that may be shown")
    first = parts[0]
    return _("%(field)s: %(value)s", field=local(first.field.name), value=held(first.value, first.field))
