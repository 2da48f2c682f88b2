"""The audit log: append, read, prove. The only door to the store.

An entry is acknowledged only once it is durable and in the tree of a signed checkpoint; everything that can be read can
be proved; nothing can be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from audit import figures, store, trail
from audit.batch import Acknowledgement
from audit.checkpoint import Checkpoint, SignedCheckpoint, format_log_keys, open_checkpoint
from audit.cosigning import Cosigning, WitnessReport
from audit.criteria import TrailQuery
from audit.entry import Access, encode_body
from audit.erasure import Erasure, Grounds, erase_entries, erase_subject
from audit.errors import EntryNotFound, EntryRefused, LogUnavailable, VerificationFailed
from audit.figures import AccessRow, Measure
from audit.merkle import inclusion_proof
from audit.onward import verify_onward
from audit.opening import LogSettings, Opened, create_log, now_utc, open_parts, verify_store
from audit.public import PublicLog, newest_cosigned
from audit.receipt import Receipt, TlogProof
from audit.recovery import recover_log
from audit.searching import Precision, Search, Total
from audit.source import StoredLog
from audit.store import TileNodes
from audit.succession import known_keys
from audit.tally import Shared, Tally, shared_by, tally_of
from audit.trail import LoggedAccess, Page
from audit.verify import LOG_SOURCE, VerificationReport, verify_log
from audit.witness_client import WitnessAddress, WitnessState
from audit.writer import Request

__all__ = [
    "Acknowledgement",
    "AuditLog",
    "Erasure",
    "LogSettings",
    "LoggedAccess",
    "Page",
    "Precision",
    "Total",
    "TrailQuery",
    "WitnessReport",
    "WitnessState",
    "create_log",
    "open_log",
    "recover_log",
    "verify_store",
]

_STREAM_BATCH = 500
#: Codes that a search looks for; their columns have this width.
_MAX_CODE = 64
_CODES = ("organisation", "registry", "purpose")


def open_log(settings: LogSettings, *, clock: Callable[[], datetime] = now_utc) -> AuditLog:
    """Open a log that `create_log` made.

    Raises:
        KeyRefused: a key is missing, readable by others, or not this log's or no longer.
        LogUnavailable: the database cannot be read or holds no log.
        LogFrozen: the database is behind, or differs from, a checkpoint that was signed before.
    """
    opened = open_parts(settings, clock=clock)
    try:
        opened.writer.refuse_if_frozen()
    except BaseException:
        opened.close()
        raise
    return AuditLog(opened, settings.witnesses)


class AuditLog:
    """One open log. Any number of threads may share it; any number of processes may open the same log."""

    def __init__(self, opened: Opened, witnesses: Sequence[WitnessAddress] = ()) -> None:
        self._opened = opened
        self._store = opened.store
        self._vault = opened.vault
        self._writer = opened.writer
        self._remembered = opened.remembered
        self.origin = opened.origin
        self._witnesses = [witness.verifier for witness in witnesses]
        self._cosigning = Cosigning(opened, witnesses)
        self.public = PublicLog(opened.store, self._witnesses)

    def append(self, access: Access, *, idempotency_key: str | None = None) -> Acknowledgement:
        """Make one access durable. The same `idempotency_key` of the same source gives the first acknowledgement again.

        Raises:
            EntryRefused: the access cannot be encoded.
            IdempotencyConflict: the key stands for another entry.
            LogOverloaded, LogUnavailable, LogFrozen: it is not recorded, so what it stands for must not happen.
        """
        return self._write(Request([access], [_encoded(access)], idempotency_key))[0]

    def append_all(self, accesses: Sequence[Access]) -> list[Acknowledgement]:
        """Make all of them durable in one transaction, next to each other, or none. Errors as for `append`."""
        if not accesses:
            return []
        return self._write(Request(list(accesses), [_encoded(access) for access in accesses]))

    def read(self, query: TrailQuery, *, before: int | None = None, limit: int = 50) -> Page:
        """A page of what `query` finds, newest first, below entry `before`."""
        with self._store.reading() as connection:
            return trail.read_page(connection, self._vault, query, before, limit)

    def search(self, query: TrailQuery, *, before: int | None = None, limit: int = 50) -> tuple[Page, Total]:
        """A page as `read` gives it, and how many there are in all, exactly or as an estimate: see `Search.total`."""
        with self._store.reading() as connection:
            search = Search(connection, self._vault, query)
            found = search.newest(before, limit + 1)
            return trail.page_of(connection, self._vault, found, limit), search.total()

    def total(self, query: TrailQuery) -> Total:
        """How many entries there are, exactly or as an estimate, in no more time than a page takes."""
        with self._store.reading() as connection:
            return Search(connection, self._vault, query).total()

    def stream(self, query: TrailQuery, *, size: int | None = None) -> Iterator[LoggedAccess]:
        """Everything that `query` finds below tree size `size` (now's by default), oldest first, in constant memory."""
        below = self.checkpoint().checkpoint.size if size is None else size
        after = -1
        while True:
            with self._store.reading() as connection:
                batch = trail.read_forward(connection, self._vault, query, after, below, _STREAM_BATCH)
            yield from batch
            if len(batch) < _STREAM_BATCH:
                return
            after = batch[-1].seq
            del batch  # else two of them are in memory while the next is read

    def count(self, query: TrailQuery) -> int:
        with self._store.reading() as connection:
            return trail.count(connection, self._vault, query)

    def counts_by(self, query: TrailQuery, column: str) -> dict[str, int]:
        """How many entries there are for each organisation, purpose, registry, action or outcome ("" for none)."""
        with self._store.reading() as connection:
            return trail.count_by(connection, self._vault, query, column)

    def counts_by_day(self, query: TrailQuery) -> dict[date, int]:
        """How many entries the log took on each UTC day that has any."""
        with self._store.reading() as connection:
            return trail.count_by_day(connection, self._vault, query)

    def tally(self, subject: str, *, after: int = -1) -> Tally:
        """What the entries about one person above entry `after` amount to, by kind and hour."""
        with self._store.reading() as connection:
            return tally_of(connection, self._vault, subject, after)

    def shared(self, kinds: Iterable[int], fields: Iterable[str]) -> dict[int, Shared]:
        """What all entries of a kind have in common; it never changes, so that whoever asked may keep it."""
        with self._store.reading() as connection:
            return shared_by(connection, self._vault, kinds, fields)

    def measured(self, measure: Measure) -> Sequence[Row[Any]]:
        """What a measure gives over the whole trail, bodies unopened."""
        with self._store.reading() as connection:
            return figures.measured(connection, measure)

    def rows(self, after: int, below: int, limit: int) -> list[AccessRow]:
        """At most `limit` entries with after < seq < below, in their order, as a statistic sees them."""
        with self._store.reading() as connection:
            return figures.read_rows(connection, after, below, limit)

    def erased_since(self, tombstone: int, below: int) -> dict[int, int]:
        """Which entries were erased by tombstones above `tombstone` and below `below`, each with its tombstone."""
        with self._store.reading() as connection:
            return figures.erased_since(connection, tombstone, below)

    def entry(self, seq: int) -> LoggedAccess:
        """Raises EntryNotFound when the log has no such entry."""
        page = self.read(TrailQuery(), before=seq + 1, limit=1)
        if not page.items or page.items[0].seq != seq:
            raise EntryNotFound(f"the log has no entry {seq}")
        return page.items[0]

    def receipt(self, seq: int, *, for_subject: bool = False, under: SignedCheckpoint | None = None) -> Receipt:
        """The proof that an entry is in the log, with its body opened.

        It leads to the newest checkpoint that witnesses cosigned, where that covers the entry; else to the newest.
        Many receipts that belong together lead to one checkpoint, `under`, which this log signed.
        `for_subject` adds the label key, by which one person's entries can be linked: only for that person.

        Raises:
            EntryNotFound: the log, or the tree of `under`, has no such entry.
        """
        with self._reading_newest() as (connection, newest):
            found = trail.read_entry(connection, self._vault, seq)
            if found is None or seq >= (under or newest).checkpoint.size:
                raise EntryNotFound(f"the log has no entry {seq}")
            leaf, opened = found
            signed = under or self._cosigned(connection, seq) or newest
            hashes = inclusion_proof(seq, signed.checkpoint.size, TileNodes(connection).node)
            proof = TlogProof(seq, tuple(hashes), signed.text)
            if opened is None:
                return Receipt(leaf, proof)
            if not for_subject:
                return Receipt(leaf, proof, opened.body, opened.secret)
            keys = trail.read_keys(connection, self._vault, seq)
            return Receipt(leaf, proof, opened.body, opened.secret, keys.label, opened.count)

    def checkpoint(self) -> SignedCheckpoint:
        """The newest signed checkpoint."""
        with self._reading_newest() as (_, newest):
            return newest

    def witnessed(self, signed: SignedCheckpoint) -> SignedCheckpoint:
        """The same checkpoint with the cosignatures of it that witnesses have given until now."""
        size = signed.checkpoint.size
        with self._store.reading() as connection:
            note = newest_cosigned(connection, self._witnesses, at=size)
        return signed if note is None else open_checkpoint(note, self.origin, self._opened.verifiers)

    def verify(
        self, progress: Callable[[int, int], None] | None = None, *, trusted: Checkpoint | None = None
    ) -> VerificationReport:
        """Replay the whole log, bodies and the remembered checkpoint included. Appends may go on meanwhile.

        With `trusted`, a checkpoint up to which it was verified before, only what came after is replayed.
        """
        kept = None if self._remembered is None else self._remembered.read()
        earlier = [] if kept is None else [kept.checkpoint]
        with self._store.reading() as connection:
            source = StoredLog(connection, self._vault, self._witnesses)
            keys = known_keys(connection, self._opened)
            if trusted is not None:
                return verify_onward(source, self.origin, keys, trusted, earlier=earlier, progress=progress)
            return verify_log(source, self.origin, keys, earlier=earlier, progress=progress)

    def erase_entries(
        self,
        seqs: Iterable[int],
        *,
        basis: str,
        reason: str | None = None,
        official: str | None = None,
        organisation: str | None = None,
    ) -> Erasure:
        """Erase what these entries say; a tombstone entry says so, and every proof stays valid.

        Erasing twice changes nothing and adds no tombstone. `basis` is the provision ("GDPR Article 17(1)(d)"); neither
        it nor `reason` may name the person.

        Raises:
            EntryNotFound: the log has no such entry; nothing was erased.
            EntryRefused: one is the log's own, or the basis or reason names the person; nothing was erased.
            LogUnavailable, LogFrozen: nothing was erased.
        """
        grounds = Grounds(basis=basis, reason=reason, official=official, organisation=organisation)
        return erase_entries(self._opened, seqs, grounds)

    def erase_subject(
        self,
        subject: str,
        *,
        basis: str,
        reason: str | None = None,
        official: str | None = None,
        organisation: str | None = None,
    ) -> Erasure:
        """Erase every entry about this person, and their keys. As for `erase_entries`; no entries are no error."""
        grounds = Grounds(basis=basis, reason=reason, official=official, organisation=organisation)
        return erase_subject(self._opened, subject, grounds)

    def published_keys(self) -> str:
        """The keys by which readers know this log's checkpoints, one on each line, retired ones with their bounds."""
        with self._store.reading() as connection:
            return format_log_keys(known_keys(connection, self._opened))

    def ask_witnesses(self, *, patient: bool = True) -> list[WitnessReport]:
        """Ask every witness that has not cosigned the newest checkpoint; see `audit.cosigning.Cosigning.round`."""
        return self._cosigning.round(patient=patient)

    def witness_reports(self) -> list[WitnessReport]:
        """How each configured witness stands to the log."""
        return self._cosigning.reports()

    def ping(self) -> None:
        """Raises LogUnavailable or LogFrozen when an append would fail now for a reason that can be foreseen."""
        self._writer.refuse_if_frozen()

    def close(self) -> None:
        self._opened.close()

    def _write(self, request: Request) -> list[Acknowledgement]:
        relay = self._opened.relay
        if relay is None or not relay.hand_over(request):
            return self._writer.write(request)
        if request.error is not None:
            raise request.error
        return request.acknowledgements

    @contextmanager
    def _reading_newest(self) -> Iterator[tuple[Connection, SignedCheckpoint]]:
        with self._store.reading() as connection:
            head = store.read_head(connection)
            if head is None:
                raise LogUnavailable("the database holds no log")
            yield connection, open_checkpoint(head.checkpoint, self.origin, self._opened.verifiers)

    def _cosigned(self, connection: Connection, seq: int) -> SignedCheckpoint | None:
        """The newest cosigned checkpoint, if it covers this entry and a key in use vouches for it."""
        note = newest_cosigned(connection, self._witnesses)
        if note is None:
            return None
        try:
            signed = open_checkpoint(note, self.origin, self._opened.verifiers)
        except VerificationFailed:  # signed by a key that was retired since
            return None
        return signed if signed.checkpoint.size > seq else None


def _encoded(access: Access) -> bytes:
    if access.source == LOG_SOURCE:
        raise EntryRefused(f"source: {LOG_SOURCE!r} is what the log says of itself")
    for name in _CODES:
        if len(getattr(access, name) or "") > _MAX_CODE:
            raise EntryRefused(f"{name}: longer than {_MAX_CODE} characters")
    return encode_body(access)
