"""Reads proceedings out of the portal's database, without anything that names a person or an official."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from portal.domain.disputes import DisputeState, Ruling
from portal.domain.reviews import ReviewState
from portal.models.disputes import Dispute, DisputeMessage
from portal.models.emergencies import Emergency
from portal.models.seals import Seal
from portal.models.supervision import AccessReview
from portal.services.clock import Clock
from portal.services.proceedings.kinds import Kind, Proceeding, Stage

#: Some rows are in memory at a time, however many there are.
_IN_PARTS = {"yield_per": 1000}
_Time = InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None]


class Proceedings:
    """Every proceeding of a time, one after the other; `review_within` is how long a supervisor has for a review."""

    def __init__(self, sessions: sessionmaker[Session], review_within: timedelta, clock: Clock, zone: ZoneInfo) -> None:
        self._sessions = sessions
        self._review_within = review_within
        self._clock = clock
        self._zone = zone

    def opened(self, kind: Kind, since: datetime, until: datetime) -> Iterator[Proceeding]:
        """Those that began in since <= t < until, the oldest first, as they stand now."""
        times = {
            Kind.EMERGENCY: Emergency.opened_at,
            Kind.REVIEW: AccessReview.filed_at,
            Kind.DISPUTE: Dispute.opened_at,
            Kind.SEAL: Seal.registered_at,
        }
        yield from self._found(kind, _between(times[kind], since, until))

    def settled(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, Proceeding]]:
        """What can no longer change, each with when that came to be, if in since <= t < until.

        An emergency is settled when its review was due, a dispute when it was closed, a seal when it had ended and the
        person was shown everything that it withheld.
        """
        for one in self._found(Kind.EMERGENCY, _between(Emergency.review_due_at, since, until)):
            if one.due_at is not None and one.due_at <= self._clock():
                yield one.due_at, one
        ends = ((Kind.DISPUTE, Dispute.closed_at), (Kind.SEAL, Seal.lifted_at))
        for kind, ended in ends:
            for one in self._found(kind, _between(ended, since, until)):
                if one.ended_at is not None:
                    yield one.ended_at, one

    def _found(self, kind: Kind, where: ColumnElement[bool]) -> Iterator[Proceeding]:
        read = {
            Kind.EMERGENCY: self._emergencies,
            Kind.REVIEW: self._reviews,
            Kind.DISPUTE: self._disputes,
            Kind.SEAL: self._seals,
        }
        with self._sessions() as session:
            yield from read[kind](session, where)

    def _emergencies(self, session: Session, where: ColumnElement[bool]) -> Iterator[Proceeding]:
        columns = (
            Emergency.organisation, Emergency.opened_at, Emergency.review_due_at, Emergency.reviewed_at,
            Emergency.registries,
        )  # fmt: skip
        wanted = select(*columns).where(where).order_by(Emergency.opened_at)
        rows = session.execute(wanted, execution_options=_IN_PARTS)
        for organisation, opened, due, reviewed, registries in rows:
            stage = (
                _stage_of(due, self._clock(), Stage.EMERGENCY_WAITING, Stage.EMERGENCY_OVERDUE)
                if reviewed is None
                else _stage_of(due, reviewed, Stage.EMERGENCY_IN_TIME, Stage.EMERGENCY_LATE)
            )
            yield Proceeding(stage, organisation, opened, due, reviewed, tuple(registries.split(",")))

    def _reviews(self, session: Session, where: ColumnElement[bool]) -> Iterator[Proceeding]:
        columns = (
            AccessReview.organisation, AccessReview.filed_at, AccessReview.state, AccessReview.decided_at,
            AccessReview.purpose, AccessReview.first_entry,
        )  # fmt: skip
        wanted = select(*columns).where(where).order_by(AccessReview.filed_at)
        rows = session.execute(wanted, execution_options=_IN_PARTS)
        for organisation, filed, state, decided, purpose, entry in rows:
            due = filed + self._review_within
            stage = (
                _stage_of(due, self._clock(), Stage.REVIEW_WAITING, Stage.REVIEW_OVERDUE)
                if state == ReviewState.OPEN or decided is None
                else _stage_of(due, decided, Stage.REVIEW_IN_TIME, Stage.REVIEW_LATE)
            )
            yield Proceeding(stage, organisation, filed, due, decided, (purpose,), entry)

    def _disputes(self, session: Session, where: ColumnElement[bool]) -> Iterator[Proceeding]:
        first = and_(DisputeMessage.dispute_id == Dispute.id, DisputeMessage.position == 0)
        wanted = select(Dispute, DisputeMessage.log_entry).outerjoin(DisputeMessage, first).where(where)
        for row, entry in session.execute(wanted.order_by(Dispute.opened_at), execution_options=_IN_PARTS):
            due = datetime.combine(row.due_on + timedelta(days=1), time.min, self._zone)
            stage, about = self._stage_of_dispute(row, due), (row.number,)
            yield Proceeding(stage, row.organisation, row.opened_at, due, row.closed_at, about, entry)

    def _stage_of_dispute(self, row: Dispute, due: datetime) -> Stage:
        if row.state == DisputeState.WITHDRAWN:
            return Stage.DISPUTE_WITHDRAWN
        if row.state == DisputeState.DECIDED:
            return Stage.DISPUTE_REFUSED if row.ruling == Ruling.REFUSED else Stage.DISPUTE_UPHELD
        if row.paused_on is not None:
            return Stage.DISPUTE_WAITING
        return _stage_of(due, self._clock(), Stage.DISPUTE_WAITING, Stage.DISPUTE_OVERDUE)

    def _seals(self, session: Session, where: ColumnElement[bool]) -> Iterator[Proceeding]:
        columns = (Seal.organisation, Seal.registered_at, Seal.ends_at, Seal.lifted_at, Seal.purpose)
        wanted = select(*columns).where(where).order_by(Seal.registered_at)
        rows = session.execute(wanted, execution_options=_IN_PARTS)
        for organisation, registered, ends, lifted, purpose in rows:
            stage = Stage.SEAL_IN_FORCE if lifted is None else Stage.SEAL_ENDED
            yield Proceeding(stage, organisation, registered, ends, lifted, (purpose,))


def _stage_of(due: datetime, at: datetime, in_time: Stage, late: Stage) -> Stage:
    return in_time if at < due else late


def _between(column: _Time, since: datetime, until: datetime) -> ColumnElement[bool]:
    return and_(column >= since, column < until)
