"""Bundles in the background: asked for, made whatever happens to the process, fetched until they expire.

Of the passphrase nothing is kept: what it locks is locked while the person waits (`portal.services.bundle.age`), and
once the file is made, the portal itself cannot open it any more.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.exc import IntegrityError

from audit.entry import Access
from audit.errors import AuditError
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor
from portal.domain.errors import DisclosureUnavailable, NothingHere, PortalError
from portal.domain.permissions import Permission, role_may
from portal.models.bundles import BundleJob
from portal.services.accounts import Accounts
from portal.services.bundle.age import FileLock, encrypted, lock_with
from portal.services.bundle.contents import Contents, Order
from portal.services.bundle.telling import Telling
from portal.services.entries import Once, record
from portal.services.file_jobs import Download, FileJobs, JobState, Run, Superseded
from portal.services.records import subject_of
from portal.services.safeguards import Foundations

HISTORY_LENGTH = 20
#: A bundle whose making ended the process so often is not begun again.
MOST_ATTEMPTS = 5
LAWFUL_BASIS = "GDPR Article 15(3), 20"


class BundleProblem(StrEnum):
    """Why no file was made."""

    LOG = "log-unavailable"
    ACCOUNT = "account-closed"
    TROUBLE = "trouble"


class BundleUnderWay(PortalError):
    """The person's last bundle is not made yet. The page leads there; nothing was begun or recorded."""


@dataclass(frozen=True, slots=True)
class ShownBundle:
    """One bundle as its person sees it. `done` and `total` say how far it is; `size` is in bytes."""

    job_id: str
    requested_at: datetime
    state: JobState
    problem: BundleProblem | None
    is_encrypted: bool
    done: int
    total: int
    filename: str | None
    size: int | None
    expires_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state.is_over

    @property
    def percent(self) -> int:
        """The last hundredth is what comes after the last entry."""
        return 0 if self.total == 0 else min(99, self.done * 100 // self.total)


class BundleDesk:
    """Takes requests, makes bundles, and hands each to its person and to nobody else."""

    def __init__(self, on: Foundations, accounts: Accounts, contents: Contents, jobs: FileJobs[BundleJob]) -> None:
        self._on = on
        self._accounts = accounts
        self._contents = contents
        self._jobs = jobs

    def request(self, actor: Actor, language: str, passphrase: str | None, *, request_id: str) -> str:
        """Begin a bundle, in `language` (ISO 639-1), and give its id; a job then makes it.

        Raises:
            BundleUnderWay: another one of this person is not made yet.
            DisclosureUnavailable: the request could not be recorded, so nothing was begun.
        """
        if any(not one.is_over for one in self.recent(actor)):
            raise BundleUnderWay
        row = self._row(actor, language, None if passphrase is None else lock_with(passphrase), request_id)
        event = self._event(Action.BUNDLE_REQUEST, actor, row, request_id)
        with self._on.sessions.begin() as session:
            session.add(row)
            try:
                session.flush()
            except IntegrityError:  # another tab was faster
                raise BundleUnderWay from None
            record(self._on.log, [event])
            return row.id

    def recent(self, actor: Actor) -> list[ShownBundle]:
        """The newest first."""
        return [_shown(row) for row in self._jobs.recent(actor.account_id, HISTORY_LENGTH)]

    def one(self, actor: Actor, job_id: str) -> ShownBundle:
        """Raises NothingHere for a bundle that does not exist or is somebody else's."""
        return _shown(self._jobs.own(actor.account_id, job_id))

    def download(self, actor: Actor, job_id: str, *, request_id: str) -> Download:
        """The file, once the fetching is in the log.

        Raises:
            NothingHere: there is no such file, it is another's, or it is deleted.
            DisclosureUnavailable: the fetching could not be recorded.
        """
        row = self._jobs.own(actor.account_id, job_id)
        download = self._jobs.download(row)
        record(self._on.log, [self._event(Action.BUNDLE_DOWNLOAD, actor, row, request_id)])
        return download

    def delete(self, actor: Actor, job_id: str, *, request_id: str) -> None:
        """Delete the file now.

        Raises:
            NothingHere: there is no such file (any more).
            DisclosureUnavailable: the deletion could not be recorded, so the file is still there.
        """
        row = self._jobs.own(actor.account_id, job_id)
        if row.state != JobState.READY:
            raise NothingHere
        record(self._on.log, [self._event(Action.BUNDLE_DELETION, actor, row, request_id)])
        self._jobs.discard(job_id)

    def resume_due(self, telling: Telling) -> int:
        """Make every bundle that waits or whose run has died; gives how many were made."""
        return sum(self.perform(job_id, telling) for job_id in self._jobs.due())

    def run(self, job_id: str, telling: Telling) -> None:
        """Make the bundle, as a job."""
        self.perform(job_id, telling)

    def perform(self, job_id: str, telling: Telling) -> bool:
        """Make one bundle from its beginning. False if another run has it."""
        run = self._jobs.claim(job_id, attempts=BundleJob.attempts + 1)
        if run is None:
            return False
        try:
            problem = self._problem_of(run, telling)
            if problem is not None:
                self._give_up(run, problem)
        except Superseded:
            return False
        return True

    def discard_old(self) -> int:
        """Delete the files whose time is over, and their keys; gives how many."""
        return self._jobs.discard_old()

    def _problem_of(self, run: Run[BundleJob], telling: Telling) -> BundleProblem | None:
        """Make it, or say why not."""
        if run.row.attempts > MOST_ATTEMPTS:
            return BundleProblem.TROUBLE
        try:
            self._make(run, telling)
        except NothingHere:
            return BundleProblem.ACCOUNT
        except (AuditError, DisclosureUnavailable):
            return BundleProblem.LOG
        return None

    def _make(self, run: Run[BundleJob], telling: Telling) -> None:
        """The person is looked up anew: whoever has lost the account gets nothing more."""
        row = run.row
        actor = self._accounts.actor(row.requested_by)
        if not role_may(actor.role, Permission.TAKE_OWN_BUNDLE):
            raise NothingHere
        once = Once(f"bundle/{row.id}", row.requested_at)
        order = Order(actor=actor, language=row.language, request_id=row.request_id, once=once)
        run.keep_up(total=self._contents.to_read(actor))
        with telling.speaking(row.language) as speaker:
            archive = self._contents.archive(order, speaker, run.progress)
            lock = self._lock_of(row)
            written = run.write(archive if lock is None else encrypted(lock, archive))
        record(self._on.log, [self._event(Action.BUNDLE_COMPLETION, actor, row, row.request_id)])
        name = f"glasshouse-{row.requested_at:%Y-%m-%d}.zip" + (".age" if row.is_encrypted else "")
        run.hand_over(name, written, sealed_file_key=None, file_header=None)
        self._jobs.discard_others(row)

    def _give_up(self, run: Run[BundleJob], problem: BundleProblem) -> None:
        row = run.row
        with suppress(NothingHere, DisclosureUnavailable):  # no account, or no log, that could be told of it
            actor = self._accounts.actor(row.requested_by)
            failure = self._event(Action.BUNDLE_COMPLETION, actor, row, row.request_id, Outcome.FAILED)
            record(self._on.log, [failure])
        run.fail(problem, sealed_file_key=None, file_header=None)

    def _row(self, actor: Actor, language: str, lock: FileLock | None, request_id: str) -> BundleJob:
        now, job_id = self._on.clock(), str(uuid.uuid4())
        sealed = None if lock is None else self._on.sealer.seal(lock.file_key.hex(), f"{job_id}/file-key")
        return BundleJob(
            id=job_id,
            requested_by=actor.account_id,
            requested_at=now,
            request_id=request_id,
            language=language,
            is_encrypted=lock is not None,
            file_header=None if lock is None else lock.header,
            sealed_file_key=sealed,
            state=JobState.WAITING,
            heartbeat_at=now,
            attempts=0,
        )

    def _lock_of(self, row: BundleJob) -> FileLock | None:
        if not row.is_encrypted:
            return None
        assert row.file_header is not None and row.sealed_file_key is not None  # noqa: S101, PT018 - until it is made
        key = self._on.sealer.unseal(row.sealed_file_key, f"{row.id}/file-key")
        return FileLock(row.file_header, bytes.fromhex(key))

    def _event(
        self, action: Action, actor: Actor, row: BundleJob, request_id: str, outcome: Outcome = Outcome.DONE
    ) -> Access:
        return Access(
            action=action,
            outcome=outcome,
            source=PORTAL_SOURCE,
            occurred_at=self._on.clock(),
            subject=subject_of(actor).subject,
            role=actor.role,
            lawful_basis=LAWFUL_BASIS,
            request_id=request_id,
            details={"bundle": row.id, "encrypted": "yes" if row.is_encrypted else "no"},
        )


def _shown(row: BundleJob) -> ShownBundle:
    return ShownBundle(
        row.id,
        row.requested_at,
        JobState(row.state),
        None if row.problem is None else BundleProblem(row.problem),
        row.is_encrypted,
        row.done,
        row.total,
        row.filename,
        row.size,
        row.expires_at,
    )
