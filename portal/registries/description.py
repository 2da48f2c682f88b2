"""A registry as it is described in config/registries: to people in words, to the connector in tables and columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from portal.domain.text import LocalizedText


class SourceKind(StrEnum):
    """Where a registry has a value from (GDPR Articles 14(2)(f), 15(1)(g))."""

    OWN = "own"
    REGISTRY = "registry"
    PURCHASED = "purchased"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from. `name` is the other registry's or the seller's; None for the registry's own."""

    kind: SourceKind
    name: LocalizedText | None = None

    @property
    def is_purchased(self) -> bool:
        return self.kind is SourceKind.PURCHASED


class FieldType(StrEnum):
    """What a value is, whatever the database stores it as. `MONEY` is in euros with two decimal places."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    DATE = "date"
    BOOLEAN = "boolean"


class KeyForm(StrEnum):
    """How a registry writes the personal code it finds people by: eleven digits, or EE and eleven digits."""

    DIGITS = "digits"
    PREFIXED = "prefixed"


@dataclass(frozen=True, slots=True)
class ColumnName:
    """A column of one of a record's tables, the table under the name it has in that record."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class TableName:
    """A table in a registry's database and the name (`alias`) by which one record's columns refer to it."""

    name: str
    alias: str
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Another table whose `column` equals `equals`, of a table before it. `is_optional` keeps rows without a match."""

    table: TableName
    column: str
    equals: ColumnName
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where a registry's local number is found: the rows whose `key` is the person's code give `gives`."""

    table: TableName
    key: str
    gives: str


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record a registry holds on a person: a table, what is joined to it, and how its rows are found.

    With `valid_from` the rows are a history: those still valid come first, then the newest. `order` names other columns
    to sort by, newest (largest) first.
    """

    code: str
    table: TableName
    key: ColumnName
    joins: tuple[Join, ...] = ()
    valid_from: ColumnName | None = None
    valid_to: ColumnName | None = None
    order: tuple[ColumnName, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Columns by which a single row says where its values came from, how sure the match is, and as of when.

    `sources` maps what stands in `source` to what it means. NULL there leaves a field's own declared source.
    """

    source: ColumnName | None
    sources: Mapping[str, Source]
    confidence: ColumnName | None
    as_of: ColumnName | None


#: In `Field.guards`: every field of every registry.
EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a registry holds on a person. `meaning` is written for that person.

    With `second_person` nobody opens it alone. What is not `consentable` no consent can hand to anybody: it is about
    somebody else, or could be turned against the person. `values` gives words for stored codes. `guards` makes it a
    mark on the person: for a stored code the fields ("registry/field", or EVERYTHING) that nobody then opens alone.
    `record`, `column` and `provenance` are for the connector.
    """

    code: str
    name: LocalizedText
    meaning: LocalizedText
    source: Source
    sensitive: bool
    type: FieldType
    record: str
    column: ColumnName
    values: Mapping[str, LocalizedText] = field(default_factory=dict)
    provenance: Provenance | None = None
    second_person: bool = False
    consentable: bool = True
    guards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """How the connector reaches a registry and finds a person in it. `url` may hold ``{data_dir}``."""

    url: str
    key_form: KeyForm
    lookup: Lookup | None
    records: Mapping[str, RecordKind]


@dataclass(frozen=True, slots=True)
class ParentalLimit:
    """From which age of a child on what is sensitive in a registry is closed to the parents, and why."""

    closed_from_age: int
    reason: LocalizedText


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry: what a privacy notice owes the person (GDPR Articles 13 to 15), its fields, and how it is read.

    `automated_decisions` and `transfers` say what there is, or that there is none: Article 15(1)(h) and 15(2).
    Without `parents` a parent sees all of a child's data until the child comes of age.
    """

    code: str
    name: LocalizedText
    description: LocalizedText
    controller: str
    contact: str
    purpose: LocalizedText
    lawful_basis: LocalizedText
    retention: LocalizedText
    automated_decisions: LocalizedText
    transfers: LocalizedText
    recipients: tuple[LocalizedText, ...]
    fields: Mapping[str, Field]
    connector: ConnectorSpec
    parents: ParentalLimit | None = None
