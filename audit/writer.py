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
from audit.checkpoint import SignedCheckpoint
from audit.criteria import milliseconds, moment
from audit.entry import Access, commit, decode_leaf, leaf_hash
from audit.errors import AuditError, IdempotencyConflict, LogOverloaded, LogUnavailable
from audit.head_guard import HeadGuard
from audit.kinds import KnownKinds
from audit.note import Signer, Verifier
from audit.remembered import Memory, RememberedCheckpoint
from audit.rows import Head, Wanted, hand_of
from audit.signers import Signers
from audit.store import Store
from audit.trail import read_entry
from audit.vault import SECRET_SIZE, Vault

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
    #: What the commitments are made with, where it was chosen before (`audit.relay`); else the batch chooses.
    secrets: bytes | None = None
    #: Set where another process may have written the request: the log's size before it was asked to.
    since: int | None = None

    def finish(self) -> None:
        """Let its caller go: there are acknowledgements, or an error."""
        self.is_done = True
        if not self.leads:
            self.gate.release()

    def call(self) -> None:
        """Have its caller write the queue."""
        self.leads = True
        self.gate.release()

    def is_withdrawn(self) -> bool:
        """Whether its caller has gone to write it elsewhere. Asked while the head is held, where nobody else writes."""
        return False


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
        self.enqueue(request)
        if not request.leads:
            try:
                request.gate.acquire()
            except BaseException:  # a worker told to stop: the pen must not be lost with it
                self._withdraw(request)
                raise
        if not request.is_done:
            self.lead()
        if request.error is not None:
            raise request.error
        return request.acknowledgements

    def enqueue(self, request: Request) -> None:
        """Let a request wait for the next batch. Where it `leads` after that, its caller is to call `lead`.

        Raises:
            LogOverloaded: too much is waiting; nothing was queued.
        """
        with self._lock:
            if self._queue and self._queued + len(request.accesses) > MAX_QUEUED:
                raise LogOverloaded("too many entries are waiting to be written", retry_after=RETRY_AFTER_SECONDS)
            self._queue.append(request)
            self._queued += len(request.accesses)
            if self._gathered is not None and len(self._queue) == self._callers:
                self._gathered.release()
            request.leads, self._is_led = not self._is_led, True

    def is_awaited(self) -> bool:
        """Whether anybody waits to be written."""
        return bool(self._queue)

    def size_known(self) -> int:
        """How many entries the log is known to have at least. Errors as for `refuse_if_frozen`."""
        expected = self._guard.expected()
        return 0 if expected is None else expected.checkpoint.size

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

    def lead(self) -> None:
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
                request.finish()
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
                self._queue[0].call()
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
            self._take(requests)
            requests[:] = [request for request in requests if not request.is_withdrawn()]
            wanted = self._wanted(index, requests)
            # Whoever came since the question was asked may be about somebody else.
            stands_for = batch.know(wanted, known if asked is not None and asked.covers(wanted) else None)
            written, repeated = self._sort(connection, batch, requests, stands_for)
            signed = batch.write(signers) if batch.next_seq > head.size else None
        if any(request.since is not None for request in requests):
            self._store.settle()
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
            if request.since is not None and _answer_written(connection, request, batch.head.size):
                continue
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
            batch.add(request.accesses, request.encoded, request.secrets)
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


def _answer_written(connection: Connection, request: Request, size: int) -> bool:
    """Whether another process wrote the request before it went away: then its entries are found by their commitments.

    Nobody else can have made the same ones, for they are made with secrets of this request alone.
    """
    if request.since is None or request.secrets is None:
        return False
    first = commit(request.secrets[:SECRET_SIZE], request.encoded[0])
    leaves = hand_of(connection).leaves(request.since, size)
    for position, leaf in enumerate(leaves):
        if decode_leaf(leaf).commitment == first:
            own = leaves[position : position + len(request.accesses)]
            logged_at = moment(decode_leaf(leaf).time_ms)
            request.acknowledgements = [
                Acknowledgement(request.since + position + after, leaf_hash(one), logged_at, size)
                for after, one in enumerate(own)
            ]
            return True
    return False


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
