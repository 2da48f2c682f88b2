"""Seals: looks at one person for an investigation, withheld from them until a date, on an authority's order.

A seal hides nothing from the log, from an auditor or from the statistics; it delays when its subject is told (GDPR
Article 23, Directive (EU) 2016/680 Article 13(3)). It cannot be had without an authority's order, nor without an end.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.models.seals import Seal
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.justification import tidied
from portal.services.sealing import Sealer

#: In its last minutes a seal takes no new access, so that none is still being written while it is lifted.
LAST_CALL = timedelta(minutes=5)
HISTORY_LENGTH = 100


class SealFault(StrEnum):
    """Why a seal cannot be had as it was asked for. Each is mended by asking for something else."""

    PURPOSE = "purpose"
    AUTHORITY = "authority"
    OWN_RECORD = "own-record"
    UNTIL_PAST = "until-past"
    UNTIL_TOO_FAR = "until-too-far"
    UNTIL_NOT_LATER = "until-not-later"
    ENDED = "ended"


class SealRefused(Exception):
    """Nothing was sealed and nothing changed. `latest` is the last day that would have been possible."""

    def __init__(self, fault: SealFault, latest: date | None = None) -> None:
        super().__init__(f"no seal: {fault}")
        self.fault = fault
        self.latest = latest


@dataclass(frozen=True, slots=True)
class SealLimits:
    """How far one order reaches from its day, and how long a seal may last in all."""

    order: timedelta
    total: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class SealOrder:
    """What an authority ordered. `until` is the last day of the seal where the portal is."""

    purpose: str
    subject: PersonalCode
    case: str
    authority: str
    ordered_by: str
    order: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSeal:
    """One seal as officials see it. Only who registered it, and nobody at all on a page, is shown `subject`."""

    seal_id: str
    subject: PersonalCode = field(repr=False)
    requested_by: str
    organisation: str
    purpose: str
    case: str
    authority: str
    ordered_by: str
    order: str
    registered_at: datetime
    ends_at: datetime
    first_last_day: date
    last_day: date
    latest_day: date
    is_in_force: bool
    takes_accesses: bool


class Seals:
    """Registers seals, shows them to whoever is responsible, and moves their end within the maximum."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sealer: Sealer,
        log: AuditLog,
        limits: SealLimits,
        clock: Clock,
        zone: ZoneInfo,
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._limits = limits
        self._clock = clock
        self._zone = zone

    def latest_day(self) -> date:
        """The last day until which a seal ordered now may last."""
        return self._day(self._clock() + min(self._limits.order, self._limits.total))

    def register(self, actor: Actor, purpose: Purpose, order: SealOrder, *, request_id: str) -> str:
        """Put a seal into force; gives its id. The entry about it stands under the seal itself.

        Raises:
            SealRefused: the order does not permit it, or it would last too long.
            DisclosureUnavailable: the log could not record it; there is no seal.
        """
        law = self._law_of(actor, purpose, order)
        now, seal_id = self._clock(), str(uuid.uuid4())
        ends_at = self._end_of(order.until)
        self._refuse_a_bad_end(order.until, ends_at, now, now)
        row = Seal(
            id=seal_id,
            sealed_subject=self._sealer.seal(order.subject.reveal(), seal_id),
            requested_by=actor.account_id,
            organisation=actor.organisation or "",
            purpose=purpose.code,
            lawful_basis=law,
            case=order.case,
            authority=order.authority,
            ordered_by=tidied(order.ordered_by),
            order=tidied(order.order),
            registered_at=now,
            first_end=ends_at,
            ends_at=ends_at,
        )
        with self._sessions.begin() as session:
            session.add(row)
            session.flush()
            record(self._log, [self._event(actor, Action.SEAL_ORDER, row, order.subject, request_id)])
        return seal_id

    def prolong(self, actor: Actor, seal_id: str, until: date, *, request_id: str) -> None:
        """Move the end of a seal of the supervisor's organisation to a later day.

        Raises:
            NothingHere: there is no such seal for this actor.
            SealRefused: it has ended, or the new end is no later, or beyond the maximum.
            DisclosureUnavailable: the log could not record it; the seal ends when it would have.
        """
        with self._sessions.begin() as session:
            row = self._row(session, actor, seal_id)
            now, ends_at = self._clock(), self._end_of(until)
            if not self._is_in_force(row, now):
                raise SealRefused(SealFault.ENDED)
            if ends_at <= row.ends_at:
                raise SealRefused(SealFault.UNTIL_NOT_LATER)
            self._refuse_a_bad_end(until, ends_at, now, row.registered_at)
            changed = session.execute(
                update(Seal)
                .where(Seal.id == seal_id, Seal.ends_at == row.ends_at, Seal.lifted_at.is_(None))
                .values(ends_at=ends_at)
                .returning(Seal.id)
                .execution_options(synchronize_session=False)
            ).all()
            if not changed:
                raise SealRefused(SealFault.ENDED)
            session.refresh(row)
            subject = PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id))
            record(self._log, [self._event(actor, Action.SEAL_PROLONGATION, row, subject, request_id)])

    def seal(self, actor: Actor, seal_id: str) -> ShownSeal:
        """Raises NothingHere when there is no such seal for this actor."""
        with self._sessions() as session:
            return self._shown(self._row(session, actor, seal_id), self._clock())

    def of_actor(self, actor: Actor) -> Sequence[ShownSeal]:
        """Those the actor answers for: a caseworker's own, a supervisor's organisation's. Newest first."""
        now = self._clock()
        with self._sessions() as session:
            rows = session.scalars(
                select(Seal).where(_answers_for(actor)).order_by(Seal.registered_at.desc()).limit(HISTORY_LENGTH)
            )
            return [self._shown(row, now) for row in rows]

    def _row(self, session: Session, actor: Actor, seal_id: str) -> Seal:
        row = session.scalars(select(Seal).where(Seal.id == seal_id, _answers_for(actor))).one_or_none()
        if row is None:
            raise NothingHere
        return row

    def _law_of(self, actor: Actor, purpose: Purpose, order: SealOrder) -> str:
        """The law under which this authority may order a seal for this purpose; SealRefused when there is none."""
        if purpose.sealing is None:
            raise SealRefused(SealFault.PURPOSE)
        if order.authority not in purpose.sealing.authorities:
            raise SealRefused(SealFault.AUTHORITY)
        if actor.personal_code == order.subject:
            raise SealRefused(SealFault.OWN_RECORD)
        return purpose.sealing.lawful_basis.en

    def _refuse_a_bad_end(self, until: date, ends_at: datetime, now: datetime, registered_at: datetime) -> None:
        if ends_at <= now + LAST_CALL:
            raise SealRefused(SealFault.UNTIL_PAST)
        latest = self._latest_day(now, registered_at)
        if until > latest:
            raise SealRefused(SealFault.UNTIL_TOO_FAR, latest)

    def _latest_day(self, now: datetime, registered_at: datetime) -> date:
        return self._day(min(now + self._limits.order, registered_at + self._limits.total))

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def _end_of(self, day: date) -> datetime:
        return datetime.combine(day + timedelta(days=1), time.min, self._zone)

    def _is_in_force(self, row: Seal, now: datetime) -> bool:
        return row.lifted_at is None and now < row.ends_at

    def _shown(self, row: Seal, now: datetime) -> ShownSeal:
        return ShownSeal(
            seal_id=row.id,
            subject=PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id)),
            requested_by=row.requested_by,
            organisation=row.organisation,
            purpose=row.purpose,
            case=row.case,
            authority=row.authority,
            ordered_by=row.ordered_by,
            order=row.order,
            registered_at=row.registered_at,
            ends_at=row.ends_at,
            first_last_day=self._day(row.first_end - timedelta(seconds=1)),
            last_day=self._day(row.ends_at - timedelta(seconds=1)),
            latest_day=self._latest_day(now, row.registered_at),
            is_in_force=self._is_in_force(row, now),
            takes_accesses=self._is_in_force(row, now) and now < row.ends_at - LAST_CALL,
        )

    def _event(self, actor: Actor, action: Action, row: Seal, subject: PersonalCode, request_id: str) -> Access:
        return Access(
            action=action,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            subject=subject.subject,
            seal=row.id,
            organisation=actor.organisation,
            role=actor.role,
            official=actor.account_id,
            official_name=actor.name,
            purpose=row.purpose,
            lawful_basis=row.lawful_basis,
            case=row.case,
            request_id=request_id,
            details={
                "authority": row.authority,
                "ordered-by": row.ordered_by,
                "order": row.order,
                "sealed-until": row.ends_at.isoformat(),
            },
        )


def _answers_for(actor: Actor) -> ColumnElement[bool]:
    if actor.role is Role.CASEWORKER:
        return Seal.requested_by == actor.account_id
    return Seal.organisation == (actor.organisation or "\0")
