"""A connector for any database that SQLAlchemy reaches, driven wholly by a registry's description.

It selects the columns of the fields it is asked for and no others, binds the subject as a parameter, and cannot write.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import ColumnClause, Connection, Engine, FromClause, Select, TableClause, column, func, select, table
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from portal.domain.identifiers import PersonalCode
from portal.registries.catalogue import Catalogue, CatalogueError
from portal.registries.connector import Connector, RegistryUnavailable
from portal.registries.description import ColumnName, Field, KeyForm, Lookup, RecordKind, Registry
from portal.registries.read_only import read_only_engine
from portal.registries.records import FieldValue, Record
from portal.registries.values import as_date, confidence_of, source_of, value_of

logger = logging.getLogger(__name__)

#: Rows of one kind that a person may have. More means that the description is wrong: the answer is refused, not cut.
MAXIMUM_ROWS = 5_000
#: Local numbers that one personal code may resolve to.
MAXIMUM_NUMBERS = 100

Answer = TypeVar("Answer")
_Tables = Mapping[str, TableClause]


class SqlConnector:
    """One registry in one database. Connects when it is first asked; safe to share between threads."""

    def __init__(self, registry: Registry, engine: Engine) -> None:
        self._registry = registry
        self._spec = registry.connector
        self._engine = engine

    def fetch(self, subject: PersonalCode, fields: Sequence[str]) -> tuple[Record, ...]:
        """The person's records, kind by kind in the description's order, with exactly these fields.

        Raises:
            KeyError: the registry has no such field, which is a mistake of the caller's.
            RegistryUnavailable: see `Connector`.
        """
        wanted = [self._registry.fields[code] for code in dict.fromkeys(fields)]
        return self._answer(lambda connection: self._records(connection, subject, wanted))

    def count(self, subject: PersonalCode) -> int:
        return self._answer(lambda connection: self._count(connection, subject))

    def ping(self) -> None:
        self._answer(lambda connection: connection.execute(select(1)).scalar_one())

    def close(self) -> None:
        self._engine.dispose()

    def _answer(self, ask: Callable[[Connection], Answer]) -> Answer:
        try:
            with self._engine.connect() as connection:
                return ask(connection)
        except (SQLAlchemyError, OSError, ValueError, ArithmeticError) as error:
            kind = type(error).__name__
        # Outside the handler, so that the driver's error, which may quote data, is not even kept as the context.
        logger.warning("registry gave no answer", extra={"registry": self._registry.code, "cause": kind})
        raise RegistryUnavailable(self._registry.code)

    def _records(self, connection: Connection, subject: PersonalCode, wanted: list[Field]) -> tuple[Record, ...]:
        keys = self._keys(connection, subject)
        records: list[Record] = []
        for kind in self._spec.records.values():
            fields = [field for field in wanted if field.record == kind.code]
            if fields and keys:
                columns = _columns_of(kind, fields)
                rows = connection.execute(_selection(kind, columns, keys)).all()
                if len(rows) > MAXIMUM_ROWS:
                    raise ValueError("more rows than one person can have")
                records += (_record(kind, fields, dict(zip(columns, row, strict=True))) for row in rows)
        return tuple(records)

    def _count(self, connection: Connection, subject: PersonalCode) -> int:
        keys = self._keys(connection, subject)
        if not keys:
            return 0
        counts = []
        for kind in self._spec.records.values():
            tables, joined = _joined(kind)
            statement = select(func.count()).select_from(joined).where(_named(tables, kind.key).in_(keys))
            counts.append(int(connection.execute(statement).scalar_one()))
        return sum(counts)

    def _keys(self, connection: Connection, subject: PersonalCode) -> list[str | int]:
        """What the registry knows the person by: the code in its form, or the numbers that its list has for it."""
        own = subject.reveal() if self._spec.key_form is KeyForm.DIGITS else subject.subject
        if self._spec.lookup is None:
            return [own]
        numbers = connection.execute(_resolution(self._spec.lookup, own)).scalars().all()
        if len(numbers) > MAXIMUM_NUMBERS:
            raise ValueError("more local numbers than one person can have")
        return list(numbers)


def build_connectors(catalogue: Catalogue, data_dir: Path, overrides: Mapping[str, str]) -> dict[str, Connector]:
    """A connector for each registry, at the address in its description or the one that `overrides` has for its code.

    Nothing is connected yet.

    Raises:
        CatalogueError: an override names no registry, or an address is none or needs a driver that is not installed.
    """
    mistakes = [
        f"registry_urls.{code}: there is no registry of this code"
        for code in overrides
        if code not in catalogue.registries
    ]
    connectors: dict[str, Connector] = {}
    for registry in catalogue.registries.values():
        url = overrides.get(registry.code, registry.connector.url).replace("{data_dir}", str(data_dir))
        try:
            connectors[registry.code] = SqlConnector(registry, read_only_engine(url))
        except (ArgumentError, ValueError):
            mistakes.append(f"registry_urls.{registry.code}: is no database URL that can be read from")
        except (SQLAlchemyError, ImportError):
            mistakes.append(f"registry_urls.{registry.code}: the driver for this kind of database is not installed")
    if mistakes:
        raise CatalogueError(mistakes)
    return connectors


def _resolution(lookup: Lookup, own: str) -> Select[Any]:
    key: ColumnClause[Any] = column(lookup.key)
    gives: ColumnClause[Any] = column(lookup.gives)
    return (
        select(gives)
        .select_from(table(lookup.table.name, key, gives, schema=lookup.table.schema))
        .where(key == own)
        .limit(MAXIMUM_NUMBERS + 1)
    )


def _selection(kind: RecordKind, columns: Sequence[ColumnName], keys: Sequence[str | int]) -> Select[Any]:
    tables, joined = _joined(kind)
    # Labels of our own: two joined tables may well have columns of one name.
    named = [_named(tables, name).label(f"c{position}") for position, name in enumerate(columns)]
    statement = select(*named).select_from(joined).where(_named(tables, kind.key).in_(keys))
    if kind.valid_to is not None:
        # What still holds has no end. NULLS FIRST is not known everywhere; a comparison is.
        statement = statement.order_by(_named(tables, kind.valid_to).is_not(None))
    for name in ([kind.valid_from] if kind.valid_from else []) + list(kind.order):
        statement = statement.order_by(_named(tables, name).desc())
    return statement.limit(MAXIMUM_ROWS + 1)


def _columns_of(kind: RecordKind, fields: Sequence[Field]) -> list[ColumnName]:
    """The columns of these fields, and what says since when and from where their values are; each once."""
    columns = [field.column for field in fields]
    for field in fields:
        if (provenance := field.provenance) is not None:
            columns += [c for c in (provenance.source, provenance.confidence, provenance.as_of) if c is not None]
    if kind.valid_from is not None:
        columns.append(kind.valid_from)
    return list(dict.fromkeys(columns))


def _joined(kind: RecordKind) -> tuple[_Tables, FromClause]:
    """The record's tables under their aliases, and all of them joined."""
    tables: dict[str, Any] = {}
    for name in (kind.table, *(join.table for join in kind.joins)):
        plain = table(name.name, schema=name.schema)
        tables[name.alias] = plain.alias(name.alias)
    joined: FromClause = tables[kind.table.alias]
    for join in kind.joins:
        right = tables[join.table.alias]
        on = _named(tables, ColumnName(join.table.alias, join.column)) == _named(tables, join.equals)
        joined = joined.join(right, on, isouter=join.is_optional)
    return tables, joined


def _named(tables: _Tables, name: ColumnName) -> ColumnClause[Any]:
    return column(name.column, _selectable=tables[name.table])


def _record(kind: RecordKind, fields: Sequence[Field], row: Mapping[ColumnName, Any]) -> Record:
    holds_from = None if kind.valid_from is None else as_date(row[kind.valid_from])
    return Record({field.code: _field_value(field, row, holds_from) for field in fields})


def _field_value(field: Field, row: Mapping[ColumnName, Any], holds_from: date | None) -> FieldValue:
    def stored(name: ColumnName | None) -> Any:
        return None if name is None else row[name]

    value = value_of(field.type, row[field.column])
    provenance = field.provenance
    if provenance is None:
        return FieldValue(value, field.source, None, holds_from)
    source = source_of(provenance, field.source, stored(provenance.source))
    confidence = confidence_of(stored(provenance.confidence)) if source.is_purchased else None
    return FieldValue(value, source, confidence, as_date(stored(provenance.as_of)) or holds_from)
