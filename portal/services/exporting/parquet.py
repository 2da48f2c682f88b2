"""The trail as Apache Parquet: one file, exact, written in row groups so that memory stays the same."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice

import pyarrow as pa
import pyarrow.parquet as pq

from audit.log import LoggedAccess
from audit.portable import COLUMNS, row_of
from portal.services.exporting.maker import MADE_BY, Maker

#: Rows that are held at once; a group of a few thousand is still read quickly.
_GROUP = 5_000
_TYPES = {
    "seq": pa.int64(),
    "logged_at": pa.timestamp("ms", tz="UTC"),
    "occurred_at": pa.timestamp("ms", tz="UTC"),
    "fields": pa.list_(pa.string()),
    "automatic": pa.bool_(),
}
SCHEMA = pa.schema([pa.field(column, _TYPES.get(column, pa.string())) for column in (*COLUMNS, *MADE_BY)])


class _Sink:
    """What the writer writes to: it keeps the bytes until they are taken."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Whoever takes the bytes decides when they end."""

    def taken(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def parquet_file(entries: Iterable[LoggedAccess], maker: Maker) -> Iterator[bytes]:
    """`details` stands as JSON text; moments are UTC in milliseconds."""
    sink = _Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), SCHEMA, compression="zstd") as writer:
        made = maker._asdict()
        rows = (_row(logged) | made for logged in entries)
        while group := list(islice(rows, _GROUP)):
            writer.write_table(pa.Table.from_pylist(group, SCHEMA))
            yield sink.taken()
    yield sink.taken()


def _row(logged: LoggedAccess) -> dict[str, object]:
    row = row_of(logged.seq, logged.logged_at, logged.access)
    details = row["details"]
    return row | {
        "logged_at": logged.logged_at,
        "occurred_at": None if logged.access is None else logged.access.occurred_at,
        "details": None if details is None else json.dumps(details, ensure_ascii=False, sort_keys=True),
    }
