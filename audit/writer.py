"""How entries get into the log: many callers, one transaction at a time, each caller released after the commit.

The callers of one process queue up; the first of them writes everything that is queued (group commit) and hands the pen
to the next. Several processes do the same against the one head row, which the transaction holds to its end.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from audit import store
from audit.batch import Acknowledgement, Batch, BlindIndexes
from audit.checkpoint import SignedCheckpoint, open_checkpoint
from audit.criteria import milliseconds, moment
from audit.entry import Access, decode_leaf, leaf_hash
from audit.errors import (
    AuditError,
    IdempotencyConflict,
    InvalidProof,
    LogFrozen,
    LogOverloaded,
    LogUnavailable,
    MalformedCheckpoint,
    MalformedNote,
    VerificationFailed,
)
from audit.kinds import KnownKinds
from audit.merkle import CompactRange, consistency_proof, verify_consistency
from audit.note import Signer, Verifier
from audit.remembered import Memory, RememberedCheckpoint
from audit.rows import Head, Wanted, hand_of
from audit.signers import Signers
from audit.store import Store, TileNodes
from audit.trail import read_entry
from audit.vault import Vault

logger = logging.getLogger(__name__)

#: Entries that may wait at once; beyond it a caller is told to come back.
MAX_QUEUED = 10_000
#: Entries in one transaction, unless one caller's own are more.
MAX_BATCH = 2_000
RETRY_AFTER_SECONDS = 1.0
#: The part of the last commit's time for which the next may be held back for callers who are about to come.
GATHERING = 0.5


def _closed() -> threading.Lock:
    gate = threading.Lock()
    gate.acquire()
    return gate


@dataclass(slots=True, eq=False)
class Request:
    """What one caller waits for: all of its accesses in one transaction, or none of them."""

    accesses: Sequence[Access]
    encoded: Sequence[bytes]
    idempotency_key: str | None = None
    acknowledgements: list[Acknowledgement] = field(default_factory=list)
    error: AuditError | None = None
    is_done: bool = False
    #: Its caller is to write the queue.
    leads: bool = False
    #: Opened when the request is done, or when its caller is to write the queue. Once; a lock is the cheapest gate.
    gate: threading.Lock = field(default_factory=_closed)


class Writer:
    """The one place that appends. `clock` gives aware times; it never decides an order."""

    def __init__(
        self,
        log: Store,
        vault: Vault,
        signers: Signers,
        verifiers: Sequence[Verifier],
        remembered: RememberedCheckpoint | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = log
        self._vault = vault
        self._signers = signers
        self._guard = HeadGuard(signers.origin, verifiers, remembered)
        self._memory = None if remembered is None else Memory(remembered)
        self._clock = clock
        self._kinds = KnownKinds()
        self._lock = threading.Lock()
        self._queue: list[Request] = []
        self._queued = 0
        self._is_led = False
        #: How many callers there were about the last commit, and how long it took.
        self._callers = 1
        self._commit_seconds = 0.0
        #: Opened when as many are back.
        self._gathered: threading.Lock | None = None

    def write(self, request: Request) -> list[Acknowledgement]:
        """Wait until the request is durable.

        Raises:
            LogOverloaded: too much is waiting; nothing was queued.
            LogUnavailable, LogFrozen: nothing of it was acknowledged.
            IdempotencyConflict: its key stands for another entry.
        """
        with self._lock:
            if self._queue and self._queued + len(request.accesses) > MAX_QUEUED:
                raise LogOverloaded("too many entries are waiting to be written", retry_after=RETRY_AFTER_SECONDS)
            self._queue.append(request)
            self._queued += len(request.accesses)
            if self._gathered is not None and len(self._queue) == self._callers:
                self._gathered.release()
            request.leads, self._is_led = not self._is_led, True
        if not request.leads:
            try:
                request.gate.acquire()
            except BaseException:  # a worker told to stop: the pen must not be lost with it
                self._withdraw(request)
                raise
        if not request.is_done:
            self._lead()
        if request.error is not None:
            raise request.error
        return request.acknowledgements

    def transact(
        self,
        work: Callable[[Connection, Batch], None],
        signers: Callable[[str], tuple[Signer, ...]] | None = None,
        told: Callable[[SignedCheckpoint], None] | None = None,
    ) -> list[Acknowledgement]:
        """One transaction of the log's own: `work` adds entries to the batch and does what they speak of, or nothing.

        It holds the head, so no append comes between what `work` reads and what it writes. `signers` tells from the
        newest checkpoint who signs from here on, where that is not who signed so far; `told` is given what they signed,
        once it is durable. Errors as for `write`.
        """
        if self._memory is not None:
            self._memory.require()
        expected = self._guard.expected()
        with self._store.writing() as connection:
            head = self._guard.sound(hand_of(connection).head(), connection, expected)
            signing = (signers or self._signers.after)(head.checkpoint)
            batch = self._batch(connection, head, BlindIndexes(self._vault))
            work(connection, batch)
            if batch.next_seq == head.size:
                return []
            signed = batch.write(signing)
        self._guard.saw(signed)
        if self._memory is not None:
            self._memory.note(signed)
        if told is not None:
            told(signed)
        return [batch.acknowledgement(seq) for seq in range(head.size, batch.next_seq)]

    def close(self) -> None:
        """Let the newest checkpoint be remembered before the process goes."""
        if self._memory is not None:
            self._memory.close()

    def now(self) -> datetime:
        return self._clock()

    def refuse_if_frozen(self) -> None:
        """Raises LogFrozen when the log must not go on from where its database stands, LogUnavailable without one.

        Raises KeyRefused when it is signed with a key that this process does not hold.
        """
        expected = self._guard.expected()
        with self._store.reading() as connection:
            head = self._guard.sound(store.read_head(connection), connection, expected)
            self._signers.after(head.checkpoint)

    def _batch(self, connection: Connection, head: Head, index: BlindIndexes) -> Batch:
        now = milliseconds(self._clock())
        return Batch(connection, self._vault, self._signers.origin, head, now, index, self._kinds)

    def _withdraw(self, request: Request) -> None:
        with self._lock:
            if request in self._queue:
                self._queue.remove(request)
                self._queued -= len(request.accesses)
            was_to_lead = request.leads and not request.is_done
        if was_to_lead:
            self._hand_on()

    def _lead(self) -> None:
        """Write one batch, wake its callers, hand the pen on, and remember what was signed."""
        batch: list[Request] = []
        signed = None
        try:
            signed = self._commit(batch)
        except AuditError as error:
            _fail(batch or self._take(batch), error)
        except BaseException as error:  # whatever it was, nobody in this batch may believe that their entry is durable
            unwritten = LogUnavailable(f"the entry could not be written ({type(error).__name__})")
            _fail(batch or self._take(batch), unwritten)
            raise
        finally:
            self._callers = len(batch) + len(self._queue)
            for request in batch:
                request.is_done = True
                if not request.leads:
                    request.gate.release()
            self._hand_on()
        if signed is not None and self._memory is not None:
            self._memory.note(signed)

    def _take(self, batch: list[Request]) -> list[Request]:
        """Move requests from the queue into the batch: whoever leads it is always among them."""
        with self._lock:
            taken, entries = 0, 0
            while taken < len(self._queue) and (taken == 0 or entries < MAX_BATCH):
                entries += len(self._queue[taken].accesses)
                taken += 1
            batch += self._queue[:taken]
            del self._queue[:taken]
            self._queued -= entries
        return batch

    def _waiting(self) -> list[Request]:
        """What `_take` would take now."""
        with self._lock:
            return self._queue[:MAX_BATCH]

    def _gather(self) -> None:
        """Wait a moment for callers who were here just now and will be back: one commit then serves them as well.

        It waits for no more callers than there were, and at most for a part of what the last commit took; a caller who
        is alone waits for nobody.
        """
        with self._lock:
            if len(self._queue) >= self._callers or self._commit_seconds == 0:
                return
            self._gathered = threading.Lock()
            self._gathered.acquire()
        self._gathered.acquire(timeout=self._commit_seconds * GATHERING)
        with self._lock:
            self._gathered = None

    def _hand_on(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].leads = True
                self._queue[0].gate.release()
            else:
                self._is_led = False

    def _commit(self, requests: list[Request]) -> SignedCheckpoint | None:
        """Take what is queued once the head is held, for whoever came while it was waited for comes along."""
        self._gather()
        started = time.perf_counter()
        if self._memory is not None:
            self._memory.require()
        expected = self._guard.expected()
        with self._store.writing() as connection:
            index = BlindIndexes(self._vault)
            found, asked, known = hand_of(connection).head_and_known(lambda: self._wanted(index, self._waiting()))
            head = self._guard.sound(found, connection, expected)
            signers = self._signers.after(head.checkpoint)
            batch = self._batch(connection, head, index)
            wanted = self._wanted(index, self._take(requests))
            # Whoever came since the question was asked may be about somebody else.
            stands_for = batch.know(wanted, known if asked is not None and asked.covers(wanted) else None)
            written, repeated = self._sort(connection, batch, requests, stands_for)
            signed = batch.write(signers) if batch.next_seq > head.size else None
        self._commit_seconds = time.perf_counter() - started
        if signed is not None:
            self._guard.saw(signed)
            self._signers.signed(signed.text, signers)
        for request, first in written:
            request.acknowledgements = [
                batch.acknowledgement(seq) for seq in range(first, first + len(request.accesses))
            ]
        for request, twin in repeated:
            _answer_twin(request, twin)
        return signed

    def _sort(
        self, connection: Connection, batch: Batch, requests: Sequence[Request], stands_for: dict[bytes, int]
    ) -> tuple[list[tuple[Request, int]], list[tuple[Request, Request]]]:
        """Add what is new to the batch, each request with its first entry, and answer what was asked before.

        The second list holds requests that repeat one of this very batch, each with its twin.
        """
        written: list[tuple[Request, int]] = []
        repeated: list[tuple[Request, Request]] = []
        first_of: dict[bytes, Request] = {}
        for request in requests:
            if (key := self._key(batch.index, request)) is not None:
                if (twin := first_of.get(key)) is not None:
                    repeated.append((request, twin))
                    continue
                if key in stands_for:
                    self._answer_repeated(connection, request, stands_for[key], batch.head.size)
                    continue
                first_of[key] = request
                batch.keep_key(key)
            written.append((request, batch.next_seq))
            batch.add(request.accesses, request.encoded)
        return written, repeated

    def _wanted(self, index: BlindIndexes, requests: Sequence[Request]) -> Wanted:
        keys = (self._key(index, request) for request in requests)
        accesses = (access for request in requests for access in request.accesses)
        return index.wanted(accesses, (key for key in keys if key is not None))

    @staticmethod
    def _key(index: BlindIndexes, request: Request) -> bytes | None:
        if request.idempotency_key is None:
            return None
        return index("idempotency", f"{request.accesses[0].source}\n{request.idempotency_key}")

    def _answer_repeated(self, connection: Connection, request: Request, seq: int, size: int) -> None:
        """The first receipt again, or a conflict. What was erased can no longer be compared, so it is a conflict."""
        found = read_entry(connection, self._vault, seq)
        if found is None or found[1] is None or found[1].body != request.encoded[0]:
            request.error = _conflict()
            return
        leaf = found[0]
        logged_at = moment(decode_leaf(leaf).time_ms)
        request.acknowledgements = [Acknowledgement(seq, leaf_hash(leaf), logged_at, size)]


class HeadGuard:
    """Says whether the log may go on from a head: never from behind, or beside, what was signed before."""

    def __init__(self, origin: str, verifiers: Sequence[Verifier], remembered: RememberedCheckpoint | None) -> None:
        self._origin = origin
        self._verifiers = verifiers
        self._remembered = remembered
        #: The newest checkpoint that this process has signed or accepted.
        self._newest: SignedCheckpoint | None = None
        self._lock = threading.Lock()

    def saw(self, signed: SignedCheckpoint) -> None:
        with self._lock:
            if self._newest is None or self._newest.checkpoint.size < signed.checkpoint.size:
                self._newest = signed

    def expected(self) -> SignedCheckpoint | None:
        """The newest checkpoint that is known to be signed, by this process or, as is remembered outside, by another.

        To be asked before the head is read: a head that was read before may be overtaken, and that is no rollback.

        Raises:
            LogFrozen, LogUnavailable: the remembered checkpoint is none, or cannot be read.
        """
        newest = self._newest
        kept = None if self._remembered is None else self._remembered.read()
        if kept is not None and (newest is None or newest.checkpoint.size <= kept.checkpoint.size):
            return kept
        return newest

    def sound(self, head: Head | None, connection: Connection, expected: SignedCheckpoint | None) -> Head:
        """The head, if the log may go on from it: it holds the tree of the `expected` checkpoint.

        Raises:
            LogUnavailable: there is no log.
            LogFrozen: the head is behind, or differs from, a checkpoint that was signed, or is not signed itself.
        """
        if head is None:
            raise LogUnavailable("the database holds no log")
        if expected is not None and head.checkpoint == expected.text:
            return head
        signed = self._signed(head)
        if expected is not None:
            _refuse_rollback(connection, signed, expected)
        self.saw(signed)
        return head

    def _signed(self, head: Head) -> SignedCheckpoint:
        try:
            signed = open_checkpoint(head.checkpoint, self._origin, self._verifiers)
        except (MalformedNote, MalformedCheckpoint, VerificationFailed) as error:
            raise LogFrozen("the newest checkpoint is none that this log signed") from error
        edge = CompactRange(head.size, head.frontier) if len(head.frontier) == head.size.bit_count() else None
        if edge is None or signed.checkpoint.size != head.size or signed.checkpoint.root != edge.root():
            raise LogFrozen("the head of the log and its signed checkpoint disagree")
        return signed


def _refuse_rollback(connection: Connection, signed: SignedCheckpoint, newest: SignedCheckpoint) -> None:
    now, before = signed.checkpoint, newest.checkpoint
    if now.size < before.size:
        raise LogFrozen(
            f"the database holds {now.size} entries, yet {before.size} were signed for: an older backup, or entries cut"
            " off. Nothing is appended until `python -m audit recover` has been run"
        )
    if before.size == 0:
        return
    try:
        proof = consistency_proof(before.size, now.size, TileNodes(connection).node)
        verify_consistency(before.size, now.size, proof, before.root, now.root)
    except (InvalidProof, VerificationFailed) as error:
        raise LogFrozen(
            f"the log's first {before.size} entries are not the ones that were signed for. Nothing is appended until"
            " `python -m audit recover` has been run"
        ) from error


def _answer_twin(request: Request, twin: Request) -> None:
    if list(request.encoded) == list(twin.encoded):
        request.acknowledgements = twin.acknowledgements
    else:
        request.error = _conflict()


def _conflict() -> IdempotencyConflict:
    return IdempotencyConflict("this idempotency key already stands for another entry")


def _fail(batch: Sequence[Request], error: AuditError) -> None:
    for request in batch:
        request.error = request.error or error
