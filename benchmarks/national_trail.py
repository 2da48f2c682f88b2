"""A national trail to search: what stands beside the bodies, drawn from one seed and loaded by COPY.

Sixty organisations of very different size, four thousand officials of whom a few look very often, shifts and weekends,
summers and the tax season, registries' own systems, a few people who are looked at again and again, cases, break-glass
at night, seals, refusals. The columns that a search reads are as the log would write them; leaves are well-formed, the
sealed bodies are bytes of the usual length, and nothing is chained or signed: no search reads that.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import psycopg
import pyarrow as pa

from audit.entry import encoded_leaf
from audit.kinds import Kind
from audit.rows import BODY, KIND
from audit.schema import bodies

FIRST_DAY = datetime(2023, 1, 2, tzinfo=UTC)
ENTRIES_A_DAY = 6_900
PEOPLE = 1_300_000
OFFICIALS = 4_000
ORGANISATIONS = 60
SEALED_BYTES = 420
_CHUNK = 1_000_000
_REGISTRIES = tuple(f"registry-{number}" for number in range(24))
_SEASONS = np.array([1.1, 1.3, 1.25, 1.0, 0.95, 0.7, 0.45, 0.7, 1.05, 1.1, 1.1, 0.8])
_BY_DAY = np.array([0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.6, 2, 7, 10, 11, 10, 7, 9, 10, 9, 7, 4, 2, 1, 0.7, 0.6, 0.4, 0.3])


def blind(kind: str, value: str) -> bytes:
    """A blind index as the database can compute it too, for the people of the trail."""
    return hashlib.md5(f"{kind}\n{value}".encode(), usedforsecurity=False).digest()


@dataclass(slots=True)
class Trail:
    """Draws entries; the same number of them from the same seed are the same."""

    seed: int = 71
    kinds: dict[Kind, int] = field(default_factory=dict)
    _draw: np.random.Generator = field(init=False)
    _of_organisation: list[list[tuple[str, str, tuple[tuple[str, ...], ...]]]] = field(init=False)
    _weights: np.ndarray = field(init=False)  # type: ignore[type-arg]

    def __post_init__(self) -> None:
        self._draw = np.random.default_rng(self.seed)
        self._weights = _shares(ORGANISATIONS, 1.1)
        self._of_organisation = [self._purposes(number) for number in range(ORGANISATIONS)]

    def _purposes(self, organisation: int) -> list[tuple[str, str, tuple[tuple[str, ...], ...]]]:
        """Purpose, registry, and the sets of fields that are asked for: the usual one and some parts of it."""
        draw, found = self._draw, []
        for purpose in range(int(draw.integers(2, 8))):
            for registry in draw.choice(len(_REGISTRIES), int(draw.integers(1, 4)), replace=False):
                fields = tuple(f"field-{registry}-{number}" for number in range(8))
                sets = (fields, fields[:4], fields[:2], fields[3:6])
                found.append((f"purpose-{organisation % 20}-{purpose}", _REGISTRIES[registry], sets))
        return found

    def kind(self, organisation: int, row: np.ndarray) -> int:  # type: ignore[type-arg]
        """The number of the kind that these choices make."""
        way, sort, outcome, fields, emergency, sealed = (int(value) for value in row)
        ways = self._of_organisation[organisation]
        purpose, registry, sets = ways[way % len(ways)]
        looked = sort < 3
        action = ("read", "read", "read", "automated-read", "conflict-check", "sign-in")[sort]
        role = ("caseworker", "caseworker", "supervisor", None, "caseworker", "caseworker")[sort]
        about = sort != 5
        kind = Kind(
            f"organisation-{organisation}",
            registry if about else None,
            ("emergency" if emergency and looked else purpose) if about else None,
            action,
            ("released", "denied", "failed")[outcome] if about else "done",
            sort == 3,
            role,
            tuple(sorted(sets[fields])) if about else (),
            bool(emergency) and looked,
            bool(sealed) and looked,
        )
        return self.kinds.setdefault(kind, len(self.kinds) + 1)

    def chunk(self, first: int, count: int) -> pa.Table:
        """Entries `first` and on: number, time, and the numbers of person, official, case and kind."""
        draw = self._draw
        ms = self._times(first, count)
        organisation = draw.choice(ORGANISATIONS, count, p=self._weights)
        sort = draw.choice(6, count, p=[0.3, 0.13, 0.02, 0.42, 0.08, 0.05])
        hour = ms // 3_600_000 % 24
        at_night = (hour < 6) | (hour > 20)
        columns = np.column_stack((
            organisation,
            np.minimum(draw.zipf(1.6, count), 24) - 1,
            sort,
            draw.choice(3, count, p=[0.977, 0.02, 0.003]),
            draw.choice(4, count, p=[0.8, 0.12, 0.05, 0.03]),
            draw.random(count) < np.where(at_night, 0.02, 0.0005),
            draw.random(count) < 0.002,
        )).astype(np.int64)  # fmt: skip
        distinct, which = np.unique(columns, axis=0, return_inverse=True)
        numbers = np.array([self.kind(int(row[0]), row[1:]) for row in distinct])
        in_office = draw.random(count)
        officials = OFFICIALS // ORGANISATIONS
        official = organisation * officials + (in_office**2.2 * officials).astype(np.int64)
        person = (draw.random(count) ** 3 * PEOPLE).astype(np.int64)
        case = ms // (86_400_000 * 9) * 100_000 + official * 10 + person % 10
        return pa.table({
            "seq": np.arange(first, first + count),
            "ms": ms,
            "person": pa.array(person, mask=sort == 5),
            "official": pa.array(official, mask=sort == 3),
            "case_number": pa.array(case, mask=(sort > 2) | (draw.random(count) < 0.12)),
            "kind": numbers[which.reshape(-1)],
        })  # fmt: skip

    def _times(self, first: int, count: int) -> np.ndarray:  # type: ignore[type-arg]
        """Milliseconds in ascending order: days by season and weekday, hours by shift."""
        begin, days = first // ENTRIES_A_DAY, -(-count // ENTRIES_A_DAY)
        dates = [FIRST_DAY + timedelta(days=begin + day) for day in range(days)]
        weights = np.array([_SEASONS[one.month - 1] * (0.25 if one.weekday() > 4 else 1) for one in dates])
        day = self._draw.choice(days, count, p=weights / weights.sum())
        hour = self._draw.choice(24, count, p=_BY_DAY / _BY_DAY.sum())
        ms = (day * 24 + hour) * 3_600_000 + self._draw.integers(0, 3_600_000, count)
        return np.sort(ms) + int(dates[0].timestamp()) * 1000  # type: ignore[no-any-return]


def _shares(count: int, skew: float) -> np.ndarray:  # type: ignore[type-arg]
    """Shares that fall off as in Zipf's law."""
    weights = 1 / np.arange(1, count + 1) ** skew
    return weights / weights.sum()  # type: ignore[no-any-return]


def load(connection: psycopg.Connection[tuple[object, ...]], entries: int, origin: str) -> None:
    """Fill the tables of a new log, and make their indexes afterwards."""
    trail = Trail()
    indexes = [index.name for index in bodies.indexes]
    with connection.cursor() as cursor:
        made = [_definition(cursor, name) for name in indexes if name]
        for name in indexes:
            cursor.execute(f"DROP INDEX {name}")  # type: ignore[arg-type]
        cursor.execute(
            "CREATE UNLOGGED TABLE staged (seq int8, ms int8, person int8, official int8, case_number int8, kind int8)"
        )
        for first in range(0, entries, _CHUNK):
            _stage(cursor, trail.chunk(first, min(_CHUNK, entries - first)))
            _insert_kinds(cursor, trail)
            _insert(cursor, origin)
        cursor.execute("DROP TABLE staged")
        for definition in made:
            cursor.execute(definition)  # type: ignore[arg-type]
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")


def _definition(cursor: psycopg.Cursor[tuple[object, ...]], name: str) -> str:
    row = cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def _stage(cursor: psycopg.Cursor[tuple[object, ...]], rows: pa.Table) -> None:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        duckdb.from_arrow(rows).write_csv(file.name, header=False)
        cursor.execute("TRUNCATE staged")
        with cursor.copy("COPY staged FROM STDIN (FORMAT CSV)") as copy:
            for block in _blocks(Path(file.name)):
                copy.write(block)


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            yield block


def _insert_kinds(cursor: psycopg.Cursor[tuple[object, ...]], trail: Trail) -> None:
    row = cursor.execute("SELECT coalesce(max(kind), 0) FROM kinds").fetchone()
    assert row is not None
    new = [(kind, number) for kind, number in trail.kinds.items() if number > int(str(row[0]))]
    with cursor.copy(f"COPY kinds ({', '.join(KIND)}) FROM STDIN") as copy:
        for kind, number in new:
            copy.write_row((number, kind.key(blind), *kind.clear()))
    with cursor.copy("COPY kind_terms (term_index, kind) FROM STDIN") as copy:
        for kind, number in new:
            for term in kind.terms(blind):
                copy.write_row((term, number))


def _insert(cursor: psycopg.Cursor[tuple[object, ...]], origin: str) -> None:
    leaf = encoded_leaf(origin, 111, 222, "bench", 0, bytes(32), bytes(32), bytes(32)).decode()
    pattern = leaf.replace('"seq":111', '"seq":%s').replace('"time_ms":222', '"time_ms":%s').replace("'", "''")
    cursor.execute(f"INSERT INTO entries SELECT seq, convert_to(format('{pattern}', seq, ms), 'UTF8') FROM staged")  # type: ignore[arg-type]
    cursor.execute(
        f"INSERT INTO bodies ({', '.join(BODY)}) SELECT s.seq,"  # type: ignore[arg-type]
        f" decode(repeat(md5(s.seq::text), {SEALED_BYTES // 16}), 'hex'),"
        f" coalesce({_hashed('subject', 's.person')}, {_hashed('no-subject', repr(''))}),"
        f" {_hashed('official', 's.official')}, {_hashed('case', 's.case_number')},"
        " k.organisation, k.registry, k.purpose, k.action, k.outcome, k.automatic, s.ms, s.kind"
        " FROM staged s JOIN kinds k USING (kind) ORDER BY s.seq"
    )


def _hashed(kind: str, value: str) -> str:
    """`blind` in SQL; NULL for no value."""
    return f"decode(md5('{kind}' || chr(10) || {value}), 'hex')"
