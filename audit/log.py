"""The audit log: append, read, prove. The only door to the store.

An entry is acknowledged only once it is durable and in the tree of a signed checkpoint; everything that can be read can
be proved; nothing can be changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection, text

from audit import schema, store, trail
from audit.batch import Acknowledgement
from audit.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from audit.entry import GENESIS, Access, encode_body
from audit.errors import EntryNotFound, EntryRefused, KeyRefused, LogFrozen, LogUnavailable, VerificationFailed
from audit.keys import MasterKey, load_signer
from audit.merkle import EMPTY_ROOT, inclusion_proof
from audit.note import Signer, Verifier
from audit.public import PublicLog
from audit.receipt import Receipt, TlogProof
from audit.remembered import RememberedCheckpoint
from audit.source import StoredLog
from audit.store import Head, Store, TileNodes
from audit.trail import LoggedAccess, Page, TrailQuery
from audit.vault import Vault
from audit.verify import VerificationReport, verify_log
from audit.writer import Request, Writer

__all__ = [
    "Acknowledgement",
    "AuditLog",
    "LogSettings",
    "LoggedAccess",
    "Page",
    "TrailQuery",
    "create_log",
    "open_log",
    "recover_log",
    "verify_store",
]

_INDEX_KEY = "index"
_STREAM_BATCH = 500
#: Codes that a search looks for; their columns have this width.
_MAX_CODE = 64
_CODES = ("organisation", "registry", "purpose")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Where a log lives and with what it is signed and sealed. `origin` is its name for ever, and its key's name."""

    database_url: str
    origin: str
    signing_key: Path
    master_key: MasterKey
    checkpoint_file: Path | None


def create_log(settings: LogSettings) -> None:
    """Make an empty log: tables, triggers, the vault's index key, a signed checkpoint over nothing. Safe to repeat.

    Raises:
        KeyRefused: the signing key is missing, readable by others, or not the origin's.
        LogUnavailable: the database cannot be written.
    """
    signer = _signer_of(settings)
    log = Store(settings.database_url)
    try:
        with log.writing() as connection:
            if connection.dialect.name == "postgresql":
                # Two first starts at once would both create the tables; the number only has to be the log's own.
                connection.execute(text("SELECT pg_advisory_xact_lock(4705311893)"))
            schema.create_tables(connection)
            if store.read_head(connection) is None:
                wrapped = Vault.new_index_key(settings.master_key)
                store.insert_rows(connection, schema.vault_keys, [{"name": _INDEX_KEY, "wrapped": wrapped}])
                empty = sign_checkpoint(Checkpoint(settings.origin, 0, EMPTY_ROOT), [signer])
                store.insert_head(connection, Head(0, 0, GENESIS, (), empty.text))
    finally:
        log.close()


def open_log(settings: LogSettings, *, clock: Callable[[], datetime] = _now) -> AuditLog:
    """Open a log that `create_log` made.

    Raises:
        KeyRefused: a key is missing, readable by others, or not this log's.
        LogUnavailable: the database cannot be read or holds no log.
        LogFrozen: the database is behind, or differs from, a checkpoint that was signed before.
    """
    signer = _signer_of(settings)
    verifier = signer.verifier()
    log = Store(settings.database_url)
    try:
        vault = _vault_of(log, settings.master_key)
        remembered = None
        if settings.checkpoint_file is not None:
            remembered = RememberedCheckpoint(settings.checkpoint_file, settings.origin, verifier)
        writer = Writer(log, vault, signer, verifier, remembered, clock)
        writer.refuse_if_frozen()
    except BaseException:
        log.close()
        raise
    return AuditLog(log, vault, writer, verifier, remembered)


def verify_store(
    database_url: str,
    verifier: Verifier,
    master_key: MasterKey | None,
    *,
    earlier: Sequence[Checkpoint] = (),
    progress: Callable[[int, int], None] | None = None,
) -> VerificationReport:
    """Replay a stored log with its public key alone; with the master key, the sealed bodies as well.

    Raises:
        LogUnavailable: the database cannot be read or holds no log.
        KeyRefused: the master key is not this log's.
    """
    log = Store(database_url)
    try:
        vault = None if master_key is None else _vault_of(log, master_key)
        with log.reading() as connection:
            if store.read_head(connection) is None:
                raise LogUnavailable("the database holds no log")
            source = StoredLog(connection, vault)
            return verify_log(source, verifier.name, [verifier], earlier=earlier, progress=progress)
    finally:
        log.close()


def _vault_of(log: Store, master_key: MasterKey) -> Vault:
    with log.reading() as connection:
        wrapped = store.read_vault_key(connection, _INDEX_KEY)
    if wrapped is None:
        raise LogUnavailable("the database holds no log")
    return Vault(master_key, wrapped)


def _signer_of(settings: LogSettings) -> Signer:
    signer = load_signer(settings.signing_key)
    if signer.name != settings.origin:
        raise KeyRefused(f"the signing key is {signer.name!r}'s, and the log is {settings.origin!r}")
    return signer


def recover_log(settings: LogSettings, *, clock: Callable[[], datetime] = _now) -> Acknowledgement | None:
    """Go on from what the database holds, though more was signed for; the log says so in an entry of its own.

    Only a log that verifies by itself is recovered. What was remembered is kept beside it under another name: it is the
    evidence of what was lost. None when there was nothing to recover from. Processes that have the log open must be
    started anew; until then they refuse to append.

    Raises:
        VerificationFailed: the log in the database is broken; recovery would put a seal on it.
        KeyRefused, LogUnavailable: as for `open_log`.
    """
    if settings.checkpoint_file is None or not _is_frozen(settings):
        return None
    verifier = _signer_of(settings).verifier()
    report = verify_store(settings.database_url, verifier, settings.master_key)
    if not report.ok:
        raise VerificationFailed(f"the log itself is broken and is not recovered: {report.problem}")
    remembered = RememberedCheckpoint(settings.checkpoint_file, settings.origin, verifier)
    log = open_log(replace(settings, checkpoint_file=None), clock=clock)
    try:
        # First the entry, then the memory: cut off in between, the log is still frozen and is recovered again.
        acknowledged = log.append(
            Access(
                action="log-recovery",
                outcome="done",
                source="log",
                occurred_at=clock(),
                automatic=True,
                details={"went-on-from": report.size, **_lost(remembered)},
            )
        )
        remembered.set_aside(log.checkpoint())
    finally:
        log.close()
    return acknowledged


def _lost(remembered: RememberedCheckpoint) -> dict[str, str | int]:
    evidence: dict[str, str | int] = {"remembered-sha256": remembered.digest()}
    try:
        kept = remembered.read()
    except LogFrozen:  # it is no checkpoint of this log; its digest is all there is to say
        return evidence
    if kept is None:
        return evidence
    return {**evidence, "signed-for": kept.checkpoint.size, "signed-root": kept.checkpoint.root.hex()}


def _is_frozen(settings: LogSettings) -> bool:
    try:
        open_log(settings).close()
    except LogFrozen:
        return True
    return False


class AuditLog:
    """One open log. Any number of threads may share it; any number of processes may open the same log."""

    def __init__(
        self,
        log: Store,
        vault: Vault,
        writer: Writer,
        verifier: Verifier,
        remembered: RememberedCheckpoint | None,
    ) -> None:
        self._store = log
        self._vault = vault
        self._writer = writer
        self._verifier = verifier
        self._remembered = remembered
        self.origin = verifier.name
        self.public = PublicLog(log)

    def append(self, access: Access, *, idempotency_key: str | None = None) -> Acknowledgement:
        """Make one access durable. The same `idempotency_key` of the same source gives the first acknowledgement again.

        Raises:
            EntryRefused: the access cannot be encoded.
            IdempotencyConflict: the key stands for another entry.
            LogOverloaded, LogUnavailable, LogFrozen: it is not recorded, so what it stands for must not happen.
        """
        return self._writer.write(Request([access], [_encoded(access)], idempotency_key))[0]

    def append_all(self, accesses: Sequence[Access]) -> list[Acknowledgement]:
        """Make all of them durable in one transaction, next to each other, or none. Errors as for `append`."""
        if not accesses:
            return []
        return self._writer.write(Request(list(accesses), [_encoded(access) for access in accesses]))

    def read(self, query: TrailQuery, *, before: int | None = None, limit: int = 50) -> Page:
        """A page of what `query` finds, newest first, below entry `before`."""
        with self._store.reading() as connection:
            return trail.read_page(connection, self._vault, query, before, limit)

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

    def entry(self, seq: int) -> LoggedAccess:
        """Raises EntryNotFound when the log has no such entry."""
        page = self.read(TrailQuery(), before=seq + 1, limit=1)
        if not page.items or page.items[0].seq != seq:
            raise EntryNotFound(f"the log has no entry {seq}")
        return page.items[0]

    def receipt(self, seq: int, *, for_subject: bool = False) -> Receipt:
        """The proof that an entry is in the log, against the newest checkpoint, with its body opened.

        `for_subject` adds the label key, by which one person's entries can be linked: only for that person.

        Raises:
            EntryNotFound: the log has no such entry.
        """
        with self._reading_newest() as (connection, newest):
            found = trail.read_entry(connection, self._vault, seq)
            if found is None or seq >= newest.checkpoint.size:
                raise EntryNotFound(f"the log has no entry {seq}")
            leaf, opened = found
            hashes = inclusion_proof(seq, newest.checkpoint.size, TileNodes(connection).node)
            proof = TlogProof(seq, tuple(hashes), newest.text)
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

    def verify(self, progress: Callable[[int, int], None] | None = None) -> VerificationReport:
        """Replay the whole log, bodies and the remembered checkpoint included. Appends may go on meanwhile."""
        kept = None if self._remembered is None else self._remembered.read()
        earlier = [] if kept is None else [kept.checkpoint]
        with self._store.reading() as connection:
            source = StoredLog(connection, self._vault)
            return verify_log(source, self.origin, [self._verifier], earlier=earlier, progress=progress)

    def ping(self) -> None:
        """Raises LogUnavailable or LogFrozen when an append would fail now for a reason that can be foreseen."""
        self._writer.refuse_if_frozen()

    def close(self) -> None:
        self._store.close()

    @contextmanager
    def _reading_newest(self) -> Iterator[tuple[Connection, SignedCheckpoint]]:
        with self._store.reading() as connection:
            head = store.read_head(connection)
            if head is None:
                raise LogUnavailable("the database holds no log")
            yield connection, open_checkpoint(head.checkpoint, self.origin, [self._verifier])


def _encoded(access: Access) -> bytes:
    for name in _CODES:
        if len(getattr(access, name) or "") > _MAX_CODE:
            raise EntryRefused(f"{name}: longer than {_MAX_CODE} characters")
    return encode_body(access)
