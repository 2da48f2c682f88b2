"""The trail as columns: the schema of the Parquet tables, and how rows become one table of a month."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from audit.figures import AccessRow

#: The columns of `AccessRow`. Few codes stand in many rows, so they are dictionaries; blind indexes have 16 bytes.
SCHEMA = pa.schema(
    [
        pa.field("seq", pa.int64(), nullable=False),
        pa.field("logged_ms", pa.int64(), nullable=False),
        pa.field("day", pa.int64(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("organisation", "registry", "purpose")),
        *(pa.field(name, pa.string(), nullable=False) for name in ("action", "outcome")),
        pa.field("automatic", pa.bool_(), nullable=False),
        pa.field("subject", pa.binary(), nullable=False),
        *(pa.field(name, pa.binary()) for name in ("official", "case")),
    ]
)
_EPOCH = date(1970, 1, 1)


def month_of(day: int) -> str:
    """The month of a day counted since 1970, in UTC: "2026-03"."""
    return f"{_EPOCH + timedelta(days=day):%Y-%m}"


def day_of(when: datetime) -> int:
    """The days from 1970 to an aware time, in UTC."""
    return (when.astimezone(UTC).date() - _EPOCH).days


def by_month(rows: Iterable[AccessRow]) -> Iterator[tuple[str, list[AccessRow]]]:
    """Runs of rows of one month, in the order in which they come."""
    run: list[AccessRow] = []
    month = ""
    for row in rows:
        if run and month_of(row.day) != month:
            yield month, run
            run = []
        month = month_of(row.day)
        run.append(row)
    if run:
        yield month, run


def encoded(rows: list[AccessRow]) -> bytes:
    """The rows as one Parquet file, zstd-compressed, codes dictionary-encoded."""
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), SCHEMA, strict=True)]
    return _written(pa.Table.from_arrays(columns, schema=SCHEMA))


def without(file: bytes, seqs: Collection[int]) -> tuple[bytes, int]:
    """The file without the rows of these entries, and how many rows are left."""
    table = pq.read_table(io.BytesIO(file), schema=SCHEMA)
    kept = table.filter(pc.invert(pc.is_in(table["seq"], value_set=pa.array(sorted(seqs), pa.int64()))))
    return _written(kept), kept.num_rows


def batches(file: bytes) -> Iterator[pa.RecordBatch]:
    """The rows of one file, some thousands at a time."""
    yield from pq.ParquetFile(io.BytesIO(file)).iter_batches()


def _written(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()
