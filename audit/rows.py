"""The rows of an append, read and written through the database's own driver.

An append sends a dozen small statements, and for those the bookkeeping of SQLAlchemy costs several times what the
database takes. So they go to the driver of the connection that SQLAlchemy opened, within its transaction: on SQLite
one by one, on PostgreSQL many in one round trip (pipeline mode), and long columns of rows by COPY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Connection

from audit.errors import VerificationFailed
from audit.schema import octets
from audit.tiles import HASH_SIZE

#: The name of the key of the blind indexes among the vault's keys.
INDEX_KEY = "index"
#: How many values one IN (…) may hold.
_CHUNK = 500
#: From so many rows on a COPY costs PostgreSQL less than a statement for each row.
_COPY_FROM = 40

_ENTRY = ("seq", "leaf")
#: The columns of a body in the order in which a batch gives them.
BODY = (
    "seq", "sealed", "subject_index", "official_index", "case_index", "organisation", "registry", "purpose", "action",
    "outcome", "automatic", "logged_ms", "kind",
)  # fmt: skip
KIND = ("kind", "key_index", "organisation", "registry", "purpose", "action", "outcome", "automatic")
_HEAD = "SELECT size, time_ms, prev, frontier, checkpoint FROM head WHERE id = 1"
_EDGE = "SELECT tile_index, hashes FROM tiles WHERE level = 0 ORDER BY tile_index DESC LIMIT 1"
_KEY_AND_EDGE = (
    "SELECT (SELECT wrapped FROM vault_keys WHERE name = ?), edge.tile_index, edge.hashes"  # noqa: S608 - our own
    f" FROM (SELECT 1) LEFT JOIN ({_EDGE}) AS edge ON true"
)
_TILE = "SELECT hashes FROM tiles WHERE level = ? AND tile_index = ?"
_LEAVES = "SELECT leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq"
_SUBJECTS = "SELECT subject_index, wrapped, labels FROM subjects WHERE subject_index IN (?)"
_SOURCES = "SELECT source, reported FROM sources WHERE source IN (?)"
_KEYS = "SELECT key_index, seq FROM idempotency WHERE key_index IN (?)"
_ADVANCE = "UPDATE head SET size = ?, time_ms = ?, prev = ?, frontier = ?, checkpoint = ? WHERE id = 1"
_SIGNED = "INSERT INTO checkpoints (size, note) VALUES (?, ?)"
_KIND = "SELECT kind FROM kinds WHERE key_index = ?"
_LAST_KIND = "SELECT max(kind) FROM kinds"

_Rows = list[tuple[Any, ...]]
_Statement = tuple[str, Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Head:
    """The right edge of the log: what the next entry is chained to."""

    size: int
    time_ms: int
    prev: bytes
    frontier: tuple[bytes, ...]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Those whom a batch is about: subjects (by blind index) and sources, and the idempotency keys it came with."""

    subjects: set[bytes]
    sources: set[str]
    keys: set[bytes] = field(default_factory=set)

    def covers(self, other: Wanted) -> bool:
        return self.subjects >= other.subjects and self.sources >= other.sources and self.keys >= other.keys


@dataclass(slots=True)
class Known:
    """What the database holds of those whom a batch is about."""

    #: For each known subject the wrapped keys and the number of labels made so far.
    subjects: dict[bytes, tuple[bytes, int]] = field(default_factory=dict)
    #: How many entries each source has reported.
    sources: dict[str, int] = field(default_factory=dict)
    #: Which entry an idempotency key stands for.
    keys: dict[bytes, int] = field(default_factory=dict)
    wrapped_index_key: bytes | None = None
    #: The rightmost hash tile of level 0, and its index.
    edge: tuple[int, bytes] = (-1, b"")


@dataclass(slots=True)
class Rows:
    """What a batch writes."""

    entries: list[tuple[int, bytes]] = field(default_factory=list)
    bodies: list[tuple[Any, ...]] = field(default_factory=list)
    new_subjects: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    labels: list[tuple[bytes, int]] = field(default_factory=list)
    sources: Mapping[str, int] = field(default_factory=dict)
    #: Sealed entries, each with the index by which those who may know of it find it.
    sealed: list[tuple[int, bytes]] = field(default_factory=list)
    keys: list[tuple[bytes, int]] = field(default_factory=list)
    #: Kinds of access that were not there before, and what they are found by.
    kinds: list[tuple[Any, ...]] = field(default_factory=list)
    kind_terms: list[tuple[bytes, int]] = field(default_factory=list)
    tiles: Mapping[tuple[int, int], bytes] = field(default_factory=dict)


class Hand(Protocol):
    """The statements of an append, on one connection."""

    def head(self) -> Head | None:
        """The head, kept from every other writer until the transaction ends; None where there is no log."""

    def head_and_known(self, wanted: Callable[[], Wanted]) -> tuple[Head | None, Wanted | None, Known | None]:
        """The head as `head` gives it; what was wanted and is known, where that comes with it for no more."""

    def known(self, wanted: Wanted) -> Known:
        """Look up what a batch needs to know."""

    def tile(self, level: int, index: int) -> bytes:
        """The hashes of one tile as far as it has grown; empty when there is none."""

    def kind(self, key: bytes) -> int | None:
        """The number of the kind with this key."""

    def last_kind(self) -> int:
        """The highest number of a kind; 0 when there is none."""

    def leaves(self, first: int, end: int) -> list[bytes]:
        """The leaves of these entries in their order, as far as they are there."""

    def write(self, rows: Rows, head: Head) -> None:
        """Insert everything and move the head on; the checkpoint in it is kept for ever."""


def hand_of(connection: Connection) -> Hand:
    """The driver's end of a connection. Its errors are the driver's own; `Store.writing` turns them into ours."""
    driver = connection.connection.driver_connection
    return _PostgreSQL(driver) if connection.dialect.name == "postgresql" else _SQLite(driver)


class _SQLite:
    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def head(self) -> Head | None:
        return _head_of(self._fetch(_HEAD))

    def head_and_known(self, wanted: Callable[[], Wanted]) -> tuple[Head | None, Wanted | None, Known | None]:
        return self.head(), None, None

    def known(self, wanted: Wanted) -> Known:
        ((index_key, edge, hashes),) = self._fetch(_KEY_AND_EDGE, (INDEX_KEY,))
        return Known(
            {
                octets(one) or b"": (octets(wrapped) or b"", n)
                for one, wrapped, n in self._among(_SUBJECTS, list(wanted.subjects))
            },
            dict(self._among(_SOURCES, list(wanted.sources))),
            {octets(key) or b"": seq for key, seq in self._among(_KEYS, list(wanted.keys))},
            octets(index_key),
            (-1, b"") if edge is None else (edge, octets(hashes) or b""),
        )

    def tile(self, level: int, index: int) -> bytes:
        return _hashes_of(self._fetch(_TILE, (level, index)))

    def kind(self, key: bytes) -> int | None:
        return _number_of(self._fetch(_KIND, (key,)))

    def last_kind(self) -> int:
        return _number_of(self._fetch(_LAST_KIND)) or 0

    def leaves(self, first: int, end: int) -> list[bytes]:
        return [leaf if type(leaf) is bytes else octets(leaf) or b"" for (leaf,) in self._fetch(_LEAVES, (first, end))]

    def write(self, rows: Rows, head: Head) -> None:
        many: tuple[_Statement, ...] = (
            *_new_kinds(rows),
            (_insert("entries", _ENTRY), rows.entries),
            (_insert("bodies", BODY), rows.bodies),
            (_insert("subjects", ("subject_index", "wrapped", "labels")), rows.new_subjects),
            ("UPDATE subjects SET labels = ?2 WHERE subject_index = ?1", rows.labels),
        )
        for statement, values in chain(many, _small(rows, head)):
            if len(values) == 1:
                self._driver.execute(statement, values[0])
            elif values:
                self._driver.executemany(statement, values)

    def _fetch(self, statement: str, values: Sequence[Any] = ()) -> _Rows:
        rows: _Rows = self._driver.execute(statement, values).fetchall()
        return rows

    def _among(self, statement: str, values: Sequence[Any]) -> _Rows:
        found: _Rows = []
        for start in range(0, len(values), _CHUNK):
            chunk = values[start : start + _CHUNK]
            found += self._fetch(statement.replace("?", ",".join("?" * len(chunk))), chunk)
        return found


class _PostgreSQL:
    def __init__(self, driver: Any) -> None:
        self._driver = driver

    def head(self) -> Head | None:
        return _head_of(self._fetch(f"{_HEAD} FOR UPDATE"))

    def head_and_known(self, wanted: Callable[[], Wanted]) -> tuple[Head | None, Wanted | None, Known | None]:
        asked = wanted()
        rows = self._fetch(_HEAD_AND_KNOWN, _arrays(asked))
        head = _head_of([row[:5] for row in rows])
        # A statement that had to wait for the head's lock sees it as it is by then, and all else as it was before.
        if head is None or rows[0][5] != head.size:
            return head, None, None
        return head, asked, _known_of(rows[0][6:])

    def known(self, wanted: Wanted) -> Known:
        return _known_of(self._fetch(_ALL_KNOWN, _arrays(wanted))[0])

    def tile(self, level: int, index: int) -> bytes:
        return _hashes_of(self._fetch(_formatted(_TILE), (level, index)))

    def kind(self, key: bytes) -> int | None:
        return _number_of(self._fetch(_formatted(_KIND), (key,)))

    def last_kind(self) -> int:
        return _number_of(self._fetch(_LAST_KIND)) or 0

    def leaves(self, first: int, end: int) -> list[bytes]:
        return [leaf for (leaf,) in self._fetch(_formatted(_LEAVES), (first, end))]

    def write(self, rows: Rows, head: Head) -> None:
        for statement, given in _new_kinds(rows):
            if given:
                with self._driver.cursor() as cursor:
                    cursor.executemany(_formatted(statement), given)
        copied = len(rows.entries) > _COPY_FROM
        if copied:
            self._copy("entries", _ENTRY, rows.entries)
            self._copy("bodies", BODY, rows.bodies)
        tiles = [(level, index, hashes) for (level, index), hashes in rows.tiles.items()]
        tables: list[Sequence[tuple[Any, ...]]] = [
            () if copied else rows.entries,
            () if copied else rows.bodies,
            rows.new_subjects,
            rows.labels,
            tuple(rows.sources.items()),
            tiles,
            rows.keys,
            rows.sealed,
        ]
        values: list[Any] = []
        alone = len(rows.entries) == 1
        for given in tables:
            if alone:
                values += chain.from_iterable(given)
            elif given:
                values += map(list, zip(*given, strict=True))
        values += (head.size, head.checkpoint)
        values += (head.size, head.time_ms, head.prev, b"".join(head.frontier), head.checkpoint)
        self._driver.execute(_all_written(alone, *(len(given) if alone else bool(given) for given in tables)), values)

    def _fetch(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> _Rows:
        with self._driver.cursor(binary=True) as cursor:
            rows: _Rows = cursor.execute(statement, values).fetchall()
            return rows

    def _copy(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        into = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        with self._driver.cursor() as cursor, cursor.copy(into) as copy:
            copy.write(_binary(rows))


def _binary(rows: Sequence[tuple[Any, ...]]) -> bytes:
    """Rows in PostgreSQL's binary COPY format: a field is its length in 32 bits and its bytes, -1 for NULL.

    What a row holds tells its column's type: int8 of a number, bool of a flag, text and bytes as they are.
    """
    parts = [b"PGCOPY\n\xff\r\n\0", bytes(8)]
    width = len(rows[0]).to_bytes(2, "big")
    texts: dict[str, bytes] = {}
    for row in rows:
        parts.append(width)
        for value in row:
            if type(value) is bytes:
                parts += (len(value).to_bytes(4, "big"), value)
            elif value is None:
                parts.append(b"\xff\xff\xff\xff")
            elif type(value) is str:
                field_ = texts.get(value)
                if field_ is None:
                    encoded = value.encode()
                    field_ = texts[value] = len(encoded).to_bytes(4, "big") + encoded
                parts.append(field_)
            elif type(value) is bool:
                parts.append(b"\0\0\0\1\1" if value else b"\0\0\0\1\0")
            else:
                parts += (b"\0\0\0\x08", value.to_bytes(8, "big", signed=True))
    parts.append(b"\xff\xff")
    return b"".join(parts)


def _new_kinds(rows: Rows) -> tuple[_Statement, ...]:
    """Apart from the rest, for they are few and soon none."""
    return (_insert("kinds", KIND), rows.kinds), (_insert("kind_terms", ("term_index", "kind")), rows.kind_terms)


def _small(rows: Rows, head: Head) -> Iterator[_Statement]:
    yield _insert("sealed", ("seq", "owner_index")), rows.sealed
    yield _insert("idempotency", ("key_index", "seq")), rows.keys
    yield _upsert("sources", ("source",), "reported"), list(rows.sources.items())
    tiles = [(level, index, hashes) for (level, index), hashes in rows.tiles.items()]
    yield _upsert("tiles", ("level", "tile_index"), "hashes"), tiles
    yield _ADVANCE, [(head.size, head.time_ms, head.prev, b"".join(head.frontier), head.checkpoint)]
    yield _SIGNED, [(head.size, head.checkpoint)]


@lru_cache(maxsize=32)
def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names


@lru_cache(maxsize=8)
def _upsert(table: str, key: tuple[str, ...], value: str) -> str:
    return f"{_insert(table, (*key, value))} ON CONFLICT ({', '.join(key)}) DO UPDATE SET {value} = excluded.{value}"


def _formatted(statement: str) -> str:
    return statement.replace("?", "%s")


#: All that a batch looks up, in one row.
_KNOWN = (
    "".join(  # noqa: S608 - our own names alone are put into these texts
        f"ARRAY(SELECT {column} FROM {table} WHERE {key} = ANY(%({table})s) ORDER BY {key}), "  # noqa: S608
        for table, key, columns in (
            ("subjects", "subject_index", ("subject_index", "wrapped", "labels")),
            ("sources", "source", ("source", "reported")),
            ("idempotency", "key_index", ("key_index", "seq")),
        )
        for column in columns
    )
    + "(SELECT wrapped FROM vault_keys WHERE name = %(name)s), edge.tile_index, edge.hashes"
)
_ALL_KNOWN = f"SELECT {_KNOWN} FROM (SELECT) AS nothing LEFT JOIN ({_EDGE}) AS edge ON true"  # noqa: S608
_HEAD_AND_KNOWN = (
    f"WITH locked AS ({_HEAD} FOR UPDATE) SELECT locked.*, (SELECT size FROM head WHERE id = 1), {_KNOWN}"  # noqa: S608
    f" FROM locked LEFT JOIN ({_EDGE}) AS edge ON true"
)
#: The parts of a write on PostgreSQL: before the rows, the types of their columns, and after them.
_PARTS: tuple[tuple[str, Sequence[str], str], ...] = (
    (f"INSERT INTO entries ({', '.join(_ENTRY)})", ("int8", "bytea"), ""),
    (
        f"INSERT INTO bodies ({', '.join(BODY)})",
        ("int8", "bytea", "bytea", "bytea", "bytea", *["varchar"] * 5, "bool", "int8", "int8"),
        "",
    ),
    ("INSERT INTO subjects (subject_index, wrapped, labels)", ("bytea", "bytea", "int8"), ""),
    (
        "UPDATE subjects SET labels = given.labels FROM (",
        ("bytea", "int8"),
        ") AS given (subject_index, labels) WHERE subjects.subject_index = given.subject_index",
    ),
    (
        "INSERT INTO sources (source, reported)",
        ("varchar", "int8"),
        "ON CONFLICT (source) DO UPDATE SET reported = excluded.reported",
    ),
    (
        "INSERT INTO tiles (level, tile_index, hashes)",
        ("int2", "int8", "bytea"),
        "ON CONFLICT (level, tile_index) DO UPDATE SET hashes = excluded.hashes",
    ),
    ("INSERT INTO idempotency (key_index, seq)", ("bytea", "int8"), ""),
    ("INSERT INTO sealed (seq, owner_index)", ("int8", "bytea"), ""),
)


@lru_cache(maxsize=256)
def _all_written(alone: bool, *counts: int) -> str:
    """All that a batch writes, in one statement: a round trip for each table would cost more than its rows.

    The rows come as one array for each column, whatever their number; those of an entry that is `alone` one by one,
    which is faster by half.
    """
    parts = []
    for number, ((before, types, after), count) in enumerate(zip(_PARTS, counts, strict=True)):
        if count and alone:
            row = f"({', '.join(f'%s::{name}' for name in types)})"
            parts.append(f"part{number} AS ({before} VALUES {', '.join([row] * count)} {after})")
        elif count:
            arrays = ", ".join(f"%s::{name}[]" for name in types)
            parts.append(f"part{number} AS ({before} SELECT * FROM unnest({arrays}) {after})")  # noqa: S608
    parts.append("signed AS (INSERT INTO checkpoints (size, note) VALUES (%s, %s))")
    return f"WITH {', '.join(parts)} {_formatted(_ADVANCE)}"


def _head_of(rows: _Rows) -> Head | None:
    if not rows:
        return None
    size, time_ms, prev, frontier, checkpoint = rows[0]
    if not (isinstance(size, int) and isinstance(time_ms, int) and isinstance(checkpoint, str)):
        raise VerificationFailed("the head of the log is no head")
    edge = octets(frontier) or b""
    hashes = tuple(edge[start : start + HASH_SIZE] for start in range(0, len(edge), HASH_SIZE))
    return Head(size, time_ms, octets(prev) or b"", hashes, checkpoint)


def _arrays(wanted: Wanted) -> dict[str, Any]:
    return {
        "subjects": list(wanted.subjects),
        "sources": list(wanted.sources),
        "idempotency": list(wanted.keys),
        "name": INDEX_KEY,
    }


def _known_of(row: tuple[Any, ...]) -> Known:
    """What a row of `_KNOWN` says."""
    indexes, wrapped, labels, sources, reported, keys, seqs, index_key, edge, hashes = row
    return Known(
        dict(zip(indexes, zip(wrapped, labels, strict=True), strict=True)),
        dict(zip(sources, reported, strict=True)),
        dict(zip(keys, seqs, strict=True)),
        index_key,
        (-1, b"") if edge is None else (edge, hashes),
    )


def _hashes_of(rows: _Rows) -> bytes:
    return octets(rows[0][0]) or b"" if rows else b""


def _number_of(rows: _Rows) -> int | None:
    return rows[0][0] if rows else None
