"""Where a measure runs: on the Parquet tables through DuckDB, or on the log's own database.

A measure is a SQLAlchemy statement over one relation. DuckDB speaks PostgreSQL's dialect, so both engines are given the
same statement; a test holds their results against each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from obstore.store import LocalStore
from sqlalchemy import BigInteger, Boolean, Column, LargeBinary, MetaData, String, Table
from sqlalchemy.dialects import postgresql

from audit.figures import Measure
from audit.log import AuditLog
from portal.services.analytics import tables
from portal.services.analytics.lake import Lake, LakeState, LakeUnreadable

_TYPES: dict[pa.DataType, Any] = {
    pa.int64(): BigInteger,
    pa.string(): String,
    pa.bool_(): Boolean,
    pa.binary(): LargeBinary,
}
_RELATION = "accesses"
_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]
_ACCESSES = Table(_RELATION, MetaData(), *(Column(field.name, _TYPES[field.type]()) for field in tables.SCHEMA))


class Engine(Protocol):
    """Runs measures over the trail."""

    def rows(self, measure: Measure) -> list[tuple[Any, ...]]:
        """What the measure gives; its order is the measure's own."""


class LogEngine:
    """Measures on the log's database: always up to date, and a full scan for each."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def rows(self, measure: Measure) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._log.measured(measure)]


class LakeEngine:
    """Measures on the Parquet tables as one state of theirs names them."""

    def __init__(self, lake: Lake, state: LakeState) -> None:
        self._lake = lake
        self._state = state

    def rows(self, measure: Measure) -> list[tuple[Any, ...]]:
        """Raises LakeUnreadable when a file is missing or changed."""
        statement = str(measure(_ACCESSES).compile(dialect=_POSTGRESQL, compile_kwargs={"literal_binds": True}))
        with duckdb.connect(":memory:", config={"autoinstall_known_extensions": False}) as connection:
            try:
                self._lay_out(connection)
                return connection.execute(statement).fetchall()
            except duckdb.IOException as error:
                raise LakeUnreadable(type(error).__name__) from error

    def _lay_out(self, connection: duckdb.DuckDBPyConnection) -> None:
        store = self._lake.store
        if isinstance(store, LocalStore) and store.prefix is not None and self._state.parts:
            # DuckDB reads local files by itself: column by column, on all cores.
            files = [str(store.prefix / part.path) for part in self._state.parts]
            connection.read_parquet(files).create_view(_RELATION)
        else:
            connection.register(_RELATION, pa.RecordBatchReader.from_batches(tables.SCHEMA, self._batches()))

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for part in self._state.parts:
            yield from tables.batches(self._lake.file(part))
