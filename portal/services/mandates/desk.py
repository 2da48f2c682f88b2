"""Mandates are given, listed and ended. Nothing here tells whether anybody has the code that a giver types.

The entries of a step, one about each side, are written in one transaction of the log before the portal's own commits.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.mandates import MandateFault, MandateLimits, MandateRefused, Parties, Side
from portal.models.mandates import Mandate
from portal.services.alerts import AlertKind
from portal.services.entries import record
from portal.services.mandates.register import Register, ShownMandate, in_force, step
from portal.services.mandates.standing import representation
from portal.services.records import subject_of
from portal.services.safeguards import Foundations

#: How many are listed, the newest first.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class NewMandate:
    """What a giver says: to whom (and their own word for them), in which registries, and the last day."""

    receiver: PersonalCode = field(repr=False)
    called: str = field(repr=False)
    registries: tuple[str, ...]
    until: date


class MandateDesk:
    """What the actor gave and received. The data that a mandate opens are always the giver's own: nobody passes on
    what they received.
    """

    def __init__(self, on: Foundations, register: Register, limits: MandateLimits) -> None:
        self._on = on
        self._register = register
        self._limits = limits

    def latest_day(self) -> date:
        """The last day that a mandate given today may have."""
        return self._today() + self._limits.longest

    def all(self, actor: Actor) -> list[ShownMandate]:
        """Newest first."""
        reader = subject_of(actor)
        with self._on.sessions() as session:
            rows = session.scalars(
                self._register.of_person(reader).order_by(Mandate.given_at.desc(), Mandate.id).limit(SHOWN)
            )
            return [self._register.shown(row, reader, self._on.clock()) for row in rows]

    def one(self, actor: Actor, mandate_id: str) -> ShownMandate:
        """Raises NothingHere when the actor is no side of such a mandate."""
        reader = subject_of(actor)
        with self._on.sessions() as session:
            row = self._register.found(session, reader, mandate_id)
            if row is None:
                raise NothingHere
            return self._register.shown(row, reader, self._on.clock())

    def give(self, actor: Actor, wanted: NewMandate, *, request_id: str) -> str:
        """Let somebody look at the actor's own data; gives the mandate's id.

        Raises:
            MandateRefused: it cannot be given. That somebody wanted to give one to themselves is an entry.
            NothingHere: this country's law knows no mandates.
            DisclosureUnavailable: the log could not record it; nothing is given.
        """
        giver, purpose, now = subject_of(actor), representation(self._on.catalogue), self._on.clock()
        if wanted.receiver == giver:
            refused = Reason.OWN_MANDATE
            record(self._on.log, [step(Action.MANDATE_GIVING, purpose, giver, actor, now, request_id, reason=refused)])
            raise MandateRefused(MandateFault.SELF)
        self._check(wanted)
        mandate_id, ends_at = str(uuid.uuid4()), self._end_of(wanted.until)
        with self._on.sessions.begin() as session:
            if self._in_force(session, giver, now) >= self._limits.at_once:
                raise MandateRefused(MandateFault.TOO_MANY)
            said: dict[str, str | int] = {"mandate": mandate_id, "until": ends_at.isoformat(timespec="seconds")}
            said |= {"registries": ",".join(wanted.registries)}
            entries = [
                step(action, purpose, about, actor, now, request_id, details=said)
                for action, about in ((Action.MANDATE_GIVING, giver), (Action.MANDATE_ASSIGNMENT, wanted.receiver))
            ]
            row = self._row(mandate_id, Parties(giver, actor.name, wanted.receiver, wanted.called), wanted, now)
            row.ends_at = ends_at
            row.given_entry = record(self._on.log, entries)[0].seq
            session.add(row)
        self._tell((giver, wanted.receiver), AlertKind.MANDATE_GIVEN, mandate_id)
        return mandate_id

    def end(self, actor: Actor, mandate_id: str, *, request_id: str) -> None:
        """End it at once: no look after this is shown anything. Either side may.

        Raises:
            NothingHere: the actor is no side of such a mandate, or it does not hold any more.
            DisclosureUnavailable: the log could not record it; the mandate holds on.
        """
        one, purpose, now = subject_of(actor), representation(self._on.catalogue), self._on.clock()
        with self._on.sessions.begin() as session:
            row = self._register.found(session, one, mandate_id)
            if row is None:
                raise NothingHere
            side, parties = self._register.side_of(row, one), self._register.parties(row)
            self._close(session, mandate_id, side, now)
            own = Action.MANDATE_REVOCATION if side is Side.GIVER else Action.MANDATE_RENUNCIATION
            other = parties.receiver if side is Side.GIVER else parties.giver
            said = {"mandate": mandate_id}
            record(
                self._on.log,
                [
                    step(action, purpose, about, actor, now, request_id, details=said)
                    for action, about in ((own, one), (Action.MANDATE_END, other))
                ],
            )
        self._tell((other,), AlertKind.MANDATE_ENDED, mandate_id)

    def _close(self, session: Session, mandate_id: str, side: Side, now: datetime) -> None:
        """The row is locked from here until the entries are durable: of two who end it at once, one does."""
        ended = session.execute(
            update(Mandate)
            .where(Mandate.id == mandate_id, in_force(now))
            .values(ended_at=now, ended_by=side)
            .returning(Mandate.id)
            .execution_options(synchronize_session=False)
        ).first()
        if ended is None:
            raise NothingHere

    def _check(self, wanted: NewMandate) -> None:
        known = self._on.catalogue.registries
        if not wanted.registries or any(code not in known for code in wanted.registries):
            raise MandateRefused(MandateFault.SCOPE)
        if wanted.until < self._today():
            raise MandateRefused(MandateFault.PAST)
        if wanted.until > self.latest_day():
            raise MandateRefused(MandateFault.TOO_LONG)

    def _in_force(self, session: Session, giver: PersonalCode, now: datetime) -> int:
        mine = Mandate.giver_index == self._register.index_of(giver)
        return session.scalar(select(func.count()).select_from(Mandate).where(mine, in_force(now))) or 0

    def _row(self, mandate_id: str, parties: Parties, wanted: NewMandate, now: datetime) -> Mandate:
        return Mandate(
            id=mandate_id,
            giver_index=self._register.index_of(parties.giver),
            receiver_index=self._register.index_of(parties.receiver),
            sealed_parties=self._register.seal(parties, mandate_id),
            registries=",".join(dict.fromkeys(wanted.registries)),
            given_at=now,
            uses=0,
        )

    def _tell(self, people: Sequence[PersonalCode], kind: AlertKind, mandate_id: str) -> None:
        for code in people:
            self._on.alerts().tell_person(code, kind, mandate_id)

    def _today(self) -> date:
        return self._on.clock().astimezone(self._on.zone).date()

    def _end_of(self, day: date) -> datetime:
        """The first moment after `day`, where the portal is."""
        return datetime.combine(day + timedelta(days=1), time.min, self._on.zone)
