"""Performing lists of people: row by row, whatever happens to the process between two of them.

A row's moment is stored before the log is asked, and its entries have keys of their own: a row that is taken up again
after a crash finds the entries that it made and adds none. A run that has fallen silent is taken over by the next.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.errors import IdempotencyConflict
from portal.domain.actions import Reason
from portal.domain.errors import AccessDenied, DisclosureUnavailable, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.bulk import BulkJob, BulkRow
from portal.services.accounts import Accounts
from portal.services.bulk import JobState, RowOutcome, row_context
from portal.services.casework import Casework, OpenedRecord, OpenedRegistry
from portal.services.circumstances import Opening
from portal.services.clock import Clock
from portal.services.entries import Once
from portal.services.sealing import Sealer

#: A run that has not been heard of for so long has died with its process.
SILENCE = timedelta(minutes=1)
#: Rows whose moment is stored in one go.
CHUNK = 20


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: RowOutcome
    reason: str | None = None
    entry: int | None = None
    values: list[list[str | int]] | None = None


class BulkRuns:
    """Claims a list and performs what is left of it."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, accounts: Accounts, casework: Casework, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._accounts = accounts
        self._casework = casework
        self._clock = clock

    def resume_due(self) -> int:
        """Perform every list that waits or whose run has died; gives how many were finished."""
        with self._sessions() as session:
            waiting = session.scalars(
                select(BulkJob.id).where(BulkJob.state != JobState.DONE).order_by(BulkJob.requested_at)
            ).all()
        return sum(self.perform(job_id) for job_id in waiting)

    def run(self, job_id: str) -> None:
        """Perform the list, as a job."""
        self.perform(job_id)

    def perform(self, job_id: str) -> bool:
        """Perform what is left of one list. False if another run has it, or the log does not answer: it waits then."""
        worker = str(uuid.uuid4())
        job = self._claimed(job_id, worker)
        if job is None:
            return False
        while rows := self._begun(job_id, worker):
            for row in rows:
                try:
                    result = self._result(job, row)
                except DisclosureUnavailable:
                    self._let_go(job_id, worker)
                    return False
                self._finish_row(row, result)
        return self._keep(job_id, worker, state=JobState.DONE, finished_at=self._clock())

    def _claimed(self, job_id: str, worker: str) -> BulkJob | None:
        now = self._clock()
        with self._sessions.begin() as session:
            claimed = session.scalars(
                update(BulkJob)
                .where(
                    BulkJob.id == job_id,
                    BulkJob.state != JobState.DONE,
                    or_(BulkJob.worker.is_(None), BulkJob.heartbeat_at < now - SILENCE),
                )
                .values(worker=worker, state=JobState.RUNNING, heartbeat_at=now)
                .returning(BulkJob)
            ).one_or_none()
            session.expunge_all()
        return claimed

    def _begun(self, job_id: str, worker: str) -> list[BulkRow]:
        """The next rows, each with its moment stored; none when there are none or another run took the list over."""
        if not self._keep(job_id, worker):
            return []
        now = self._clock()
        with self._sessions.begin() as session:
            rows = session.scalars(
                select(BulkRow)
                .where(BulkRow.job_id == job_id, BulkRow.outcome.is_(None))
                .order_by(BulkRow.position)
                .limit(CHUNK)
            ).all()
            for row in rows:
                row.begun_at = row.begun_at or now
            session.flush()
            session.expunge_all()
        return list(rows)

    def _result(self, job: BulkJob, row: BulkRow) -> _Result:
        assert row.sealed_code is not None and row.begun_at is not None  # noqa: S101, PT018 - `_begun` has seen to it
        code = PersonalCode.parse(self._sealer.unseal(row.sealed_code, row_context(job.id, row.position)))
        try:
            opened = self._opened(job, row, code, row.begun_at)
        except AccessDenied as refusal:
            return _Result(RowOutcome.DENIED, refusal.reason, refusal.entry)
        except NothingHere:
            return _Result(RowOutcome.DENIED, Reason.ACCOUNT_CLOSED)
        except IdempotencyConflict:
            return _Result(RowOutcome.UNCLEAR)
        first = opened.registries[0].entry
        if any(part.records is None for part in opened.registries):
            return _Result(RowOutcome.FAILED, Reason.REGISTRY_UNAVAILABLE, first, _values(opened))
        return _Result(RowOutcome.RELEASED, None, first, _values(opened))

    def _opened(self, job: BulkJob, row: BulkRow, code: PersonalCode, begun_at: datetime) -> OpenedRecord:
        """The asker is looked up anew for each row: whoever lost the account or its role gets nothing more."""
        actor = self._accounts.actor(job.requested_by)
        opening = Opening(
            subject=code,
            purpose=job.purpose,
            registries=tuple(job.registries.split(",")),
            case=job.case,
            justification=self._sealer.unseal(job.sealed_justification, job.id),
            once=Once(f"bulk/{row_context(job.id, row.position)}", begun_at),
        )
        return self._casework.open_record(actor, opening, request_id=job.request_id)

    def _let_go(self, job_id: str, worker: str) -> None:
        with self._sessions.begin() as session:
            session.execute(
                update(BulkJob)
                .where(BulkJob.id == job_id, BulkJob.worker == worker)
                .values(worker=None, state=JobState.WAITING)
            )

    def _finish_row(self, row: BulkRow, result: _Result) -> None:
        context = row_context(row.job_id, row.position)
        sealed = None if result.values is None else self._sealer.seal(json.dumps(result.values), context)
        with self._sessions.begin() as session:
            session.execute(
                update(BulkRow)
                .where(BulkRow.job_id == row.job_id, BulkRow.position == row.position)
                .values(outcome=result.outcome, reason=result.reason, entry=result.entry, sealed_result=sealed)
            )

    def _keep(self, job_id: str, worker: str, **changes: object) -> bool:
        """Whether the list is still this run's; it is heard of by this."""
        with self._sessions.begin() as session:
            kept = session.execute(
                update(BulkJob)
                .where(BulkJob.id == job_id, BulkJob.worker == worker)
                .values(**{"heartbeat_at": self._clock(), **changes})
                .returning(BulkJob.id)
            ).all()
        return bool(kept)


def _values(opened: OpenedRecord) -> list[list[str | int]]:
    return [
        [part.registry.code, number, code, "" if value.value is None else str(value.value), _marks_on(part, code)]
        for part in opened.registries
        for number, found in enumerate(part.records or (), 1)
        for code, value in found.fields.items()
    ]


def _marks_on(part: OpenedRegistry, field: str) -> str:
    """As it stands in the file: for a program to read, so in one language."""
    on_field = [mark for mark in part.marks if mark.field in {None, field}]
    return "; ".join(f"{mark.kind} since {mark.since.date().isoformat()}" for mark in on_field)
