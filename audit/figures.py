"""Figures over the trail: what stands in clear or as a blind index beside the sealed bodies, and never a body.

Erased entries have no part in it: what stood beside their bodies went with them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, FromClause, Row, Select, select

from audit import schema

DAY_MS = 86_400_000

Measure = Callable[[FromClause], Select[Any]]
"""A statement over a relation with the columns of `AccessRow`, whatever engine holds that relation."""


class AccessRow(NamedTuple):
    """One access as a statistic sees it.

    `day` counts the days since 1970 in UTC; `subject`, `official` and `case` are blind indexes (16 bytes), which say
    that two entries are about the same one and never whom.
    """

    seq: int
    logged_ms: int
    day: int
    organisation: str | None
    registry: str | None
    purpose: str | None
    action: str
    outcome: str
    automatic: bool
    subject: bytes
    official: bytes | None
    case: bytes | None


def _columns() -> Select[Any]:
    bodies = schema.bodies.c
    return select(
        bodies.seq,
        bodies.logged_ms,
        (bodies.logged_ms // DAY_MS).label("day"),
        bodies.organisation,
        bodies.registry,
        bodies.purpose,
        bodies.action,
        bodies.outcome,
        bodies.automatic,
        bodies.subject_index.label("subject"),
        bodies.official_index.label("official"),
        bodies.case_index.label("case"),
    )


def measured(connection: Connection, measure: Measure) -> Sequence[Row[Any]]:
    """What a measure gives over the whole trail."""
    return connection.execute(measure(_columns().subquery("accesses"))).all()


def read_rows(connection: Connection, after: int, below: int, limit: int) -> list[AccessRow]:
    """At most `limit` rows with after < seq < below, in their order."""
    seq = schema.bodies.c.seq
    statement = _columns().where(seq > after, seq < below).order_by(seq).limit(limit)
    return [AccessRow(*row) for row in connection.execute(statement)]


def erased_since(connection: Connection, tombstone: int, below: int) -> dict[int, int]:
    """Which entries were erased by tombstones above `tombstone` and below `below`, each with its tombstone's number."""
    erasures = schema.erasures.c
    statement = select(erasures.seq, erasures.tombstone).where(
        erasures.tombstone > tombstone, erasures.tombstone < below
    )
    return {row.seq: row.tombstone for row in connection.execute(statement)}
