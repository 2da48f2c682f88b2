"""Getting the log's checkpoints cosigned: in the background, never in the path of an append.

A witness that refuses has seen another history of this log. That is the alarm for which witnesses are there: it is
logged as an error, kept where every process can show it, and stands in the log as an entry of its own.
"""

from __future__ import annotations

import fcntl
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from audit import store
from audit.batch import Batch
from audit.checkpoint import open_checkpoint
from audit.criteria import milliseconds, moment
from audit.entry import Access, encode_body
from audit.errors import LogUnavailable
from audit.merkle import consistency_proof
from audit.opening import Opened
from audit.rows import Head
from audit.store import StoredReport, TileNodes
from audit.verify import LOG_SOURCE
from audit.witness_client import Post, WitnessAddress, WitnessAnswer, WitnessState, ask_witness, post

logger = logging.getLogger(__name__)

#: The action of the entry that says that a witness refused.
WITNESS_REFUSAL = "witness-refusal"
#: Witnesses that are asked at once.
_AT_ONCE = 8
#: Seconds after which a witness that failed is asked again: doubled each time, up to the last.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0


@dataclass(frozen=True, slots=True)
class WitnessReport:
    """How one witness stands: the newest size that it cosigned, when it answered last, what the matter is."""

    name: str
    state: WitnessState
    size: int
    asked_at: datetime | None
    problem: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A witness, the size that it had cosigned `last`, the size that it was asked about, and what it said."""

    witness: WitnessAddress
    last: int
    size: int
    answer: WitnessAnswer

    @property
    def cosigned(self) -> int:
        return self.size if self.answer.state is WitnessState.COSIGNED else self.last


class Cosigning:
    """Asks the configured witnesses for one process. Processes on one machine take turns."""

    def __init__(
        self,
        log: Opened,
        witnesses: Sequence[WitnessAddress],
        *,
        send: Post = post,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._witnesses = tuple(witnesses)
        self._send = send
        self._clock = clock
        self._pauses: dict[str, tuple[float, float]] = {}  # witness -> (asked again at, the pause before that)

    def round(self, *, patient: bool = True) -> list[WitnessReport]:
        """Ask every witness that has not cosigned the newest checkpoint, once; keep what they answer.

        `patient`: a witness that failed lately is left alone for a while.

        Raises:
            LogUnavailable: the log's database cannot be read or written.
            LogFrozen, KeyRefused: the log's own entry about a refusal could not be written.
        """
        with self._taking_turns() as is_ours:
            if not is_ours:
                return []
            head = self._head()
            with self._log.store.reading() as connection:
                known = store.read_witness_reports(connection)
            # Nothing is shown to a witness that the log's own keys did not sign.
            open_checkpoint(head.checkpoint, self._log.origin, self._log.verifiers)
            due = [one for one in self._witnesses if self._is_due(one, known.get(one.key), head.size, patient=patient)]
            if not due:
                return []
            asked = [(one, 0 if (report := known.get(one.key)) is None else report.size) for one in due]
            with ThreadPoolExecutor(min(_AT_ONCE, len(due)), thread_name_prefix="witness") as pool:
                return self._keep(list(pool.map(lambda pair: self._ask(head, *pair), asked)), known)

    def reports(self) -> list[WitnessReport]:
        """How each configured witness stands, by whichever process asked it last."""
        with self._log.store.reading() as connection:
            known = store.read_witness_reports(connection)
        return [_report(witness, known.get(witness.key)) for witness in self._witnesses]

    def _is_due(self, witness: WitnessAddress, known: StoredReport | None, size: int, *, patient: bool) -> bool:
        if known is not None and known.state == WitnessState.COSIGNED and known.size == size:
            return False
        again_at, _ = self._pauses.get(witness.key, (0.0, 0.0))
        return not patient or self._clock() >= again_at

    def _ask(self, head: Head, witness: WitnessAddress, last: int) -> _Asked:
        answer = ask_witness(witness, head.checkpoint, head.size, last, self._proof, send=self._send)
        if answer.state is WitnessState.REFUSED and (newer := self._head()).size > head.size:
            # Another machine may have shown it a newer checkpoint meanwhile; that is no rollback.
            head = newer
            answer = ask_witness(witness, head.checkpoint, head.size, last, self._proof, send=self._send)
        return _Asked(witness, last, head.size, answer)

    def _head(self) -> Head:
        with self._log.store.reading() as connection:
            head = store.read_head(connection)
        if head is None:
            raise LogUnavailable("the database holds no log")
        return head

    def _proof(self, old: int, size: int) -> tuple[bytes, ...]:
        with self._log.store.reading() as connection:
            return tuple(consistency_proof(old, size, TileNodes(connection).node))

    def _keep(self, asked: Sequence[_Asked], known: dict[str, StoredReport]) -> list[WitnessReport]:
        now_ms = milliseconds(self._log.writer.now())
        reports = {one.witness.key: StoredReport(one.answer.state, one.cosigned, now_ms, one.answer.problem)
                   for one in asked}  # fmt: skip
        with self._log.store.writing() as connection:
            for one in asked:
                if one.answer.cosignature is not None:
                    store.write_cosignature(connection, one.size, one.witness.key, one.answer.cosignature.line())
            store.write_witness_reports(connection, reports)
        for one in asked:
            self._pause(one.witness, one.answer)
            before = known.get(one.witness.key)
            if one.answer.state is WitnessState.REFUSED and (before is None or before.state != WitnessState.REFUSED):
                self._raise_alarm(one)
            elif one.answer.state is not WitnessState.COSIGNED:
                logger.warning("witness %s: %s", one.witness.verifier.name, one.answer.problem)
        return [_report(one.witness, reports[one.witness.key]) for one in asked]

    def _pause(self, witness: WitnessAddress, answer: WitnessAnswer) -> None:
        if answer.state is WitnessState.COSIGNED:
            self._pauses.pop(witness.key, None)
            return
        _, before = self._pauses.get(witness.key, (0.0, 0.0))
        pause = min(_LONGEST_PAUSE, max(_FIRST_PAUSE, before * 2))
        self._pauses[witness.key] = (self._clock() + pause, pause)

    def _raise_alarm(self, asked: _Asked) -> None:
        logger.error("ALARM: witness %s refuses this log: %s", asked.witness.verifier.name, asked.answer.problem)
        access = Access(
            action=WITNESS_REFUSAL,
            outcome="failed",
            source=LOG_SOURCE,
            occurred_at=self._log.writer.now(),
            automatic=True,
            details={"witness": asked.witness.key, "size": asked.size, "problem": asked.answer.problem},
        )

        def work(_connection: Connection, batch: Batch) -> None:
            batch.add([access], [encode_body(access)])

        self._log.writer.transact(work)

    @contextmanager
    def _taking_turns(self) -> Iterator[bool]:
        """Whether this process may ask now. Without a file to share, every process does; a witness bears that."""
        remembered = self._log.remembered
        if remembered is None:
            yield True
            return
        path = remembered.path.with_name(remembered.path.name + ".witness-lock")
        try:
            lock = path.open("w")
        except OSError as error:
            raise LogUnavailable(f"{path} cannot be opened") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True


def _report(witness: WitnessAddress, known: StoredReport | None) -> WitnessReport:
    if known is None:
        return WitnessReport(witness.verifier.name, WitnessState.NEW, 0, None, "")
    state = WitnessState(known.state)
    return WitnessReport(witness.verifier.name, state, known.size, moment(known.asked_ms), known.problem)
