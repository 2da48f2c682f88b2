"""Exports in the background: asked for, made whatever happens to the process, fetched until they expire."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
from portal.services.file_jobs import Download, FileJobs, JobState, Run, Superseded
from portal.services.oversight import TrailSearch
from portal.services.safeguards import Foundations
from portal.services.sealed_files import SealedFiles

HISTORY_LENGTH = 20


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
    state: JobState
    problem: ExportProblem | None
    done: int
    total: int
    size: int | None
    expires_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state.is_over


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
        self._jobs = FileJobs(ExportJob, on, files, keep)

    def request(
        self, actor: Actor, wanted: TrailSearch, form: ExportFormat, *, reason: str | None = None, request_id: str
    ) -> str:
        """Record the request in the log and give the id of a waiting export, which a job then makes.

        Raises:
            NamesNeedReason: it names people, and there is no `reason`.
            DisclosureUnavailable: it could not be recorded.
        """
        entry = self._exports.record(actor, wanted, form, reason=reason, request_id=request_id)
        now, job_id = self._clock(), str(uuid.uuid4())
        with self._sessions.begin() as session:
            session.add(
                ExportJob(
                    id=job_id,
                    requested_by=actor.account_id,
                    requested_at=now,
                    request_id=request_id,
                    format=form,
                    entry=entry,
                    with_names=reason is not None,
                    sealed_criteria=self._sealer.seal(criteria_text(wanted), job_id),
                    state=JobState.WAITING,
                    heartbeat_at=now,
                )
            )
        return job_id

    def recent(self, actor: Actor) -> list[ShownExport]:
        return [_shown(row) for row in self._jobs.recent(actor.account_id, HISTORY_LENGTH)]

    def export(self, actor: Actor, job_id: str) -> ShownExport:
        """Raises NothingHere for an export that does not exist or that somebody else asked for."""
        return _shown(self._jobs.own(actor.account_id, job_id))

    def download(self, actor: Actor, job_id: str, *, request_id: str) -> Download:
        """The file, once the fetching is in the log.

        Raises:
            NothingHere: there is no such file, it is another's, or it has expired.
            DisclosureUnavailable: the fetching could not be recorded.
        """
        download = self._jobs.download(self._jobs.own(actor.account_id, job_id))
        self._exports.record_download(actor, job_id, request_id=request_id)
        return download

    def resume_due(self) -> int:
        """Make every export that waits or whose run has died; gives how many were made."""
        return sum(self.perform(job_id) for job_id in self._jobs.due())

    def run(self, job_id: str) -> None:
        """Make the export, as a job."""
        self.perform(job_id)

    def perform(self, job_id: str) -> bool:
        """Make one export from its beginning. False if another run has it."""
        run = self._jobs.claim(job_id)
        if run is None:
            return False
        try:
            problem = self._problem_of(run)
            if problem is not None:
                run.fail(problem)
        except Superseded:
            return False
        return True

    def discard_old(self) -> int:
        """Delete the files whose time is over, and their keys; gives how many."""
        return self._jobs.discard_old()

    def _problem_of(self, run: Run[ExportJob]) -> ExportProblem | None:
        """Make it, or say why not."""
        try:
            self._make(run)
        except TooManyForCourt:
            return ExportProblem.TOO_MANY
        except NoTimeStamp:
            return ExportProblem.NO_TIME_STAMP
        except NothingHere:
            return ExportProblem.ACCOUNT
        except AuditError:
            return ExportProblem.LOG
        return None

    def _make(self, run: Run[ExportJob]) -> None:
        """The asker is looked up anew: whoever has lost the account or its role gets nothing more."""
        row = run.row
        actor = self._accounts.actor(row.requested_by)
        if not role_may(actor.role, Permission.EXPORT_TRAIL):
            raise NothingHere
        wanted = criteria_of(self._sealer.unseal(row.sealed_criteria, row.id))
        run.keep_up(total=self._exports.total(wanted).number)
        form = ExportFormat(row.format)
        export = self._exports.make(actor, wanted, form, run.progress, entry=row.entry, with_names=row.with_names)
        run.hand_over(export.filename, run.write(export.chunks))


def _shown(row: ExportJob) -> ShownExport:
    problem = None if row.problem is None else ExportProblem(row.problem)
    return ShownExport(
        row.id,
        ExportFormat(row.format),
        row.requested_at,
        JobState(row.state),
        problem,
        row.done,
        row.total,
        row.size,
        row.expires_at,
    )
