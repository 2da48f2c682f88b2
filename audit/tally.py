"""What one person's entries amount to, counted out of the columns beside the bodies: no body is opened for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from audit import schema
from audit.criteria import subject_index
from audit.vault import Vault

HOUR_MS = 3_600_000


class Count(NamedTuple):
    """Entries of one kind (`audit.kinds`) that the log took in one hour; `hour` counts hours since 1970, UTC."""

    kind: int
    hour: int
    has_case: bool
    number: int
    newest: int


class Tally(NamedTuple):
    """Counts of the entries above some number. `erasures` is the newest tombstone: when it moves, older counts are
    void.

    What a seal withholds from a person stands under another index, so that no tally of theirs can hold it.
    """

    counts: tuple[Count, ...]
    erasures: int | None


class Shared(NamedTuple):
    """What the entries of one kind share; of the fields, those that were asked about."""

    organisation: str | None
    registry: str | None
    purpose: str | None
    action: str
    outcome: str
    automatic: bool
    fields: frozenset[str]


def tally_of(connection: Connection, vault: Vault, subject: str, after: int) -> Tally:
    """The entries about `subject` with a number above `after`; -1 for all of them."""
    bodies = schema.bodies.c
    hour, has_case = bodies.logged_ms // HOUR_MS, bodies.case_index.is_not(None)
    statement = (
        select(bodies.kind, hour, has_case, func.count(), func.max(bodies.seq))
        .where(bodies.subject_index == subject_index(vault.index, subject), bodies.seq > after)
        .group_by(bodies.kind, hour, has_case)
    )
    counts = tuple(Count(kind, int(at), bool(case), n, top) for kind, at, case, n, top in connection.execute(statement))
    return Tally(counts, connection.execute(select(func.max(schema.erasures.c.tombstone))).scalar_one())


def shared_by(connection: Connection, vault: Vault, kinds: Iterable[int], fields: Iterable[str]) -> dict[int, Shared]:
    """What the entries of these kinds share, and which of `fields` they name."""
    numbers = sorted(kinds)
    named = {vault.index("field", code): code for code in fields}
    known, terms = schema.kinds.c, schema.kind_terms.c
    found: dict[int, set[str]] = {}
    for kind, term in connection.execute(select(terms.kind, terms.term_index).where(terms.kind.in_(numbers))):
        if (code := named.get(bytes(term))) is not None:
            found.setdefault(kind, set()).add(code)
    rows = connection.execute(
        select(
            known.kind, known.organisation, known.registry, known.purpose, known.action, known.outcome, known.automatic
        ).where(known.kind.in_(numbers))
    )
    return {row.kind: Shared(*row[1:], frozenset(found.get(row.kind, ()))) for row in rows}
