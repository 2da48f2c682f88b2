"""Reading the trail: the entries that a search finds (`audit.searching`), opened, and counts of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select

from audit import schema
from audit.criteria import TrailQuery, moment
from audit.entry import Access, decode_body, decode_leaf
from audit.errors import EntryNotFound
from audit.searching import Search
from audit.vault import OpenedBody, SubjectKeys, Vault

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
#: The columns that may be counted by.
COUNTABLE = frozenset({"organisation", "purpose", "registry", "action", "outcome"})


@dataclass(frozen=True, slots=True)
class LoggedAccess:
    """One entry as it is read back. `logged_at` is the log's own time, UTC; `access` is None when it was erased."""

    seq: int
    logged_at: datetime
    access: Access | None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first; `next_before` is what to ask for next, None on the last page."""

    items: list[LoggedAccess]
    next_before: int | None


def _selection() -> Select[Any]:
    """Rows of seq, leaf, sealed body and wrapped keys, erased entries among them."""
    entries, bodies, subjects = schema.entries, schema.bodies, schema.subjects
    return select(
        entries.c.seq, entries.c.leaf, bodies.c.sealed, bodies.c.subject_index, subjects.c.wrapped
    ).select_from(
        entries.outerjoin(bodies, entries.c.seq == bodies.c.seq).outerjoin(
            subjects, subjects.c.subject_index == bodies.c.subject_index
        )
    )


def read_page(connection: Connection, vault: Vault, query: TrailQuery, before: int | None, limit: int) -> Page:
    return page_of(connection, vault, Search(connection, vault, query).newest(before, limit + 1), limit)


def page_of(connection: Connection, vault: Vault, found: Sequence[int], limit: int) -> Page:
    """The first `limit` of the entries with these numbers, opened, in their order."""
    items = [logged_access(vault, row) for row in _rows(connection, found[:limit])]
    items.sort(key=lambda item: item.seq, reverse=True)
    return Page(items, items[-1].seq if len(found) > limit else None)


def read_forward(
    connection: Connection, vault: Vault, query: TrailQuery, after: int, below: int, limit: int
) -> list[LoggedAccess]:
    """At most `limit` entries with after < seq < below, oldest first."""
    table = schema.bodies if query.names_a_body else schema.entries
    conditions = (*Search(connection, vault, query).conditions(table), table.c.seq > after, table.c.seq < below)
    statement = _selection().where(*conditions).order_by(table.c.seq).limit(limit)
    return [logged_access(vault, row) for row in connection.execute(statement)]


def _rows(connection: Connection, seqs: Sequence[int]) -> list[Row[Any]]:
    return list(connection.execute(_selection().where(schema.entries.c.seq.in_(seqs)))) if seqs else []


def read_entry(connection: Connection, vault: Vault, seq: int) -> tuple[bytes, OpenedBody | None] | None:
    """One entry's leaf and its opened body (None when erased); None when there is no such entry."""
    statement = _selection().where(schema.entries.c.seq == seq)
    row = connection.execute(statement).one_or_none()
    return None if row is None else (bytes(row.leaf), opened_body(vault, row))


def read_keys(connection: Connection, vault: Vault, seq: int) -> SubjectKeys:
    """The keys of the subject of one entry. Raises EntryNotFound when there are none (any more)."""
    row = connection.execute(_selection().where(schema.entries.c.seq == seq)).one_or_none()
    if row is None or row.wrapped is None:
        raise EntryNotFound(f"entry {seq} has no keys")
    return vault.subject_keys(bytes(row.wrapped), bytes(row.subject_index))


def count(connection: Connection, vault: Vault, query: TrailQuery) -> int:
    """How many there are, exactly, in time proportional to their number; `Search.total` takes no longer than a page."""
    table: Table = schema.bodies if query.names_a_body else schema.entries
    conditions = Search(connection, vault, query).conditions(table)
    return int(connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())


def count_by(connection: Connection, vault: Vault, query: TrailQuery, column: str) -> dict[str, int]:
    """How many entries there are for each value of `column`, "" standing for none."""
    if column not in COUNTABLE:
        raise ValueError(f"entries cannot be counted by {column}")
    counted = schema.bodies.c[column]
    conditions = Search(connection, vault, query).conditions(schema.bodies)
    statement = select(counted, func.count()).where(*conditions).group_by(counted)
    return {value or "": number for value, number in connection.execute(statement)}


def count_by_day(connection: Connection, vault: Vault, query: TrailQuery) -> dict[date, int]:
    """How many entries the log took on each UTC day that has any."""
    day = schema.bodies.c.logged_ms // _DAY_MS
    conditions = Search(connection, vault, query).conditions(schema.bodies)
    statement = select(day.label("day"), func.count()).where(*conditions).group_by(day)
    return {_EPOCH + timedelta(days=int(days)): number for days, number in connection.execute(statement)}


def logged_access(vault: Vault, row: Row[Any]) -> LoggedAccess:
    opened = opened_body(vault, row)
    time_ms = decode_leaf(bytes(row.leaf)).time_ms
    return LoggedAccess(row.seq, moment(time_ms), None if opened is None else decode_body(opened.body))


def opened_body(vault: Vault, row: Row[Any]) -> OpenedBody | None:
    """None when the body, or its subject's keys, were erased. Raises VerificationFailed when it was changed."""
    if row.sealed is None or row.wrapped is None:
        return None
    keys = vault.subject_keys(bytes(row.wrapped), bytes(row.subject_index))
    return vault.open(keys, row.seq, bytes(row.sealed))
