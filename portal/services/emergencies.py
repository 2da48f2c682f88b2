"""Break-glass: in an emergency an official with that right opens what the policy would refuse, in everybody's sight.

The supervisors, the data protection officer and the person are told before the first field is shown; the access ends
after minutes; a supervisor has to review it, and what is overdue says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor, Duty, Role
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import EMERGENCY
from portal.domain.security_events import SecurityEvent
from portal.models.emergencies import Emergency
from portal.registries.catalogue import Catalogue, Registry
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.justification import Weakness, tidied, weakness_of
from portal.services.sealing import Sealer
from portal.services.security_log import announce

HISTORY_LENGTH = 100


class ReviewVerdict(StrEnum):
    """What the supervisor found. Permanent: it stands in the log."""

    CONFIRMED = "confirmed"
    ESCALATED = "escalated"


class EmergencyRefused(Exception):
    """Nothing was opened; the refusal is an entry. `weakness` is what is wrong with the reason, if that is why."""

    def __init__(self, reason: Reason, weakness: Weakness | None = None) -> None:
        super().__init__(f"no emergency: {reason}")
        self.reason = reason
        self.weakness = weakness


@dataclass(frozen=True, slots=True)
class EmergencyLimits:
    """How long an emergency access lasts, and within what time it is to be reviewed."""

    lasts: timedelta
    review: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Who is in danger, what has to be known, and why."""

    subject: PersonalCode
    registries: tuple[str, ...]
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownEmergency:
    """One emergency as officials see it: no data and not whom it is about. `subject` is for the gate alone."""

    emergency_id: str
    subject: PersonalCode = field(repr=False)
    reason: str = field(repr=False)
    registries: tuple[str, ...]
    requester: str
    requester_name: str = field(repr=False)
    opened_at: datetime
    ends_at: datetime
    review_due_at: datetime
    looks: int
    verdict: str | None
    reviewed_at: datetime | None
    note: str | None = field(repr=False)
    is_open: bool
    is_overdue: bool


class Emergencies:
    """Declares emergencies, shows them to those responsible, and takes their review."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        sealer: Sealer,
        log: AuditLog,
        catalogue: Catalogue,
        limits: EmergencyLimits,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._catalogue = catalogue
        self._limits = limits
        self._clock = clock

    def may_declare(self, actor: Actor) -> bool:
        purpose = self._catalogue.purposes.get(EMERGENCY)
        return (
            purpose is not None
            and actor.role is Role.CASEWORKER
            and Duty.BREAK_GLASS in actor.duties
            and actor.organisation in purpose.organisations
        )

    def registries(self) -> tuple[Registry, ...]:
        return tuple(self._catalogue.registries.values())

    def declare(self, actor: Actor, wanted: Declaration, *, request_id: str) -> str:
        """Open an emergency; gives its id. The entry is durable before anybody is told.

        Raises:
            NothingHere: the actor has no such right, or there is no such registry.
            EmergencyRefused: the reason says nothing, or it is the actor's own record; the refusal is an entry.
            DisclosureUnavailable: the log could not record it; nothing was opened.
        """
        known = self._catalogue.registries
        if not self.may_declare(actor) or not wanted.registries or not set(wanted.registries) <= known.keys():
            raise NothingHere
        weakness = weakness_of(wanted.reason)
        reason = Reason.JUSTIFICATION if weakness else None
        if actor.personal_code == wanted.subject:
            reason, weakness = Reason.OWN_RECORD, None
        if reason is not None:
            denied = self._event(actor, Action.EMERGENCY, wanted.subject, request_id, Outcome.DENIED, reason=reason)
            record(self._log, [denied])
            raise EmergencyRefused(reason, weakness)
        emergency_id, now, text = str(uuid.uuid4()), self._clock(), tidied(wanted.reason)
        with self._sessions.begin() as session:
            session.add(
                Emergency(
                    id=emergency_id,
                    sealed_subject=self._sealer.seal(wanted.subject.reveal(), emergency_id),
                    sealed_reason=self._sealer.seal(text, f"{emergency_id}/reason"),
                    registries=",".join(dict.fromkeys(wanted.registries)),
                    requested_by=actor.account_id,
                    requester_name=actor.name,
                    organisation=actor.organisation or "",
                    opened_at=now,
                    ends_at=now + self._limits.lasts,
                    review_due_at=now + self._limits.review,
                    looks=0,
                )
            )
            session.flush()
            minutes = int(self._limits.lasts.total_seconds() // 60)
            details: dict[str, str | int] = {"emergency": emergency_id, "minutes": minutes}
            event = self._event(
                actor, Action.EMERGENCY, wanted.subject, request_id, Outcome.DONE, text=text, details=details
            )
            record(self._log, [event])
        announce(SecurityEvent.EMERGENCY_DECLARED, emergency=emergency_id)
        return emergency_id

    def emergency(self, actor: Actor, emergency_id: str) -> ShownEmergency:
        """Raises NothingHere when there is none of this id for this actor."""
        with self._sessions() as session:
            return self._shown(self._row(session, actor, emergency_id))

    def of_actor(self, actor: Actor) -> Sequence[ShownEmergency]:
        """A caseworker's own; a supervisor's organisation's, those that wait for a review first, the oldest first."""
        with self._sessions() as session:
            rows = session.scalars(
                select(Emergency)
                .where(_is_visible_to(actor))
                .order_by(Emergency.reviewed_at.is_not(None), Emergency.review_due_at)
                .limit(HISTORY_LENGTH)
            )
            return [self._shown(row) for row in rows]

    def count_look(self, emergency_id: str) -> None:
        with self._sessions.begin() as session:
            session.execute(update(Emergency).where(Emergency.id == emergency_id).values(looks=Emergency.looks + 1))

    def review(self, actor: Actor, emergency_id: str, verdict: ReviewVerdict, note: str, *, request_id: str) -> None:
        """Say whether it was one. Once: a verdict stands.

        Raises:
            NothingHere: there is none for this actor, it is still open, or it was reviewed before.
            DisclosureUnavailable: the log could not record it; it is still to be reviewed.
        """
        if actor.role is not Role.SUPERVISOR:
            raise NothingHere
        now = self._clock()
        with self._sessions.begin() as session:
            row = self._row(session, actor, emergency_id)
            reviewed = session.execute(
                update(Emergency)
                .where(
                    Emergency.id == emergency_id,
                    Emergency.reviewed_at.is_(None),
                    Emergency.ends_at <= now,
                    Emergency.requested_by != actor.account_id,
                )
                .values(
                    verdict=verdict,
                    reviewed_by=actor.account_id,
                    reviewed_at=now,
                    sealed_note=self._sealer.seal(tidied(note), f"{emergency_id}/note"),
                )
                .returning(Emergency.id)
                .execution_options(synchronize_session=False)
            ).all()
            if not reviewed:
                raise NothingHere
            subject = PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id))
            details: dict[str, str | int] = {"emergency": emergency_id, "verdict": verdict}
            event = self._event(
                actor, Action.EMERGENCY_REVIEW, subject, request_id, Outcome.DONE, text=tidied(note), details=details
            )
            record(self._log, [event])

    def overdue(self) -> list[tuple[str, str]]:
        """The id and organisation of each emergency whose review is overdue."""
        with self._sessions() as session:
            rows = session.execute(
                select(Emergency.id, Emergency.organisation).where(
                    Emergency.reviewed_at.is_(None), Emergency.review_due_at <= self._clock()
                )
            )
            return [(row.id, row.organisation) for row in rows]

    def _row(self, session: Session, actor: Actor, emergency_id: str) -> Emergency:
        row = session.scalars(
            select(Emergency).where(Emergency.id == emergency_id, _is_visible_to(actor))
        ).one_or_none()
        if row is None:
            raise NothingHere
        return row

    def _shown(self, row: Emergency) -> ShownEmergency:
        now = self._clock()
        return ShownEmergency(
            emergency_id=row.id,
            subject=PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id)),
            reason=self._sealer.unseal(row.sealed_reason, f"{row.id}/reason"),
            registries=tuple(row.registries.split(",")),
            requester=row.requested_by,
            requester_name=row.requester_name,
            opened_at=row.opened_at,
            ends_at=row.ends_at,
            review_due_at=row.review_due_at,
            looks=row.looks,
            verdict=row.verdict,
            reviewed_at=row.reviewed_at,
            note=None if row.sealed_note is None else self._sealer.unseal(row.sealed_note, f"{row.id}/note"),
            is_open=now < row.ends_at,
            is_overdue=row.reviewed_at is None and now >= row.review_due_at,
        )

    def _event(
        self,
        actor: Actor,
        action: Action,
        subject: PersonalCode,
        request_id: str,
        outcome: Outcome,
        *,
        reason: Reason | None = None,
        text: str | None = None,
        details: dict[str, str | int] | None = None,
    ) -> Access:
        return Access(
            action=action,
            outcome=outcome,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            subject=subject.subject,
            organisation=actor.organisation,
            role=actor.role,
            official=actor.account_id,
            official_name=actor.name,
            purpose=EMERGENCY,
            lawful_basis=self._catalogue.purposes[EMERGENCY].lawful_basis.en,
            justification=text,
            reason=reason,
            request_id=request_id,
            details=details or {},
        )


def _is_visible_to(actor: Actor) -> ColumnElement[bool]:
    if actor.role is Role.SUPERVISOR:
        return Emergency.organisation == (actor.organisation or "\0")
    return Emergency.requested_by == actor.account_id
