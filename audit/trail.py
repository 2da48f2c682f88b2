"""Reading the trail: what to look for, what is found, and the conditions of the search.

People are looked for by blind index; only rows that match are opened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, func, select

from audit import schema
from audit.entry import Access, decode_body, decode_leaf
from audit.errors import EntryNotFound
from audit.vault import OpenedBody, SubjectKeys, Vault

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
#: Gives the blind index of a value of a kind, as `Vault.index` does.
BlindIndex = Callable[[str, str], bytes]
#: The columns that may be counted by.
COUNTABLE = frozenset({"organisation", "purpose", "registry", "action", "outcome"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailQuery:
    """Criteria that must all hold; None, or an empty set of exclusions, asks for nothing.

    `since` and `until` (exclusive) are aware times compared with when the log took the entry, not with what the source
    said. `actions` and `exclude_actions` are sets of action names.

    `subject` alone finds what this person may know of. Entries that a seal withholds from them are found only by those
    who say so: `seal` asks for the entries under that seal, `with_sealed` for all of them as well.
    """

    subject: str | None = field(default=None, repr=False)
    seal: str | None = None
    with_sealed: bool = False
    organisation: str | None = None
    official: str | None = None
    purpose: str | None = None
    case: str | None = None
    registry: str | None = None
    outcome: str | None = None
    actions: frozenset[str] | None = None
    exclude_actions: frozenset[str] = frozenset()
    automatic: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.seal is not None and self.subject is None:
            raise ValueError("a seal is of one subject; the query names none")

    @property
    def names_a_body(self) -> bool:
        """Whether any criterion speaks of what stood in a body, so that an erased entry cannot match."""
        return any(
            value is not None
            for value in (
                self.subject, self.organisation, self.official, self.purpose, self.case, self.registry,
                self.outcome, self.actions, self.automatic,
            )
        ) or bool(self.exclude_actions)  # fmt: skip


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


def search_columns(index: BlindIndex, access: Access, logged_ms: int) -> dict[str, Any]:
    """What stands beside the sealed body for the search. Verification computes it again and compares."""
    official, case = access.official, access.case
    return {
        "subject_index": subject_index(index, access.subject, access.seal),
        "official_index": None if official is None else index("official", official),
        "case_index": None if case is None else index("case", case),
        "organisation": access.organisation,
        "registry": access.registry,
        "purpose": access.purpose,
        "action": str(access.action),
        "outcome": str(access.outcome),
        "automatic": access.automatic,
        "logged_ms": logged_ms,
    }


def subject_index(index: BlindIndex, subject: str | None, seal: str | None = None) -> bytes:
    """Under which keys an entry stands: its subject's, or those of the seal that withholds it from them.

    Entries about nobody share one index of their own, so that an index never tells whether there is a subject. A seal's
    index is of the seal and the subject together: no seal ever joins two people under one label key.
    """
    if subject is None:
        return index("no-subject", "")
    return index("subject", subject) if seal is None else index("seal", f"{seal}\n{subject}")


def owner_index(index: BlindIndex, access: Access) -> bytes | None:
    """By what a sealed entry is found by those who may know of it; None for an entry that is not sealed."""
    if access.seal is None or access.subject is None:
        return None
    return index("sealed-subject", access.subject)


def _conditions(query: TrailQuery, vault: Vault) -> list[ColumnElement[bool]]:
    columns = schema.bodies.c
    wanted = [] if query.subject is None else [_about(query, vault, query.subject)]
    for kind in ("official", "case"):
        if (value := getattr(query, kind)) is not None:
            wanted.append(columns[f"{kind}_index"] == vault.index(kind, value))
    for name in ("organisation", "purpose", "registry", "outcome"):
        if (value := getattr(query, name)) is not None:
            wanted.append(columns[name] == str(value))
    if query.actions is not None:
        wanted.append(columns.action.in_(sorted(map(str, query.actions))))
    if query.exclude_actions:
        wanted.append(columns.action.not_in(sorted(map(str, query.exclude_actions))))
    if query.automatic is not None:
        wanted.append(columns.automatic == query.automatic)
    if query.since is not None:
        wanted.append(columns.logged_ms >= milliseconds(query.since))
    if query.until is not None:
        wanted.append(columns.logged_ms < milliseconds(query.until))
    return wanted


def _about(query: TrailQuery, vault: Vault, subject: str) -> ColumnElement[bool]:
    columns = schema.bodies.c
    own = columns.subject_index == subject_index(vault.index, subject, query.seal)
    if not query.with_sealed:
        return own
    owner = schema.sealed.c.owner_index == vault.index("sealed-subject", subject)
    return own | columns.seq.in_(select(schema.sealed.c.seq).where(owner))


def _selection(query: TrailQuery, vault: Vault) -> Select[Any]:
    """Rows of seq, leaf, sealed body and wrapped keys. Erased entries are there unless a criterion needs their body."""
    entries, bodies, subjects = schema.entries, schema.bodies, schema.subjects
    body = bodies.join(entries, entries.c.seq == bodies.c.seq)
    if not query.names_a_body and query.since is None and query.until is None:
        body = entries.outerjoin(bodies, entries.c.seq == bodies.c.seq)
    return (
        select(entries.c.seq, entries.c.leaf, bodies.c.sealed, bodies.c.subject_index, subjects.c.wrapped)
        .select_from(body.outerjoin(subjects, subjects.c.subject_index == bodies.c.subject_index))
        .where(*_conditions(query, vault))
    )


def read_page(connection: Connection, vault: Vault, query: TrailQuery, before: int | None, limit: int) -> Page:
    statement = _selection(query, vault).order_by(_order(query).desc()).limit(limit + 1)
    if before is not None:
        statement = statement.where(_order(query) < before)
    rows = connection.execute(statement).all()
    items = [logged_access(vault, row) for row in rows[:limit]]
    return Page(items, items[-1].seq if len(rows) > limit else None)


def read_forward(
    connection: Connection, vault: Vault, query: TrailQuery, after: int, below: int, limit: int
) -> list[LoggedAccess]:
    """At most `limit` entries with after < seq < below, oldest first."""
    order = _order(query)
    statement = _selection(query, vault).where(and_(order > after, order < below)).order_by(order).limit(limit)
    return [logged_access(vault, row) for row in connection.execute(statement)]


def read_entry(connection: Connection, vault: Vault, seq: int) -> tuple[bytes, OpenedBody | None] | None:
    """One entry's leaf and its opened body (None when erased); None when there is no such entry."""
    statement = _selection(TrailQuery(), vault).where(schema.entries.c.seq == seq)
    row = connection.execute(statement).one_or_none()
    return None if row is None else (bytes(row.leaf), opened_body(vault, row))


def read_keys(connection: Connection, vault: Vault, seq: int) -> SubjectKeys:
    """The keys of the subject of one entry. Raises EntryNotFound when there are none (any more)."""
    row = connection.execute(_selection(TrailQuery(), vault).where(schema.entries.c.seq == seq)).one_or_none()
    if row is None or row.wrapped is None:
        raise EntryNotFound(f"entry {seq} has no keys")
    return vault.subject_keys(bytes(row.wrapped), bytes(row.subject_index))


def count(connection: Connection, vault: Vault, query: TrailQuery) -> int:
    table: Table = schema.bodies
    if not query.names_a_body and query.since is None and query.until is None:
        table = schema.entries
    statement = select(func.count()).select_from(table).where(*_conditions(query, vault))
    return int(connection.execute(statement).scalar_one())


def count_by(connection: Connection, vault: Vault, query: TrailQuery, column: str) -> dict[str, int]:
    """How many entries there are for each value of `column`, "" standing for none."""
    if column not in COUNTABLE:
        raise ValueError(f"entries cannot be counted by {column}")
    counted = schema.bodies.c[column]
    statement = select(counted, func.count()).where(*_conditions(query, vault)).group_by(counted)
    return {value or "": number for value, number in connection.execute(statement)}


def count_by_day(connection: Connection, vault: Vault, query: TrailQuery) -> dict[date, int]:
    """How many entries the log took on each UTC day that has any."""
    day = schema.bodies.c.logged_ms // _DAY_MS
    statement = select(day.label("day"), func.count()).where(*_conditions(query, vault)).group_by(day)
    return {_EPOCH + timedelta(days=int(days)): number for days, number in connection.execute(statement)}


def _order(query: TrailQuery) -> ColumnElement[int]:
    """The column to walk by. With a criterion it is the body's, which the indexes hold beside what they index."""
    if query.names_a_body or query.since is not None or query.until is not None:
        return schema.bodies.c.seq
    return schema.entries.c.seq


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


def moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def milliseconds(when: datetime) -> int:
    """Whole milliseconds since 1970, UTC. Raises ValueError for a time without a zone."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone cannot be compared")
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
