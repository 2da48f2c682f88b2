"""The one hand on the log's tables: engine, transactions, and the few statements that read and write them.

What differs between SQLite and PostgreSQL stands here and in `audit.schema`, nowhere else.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError

from audit import schema
from audit.errors import LogUnavailable, VerificationFailed
from audit.merkle import node_hash, root_of
from audit.rows import Head, hand_of
from audit.tiles import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH

#: How many values one IN (…) may hold, and how many rows one read fetches.
CHUNK = 500
#: Seconds that a writer waits for another process's writer before it gives up.
LOCK_SECONDS = 10
_SQLITE_FULL = 2
_IDLE_SECONDS = 1.0
_TURN_SECONDS = 0.0005
#: An append's statements are always alike: PostgreSQL need not plan them anew, which would take longer than they do.
_WRITING = "-c plan_cache_mode=force_generic_plan -c jit=off"
_READING = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = auto"
_IMMEDIATE = "audit_immediate"
_AUTOCOMMIT = "audit_autocommit"
#: Of a connection to SQLite, whether it waits for a lock by itself.
_PATIENT = "audit_patient"


@dataclass(frozen=True, slots=True)
class StoredReport:
    """How a witness answered last; `size` is the newest that it cosigned."""

    state: str
    size: int
    asked_ms: int
    problem: str


class Store:
    """Transactions over the log's tables. Every database failure comes out as LogUnavailable, without its data."""

    def __init__(self, database_url: str) -> None:
        self._trust = _Trust()
        self.engine = _engine(database_url, self._trust)
        #: What a failing database raises: through SQLAlchemy, or straight from its driver (`audit.rows`).
        self._failures = (SQLAlchemyError, self.engine.dialect.loaded_dbapi.Error)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that holds the log's head against every other writer, or LogUnavailable.

        An error at commit leaves the outcome open; the connection is thrown away, and nothing is tried again.
        """
        try:
            with self.engine.connect().execution_options(**{_IMMEDIATE: True}) as connection:
                try:
                    with connection.begin():
                        yield connection
                except self._failures:
                    connection.invalidate()
                    raise
        except self._failures as error:
            self._trust.from_ = time.monotonic()  # a server that has gone took every connection with it
            raise _unavailable("cannot be written", error) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the log, or LogUnavailable."""
        try:
            with self.engine.connect() as connection, connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.execute(text(_READING))
                yield connection
        except self._failures as error:
            raise _unavailable("cannot be read", error) from error

    @contextmanager
    def maintaining(self) -> Iterator[Connection]:
        """A connection for statements that allow no transaction around them, or LogUnavailable."""
        try:
            with self.engine.connect() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execution_options(**{_AUTOCOMMIT: True})
                yield connection
        except SQLAlchemyError as error:
            raise _unavailable("cannot be written", error) from error

    def settle(self) -> None:
        """Make durable what is committed, by whomever: a process may have died between its commit and the disk.

        On PostgreSQL nothing can be seen before it is durable. Raises LogUnavailable when the disk refuses.
        """
        if self.engine.dialect.name != "sqlite":
            return
        try:
            with Path(f"{self.engine.url.database}-wal").open("rb+") as wal:
                os.fsync(wal.fileno())
        except FileNotFoundError:  # checkpointed into the database, and durable before it was removed
            return
        except OSError as error:
            raise _unavailable("cannot be written", error) from error

    def close(self) -> None:
        self.engine.dispose()


@dataclass(slots=True)
class _Trust:
    """In which connections of a pool there is reason to trust: those that came back after this moment."""

    from_: float = -math.inf


def _engine(database_url: str, trust: _Trust) -> Engine:
    try:
        backend = make_url(database_url).get_backend_name()
    except SQLAlchemyError:
        raise LogUnavailable("the audit log's database URL cannot be read") from None
    if backend == "sqlite":
        engine = create_engine(database_url, hide_parameters=True)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if backend == "postgresql":
        # synchronous_commit off would acknowledge what a crash can take back.
        options = f"-c synchronous_commit=on -c lock_timeout={LOCK_SECONDS}s -c timezone=UTC {_WRITING}"
        engine = create_engine(database_url, hide_parameters=True, connect_args={"options": options})
        event.listen(engine, "checkin", _note_the_time)
        event.listen(engine, "checkout", partial(_ping_if_in_doubt, engine, trust))
        return engine
    raise LogUnavailable(f"the audit log keeps to SQLite or PostgreSQL, not {backend}")


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")  # see schema.Octets
    connection.isolation_level = None  # the driver must not begin transactions of its own accord
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={int(LOCK_SECONDS * 1000)}",
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        "recursive_triggers=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    durable = cursor.execute("PRAGMA synchronous").fetchone()[0] >= _SQLITE_FULL
    cursor.close()
    if not durable:
        raise LogUnavailable("SQLite does not wait for the disk (synchronous below FULL): commits could be lost")


def _note_the_time(_connection: object, record: Any) -> None:
    record.info["left"] = time.monotonic()


def _ping_if_in_doubt(engine: Engine, trust: _Trust, connection: Any, record: Any, _proxy: object) -> None:
    """Ask a server that was silent for a while, or that failed, whether it is there; each time would slow down appends.

    To throw the whole pool away at a failure would leave open what others are using: it comes back to no pool.
    """
    left = record.info.get("left", math.inf)
    if time.monotonic() - left > _IDLE_SECONDS or left <= trust.from_:
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # for which the pool opens another


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    is_immediate = options.get(_IMMEDIATE, False)
    driver: Any = connection.connection.driver_connection
    info = connection.connection.info
    if info.get(_PATIENT, True) == is_immediate:  # as it was when it was used last, which mostly was for the same
        driver.execute(f"PRAGMA busy_timeout={0 if is_immediate else int(LOCK_SECONDS * 1000)}")
        info[_PATIENT] = not is_immediate
    if options.get(_AUTOCOMMIT, False):
        return
    if is_immediate:
        _wait_for_turn(driver)
    else:
        driver.execute("BEGIN")


def _wait_for_turn(driver: Any) -> None:
    """BEGIN IMMEDIATE, looking again every half millisecond where SQLite itself would wait ever longer."""
    until = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_TURN_SECONDS)
        else:
            return


def _unavailable(what: str, error: Exception) -> LogUnavailable:
    return LogUnavailable(f"the audit log's database {what} ({type(error).__name__})")


def read_head(connection: Connection, *, lock: bool = False) -> Head | None:
    """The head, or None in a database that holds no log. `lock` keeps other writers away until the transaction ends."""
    statement = select(schema.head).where(schema.head.c.id == 1)
    row = connection.execute(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        return None
    if not (isinstance(row.size, int) and isinstance(row.time_ms, int) and isinstance(row.checkpoint, str)):
        raise VerificationFailed("the head of the log is no head")
    edge = bytes(row.frontier)
    frontier = tuple(edge[start : start + HASH_SIZE] for start in range(0, len(edge), HASH_SIZE))
    return Head(row.size, row.time_ms, bytes(row.prev), frontier, row.checkpoint)


def insert_head(connection: Connection, head: Head) -> None:
    connection.execute(insert(schema.head), {"id": 1, **_head_values(head)})
    connection.execute(insert(schema.checkpoints), {"size": head.size, "note": head.checkpoint})


def _head_values(head: Head) -> dict[str, Any]:
    return {
        "size": head.size,
        "time_ms": head.time_ms,
        "prev": head.prev,
        "frontier": b"".join(head.frontier),
        "checkpoint": head.checkpoint,
    }


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))


def read_subjects(connection: Connection, indexes: Iterable[bytes]) -> dict[bytes, tuple[bytes, int]]:
    """For each known subject the wrapped keys and the number of labels made so far."""
    columns = schema.subjects.c
    wanted = list(indexes)
    found: dict[bytes, tuple[bytes, int]] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        for row in connection.execute(select(schema.subjects).where(columns.subject_index.in_(chunk))):
            found[bytes(row.subject_index)] = (bytes(row.wrapped), row.labels)
    return found


def read_tile(connection: Connection, level: int, index: int) -> bytes:
    """The hashes of one tile as far as it has grown; empty when there is none."""
    columns = schema.tiles.c
    found = connection.execute(
        select(columns.hashes).where(columns.level == level, columns.tile_index == index)
    ).scalar_one_or_none()
    return b"" if found is None else bytes(found)


def read_cosignatures(connection: Connection, limit: int) -> list[tuple[int, str, str]]:
    """The newest cosignatures (size, the checkpoint of that size, signature line), the largest size first."""
    lines, notes = schema.cosignatures, schema.checkpoints
    statement = (
        select(lines.c.size, notes.c.note, lines.c.line)
        .join_from(lines, notes, notes.c.size == lines.c.size)
        .order_by(lines.c.size.desc(), lines.c.witness)
        .limit(limit)
    )
    return [(row.size, row.note, row.line) for row in connection.execute(statement)]


def write_cosignature(connection: Connection, size: int, witness: str, line: str) -> None:
    """Keep what a witness signed; a second cosignature of one witness on one size adds nothing and is left out."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"size": size, "witness": witness, "line": line}
    connection.execute(dialect.insert(schema.cosignatures).on_conflict_do_nothing(), row)


def read_witness_reports(connection: Connection) -> dict[str, StoredReport]:
    rows = connection.execute(select(schema.witness_reports))
    return {row.witness: StoredReport(row.state, row.size, row.asked_ms, row.problem) for row in rows}


def write_witness_reports(connection: Connection, reports: Mapping[str, StoredReport]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(schema.witness_reports)
    columns = {name: statement.excluded[name] for name in ("state", "size", "asked_ms", "problem")}
    statement = statement.on_conflict_do_update(index_elements=["witness"], set_=columns)
    rows = [{"witness": witness, **asdict(report)} for witness, report in reports.items()]
    if rows:
        connection.execute(statement, rows)


def read_leaf(connection: Connection, seq: int) -> bytes | None:
    found = connection.execute(select(schema.entries.c.leaf).where(schema.entries.c.seq == seq)).scalar_one_or_none()
    return None if found is None else bytes(found)


def read_vault_key(connection: Connection, name: str) -> bytes | None:
    columns = schema.vault_keys.c
    found = connection.execute(select(columns.wrapped).where(columns.name == name)).scalar_one_or_none()
    return None if found is None else bytes(found)


class TileNodes:
    """Hashes of complete subtrees, read from the tiles of one transaction: what a proof is made of."""

    def __init__(self, connection: Connection) -> None:
        self._hand = hand_of(connection)
        self._tiles: dict[tuple[int, int], bytes] = {}

    def tile(self, level: int, index: int) -> bytes:
        key = (level, index)
        if key not in self._tiles:
            self._tiles[key] = self._hand.tile(level, index)
        return self._tiles[key]

    def node(self, height: int, index: int) -> bytes:
        """The root of the complete subtree of this height at this place, as `audit.merkle` asks for it.

        Raises VerificationFailed when the tile does not reach so far.
        """
        level, within = divmod(height, TILE_HEIGHT)
        first = index << within
        tile_index, start = divmod(first, TILE_WIDTH)
        tile = self.tile(level, tile_index)
        hashes = tile[start * HASH_SIZE : (start + (1 << within)) * HASH_SIZE]
        if len(hashes) != HASH_SIZE << within:
            raise VerificationFailed(f"tile {tile_index} of level {level} is shorter than the tree")
        if within and (level or len(tile) < _FULL_TILE):  # one of few tiles, which every proof needs
            return _inner_nodes(tile)[within][start >> within]
        return root_of([hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)])


_FULL_TILE = TILE_WIDTH * HASH_SIZE


@lru_cache(maxsize=64)
def _inner_nodes(tile: bytes) -> list[list[bytes]]:
    """The complete subtrees of a tile, height by height; known by the tile's own bytes, so never out of date."""
    levels = [[tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return levels
