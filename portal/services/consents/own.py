"""The person decides: sees what is asked, gives or refuses, and ends what they gave whenever they like.

Ending takes one step, as giving does (GDPR Article 7(3)), and holds from the moment it is acknowledged.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.log import AuditLog
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.consents import ConsentAlreadyDecided, ConsentState
from portal.domain.errors import NothingHere
from portal.models.consents import Consent
from portal.services.clock import Clock
from portal.services.consents.register import Register, ShownConsent, event
from portal.services.entries import record
from portal.services.records import subject_of

#: How many are listed. Requests are few: one recipient may ask one person only so often.
SHOWN = 200


class OwnConsents:
    """The actor's own consents. No method takes another person."""

    def __init__(self, sessions: sessionmaker[Session], register: Register, log: AuditLog, clock: Clock) -> None:
        self._sessions = sessions
        self._register = register
        self._log = log
        self._clock = clock

    def all(self, actor: Actor, limit: int | None = SHOWN) -> list[ShownConsent]:
        """Newest request first; without a `limit` really all of them."""
        mine = Consent.subject_index == self._register.index_of(subject_of(actor))
        with self._sessions() as session:
            rows = session.scalars(select(Consent).where(mine).order_by(Consent.asked_at.desc()).limit(limit))
            return [self._register.shown(row, self._clock()) for row in rows]

    def one(self, actor: Actor, consent_id: str) -> ShownConsent:
        """Raises NothingHere when nobody asked this person under this id."""
        with self._sessions() as session:
            return self._found(session, actor, consent_id)

    def give(self, actor: Actor, consent_id: str, *, request_id: str) -> None:
        """Let the recipient have what it asked for, from now on, for as long as it asked.

        Raises:
            NothingHere: nobody asked this person under this id.
            ConsentAlreadyDecided: it is decided, or the time to decide is over.
            DisclosureUnavailable: the log could not record it; nothing is given.
        """
        self._decide(actor, consent_id, ConsentState.GIVEN, Action.CONSENT_GIVING, request_id)

    def refuse(self, actor: Actor, consent_id: str, *, request_id: str) -> None:
        """Let the recipient have nothing. Raises as `give` does."""
        self._decide(actor, consent_id, ConsentState.REFUSED, Action.CONSENT_REFUSAL, request_id)

    def end(self, actor: Actor, consent_id: str, *, request_id: str) -> None:
        """Withdraw what was given: every use after this is refused. Raises as `give` does."""
        now = self._clock()
        with self._sessions.begin() as session:
            consent = self._found(session, actor, consent_id)
            self._change(session, consent, ConsentState.GIVEN, state=ConsentState.ENDED, ended_at=now)
            entry = event(Action.CONSENT_END, consent_id, consent.notice, consent.subject, now, request_id, by=actor)
            self._note(session, consent_id, ended_entry=record(self._log, [entry])[0].seq)

    def _decide(self, actor: Actor, consent_id: str, decided: ConsentState, action: Action, request_id: str) -> None:
        now = self._clock()
        with self._sessions.begin() as session:
            consent = self._found(session, actor, consent_id)
            ends_at = now + consent.lasts if decided is ConsentState.GIVEN else None
            self._change(session, consent, ConsentState.WAITING, state=decided, decided_at=now, ends_at=ends_at)
            until = {} if ends_at is None else {"until": ends_at.isoformat(timespec="seconds")}
            entry = event(action, consent_id, consent.notice, consent.subject, now, request_id, by=actor, details=until)
            self._note(session, consent_id, decided_entry=record(self._log, [entry])[0].seq)

    def _found(self, session: Session, actor: Actor, consent_id: str) -> ShownConsent:
        row = self._register.of_person(session, subject_of(actor), consent_id)
        if row is None:
            raise NothingHere
        return self._register.shown(row, self._clock())

    def _change(self, session: Session, consent: ShownConsent, still: ConsentState, **values: Any) -> None:
        """Only if it stands as it was read: the row's lock then keeps everybody else out until the entry is durable."""
        if consent.state is not still:
            raise ConsentAlreadyDecided
        changed = session.execute(
            update(Consent)
            .where(Consent.id == consent.consent_id, Consent.state == still)
            .values(**values)
            .returning(Consent.id)
            .execution_options(synchronize_session=False)
        ).all()
        if not changed:
            raise ConsentAlreadyDecided

    def _note(self, session: Session, consent_id: str, **entry: int) -> None:
        session.execute(
            update(Consent).where(Consent.id == consent_id).values(**entry).execution_options(synchronize_session=False)
        )
