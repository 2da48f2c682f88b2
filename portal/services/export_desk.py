"""Exports in the background: asked for, made whatever happens to the process, fetched until they expire."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import or_, select, update

from audit.errors import AuditError
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.permissions import Permission, role_may
from portal.models.exports import ExportJob
from portal.services.accounts import Accounts
from portal.services.exporting.criteria import criteria_of, criteria_text
from portal.services.exporting.formats import ExportFormat
from portal.services.exporting.stamping import NoTimeStamp
from portal.services.exports import Exports, TooManyForCourt
from portal.services.oversight import TrailSearch
from portal.services.safeguards import Foundations
from portal.services.sealed_files import SealedFiles, new_key

#: A run that has not been heard of for so long has died with its process; what it began is begun again.
SILENCE = timedelta(minutes=1)
#: Seconds between two notes of how far a run is.
_TOLD_SECONDS = 1.0
HISTORY_LENGTH = 20


class ExportState(StrEnum):
    """From the request to the end of the file."""

    WAITING = "waiting"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"
    EXPIRED = "expired"


class ExportProblem(StrEnum):
    """Why no file was made."""

    TOO_MANY = "too-many"
    NO_TIME_STAMP = "no-time-stamp"
    LOG = "log-unavailable"
    ACCOUNT = "account-closed"


@dataclass(frozen=True, slots=True)
class ShownExport:
    """One export as its asker sees it. `done` of `total` entries are in the file; `size` is the file's, in bytes."""

    job_id: str
    form: ExportFormat
    requested_at: datetime
    state: ExportState
    problem: ExportProblem | None
    done: int
    total: int
    size: int | None
    expires_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state not in {ExportState.WAITING, ExportState.RUNNING}


@dataclass(frozen=True, slots=True)
class Download:
    """A file to send: its name, its whole length, and a way to read bytes `start` to `end` (exclusive) of it."""

    filename: str
    size: int
    part: Callable[[int, int], Iterator[bytes]]


class _Superseded(Exception):
    """Another run has taken this export over; this one leaves it alone."""


class ExportDesk:
    """Takes requests, makes what was asked for, and hands it to whoever asked."""

    def __init__(
        self,
        on: Foundations,
        accounts: Accounts,
        exports: Exports,
        files: SealedFiles,
        keep: timedelta,
    ) -> None:
        self._sessions = on.sessions
        self._sealer = on.sealer
        self._clock = on.clock
        self._accounts = accounts
        self._exports = exports
        self._files = files
        self._keep = keep

    def request(self, actor: Actor, wanted: TrailSearch, form: ExportFormat, *, request_id: str) -> str:
        """Record the request in the log and give the id of a waiting export, which a job then makes.

        Raises DisclosureUnavailable: it could not be recorded.
        """
        self._exports.record(actor, wanted, form, request_id=request_id)
        now, job_id = self._clock(), str(uuid.uuid4())
        with self._sessions.begin() as session:
            session.add(
                ExportJob(
                    id=job_id,
                    requested_by=actor.account_id,
                    requested_at=now,
                    request_id=request_id,
                    format=form,
                    sealed_criteria=self._sealer.seal(criteria_text(wanted), job_id),
                    state=ExportState.WAITING,
                    heartbeat_at=now,
                )
            )
        return job_id

    def recent(self, actor: Actor) -> list[ShownExport]:
        with self._sessions() as session:
            rows = session.scalars(
                select(ExportJob)
                .where(ExportJob.requested_by == actor.account_id)
                .order_by(ExportJob.requested_at.desc())
                .limit(HISTORY_LENGTH)
            )
            return [_shown(row) for row in rows]

    def export(self, actor: Actor, job_id: str) -> ShownExport:
        """Raises NothingHere for an export that does not exist or that somebody else asked for."""
        return _shown(self._own(actor, job_id))

    def download(self, actor: Actor, job_id: str, *, request_id: str) -> Download:
        """The file, once the fetching is in the log.

        Raises:
            NothingHere: there is no such file, it is another's, or it has expired.
            DisclosureUnavailable: the fetching could not be recorded.
        """
        row = self._own(actor, job_id)
        if row.state != ExportState.READY or row.sealed_key is None or row.size is None or row.filename is None:
            raise NothingHere
        key, size = bytes.fromhex(self._sealer.unseal(row.sealed_key, job_id)), row.size
        self._exports.record_download(actor, job_id, request_id=request_id)

        def part(start: int, end: int) -> Iterator[bytes]:
            return self._files.read(job_id, key, size, start=start, end=end)

        return Download(row.filename, size, part)

    def resume_due(self) -> int:
        """Make every export that waits or whose run has died; gives how many were made."""
        with self._sessions() as session:
            due = session.scalars(
                select(ExportJob.id)
                .where(ExportJob.state.in_([ExportState.WAITING, ExportState.RUNNING]))
                .order_by(ExportJob.requested_at)
            ).all()
        return sum(self.perform(job_id) for job_id in due)

    def run(self, job_id: str) -> None:
        """Make the export, as a job."""
        self.perform(job_id)

    def perform(self, job_id: str) -> bool:
        """Make one export from its beginning. False if another run has it."""
        worker = str(uuid.uuid4())
        row = self._claimed(job_id, worker)
        if row is None:
            return False
        try:
            self._make(row, worker)
        except _Superseded:
            return False
        except TooManyForCourt:
            return self._fail(job_id, worker, ExportProblem.TOO_MANY)
        except NoTimeStamp:
            return self._fail(job_id, worker, ExportProblem.NO_TIME_STAMP)
        except NothingHere:
            return self._fail(job_id, worker, ExportProblem.ACCOUNT)
        except AuditError:
            return self._fail(job_id, worker, ExportProblem.LOG)
        return True

    def discard_old(self) -> int:
        """Delete the files whose time is over, and their keys; gives how many."""
        with self._sessions.begin() as session:
            gone = session.scalars(
                update(ExportJob)
                .where(ExportJob.state == ExportState.READY, ExportJob.expires_at <= self._clock())
                .values(state=ExportState.EXPIRED, sealed_key=None)
                .returning(ExportJob.id)
            ).all()
        for job_id in gone:
            self._files.remove(job_id)
        return len(gone)

    def _make(self, row: ExportJob, worker: str) -> None:
        """The asker is looked up anew: whoever has lost the account or its role gets nothing more."""
        actor = self._accounts.actor(row.requested_by)
        if not role_may(actor.role, Permission.EXPORT_TRAIL):
            raise NothingHere
        wanted = criteria_of(self._sealer.unseal(row.sealed_criteria, row.id))
        self._keep_up(row.id, worker, total=self._exports.total(wanted).number)
        export = self._exports.make(actor, wanted, ExportFormat(row.format), self._progress_of(row.id, worker))
        key = new_key()
        size = self._files.write(row.id, key, export.chunks)
        now = self._clock()
        self._keep_up(
            row.id,
            worker,
            state=ExportState.READY,
            filename=export.filename,
            size=size,
            sealed_key=self._sealer.seal(key.hex(), row.id),
            finished_at=now,
            expires_at=now + self._keep,
        )

    def _progress_of(self, job_id: str, worker: str) -> Callable[[int], None]:
        last = 0.0

        def progress(done: int) -> None:
            nonlocal last
            if (now := time.monotonic()) - last >= _TOLD_SECONDS:
                last = now
                self._keep_up(job_id, worker, done=done)

        return progress

    def _claimed(self, job_id: str, worker: str) -> ExportJob | None:
        now = self._clock()
        with self._sessions.begin() as session:
            claimed = session.scalars(
                update(ExportJob)
                .where(
                    ExportJob.id == job_id,
                    ExportJob.state.in_([ExportState.WAITING, ExportState.RUNNING]),
                    or_(ExportJob.worker.is_(None), ExportJob.heartbeat_at < now - SILENCE),
                )
                .values(worker=worker, state=ExportState.RUNNING, heartbeat_at=now, done=0)
                .returning(ExportJob)
            ).one_or_none()
            session.expunge_all()
        return claimed

    def _keep_up(self, job_id: str, worker: str, **changes: object) -> None:
        """Raises _Superseded where the export is no longer this run's."""
        with self._sessions.begin() as session:
            kept = session.scalars(
                update(ExportJob)
                .where(ExportJob.id == job_id, ExportJob.worker == worker)
                .values(**{"heartbeat_at": self._clock(), **changes})
                .returning(ExportJob.id)
            ).all()
        if not kept:
            raise _Superseded

    def _fail(self, job_id: str, worker: str, problem: ExportProblem) -> bool:
        self._keep_up(job_id, worker, state=ExportState.FAILED, problem=problem, finished_at=self._clock())
        return True

    def _own(self, actor: Actor, job_id: str) -> ExportJob:
        with self._sessions() as session:
            row = session.get(ExportJob, job_id)
        if row is None or row.requested_by != actor.account_id:
            raise NothingHere
        return row


def _shown(row: ExportJob) -> ShownExport:
    problem = None if row.problem is None else ExportProblem(row.problem)
    return ShownExport(
        row.id,
        ExportFormat(row.format),
        row.requested_at,
        ExportState(row.state),
        problem,
        row.done,
        row.total,
        row.size,
        row.expires_at,
    )
