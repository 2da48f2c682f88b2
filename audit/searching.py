"""Which entries a search finds, out of the indexes alone, at a cost that does not grow with the log.

A planner that guesses is the danger: for a value that it takes for frequent it walks the log backwards until it has a
page, and for a value that is not there it walks to the log's first entry. So each search is led along one index that
ends in the entry's number: that of the person, else of the case, else of the official, else of the kinds that fit
(`audit.kinds`); days become a range of numbers first. What is left of the criteria is compared on the way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Subquery,
    Table,
    UnaryExpression,
    any_,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.operators import custom_op

from audit import schema
from audit.criteria import TrailQuery, milliseconds, subject_index
from audit.entry import decode_leaf
from audit.kinds import kinds_wanted
from audit.vault import Vault

#: Up to so many entries are counted one by one.
COUNTED = 10_000
#: A sample is so many stretches of so many entries each.
_STRETCHES, _STRETCH = 100, 20
#: What at least one in so many entries fits is frequent enough to be found among the newest of all.
_FREQUENT = 25


class Precision(StrEnum):
    """What a total is worth."""

    EXACT = "exact"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True)
class Total:
    """How many entries a search finds."""

    number: int
    precision: Precision


class Search:
    """One search of one consistent view of the log; used once, within the caller's transaction."""

    def __init__(self, connection: Connection, vault: Vault, query: TrailQuery) -> None:
        self._connection = connection
        self._kinds = kinds_wanted(query, vault.index)
        self._reads_bodies = query.names_a_body
        self._people = _people(query, vault)
        # A person's own entries are few, and tell their time themselves. To bisect the whole log for them would also
        # show the person, by the number of steps, how much it grew by what is withheld from them.
        self._times = [] if query.subject is None else _times(query)
        self._first, self._end = (None, None) if query.subject is not None else self._span(query.since, query.until)
        #: The indexes to walk: one, or two where a person's own entries and those under seals are wanted.
        self._paths: Sequence[ColumnElement[bool]] = ()
        for name in ("subject", "case", "official"):
            if name in self._people:
                self._paths = self._people.pop(name)
                break

    def newest(self, before: int | None, limit: int) -> list[int]:
        """The numbers of at most `limit` entries, newest first, below entry `before`."""
        end = before if self._end is None or (before is not None and before < self._end) else self._end
        if not self._reads_bodies:
            seq = schema.entries.c.seq
            return self._numbers(select(seq).where(*_within(seq, self._first, end)).order_by(seq.desc()).limit(limit))
        if self._paths:
            walks = [self._numbers(self._walk(path, end).limit(limit)) for path in self._paths]
            return list(islice(merge(*walks, reverse=True), limit))
        return self._newest_if_frequent(end, limit) or self._newest_of_kinds(end, limit)

    def total(self) -> Total:
        """How many there are: exactly up to COUNTED. Above it what was counted, or a sample, tells how dense they are.

        Of one person, case or official the newest were counted, and the older ones are taken to be as dense. Kinds are
        counted in no order, so a sample of entries, spread evenly, tells the share of those that fit.
        """
        end = self._size() if self._end is None else self._end
        span = max(0, end - (self._first or 0))
        if not self._reads_bodies:
            return Total(span, Precision.EXACT)
        counted = [self._counted(one) for one in self._probes()]
        number = sum(found for found, _ in counted)
        if number <= COUNTED:
            return Total(number, Precision.EXACT)
        if self._paths:
            estimate: float = sum(
                found if found <= COUNTED else found * (end - (self._first or 0)) // max(1, end - oldest)
                for found, oldest in counted
            )
        else:
            estimate = self._share_of_kinds(end - span, span) * span
        return Total(min(span, max(COUNTED, int(estimate))), Precision.ESTIMATED)

    def conditions(self, table: Table) -> list[ColumnElement[bool]]:
        """All the criteria as conditions on the rows of `bodies`, or, where none asks for a body, of `entries`."""
        said = [or_(*paths) for paths in (self._paths, *self._people.values()) if paths]
        if self._kinds is not None:
            said.append(schema.bodies.c.kind.in_(self._kinds))
        return [*said, *self._times, *_within(table.c.seq, self._first, self._end)]

    def _walk(self, path: ColumnElement[bool], end: int | None) -> Select[Any]:
        """Down one index, the rest of the criteria compared with each row until there are enough.

        An inner OFFSET keeps PostgreSQL's planner to that index. SQLite would read and sort the whole inner part for
        it, and is kept by a sign before each other column, which hides that there is an index on it (SQLite's
        documentation, "The Query Optimizer Overview", section 2).
        """
        bodies = schema.bodies.c
        if self._connection.dialect.name == "sqlite":
            seq, kind = _hidden(bodies.seq), _hidden(bodies.kind)
            compared = [seq.in_(select(bodies.seq).where(paths[0])) for paths in self._people.values()]
            if self._kinds is not None:
                compared.append(kind.in_(self._kinds))
            where = (path, *self._times, *_within(bodies.seq, self._first, end), *compared)
            return select(bodies.seq).where(*where).order_by(bodies.seq.desc())
        inner = select(bodies.seq, bodies.kind).where(path, *self._times, *_within(bodies.seq, self._first, end))
        if not self._people and self._kinds is None:
            return inner.with_only_columns(bodies.seq).order_by(bodies.seq.desc())
        rows = inner.order_by(bodies.seq.desc()).offset(0).subquery("walked")
        # Whoever else is asked for is found in their own index too, so that no row has to be read.
        wanted = [rows.c.seq.in_(select(bodies.seq).where(paths[0])) for paths in self._people.values()]
        if self._kinds is not None:
            wanted.append(rows.c.kind.in_(self._kinds))
        return select(rows.c.seq).where(*wanted).order_by(rows.c.seq.desc())

    def _newest_if_frequent(self, end: int | None, limit: int) -> list[int]:
        """What fits among the newest entries of all, where that is a page full; else nothing."""
        bodies = schema.bodies.c
        end = self._size() if end is None else end
        newest = _within(bodies.seq, max(self._first or 0, end - _FREQUENT * limit), end)
        rows = select(bodies.seq, bodies.kind).where(*newest).order_by(bodies.seq.desc()).offset(0).subquery("walked")
        statement = select(rows.c.seq).where(rows.c.kind.in_(self._some_kinds())).order_by(rows.c.seq.desc())
        found = self._numbers(statement.limit(limit))
        return found if len(found) == limit else []

    def _newest_of_kinds(self, end: int | None, limit: int) -> list[int]:
        """Of each kind its newest entry; only those kinds whose newest are the newest of all can be on the page."""
        wanted, bodies = self._wanted_kinds(), schema.bodies.c
        own = (bodies.kind == wanted.c.kind, *_within(bodies.seq, self._first, end))
        newest = select(func.max(bodies.seq)).where(*own).correlate(wanted).scalar_subquery()
        statement = select(wanted.c.kind, newest.label("newest")).order_by(literal_column("newest").desc().nulls_last())
        rows = [row for row in self._connection.execute(statement.limit(limit)) if row.newest is not None]
        if not rows:
            return []
        first = rows[-1].newest if len(rows) == limit else self._first
        every = self._newest_of_each({row.kind: row.newest for row in rows}, first, limit).subquery()
        return self._numbers(select(every.c.seq).order_by(every.c.seq.desc()).limit(limit))

    def _newest_of_each(
        self, newest: Mapping[int, int], first: int | None, limit: int
    ) -> Select[Any] | CompoundSelect[Any]:
        """At most `limit` entries of each of these kinds from its newest one down."""
        seq, kind = schema.bodies.c.seq, schema.bodies.c.kind
        if self._connection.dialect.name == "postgresql":
            pairs = func.unnest(_numbers_of(newest), _numbers_of(newest.values()))
            given = pairs.table_valued("kind", "newest").render_derived("given")
            own = select(seq).where(kind == given.c.kind, seq <= given.c.newest, *_within(seq, first, None))
            below = own.order_by(seq.desc()).limit(limit).lateral()
            return select(below.c.seq).select_from(given.join(below, true()))
        return union_all(
            *(
                select(
                    select(seq)
                    .where(kind == number, *_within(seq, first, end + 1))
                    .order_by(seq.desc())
                    .limit(limit)
                    .subquery()
                )
                for number, end in newest.items()
            )
        )

    def _each_of_kinds(self) -> Select[Any]:
        """The entries of one kind after the other, as long as somebody reads on."""
        wanted, bodies = self._wanted_kinds(), schema.bodies
        within = _within(bodies.c.seq, self._first, self._end)
        if self._connection.dialect.name != "postgresql":  # SQLite can be told the index, and knows no LATERAL
            hinted = select(bodies.c.seq).with_hint(bodies, "INDEXED BY ix_bodies_kind", "sqlite")
            return hinted.where(bodies.c.kind.in_(select(wanted.c.kind)), *within)
        own = select(bodies.c.seq).where(bodies.c.kind == wanted.c.kind, *within).limit(COUNTED + 1).lateral()
        return select(own.c.seq).select_from(wanted.join(own, true()))

    def _some_kinds(self) -> Select[Any]:
        assert self._kinds is not None  # noqa: S101 - a search that reads bodies names a person, a case or a kind
        return self._kinds

    def _wanted_kinds(self) -> Subquery:
        return self._some_kinds().subquery("wanted")

    def _probes(self) -> list[Select[Any]]:
        """What to count: no further than just beyond COUNTED."""
        walks = [self._walk(path, self._end) for path in self._paths] or [self._each_of_kinds()]
        return [walk.limit(COUNTED + 1) for walk in walks]

    def _counted(self, probe: Select[Any]) -> tuple[int, int]:
        """How many these are, and the number of the oldest of them."""
        some = probe.subquery()
        found, oldest = self._connection.execute(select(func.count(), func.min(some.c.seq))).one()
        return found, oldest or 0

    def _share_of_kinds(self, first: int, span: int) -> float:
        """Of entries in stretches that are spread evenly over `span` of them, the share that fits."""
        bodies = schema.bodies.c
        step = max(_STRETCH, span // _STRETCHES)
        sample = [start + near for start in range(first, first + span, step) for near in range(_STRETCH)]
        among = _numbers_of(sample) if self._connection.dialect.name == "postgresql" else None
        is_sampled = bodies.seq.in_(sample) if among is None else bodies.seq == any_(among)
        rows = select(bodies.kind).where(is_sampled).offset(0).subquery("sampled")
        fits = select(func.count()).select_from(rows).where(rows.c.kind.in_(self._some_kinds()))
        return int(self._connection.execute(fits).scalar_one()) / len(sample)

    def _numbers(self, statement: Select[Any]) -> list[int]:
        return list(self._connection.execute(statement).scalars())

    def _span(self, since: datetime | None, until: datetime | None) -> tuple[int | None, int | None]:
        """Days as numbers of entries: the log's time never falls, so a few leaves tell where a day begins."""
        if since is None and until is None:
            return None, None
        every = range(self._size())
        return tuple(  # type: ignore[return-value]
            None if when is None else bisect_left(every, milliseconds(when), key=self._time_of)
            for when in (since, until)
        )

    def _time_of(self, seq: int) -> int:
        entries = schema.entries.c
        leaf = self._connection.execute(select(entries.leaf).where(entries.seq == seq)).scalar_one()
        return decode_leaf(bytes(leaf)).time_ms

    def _size(self) -> int:
        last = self._connection.execute(select(func.max(schema.entries.c.seq))).scalar_one()
        return 0 if last is None else int(last) + 1


def _numbers_of(numbers: Iterable[int]) -> ColumnElement[Any]:
    return literal(list(numbers), ARRAY(BigInteger))


def _hidden(column: ColumnElement[int]) -> ColumnElement[int]:
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _people(query: TrailQuery, vault: Vault) -> dict[str, list[ColumnElement[bool]]]:
    """For each person or case that is asked for, the conditions of which one must hold."""
    bodies, sealed = schema.bodies.c, schema.sealed.c
    found: dict[str, list[ColumnElement[bool]]] = {}
    if query.subject is not None:
        found["subject"] = [bodies.subject_index == subject_index(vault.index, query.subject, query.seal)]
        if query.with_sealed:
            owner = vault.index("sealed-subject", query.subject)
            found["subject"].append(bodies.seq.in_(select(sealed.seq).where(sealed.owner_index == owner)))
    if query.case is not None:
        found["case"] = [bodies.case_index == vault.index("case", query.case)]
    if query.official is not None:
        found["official"] = [bodies.official_index == vault.index("official", query.official)]
    return found


def _times(query: TrailQuery) -> list[ColumnElement[bool]]:
    logged_ms = schema.bodies.c.logged_ms
    since = [] if query.since is None else [logged_ms >= milliseconds(query.since)]
    return since + ([] if query.until is None else [logged_ms < milliseconds(query.until)])


def _within(seq: ColumnElement[int], first: int | None, end: int | None) -> list[ColumnElement[bool]]:
    return ([] if first is None else [seq >= first]) + ([] if end is None else [seq < end])
