"""A verification of the whole log that an auditor asks for, run in the background, its verdict kept."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.errors import AuditError
from audit.log import AuditLog, WitnessReport
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.security_events import SecurityEvent
from portal.models.verifications import VerificationRun
from portal.services.clock import Clock
from portal.services.oversight import Oversight, TrailSearch
from portal.services.security_log import announce

#: A run whose worker has not been heard of for so long has died with its process.
SILENCE = timedelta(minutes=2)
HISTORY_LENGTH = 10


class RunState(StrEnum):
    """From request to verdict. `INTERRUPTED` says nothing about the log: the run must be repeated."""

    WAITING = "waiting"
    RUNNING = "running"
    SOUND = "sound"
    BROKEN = "broken"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Run:
    """One run as the page shows it. `checked` of `size` entries are done."""

    run_id: str
    requested_at: datetime
    state: RunState
    checked: int
    size: int
    root: str | None
    first_broken: int | None
    problem: str | None
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        return self.state not in {RunState.WAITING, RunState.RUNNING}


class Verifications:
    """Requests runs, performs them, and answers for them."""

    def __init__(self, sessions: sessionmaker[Session], log: AuditLog, oversight: Oversight, clock: Clock) -> None:
        self._sessions = sessions
        self._log = log
        self._oversight = oversight
        self._clock = clock

    def request(self, actor: Actor, *, request_id: str) -> str:
        """Record the request in the log and give the id of a waiting run, which a job then performs."""
        self._oversight.record(actor, Action.LOG_VERIFICATION, TrailSearch(), request_id=request_id)
        now = self._clock()
        run_id = str(uuid.uuid4())
        with self._sessions.begin() as session:
            session.add(
                VerificationRun(
                    id=run_id,
                    requested_by=actor.account_id,
                    requested_at=now,
                    heartbeat_at=now,
                    state=RunState.WAITING,
                )
            )
        return run_id

    def perform(self, run_id: str) -> None:
        """Verify the log and keep the verdict. A run that cannot be finished is kept as interrupted, never as sound."""
        self._keep(run_id, state=RunState.RUNNING)
        try:
            report = self._log.verify(progress=self._progress_of(run_id))
        except AuditError as error:
            self._finish(run_id, state=RunState.INTERRUPTED, problem=type(error).__name__)
            return
        if not report.ok:
            announce(SecurityEvent.VERIFICATION_FAILED, run=run_id, first_broken=report.first_broken)
        self._finish(
            run_id,
            state=RunState.SOUND if report.ok else RunState.BROKEN,
            checked=report.size,
            size=report.size,
            root=None if report.root is None else report.root.hex(),
            first_broken=report.first_broken,
            problem=report.problem,
        )

    def run(self, actor: Actor, run_id: str) -> Run:
        """Raises NothingHere for a run that does not exist or that somebody else asked for."""
        with self._sessions() as session:
            row = session.get(VerificationRun, run_id)
            if row is None or row.requested_by != actor.account_id:
                raise NothingHere
            return self._run(row)

    def recent(self, actor: Actor) -> list[Run]:
        with self._sessions() as session:
            rows = session.scalars(
                select(VerificationRun)
                .where(VerificationRun.requested_by == actor.account_id)
                .order_by(VerificationRun.requested_at.desc())
                .limit(HISTORY_LENGTH)
            )
            return [self._run(row) for row in rows]

    def witnesses(self) -> list[WitnessReport]:
        """How each witness stands to the log; one that refuses has seen another history of it."""
        return self._log.witness_reports()

    def _progress_of(self, run_id: str) -> Callable[[int, int], None]:
        last = self._clock()

        def progress(checked: int, size: int) -> None:
            nonlocal last
            if (now := self._clock()) - last >= timedelta(seconds=1):
                last = now
                self._keep(run_id, checked=checked, size=size)

        return progress

    def _finish(self, run_id: str, **changes: object) -> None:
        self._keep(run_id, finished_at=self._clock(), **changes)

    def _keep(self, run_id: str, **changes: object) -> None:
        with self._sessions.begin() as session:
            session.execute(
                update(VerificationRun)
                .where(VerificationRun.id == run_id)
                .values(heartbeat_at=self._clock(), **changes)
            )

    def _run(self, row: VerificationRun) -> Run:
        state = RunState(row.state)
        if state in {RunState.WAITING, RunState.RUNNING} and self._clock() - row.heartbeat_at > SILENCE:
            state = RunState.INTERRUPTED
        return Run(
            row.id,
            row.requested_at,
            state,
            row.checked,
            row.size,
            row.root,
            row.first_broken,
            row.problem,
            row.finished_at,
        )
