"""Verifications of the log: asked for by an auditor or come round by themselves, run in the background, verdicts kept.

The history is every auditor's. A full verification replays the whole log; an onward one trusts the last verdict of
sound and replays what came since, so that it can come round every few minutes. Whoever can change the portal's database
could have it trust a wrong checkpoint: that is what the full one is for.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from audit.checkpoint import Checkpoint
from audit.entry import Access
from audit.errors import AuditError
from audit.log import AuditLog, WitnessReport
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.purposes import OVERSIGHT
from portal.domain.security_events import SecurityEvent
from portal.models.verifications import VerificationRun
from portal.services.alerts import AlertKind
from portal.services.attention import Attention
from portal.services.oversight import Oversight, TrailSearch
from portal.services.security_log import announce

#: A run whose worker has not been heard of for so long has died with its process.
SILENCE = timedelta(minutes=2)
HISTORY_LENGTH = 20
_IDS = uuid.UUID("5e0f5a0e-5d0a-4c53-9a52-0d7b3c1f6d11")


class RunKind(StrEnum):
    """How much of the log a run replays."""

    FULL = "full"
    ONWARD = "onward"


class RunState(StrEnum):
    """From request to verdict. `INTERRUPTED` says nothing about the log: the run must be repeated."""

    WAITING = "waiting"
    RUNNING = "running"
    SOUND = "sound"
    BROKEN = "broken"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the page shows it. `checked` of `size` entries are done.

    `requested_by` is an account, None where it came round by itself; `since` is where an onward run began.
    """

    run_id: str
    kind: RunKind
    requested_by: str | None
    requested_at: datetime
    state: RunState
    since: int
    checked: int
    size: int
    root: str | None
    first_broken: int | None
    problem: str | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state not in {RunState.WAITING, RunState.RUNNING}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of the log: the last run that found it sound, and a run that found it broken since, if any did."""

    sound: Run | None
    broken: Run | None


@dataclass(frozen=True, slots=True)
class Routine:
    """How often each kind comes round by itself; None: never."""

    full: timedelta | None
    onward: timedelta | None

    @classmethod
    def of(cls, full_hours: int, onward_minutes: int) -> Routine:
        return cls(timedelta(hours=full_hours) or None, timedelta(minutes=onward_minutes) or None)


class Verifications:
    """Requests runs, performs them, and answers for them."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        log: AuditLog,
        oversight: Oversight,
        attention: Attention,
        routine: Routine,
    ) -> None:
        self._sessions = sessions
        self._log = log
        self._oversight = oversight
        self._attention = attention
        self._routine = routine

    def request(self, actor: Actor, *, request_id: str, kind: RunKind = RunKind.FULL) -> str:
        """Record the request in the log and give the id of a waiting run, which a job then performs."""
        self._oversight.record(actor, Action.LOG_VERIFICATION, TrailSearch(), request_id=request_id, kind=kind.value)
        run_id = str(uuid.uuid4())
        self._enter(run_id, kind, actor.account_id)
        return run_id

    def perform_due(self) -> int:
        """Perform what is due by the routine; gives how many runs that were. Any number of processes may ask."""
        started = [self._begun(RunKind.FULL, self._routine.full), self._begun(RunKind.ONWARD, self._routine.onward)]
        for run_id in filter(None, started):
            self.perform(run_id)
        return len([run_id for run_id in started if run_id is not None])

    def run_now(self, kind: RunKind) -> Run:
        """A run out of turn, for whoever holds the machine, performed at once."""
        run_id = str(uuid.uuid4())
        self._record_routine(kind)
        self._enter(run_id, kind, None)
        self.perform(run_id)
        with self._sessions() as session:
            return self._run(session.get_one(VerificationRun, run_id))

    def perform(self, run_id: str) -> None:
        """Verify the log and keep the verdict. A run that cannot be finished is kept as interrupted, never as sound."""
        self._keep(run_id, state=RunState.RUNNING)
        trusted = self._trusted_for(run_id)
        try:
            report = self._log.verify(progress=self._progress_of(run_id), trusted=trusted)
        except AuditError as error:
            self._finish(run_id, state=RunState.INTERRUPTED, problem=type(error).__name__)
            return
        self._finish(
            run_id,
            state=RunState.SOUND if report.ok else RunState.BROKEN,
            since=0 if trusted is None else trusted.size,
            checked=report.size,
            size=report.size,
            root=None if report.root is None else report.root.hex(),
            first_broken=report.first_broken,
            problem=report.problem,
        )
        if not report.ok:
            self._raise_alarm(run_id, report.first_broken)

    def run(self, run_id: str) -> Run:
        """Raises NothingHere for a run that does not exist."""
        with self._sessions() as session:
            row = session.get(VerificationRun, run_id)
            if row is None:
                raise NothingHere
            return self._run(row)

    def recent(self) -> list[Run]:
        newest = select(VerificationRun).order_by(VerificationRun.requested_at.desc()).limit(HISTORY_LENGTH)
        with self._sessions() as session:
            return [self._run(row) for row in session.scalars(newest)]

    def standing(self) -> Standing:
        """Only a full run that came later answers a run that found the log broken."""
        runs = select(VerificationRun).order_by(VerificationRun.requested_at.desc())
        is_sound, is_full = VerificationRun.state == RunState.SOUND, VerificationRun.kind == RunKind.FULL
        with self._sessions() as session:
            sound = session.scalar(runs.where(is_sound).limit(1))
            answered = session.scalar(runs.where(is_sound, is_full).limit(1))
            found = runs.where(VerificationRun.state == RunState.BROKEN)
            if answered is not None:
                found = found.where(VerificationRun.requested_at > answered.requested_at)
            broken = session.scalar(found.limit(1))
            return Standing(None if sound is None else self._run(sound), None if broken is None else self._run(broken))

    def witnesses(self) -> list[WitnessReport]:
        """How each witness stands to the log; one that refuses has seen another history of it."""
        return self._log.witness_reports()

    def _begun(self, kind: RunKind, period: timedelta | None) -> str | None:
        """The id of a new run, where one is due and no other process has begun it.

        A period of time has one run, named after it: of processes that find it due at once, the database lets one in.
        """
        if period is None or self._was_run_within(kind, period):
            return None
        slot = int(self._oversight.now().timestamp() // period.total_seconds())
        run_id = str(uuid.uuid5(_IDS, f"{kind}\n{period.total_seconds()}\n{slot}"))
        try:
            self._enter(run_id, kind, None)
        except IntegrityError:
            return None
        try:
            self._record_routine(kind)
        except DisclosureUnavailable as error:
            self._finish(run_id, state=RunState.INTERRUPTED, problem=type(error).__name__)
            return None
        return run_id

    def _was_run_within(self, kind: RunKind, period: timedelta) -> bool:
        """Whether such a run, or a full one, began within the period and has a verdict or may still give one."""
        kinds = [RunKind.FULL] if kind is RunKind.FULL else list(RunKind)
        newest = (
            select(VerificationRun)
            .where(VerificationRun.kind.in_(kinds), VerificationRun.requested_at > self._oversight.now() - period)
            .order_by(VerificationRun.requested_at.desc())
        )
        with self._sessions() as session:
            return any(self._run(row).state is not RunState.INTERRUPTED for row in session.scalars(newest))

    def _record_routine(self, kind: RunKind) -> None:
        purpose = self._oversight.catalogue.purposes[OVERSIGHT]
        event = Access(
            action=Action.LOG_VERIFICATION,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._oversight.now(),
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            automatic=True,
            details={"kind": kind.value},
        )
        self._oversight.note([event])

    def _trusted_for(self, run_id: str) -> Checkpoint | None:
        with self._sessions() as session:
            if session.get_one(VerificationRun, run_id).kind == RunKind.FULL:
                return None
        last = self.standing()
        if last.sound is None or last.sound.root is None or last.broken is not None:
            return None  # then the whole log is read: nothing is there to be trusted
        return Checkpoint(self._log.origin, last.sound.size, bytes.fromhex(last.sound.root))

    def _raise_alarm(self, run_id: str, first_broken: int | None) -> None:
        announce(SecurityEvent.VERIFICATION_FAILED, run=run_id, first_broken=first_broken)
        try:
            self._attention.of_auditors(AlertKind.LOG_BROKEN, run_id)
        except DisclosureUnavailable as error:
            # The log takes no entry of it, and without one nobody is told here; the page and the stream say it anyway.
            announce(SecurityEvent.NOT_RECORDED, cause=type(error).__name__)

    def _enter(self, run_id: str, kind: RunKind, requested_by: str | None) -> None:
        now = self._oversight.now()
        with self._sessions.begin() as session:
            session.add(
                VerificationRun(
                    id=run_id,
                    kind=kind,
                    requested_by=requested_by,
                    requested_at=now,
                    heartbeat_at=now,
                    state=RunState.WAITING,
                )
            )

    def _progress_of(self, run_id: str) -> Callable[[int, int], None]:
        last = self._oversight.now()

        def progress(checked: int, size: int) -> None:
            nonlocal last
            if (now := self._oversight.now()) - last >= timedelta(seconds=1):
                last = now
                self._keep(run_id, checked=checked, size=size)

        return progress

    def _finish(self, run_id: str, **changes: object) -> None:
        self._keep(run_id, finished_at=self._oversight.now(), **changes)

    def _keep(self, run_id: str, **changes: object) -> None:
        with self._sessions.begin() as session:
            session.execute(
                update(VerificationRun)
                .where(VerificationRun.id == run_id)
                .values(heartbeat_at=self._oversight.now(), **changes)
            )

    def _run(self, row: VerificationRun) -> Run:
        state = RunState(row.state)
        if state in {RunState.WAITING, RunState.RUNNING} and self._oversight.now() - row.heartbeat_at > SILENCE:
            state = RunState.INTERRUPTED
        return Run(
            row.id,
            RunKind(row.kind),
            row.requested_by,
            row.requested_at,
            state,
            row.since,
            row.checked,
            row.size,
            row.root,
            row.first_broken,
            row.problem,
            row.finished_at,
        )
