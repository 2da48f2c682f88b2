"""What the log is measured against: what somebody would write without it, and the bare work underneath it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text, create_engine, insert, select
from sqlalchemy.engine import Engine, make_url

from audit import rows, schema
from audit.entry import Access, encode_body
from audit.store import Store

_metadata = MetaData()
_TYPES = {
    "entries": ["int8", "bytea"],
    "bodies": ["int8", "bytea", "bytea", "bytea", "bytea", *["varchar"] * 5, "bool", "int8", "int8"],
    "bare_rows": ["int8", "bytea", "bytea"],
}
chain = Table(
    "naive_chain",
    _metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
bare = Table(
    "bare_rows",
    _metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)


def durable_engine(url: str) -> Engine:
    """SQLAlchemy over the same database with the same durability as the log's own store."""
    engine = Store(url).engine
    _metadata.create_all(engine)
    return engine


class NaiveChain:
    """The usual hash chain: select the last row, insert the next, commit, for each entry. Not encrypted, no proofs."""

    def __init__(self, url: str) -> None:
        self.engine = durable_engine(url)
        self._lock = threading.Lock()

    def append(self, access: Access) -> bytes:
        body = encode_body(access)
        with self._lock, self.engine.begin() as connection:
            last = connection.execute(select(chain.c.id, chain.c.hash).order_by(chain.c.id.desc()).limit(1)).first()
            number, prev = (last.id + 1, last.hash) if last is not None else (0, bytes(32))
            digest = hashlib.sha256(prev + body).digest()
            connection.execute(insert(chain), {"id": number, "body": body.decode(), "prev": prev, "hash": digest})
            return digest


class RawRows:
    """The log's own rows, straight into like tables through the driver: one transaction for each thousand."""

    def __init__(self, url: str, entries: Sequence[tuple[Any, ...]], bodies: Sequence[tuple[Any, ...]]) -> None:
        self._url = make_url(url)
        self._entries, self._bodies = entries, bodies
        store = Store(url)
        with store.engine.begin() as connection:
            schema.create_tables(connection)
            _metadata.create_all(connection)
        store.close()
        self._connection = self._sqlite() if self._url.get_backend_name() == "sqlite" else self._postgresql()

    def _sqlite(self) -> Any:
        connection = sqlite3.connect(str(self._url.database), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def _postgresql(self) -> Any:
        return psycopg.connect(self._url.set(drivername="postgresql").render_as_string(hide_password=False))

    def insert(self, start: int, count: int, *, indexed: bool) -> None:
        """Insert rows from `start` on, as the log has them (with its indexes and triggers) or into one bare table."""
        entries, bodies = self._entries[start : start + count], self._bodies[start : start + count]
        if indexed:
            self._into((("entries", ("seq", "leaf"), entries), ("bodies", rows.BODY, bodies)))
        else:
            together = [(seq, leaf, body[1]) for (seq, leaf), body in zip(entries, bodies, strict=True)]
            self._into((("bare_rows", ("id", "leaf", "sealed"), together),))

    def _into(self, tables: Sequence[tuple[str, Sequence[str], Sequence[tuple[Any, ...]]]]) -> None:
        if self._url.get_backend_name() == "sqlite":
            self._connection.execute("BEGIN IMMEDIATE")
            for table, columns, values in tables:
                marks = ", ".join("?" * len(columns))
                self._connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)
            self._connection.execute("COMMIT")
            return
        with self._connection.cursor() as cursor:
            for table, columns, values in tables:
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy:
                    copy.set_types(_TYPES[table])
                    for row in values:
                        copy.write_row(row)
        self._connection.commit()

    def empty(self) -> None:
        """Drop and make the tables again: the triggers let nothing be deleted."""
        self._connection.close()
        engine = create_engine(self._url)
        with engine.begin() as connection:
            schema.metadata.drop_all(connection)
            _metadata.drop_all(connection)
            schema.create_tables(connection)
            _metadata.create_all(connection)
        engine.dispose()
        self._connection = self._sqlite() if self._url.get_backend_name() == "sqlite" else self._postgresql()

    def close(self) -> None:
        self._connection.close()


class BareInsert:
    """One durable insert of the same bytes at a time, through SQLAlchemy or straight through the driver."""

    def __init__(self, url: str, leaf: bytes, sealed: bytes) -> None:
        self.engine = durable_engine(url)
        self._row = {"leaf": leaf, "sealed": sealed}
        self._next = 0
        self._fairy = self.engine.raw_connection()
        self._driver: Any = self._fairy.driver_connection
        self._mark = "?" if self.engine.dialect.name == "sqlite" else "%s"

    def through_sqlalchemy(self) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(bare), {"id": self._next, **self._row})
        self._next += 1

    def through_driver(self) -> None:
        if self._mark == "?":
            self._driver.execute("BEGIN IMMEDIATE")
        marks = ", ".join(self._mark * 1 for _ in range(3))
        values = (self._next, self._row["leaf"], self._row["sealed"])
        self._driver.execute(f"INSERT INTO bare_rows (id, leaf, sealed) VALUES ({marks})", values)
        self._driver.commit()
        self._next += 1

    def close(self) -> None:
        self._fairy.close()
        self.engine.dispose()


def digest_of_leaves(url: str) -> tuple[int, bytes]:
    """Read every leaf of a log on SQLite in order and hash it, and nothing more: the floor under any verification."""
    connection = sqlite3.connect(str(make_url(url).database))
    sha256, count, last = hashlib.sha256, 0, b""
    for (leaf,) in connection.execute("SELECT leaf FROM entries ORDER BY seq"):
        last = sha256(leaf).digest()
        count += 1
    connection.close()
    return count, last


def record(number: int) -> dict[str, Any]:
    """A caseworker's look at one of 2,000 people: the body of an entry takes some 520 bytes."""
    return {
        "action": "read",
        "outcome": "released",
        "source": "portal",
        "subject": f"EE3800108{number * 7919 % 2000:04}",
        "organisation": "social-insurance",
        "role": "caseworker",
        "official": f"official-{number % 150}",
        "official_name": "Mari Maasikas",
        "registry": "population",
        "fields": ("name", "address"),
        "purpose": "benefit-decision",
        "lawful_basis": "GDPR Article 6(1)(e)",
        "case": f"C-2026-{number % 5000}",
        "justification": "Deciding the claim of 2 March for a housing benefit",
        "request_id": hashlib.sha256(json.dumps(number).encode()).hexdigest()[:16],
    }
