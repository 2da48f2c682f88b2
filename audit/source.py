"""A stored log as `audit.verify` wants to read it: one consistent view, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, Select, func, select, text, type_coerce

from audit import beside, schema, store
from audit.blocks import Blocks
from audit.criteria import owner_index, search_columns
from audit.entry import decode_body, decode_leaf
from audit.errors import EntryRefused, KeyRefused, VerificationFailed
from audit.kinds import Kind
from audit.note import Verifier
from audit.rows import KIND
from audit.stored import Books, StoredEntry
from audit.vault import Vault

_BATCH = 1_000
_BELOW = text("SELECT seq FROM entries WHERE seq < 0 LIMIT 1")
#: A body's columns; the flag as SQLite holds it, where an intruder's 2 would read as true and match no search for it.
_BODY: list[ColumnElement[Any]] = [
    type_coerce(column, Integer).label(column.name) if column.name == "automatic" else column
    for column in schema.bodies.c
    if column.name != "seq"
]


class StoredLog:
    """Reads within one transaction of the caller. Without a vault the bodies stay closed and are not checked.

    `witnesses` are those whose cosignatures are verified.
    """

    def __init__(self, connection: Connection, vault: Vault | None, witnesses: Sequence[Verifier] = ()) -> None:
        self._connection = connection
        self._vault = vault
        self._witnesses = witnesses
        self._blocks = Blocks(connection)
        self._size: int | None = None
        #: By number, what is stored of each kind; and by kind, what should be.
        self._kinds: dict[int, tuple[object, ...]] = {}
        self._expected_kinds: dict[Kind, tuple[object, ...]] = {}

    def head(self) -> tuple[int, str]:
        head = store.read_head(self._connection)
        return (0, "") if head is None else (head.size, head.checkpoint)

    def books(self) -> Books:
        head = store.read_head(self._connection)
        reported = self._connection.execute(select(schema.sources))
        sources = {row.source: row.reported for row in reported}
        if head is None:
            return Books(b"", b"", 0, sources)
        return Books(head.prev, b"".join(head.frontier), head.time_ms, sources)

    def end(self) -> int:
        """One more than the largest number that an entry has."""
        last = self._connection.execute(select(func.max(schema.entries.c.seq))).scalar_one()
        return 0 if last is None else int(last) + 1

    def entries(self, first: int, end: int | None) -> Iterator[StoredEntry]:
        entries, bodies, subjects, erasures = schema.entries, schema.bodies, schema.subjects, schema.erasures
        sealed = schema.sealed
        statement: Select[Any] = (
            select(
                entries.c.seq, entries.c.leaf, *_BODY, subjects.c.wrapped, sealed.c.owner_index, erasures.c.tombstone
            )
            .select_from(
                entries.outerjoin(bodies, bodies.c.seq == entries.c.seq)
                .outerjoin(subjects, subjects.c.subject_index == bodies.c.subject_index)
                .outerjoin(sealed, sealed.c.seq == entries.c.seq)
                .outerjoin(erasures, erasures.c.seq == entries.c.seq)
            )
            .order_by(entries.c.seq)
            .limit(_BATCH)
        )
        if end is not None:
            statement = statement.where(entries.c.seq < end)
        after = first - 1 if first else -(2**62)  # an entry with a negative number would be a forgery, and must be seen
        while rows := self._connection.execute(statement.where(entries.c.seq > after)).all():
            for row in rows:
                yield self._entry(row)
            after = rows[-1].seq

    def leaves(self, first: int, end: int) -> list[bytes] | None:
        if self._vault is not None:
            return None
        if first == 0 and self._connection.execute(_BELOW).first() is not None:
            return None
        if self._size is None:
            self._size = self.head()[0]
        return self._blocks.leaves(first, end, self._size)

    def covered(self, size: int) -> int:
        columns = schema.checkpoints.c
        found = self._connection.execute(select(func.max(columns.size)).where(columns.size <= size)).scalar_one()
        return int(found or 0)

    def erased_across(self, seq: int) -> Iterator[tuple[int, int]]:
        columns = schema.erasures.c
        statement = select(columns.seq, columns.tombstone).where(columns.seq < seq, columns.tombstone >= seq)
        for row in self._connection.execute(statement.order_by(columns.seq)):
            yield row.seq, row.tombstone

    def checkpoints(self, above: int | None, until: int | None) -> Iterator[tuple[int, str]]:
        columns = schema.checkpoints.c
        statement = select(columns.size, columns.note).order_by(columns.size).limit(_BATCH)
        if until is not None:
            statement = statement.where(columns.size <= until)
        after = -(2**62) if above is None else above
        while rows := self._connection.execute(statement.where(columns.size > after)).all():
            for row in rows:
                yield row.size, row.note if isinstance(row.note, str) else ""
            after = rows[-1].size

    def tile(self, level: int, index: int) -> bytes:
        return self._blocks.tile(level, index)

    def tile_count(self) -> int:
        return int(self._connection.execute(select(func.count()).select_from(schema.tiles)).scalar_one())

    def amiss(self) -> str | None:
        return beside.amiss(self._connection, self._vault, self._witnesses, self.head()[0])

    def _entry(self, row: Row[Any]) -> StoredEntry:
        leaf = bytes(row.leaf)
        if row.sealed is None:
            missing = row.tombstone is None
            problem = f"the body of entry {row.seq} is missing, and no erasure is recorded" if missing else None
            return StoredEntry(row.seq, leaf, tombstone=row.tombstone, problem=problem)
        if row.tombstone is not None:
            problem = f"entry {row.seq} is said to be erased, and its body is there"
            return StoredEntry(row.seq, leaf, problem=problem)
        if self._vault is None:
            return StoredEntry(row.seq, leaf)
        return self._opened(self._vault, row, leaf)

    def _opened(self, vault: Vault, row: Row[Any], leaf: bytes) -> StoredEntry:
        if row.wrapped is None:
            return StoredEntry(row.seq, leaf, problem=f"the keys that open entry {row.seq} are missing")
        try:
            keys = vault.subject_keys(bytes(row.wrapped), bytes(row.subject_index))
            opened = vault.open(keys, row.seq, bytes(row.sealed))
            access = decode_body(opened.body)
            expected = search_columns(vault.index, access, decode_leaf(leaf).time_ms)
            expected["owner_index"] = owner_index(vault.index, access)
        except (KeyRefused, VerificationFailed, EntryRefused):
            return StoredEntry(row.seq, leaf, problem=f"the sealed body of entry {row.seq} was changed")
        stored = {name: _plain(getattr(row, name)) for name in expected}
        problem = None
        if stored != expected or not self._kind_is_right(vault, Kind.of(access), row.kind):
            problem = f"what a search finds entry {row.seq} by was changed"
        return StoredEntry(row.seq, leaf, opened.body, opened.secret, keys.label, opened.count, problem=problem)

    def _kind_is_right(self, vault: Vault, kind: Kind, number: object) -> bool:
        if not self._kinds:
            self._kinds = _stored_kinds(self._connection)
        expected = self._expected_kinds.get(kind)
        if expected is None:
            expected = (kind.key(vault.index), *kind.clear(), kind.terms(vault.index))
            self._expected_kinds[kind] = expected
        return isinstance(number, int) and self._kinds.get(number) == expected


def _stored_kinds(connection: Connection) -> dict[int, tuple[object, ...]]:
    """By number: key, what is in clear, and the terms."""
    terms: dict[int, set[bytes]] = {}
    for term, number in connection.execute(select(schema.kind_terms.c.term_index, schema.kind_terms.c.kind)):
        terms.setdefault(number, set()).add(bytes(term or b""))
    columns = [
        type_coerce(schema.kinds.c[name], Integer) if name == "automatic" else schema.kinds.c[name] for name in KIND
    ]
    return {
        number: (*map(_plain, said), frozenset(terms.get(number, ())))
        for number, *said in connection.execute(select(*columns))
    }


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview | bytearray) else value
