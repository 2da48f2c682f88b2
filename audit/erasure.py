"""Erasing what entries say (GDPR Article 17), while the log goes on verifying and every proof given out stays true.

A leaf only commits to its body. So the body, its secret and, for a whole person, the keys go; the leaf stays; and a
tombstone, an entry of the log's own, says that it was done and on which ground, but never whom it was about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text

from audit import schema, store, trail
from audit.batch import Acknowledgement, Batch
from audit.criteria import subject_index
from audit.entry import Access, decode_body, decode_leaf, encode_body
from audit.errors import EntryNotFound, EntryRefused, LogUnavailable
from audit.opening import Opened
from audit.store import CHUNK, Store
from audit.verify import ERASED_ENTRIES, ERASURE, LOG_SOURCE, digest_of_entries

_SHORTEST_NUMBER = 6
_SIGNS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Why something is erased (the provision, and a reason), and who decided it. None of it may name the person."""

    basis: str
    reason: str | None = None
    official: str | None = None
    organisation: str | None = None


@dataclass(frozen=True, slots=True)
class Erasure:
    """How many entries were erased, and the tombstone that says so; None when there was nothing left to erase."""

    entries: int
    tombstone: Acknowledgement | None


def erase_entries(log: Opened, seqs: Iterable[int], grounds: Grounds) -> Erasure:
    """Erase what these entries say. Those erased before are passed over.

    Raises:
        EntryNotFound: the log has no such entry; nothing was erased.
        EntryRefused: one is the log's own, or the grounds name the person; nothing was erased.
        LogUnavailable, LogFrozen: nothing was erased.
    """
    wanted = sorted(set(seqs))
    erased: list[int] = []

    def work(connection: Connection, batch: Batch) -> None:
        for seq in wanted:
            found = trail.read_entry(connection, log.vault, seq)
            if found is None:
                raise EntryNotFound(f"the log has no entry {seq}")
            leaf, opened = found
            if decode_leaf(leaf).source == LOG_SOURCE:
                raise EntryRefused(f"entry {seq} is the log's own: it holds nothing about a person and is not erased")
            if opened is not None:
                _refuse_naming(grounds, decode_body(opened.body).subject)
                erased.append(seq)
        if erased:
            _record(connection, batch, erased, _tombstone(log, grounds, "entries", erased))
            for start in range(0, len(erased), CHUNK):
                chunk = erased[start : start + CHUNK]
                connection.execute(delete(schema.bodies).where(schema.bodies.c.seq.in_(chunk)))
                connection.execute(delete(schema.sealed).where(schema.sealed.c.seq.in_(chunk)))

    acknowledged = log.writer.transact(work)
    return Erasure(len(erased), acknowledged[0] if acknowledged else None)


def erase_subject(log: Opened, subject: str, grounds: Grounds) -> Erasure:
    """Erase every entry about this person, and their keys. A later entry about them gets new ones.

    Entries that a seal withholds from the person go with the others: nothing about them may be left behind.

    Raises:
        EntryRefused: the grounds name the person; nothing was erased.
        LogUnavailable, LogFrozen: nothing was erased.
    """
    _refuse_naming(grounds, subject)
    own = subject_index(log.vault.index, subject)
    owner = log.vault.index("sealed-subject", subject)
    erased: list[int] = []

    def work(connection: Connection, batch: Batch) -> None:
        bodies, subjects, sealed = schema.bodies, schema.subjects, schema.sealed
        withheld = select(bodies.c.subject_index).where(
            bodies.c.seq.in_(select(sealed.c.seq).where(sealed.c.owner_index == owner))
        )
        indexes = [own, *connection.execute(withheld.distinct()).scalars()]
        about = select(bodies.c.seq).where(bodies.c.subject_index.in_(indexes)).order_by(bodies.c.seq)
        erased.extend(connection.execute(about).scalars())
        if not store.read_subjects(connection, indexes):
            return
        _record(connection, batch, erased, _tombstone(log, grounds, "subject", erased))
        connection.execute(delete(bodies).where(bodies.c.subject_index.in_(indexes)))
        connection.execute(delete(sealed).where(sealed.c.owner_index == owner))
        connection.execute(delete(subjects).where(subjects.c.subject_index.in_(indexes)))

    acknowledged = log.writer.transact(work)
    return Erasure(len(erased), acknowledged[0] if acknowledged else None)


def _tombstone(log: Opened, grounds: Grounds, scope: str, erased: Sequence[int]) -> Access:
    named: dict[str, str | int] = {ERASED_ENTRIES: digest_of_entries(erased)} if erased else {}
    return Access(
        action=ERASURE,
        outcome="done",
        source=LOG_SOURCE,
        occurred_at=log.writer.now(),
        official=grounds.official,
        organisation=grounds.organisation,
        lawful_basis=grounds.basis,
        reason=grounds.reason,
        details={"entries": len(erased), "scope": scope, **named},
    )


def _record(connection: Connection, batch: Batch, erased: Sequence[int], tombstone: Access) -> None:
    """The tombstone, and which entries it speaks of: without these rows the database lets no body go."""
    store.insert_rows(connection, schema.erasures, [{"seq": seq, "tombstone": batch.next_seq} for seq in erased])
    batch.add([tombstone], [encode_body(tombstone)])


def _refuse_naming(grounds: Grounds, subject: str | None) -> None:
    if subject is None:
        return
    number = "".join(filter(str.isdigit, subject))
    names = {_plain(subject), number if len(number) >= _SHORTEST_NUMBER else ""} - {""}
    said = [_plain(value) for value in (grounds.basis, grounds.reason, grounds.official, grounds.organisation) if value]
    if any(name in value for name in names for value in said):
        raise EntryRefused("the basis or reason names the person; the entry about an erasure must not")


def _plain(value: str) -> str:
    return _SIGNS.sub("", value).casefold()


def scrub(log: Store) -> None:
    """Make the database give up what it still keeps of deleted and replaced rows: free pages, dead rows, its journal.

    Readers and writers wait meanwhile. PostgreSQL's write-ahead log and every backup keep their copies (see
    `docs/erasure.md`).

    Raises:
        LogUnavailable: somebody else is using the database; nothing is lost, try again.
    """
    if log.engine.dialect.name == "postgresql":
        with log.maintaining() as connection:
            for table in (schema.bodies, schema.sealed, schema.subjects, schema.vault_keys):
                connection.execute(text(f"VACUUM FULL {table.name}"))
        return
    with log.maintaining() as connection:
        connection.execute(text("VACUUM"))
        busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
    if busy:
        raise LogUnavailable("the database is in use, and its write-ahead log still holds what was erased; try again")
