"""Files made in the background: claimed by one run at a time, begun again where a run died, sealed, deleted in time.

What a file holds, and who may have it, is for the service that keeps its rows here.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.errors import NothingHere, PortalError
from portal.models.file_jobs import FileJob
from portal.services.clock import Clock
from portal.services.safeguards import Foundations
from portal.services.sealed_files import SealedFiles, new_key
from portal.services.sealing import Sealer

#: A run that has not been heard of for so long has died with its process; what it began is begun again.
SILENCE = timedelta(minutes=1)
#: Seconds between two notes of how far a run is.
_TOLD_SECONDS = 1.0

Job = TypeVar("Job", bound=FileJob)


class JobState(StrEnum):
    """From the request to the end of the file. `EXPIRED`: it is deleted, because its time was over or on demand."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"

    @property
    def is_over(self) -> bool:
        return self not in OPEN


OPEN = frozenset({JobState.WAITING, JobState.RUNNING})


class Superseded(PortalError):
    """Another run has taken this file over, or nobody wants it any more; this run leaves it alone."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: its name, its whole length, and a way to read bytes `start` to `end` (exclusive) of it."""

    filename: str
    size: int
    part: Callable[[int, int], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Written:
    """A file that lies on the disk and that its row does not know yet."""

    size: int
    sealed_key: bytes


class FileJobs(Generic[Job]):
    """The rows of one kind of file, and the folder in which the files lie."""

    def __init__(self, kind: type[Job], on: Foundations, files: SealedFiles, keep: timedelta) -> None:
        self._kind = kind
        self._sessions: sessionmaker[Session] = on.sessions
        self._sealer: Sealer = on.sealer
        self._clock: Clock = on.clock
        self._files = files
        self._keep = keep

    def due(self) -> list[str]:
        """The ids of all that wait or are in the making, the oldest first."""
        kind = self._kind
        with self._sessions() as session:
            wanted = select(kind.id).where(kind.state.in_(OPEN)).order_by(kind.requested_at)
            return list(session.scalars(wanted))

    def recent(self, account_id: str, number: int) -> list[Job]:
        kind = self._kind
        newest = select(kind).where(kind.requested_by == account_id).order_by(kind.requested_at.desc()).limit(number)
        with self._sessions() as session:
            return list(session.scalars(newest))

    def own(self, account_id: str, job_id: str) -> Job:
        """Raises NothingHere for what does not exist or what somebody else asked for."""
        with self._sessions() as session:
            row = session.get(self._kind, job_id)
        if row is None or row.requested_by != account_id:
            raise NothingHere
        return row

    def download(self, row: Job) -> Download:
        """Raises NothingHere when there is no file (any more), or its time is over."""
        if row.state != JobState.READY or row.sealed_key is None or row.size is None or row.filename is None:
            raise NothingHere
        if row.expires_at is None or row.expires_at <= self._clock():  # nobody has come round to delete it
            raise NothingHere
        job_id, key, size = row.id, bytes.fromhex(self._sealer.unseal(row.sealed_key, row.id)), row.size

        def part(start: int, end: int) -> Iterator[bytes]:
            return self._files.read(job_id, key, size, start=start, end=end)

        return Download(row.filename, size, part)

    def claim(self, job_id: str, **changes: Any) -> Run[Job] | None:
        """Begin to make it; None if another run has it. `changes` are made to the row with the claim."""
        now, worker, kind = self._clock(), str(uuid.uuid4()), self._kind
        with self._sessions.begin() as session:
            claimed = session.scalars(
                update(kind)
                .where(
                    kind.id == job_id,
                    kind.state.in_(OPEN),
                    or_(kind.worker.is_(None), kind.heartbeat_at < now - SILENCE),
                )
                .values(worker=worker, state=JobState.RUNNING, heartbeat_at=now, done=0, **changes)
                .returning(kind)
            ).one_or_none()
            session.expunge_all()
        return None if claimed is None else Run(self, claimed, worker)

    def keep_up(self, job_id: str, worker: str, **changes: object) -> None:
        """Say that the run is alive, and what has changed. Raises Superseded."""
        kind = self._kind
        with self._sessions.begin() as session:
            kept = session.scalars(
                update(kind)
                .where(kind.id == job_id, kind.worker == worker, kind.state == JobState.RUNNING)
                .values(**{"heartbeat_at": self._clock(), **changes})
                .returning(kind.id)
            ).all()
        if not kept:
            raise Superseded

    def write(self, job_id: str, chunks: Iterable[bytes]) -> Written:
        """Put a file on the disk, under a new key."""
        key = new_key()
        size = self._files.write(job_id, key, chunks)
        return Written(size, self._sealer.seal(key.hex(), job_id))

    def ready(self, filename: str, written: Written) -> dict[str, object]:
        """What a row says of a file that can be fetched from now on."""
        now = self._clock()
        return {
            "state": JobState.READY,
            "filename": filename,
            "size": written.size,
            "sealed_key": written.sealed_key,
            "finished_at": now,
            "expires_at": now + self._keep,
        }

    def now(self) -> datetime:
        return self._clock()

    def discard_old(self) -> int:
        """Delete the files whose time is over, and their keys; gives how many."""
        return self._discard(self._kind.expires_at <= self._clock())

    def discard(self, job_id: str) -> bool:
        """Delete one file and its key now; False when there is none."""
        return self._discard(self._kind.id == job_id) == 1

    def discard_others(self, row: Job) -> int:
        """Delete what else of this person's lies there."""
        return self._discard(self._kind.requested_by == row.requested_by, self._kind.id != row.id)

    def _discard(self, *which: Any) -> int:
        kind = self._kind
        with self._sessions.begin() as session:
            gone = session.scalars(
                update(kind)
                .where(kind.state == JobState.READY, *which)
                .values(state=JobState.EXPIRED, sealed_key=None)
                .returning(kind.id)
            ).all()
        for job_id in gone:
            self._files.remove(job_id)
        return len(gone)


class Run(Generic[Job]):
    """One attempt at making one file. Every step raises Superseded once the file is no longer this run's."""

    def __init__(self, jobs: FileJobs[Job], row: Job, worker: str) -> None:
        self.row = row
        self._jobs = jobs
        self._worker = worker
        self._told = 0.0

    def keep_up(self, **changes: object) -> None:
        self._jobs.keep_up(self.row.id, self._worker, **changes)

    def progress(self, done: int) -> None:
        """May be called as often as one likes."""
        if (now := time.monotonic()) - self._told >= _TOLD_SECONDS:
            self._told = now
            self.keep_up(done=done)

    def write(self, chunks: Iterable[bytes]) -> Written:
        return self._jobs.write(self.row.id, chunks)

    def hand_over(self, filename: str, written: Written, **changes: object) -> None:
        """The file can be fetched from now on."""
        self.keep_up(**self._jobs.ready(filename, written), **changes)

    def fail(self, problem: str, **changes: object) -> None:
        self.keep_up(state=JobState.FAILED, problem=problem, finished_at=self._jobs.now(), **changes)
