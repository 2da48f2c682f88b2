"""Reading one registry's file: the words for people and the tables for the connector."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from portal.domain.mandates import ADULT_AT
from portal.domain.text import LocalizedText
from portal.registries.description import (
    EVERYTHING,
    ColumnName,
    ConnectorSpec,
    Field,
    FieldType,
    Join,
    KeyForm,
    Lookup,
    ParentalLimit,
    Provenance,
    RecordKind,
    Registry,
    Source,
    SourceKind,
    TableName,
)
from portal.registries.toml_reading import TomlTable, frozen

_IDENTIFIER = re.compile(r"[^\W\d]\w{0,62}")
_NOWHERE = TableName("", "")
_NO_COLUMN = ColumnName("", "")


@dataclass(frozen=True, slots=True)
class Names:
    """What a registry's file may refer to: organisations and registries by code with their names, and all fields."""

    organisations: Mapping[str, LocalizedText]
    registries: Mapping[str, LocalizedText]
    fields: frozenset[str]


def read_registry(file: TomlTable, names: Names) -> Registry:
    """The registry of one file. Mistakes are noted; the result is of use only if there are none."""
    controller = file.text("controller")
    if controller and controller not in names.organisations:
        file.mistake("controller", "there is no organisation of this code")
    connector = _ConnectorReader(names)
    # Recipients and fields come last: their mistakes then stand below those of what they refer to.
    registry = Registry(
        code=file.code("code"),
        name=file.localized("name"),
        description=file.localized("description"),
        controller=controller,
        contact=file.text("contact"),
        purpose=file.localized("purpose"),
        lawful_basis=file.localized("lawful_basis"),
        retention=file.localized("retention"),
        automated_decisions=file.localized("automated_decisions"),
        transfers=file.localized("transfers"),
        recipients=tuple(recipient.as_localized() for recipient in file.tables("recipients")),
        connector=connector.read(file.table("connector")),
        fields=frozen(connector.fields(file.tables("fields"))),
        parents=_parental_limit(file.table("parents", is_optional=True)),
    )
    file.finish()
    return registry


def _parental_limit(table: TomlTable | None) -> ParentalLimit | None:
    if table is None:
        return None
    limit = ParentalLimit(table.whole_number("closed_from_age", least=0, most=ADULT_AT - 1), table.localized("reason"))
    table.finish()
    return limit


class _ConnectorReader:
    """Reads the connector's tables first, so that each field's column can be held against them."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._records: dict[str, RecordKind] = {}
        self._aliases: dict[str, dict[str, TableName]] = {}
        self._provenances: dict[str, Provenance] = {}

    def read(self, table: TomlTable | None) -> ConnectorSpec:
        if table is None:
            return ConnectorSpec("", KeyForm.DIGITS, None, {})
        url = table.text("url")
        if url and not _is_database_url(url):
            table.mistake("url", "is no database URL")
        key_form = table.choice("key_form", KeyForm, default=KeyForm.DIGITS)
        lookup = self._lookup(table.table("lookup", is_optional=True))
        for record in table.tables("records"):
            self._record(record)
        for provenance in table.tables("provenance", is_optional=True):
            self._provenance(provenance)
        table.finish()
        return ConnectorSpec(url, key_form, lookup, frozen(self._records))

    def fields(self, tables: list[TomlTable]) -> dict[str, Field]:
        fields: dict[str, Field] = {}
        for table in tables:
            field = self._field(table)
            if field.code in fields:
                table.mistake("code", "two fields have this code")
            fields[field.code] = field
        return fields

    def _lookup(self, table: TomlTable | None) -> Lookup | None:
        if table is None:
            return None
        lookup = Lookup(_table_name(table), _identifier(table, "key"), _identifier(table, "gives"))
        table.finish()
        return lookup

    def _record(self, table: TomlTable) -> None:
        code = table.code("code")
        if code in self._records:
            table.mistake("code", "two records have this code")
        base = _table_name(table)
        aliases = {base.alias: base}
        joins = tuple(_join(join, base, aliases) for join in table.tables("joins", is_optional=True))
        self._records[code] = RecordKind(
            code=code,
            table=base,
            key=_column(table, "key", base, aliases),
            joins=joins,
            valid_from=_optional_column(table, "valid_from", base, aliases),
            valid_to=_optional_column(table, "valid_to", base, aliases),
            order=tuple(
                _column_of(table, "order", text, base, aliases, position)
                for position, text in enumerate(table.texts("order", is_optional=True))
            ),
        )
        self._aliases[code] = aliases
        if "valid_to" in table and "valid_from" not in table:
            table.mistake("valid_to", "is of use only beside valid_from")
        table.finish()

    def _provenance(self, table: TomlTable) -> None:
        code = table.code("code")
        if code in self._provenances:
            table.mistake("code", "two provenances have this code")
        record = self._record_of(table)
        base, aliases = self._tables_of(record)
        sources = self._sources(table.table("sources", is_optional=True))
        provenance = Provenance(
            source=_optional_column(table, "source", base, aliases),
            sources=frozen(sources),
            confidence=_optional_column(table, "confidence", base, aliases),
            as_of=_optional_column(table, "as_of", base, aliases),
        )
        if (provenance.source is None) != (not sources):
            table.mistake("source", "the source column and the table of sources belong together")
        self._provenances[code] = provenance
        table.finish()

    def _sources(self, table: TomlTable | None) -> dict[str, Source]:
        if table is None:
            return {}
        sources = {key: self._source(table.table(key)) for key in table}
        table.finish()
        return sources

    def _source(self, table: TomlTable | None) -> Source:
        if table is None:
            return Source(SourceKind.OWN)
        kind = table.choice("kind", SourceKind)
        givers = {SourceKind.REGISTRY: self._names.registries, SourceKind.PURCHASED: self._names.organisations}
        if kind is SourceKind.OWN:
            if "from" in table:
                table.text("from")
                table.mistake("from", "what is the registry's own comes from nobody else")
            name = None
        else:
            giver = table.text("from")
            name = givers[kind].get(giver)
            if giver and name is None:
                what = "registry" if kind is SourceKind.REGISTRY else "organisation"
                table.mistake("from", f"there is no {what} of this code")
        table.finish()
        return Source(kind, name)

    def _field(self, table: TomlTable) -> Field:
        code = table.code("code")
        record = self._record_of(table)
        base, aliases = self._tables_of(record)
        source = self._source(table.table("source", is_optional=True))
        values = _words(table.table("values", is_optional=True))
        field = Field(
            code=code,
            name=table.localized("name"),
            meaning=table.localized("meaning"),
            source=source,
            sensitive=table.boolean("sensitive", default=False),
            second_person=table.boolean("second_person", default=False),
            consentable=table.boolean("consentable", default=True),
            type=table.choice("type", FieldType, default=FieldType.TEXT),
            record=record,
            column=_column(table, "column", base, aliases),
            values=frozen(values),
            provenance=self._provenance_of(table, source),
            guards=frozen(self._guards(table.table("guards", is_optional=True), values)),
        )
        table.finish()
        return field

    def _guards(self, table: TomlTable | None, values: Mapping[str, LocalizedText]) -> dict[str, tuple[str, ...]]:
        if table is None:
            return {}
        guards = {mark: table.texts(mark) for mark in table}
        for mark, names in guards.items():
            if mark not in values:
                table.mistake(mark, "the field has no such value")
            for position, name in enumerate(names):
                if name != EVERYTHING and name not in self._names.fields:
                    table.mistake(mark, 'there is no such field; write "registry/field", or "*" for all', position)
        table.finish()
        return guards

    def _provenance_of(self, table: TomlTable, source: Source) -> Provenance | None:
        if "provenance" not in table:
            return None
        provenance = self._provenances.get(table.text("provenance"))
        if provenance is None:
            table.mistake("provenance", "there is no provenance of this code")
        elif provenance.confidence and not any(s.is_purchased for s in (source, *provenance.sources.values())):
            table.mistake("provenance", "only purchased data have a match confidence; no source of this is purchased")
        return provenance

    def _record_of(self, table: TomlTable) -> str:
        """The record that a field or provenance belongs to; it need not be named where there is only one."""
        only = next(iter(self._records), "") if len(self._records) == 1 else None
        code = table.text("record", default=only)
        if code and code not in self._records:
            table.mistake("record", "the connector has no record of this code")
        return code

    def _tables_of(self, record: str) -> tuple[TableName, dict[str, TableName]]:
        kind = self._records.get(record)
        return (_NOWHERE, {}) if kind is None else (kind.table, self._aliases[record])


def _words(table: TomlTable | None) -> dict[str, LocalizedText]:
    if table is None:
        return {}
    words = {key: table.localized(key) for key in table}
    table.finish()
    return words


def _join(table: TomlTable, base: TableName, aliases: dict[str, TableName]) -> Join:
    joined = _table_name(table)
    equals = _column(table, "equals", base, aliases)
    if joined.alias in aliases:
        table.mistake("table", "two tables of this record have this name; give one another with `as`")
    aliases[joined.alias] = joined
    join = Join(joined, _identifier(table, "column"), equals, table.boolean("optional", default=False))
    table.finish()
    return join


def _table_name(table: TomlTable) -> TableName:
    schema, _, name = table.text("table").rpartition(".")
    if name and not all(_IDENTIFIER.fullmatch(part) for part in (schema or name, name)):
        table.mistake("table", "is no name of a table")
    alias = table.text("as", default=name) if "as" in table else name
    if alias and not _IDENTIFIER.fullmatch(alias):
        table.mistake("as", "is no name of a table")
    return TableName(name, alias, schema or None)


def _identifier(table: TomlTable, key: str) -> str:
    name = table.text(key)
    if name and not _IDENTIFIER.fullmatch(name):
        table.mistake(key, "is no name of a column")
    return name


def _column(table: TomlTable, key: str, base: TableName, aliases: Mapping[str, TableName]) -> ColumnName:
    return _column_of(table, key, table.text(key), base, aliases)


def _optional_column(
    table: TomlTable, key: str, base: TableName, aliases: Mapping[str, TableName]
) -> ColumnName | None:
    return _column(table, key, base, aliases) if key in table else None


def _column_of(
    table: TomlTable,
    key: str,
    text: str,
    base: TableName,
    aliases: Mapping[str, TableName],
    position: int | None = None,
) -> ColumnName:
    """`text` is a column of the record's own table, or "table.column" of a joined one."""
    if not text:
        return _NO_COLUMN
    alias, _, column = text.rpartition(".")
    if not _IDENTIFIER.fullmatch(column):
        table.mistake(key, "is no name of a column", position)
    elif alias and aliases and alias not in aliases:
        table.mistake(key, "the record has no table of this name", position)
    return ColumnName(alias or base.alias, column)


def _is_database_url(url: str) -> bool:
    try:
        return bool(make_url(url.replace("{data_dir}", "data")).drivername)
    except (ArgumentError, ValueError):
        return False
