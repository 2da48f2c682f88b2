"""Lists of people under one purpose and case: asked for in one go, each person an access of their own."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.models.bulk import BulkJob, BulkRow
from portal.services.alerts import AlertKind
from portal.services.attention import Attention
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.justification import Weakness, tidied, weakness_of
from portal.services.sealing import Sealer
from portal.services.spreadsheets import neutralised

HISTORY_LENGTH = 50
#: Rows that a page shows of those that brought nothing; the file has all of them.
ROWS_SHOWN = 100


class JobState(StrEnum):
    """From the request to the last row."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


class RowOutcome(StrEnum):
    """How one row ended. `UNCLEAR`: an earlier attempt was logged otherwise, so nothing more was asked."""

    RELEASED = "released"
    DENIED = "denied"
    FAILED = "failed"
    UNCLEAR = "unclear"


class WeakListReason(Exception):
    """The reason for the whole list says nothing. The refusal is an entry; no person of the list was looked at."""

    def __init__(self, weakness: Weakness) -> None:
        super().__init__(f"weak reason: {weakness}")
        self.weakness = weakness


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """What is asked for every person of a list."""

    people: Sequence[PersonalCode] = field(repr=False)
    registries: tuple[str, ...]
    case: str
    justification: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row that brought no data, by its place in the list."""

    position: int
    outcome: str
    reason: str | None
    entry: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownJob:
    """A list as its asker sees it: how far it is, how its rows ended, and those that brought nothing."""

    job_id: str
    purpose: str
    case: str
    requested_at: datetime
    finished_at: datetime | None
    fetched_at: datetime | None
    total: int
    outcomes: dict[str, int]
    without_data: list[ShownRow]
    is_over: bool

    @property
    def done(self) -> int:
        return sum(self.outcomes.values())


class BulkLists:
    """Takes lists in, answers how far they are, and hands their results over once."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sealer: Sealer,
        log: AuditLog,
        attention: Attention,
        clock: Clock,
        *,
        large: int,
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._attention = attention
        self._clock = clock
        self._large = large

    def submit(self, actor: Actor, purpose: Purpose, wanted: ListRequest, *, request_id: str) -> str:
        """Keep the list and record the request; gives the id of a job that a runner then performs.

        Raises:
            WeakListReason: the reason says nothing; the refusal is an entry.
            DisclosureUnavailable: the log could not record it; nothing was kept.
        """
        job_id, now = str(uuid.uuid4()), self._clock()
        if weakness := weakness_of(wanted.justification):
            record(self._log, [self._event(actor, purpose, wanted, request_id, Outcome.DENIED)])
            raise WeakListReason(weakness)
        with self._sessions.begin() as session:
            session.add(
                BulkJob(
                    id=job_id,
                    requested_by=actor.account_id,
                    organisation=actor.organisation or "",
                    purpose=purpose.code,
                    case=wanted.case,
                    registries=",".join(wanted.registries),
                    sealed_justification=self._sealer.seal(tidied(wanted.justification), job_id),
                    request_id=request_id,
                    state=JobState.WAITING,
                    total=len(wanted.people),
                    requested_at=now,
                    heartbeat_at=now,
                )
            )
            session.flush()
            session.add_all(
                BulkRow(job_id=job_id, position=position, sealed_code=self._sealed(code, job_id, position))
                for position, code in enumerate(wanted.people, 1)
            )
            session.flush()
            record(self._log, [self._event(actor, purpose, wanted, request_id, Outcome.DONE)])
        if len(wanted.people) > self._large:
            self._attention.of_supervisors(actor.organisation, AlertKind.BULK_VOLUME, job_id)
        return job_id

    def job(self, actor: Actor, job_id: str) -> ShownJob:
        """Raises NothingHere for a list that does not exist or that somebody else asked for."""
        with self._sessions() as session:
            return self._shown(session, self._own(session, actor, job_id))

    def recent(self, actor: Actor) -> list[ShownJob]:
        with self._sessions() as session:
            rows = session.scalars(
                select(BulkJob)
                .where(BulkJob.requested_by == actor.account_id)
                .order_by(BulkJob.requested_at.desc())
                .limit(HISTORY_LENGTH)
            ).all()
            return [self._shown(session, row) for row in rows]

    def hand_over(self, actor: Actor, job_id: str, *, request_id: str) -> str:
        """The results as CSV, for the first who asks and for nobody after: they are deleted with the answer.

        Raises:
            NothingHere: there is no such list of this actor's, it is not over, or its results were fetched.
            DisclosureUnavailable: the log could not record it; the results are kept.
        """
        with self._sessions.begin() as session:
            job = self._own(session, actor, job_id)
            taken = session.execute(
                update(BulkJob)
                .where(BulkJob.id == job_id, BulkJob.state == JobState.DONE, BulkJob.fetched_at.is_(None))
                .values(fetched_at=self._clock())
                .returning(BulkJob.id)
            ).all()
            if not taken:
                raise NothingHere
            rows = session.scalars(select(BulkRow).where(BulkRow.job_id == job_id).order_by(BulkRow.position)).all()
            results = _as_csv(_lines(self._sealer, rows))
            record(self._log, [self._fetched(actor, job, results, request_id)])
            session.execute(
                update(BulkRow).where(BulkRow.job_id == job_id).values(sealed_code=None, sealed_result=None)
            )
        return results

    def discard_old(self, keep: timedelta) -> None:
        """Delete results that nobody fetched in time."""
        with self._sessions.begin() as session:
            old = session.scalars(
                select(BulkJob.id).where(BulkJob.fetched_at.is_(None), BulkJob.finished_at <= self._clock() - keep)
            ).all()
            for job_id in old:
                session.execute(update(BulkJob).where(BulkJob.id == job_id).values(fetched_at=self._clock()))
                session.execute(
                    update(BulkRow).where(BulkRow.job_id == job_id).values(sealed_code=None, sealed_result=None)
                )

    def _sealed(self, code: PersonalCode, job_id: str, position: int) -> bytes:
        return self._sealer.seal(code.reveal(), row_context(job_id, position))

    def _own(self, session: Session, actor: Actor, job_id: str) -> BulkJob:
        row = session.get(BulkJob, job_id)
        if row is None or row.requested_by != actor.account_id:
            raise NothingHere
        return row

    def _shown(self, session: Session, job: BulkJob) -> ShownJob:
        outcomes = session.execute(
            select(BulkRow.outcome, func.count())
            .where(BulkRow.job_id == job.id, BulkRow.outcome.is_not(None))
            .group_by(BulkRow.outcome)
        )
        without = session.scalars(
            select(BulkRow)
            .where(BulkRow.job_id == job.id, BulkRow.outcome.is_not(None), BulkRow.outcome != RowOutcome.RELEASED)
            .order_by(BulkRow.position)
            .limit(ROWS_SHOWN)
        )
        return ShownJob(
            job_id=job.id,
            purpose=job.purpose,
            case=job.case,
            requested_at=job.requested_at,
            finished_at=job.finished_at,
            fetched_at=job.fetched_at,
            total=job.total,
            outcomes={outcome: number for outcome, number in outcomes if outcome},
            without_data=[ShownRow(row.position, row.outcome or "", row.reason, row.entry) for row in without],
            is_over=job.state == JobState.DONE,
        )

    def _event(self, actor: Actor, purpose: Purpose, wanted: ListRequest, request_id: str, outcome: Outcome) -> Access:
        codes = "\n".join(code.subject for code in wanted.people)
        return Access(
            action=Action.BULK_REQUEST,
            outcome=outcome,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            organisation=actor.organisation,
            role=actor.role,
            official=actor.account_id,
            official_name=actor.name,
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            case=wanted.case,
            reason=None if outcome is Outcome.DONE else Reason.JUSTIFICATION,
            request_id=request_id,
            details={"people": len(wanted.people), "list-hmac": self._sealer.blind_index(codes, "bulk/list").hex()},
        )

    def _fetched(self, actor: Actor, job: BulkJob, results: str, request_id: str) -> Access:
        return Access(
            action=Action.BULK_RESULTS,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            organisation=actor.organisation,
            role=actor.role,
            official=actor.account_id,
            official_name=actor.name,
            purpose=job.purpose,
            case=job.case,
            request_id=request_id,
            details={"people": job.total, "file-sha256": hashlib.sha256(results.encode()).hexdigest()},
        )


def row_context(job_id: str, position: int) -> str:
    """What a sealed value of one row is bound to."""
    return f"{job_id}/{position}"


def _lines(sealer: Sealer, rows: Sequence[BulkRow]) -> Iterator[list[str]]:
    """One line for each value, and one for each row that brought none."""
    for row in rows:
        context = row_context(row.job_id, row.position)
        code = "" if row.sealed_code is None else sealer.unseal(row.sealed_code, context)
        head = [str(row.position), code, row.outcome or "", row.reason or "", str(row.entry or "")]
        values = [] if row.sealed_result is None else json.loads(sealer.unseal(row.sealed_result, context))
        if not values:
            yield [*head, "", "", "", "", ""]
        for registry, number, name, value, *marks in values:  # a result of an earlier release has none
            yield [*head, registry, str(number), name, value, *(marks or [""])]


def _as_csv(lines: Iterator[list[str]]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(
        ["row", "personal_code", "outcome", "reason", "entry", "registry", "record", "field", "value", "mark"]
    )
    writer.writerows([neutralised(cell) for cell in line] for line in lines)
    return buffer.getvalue()
