"""Alerts: what a person, a supervisor or a data protection officer must know of, shown in the portal until seen.

The rows are an outbox as well: `portal.services.mail` plans when each goes out by mail and takes it from here, so what
was raised is never lost between the portal and a mail server. An alert says that something happened and never about
whose data.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.alerts import Alert
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.sealing import Sealer

SHOWN = 20
_IDS = uuid.UUID("7f0b6a52-3a0e-5b1f-9d1e-0a0d8f6f2c55")
_SUBJECTS = "alerts/subject"


class AlertKind(StrEnum):
    """What happened. Permanent, like the names of logged actions."""

    #: To the person: a seal has ended, and looks that were withheld are in their history now.
    SEAL_ENDED = "seal-ended"
    #: To supervisors: somebody of their organisation registered a seal.
    SEAL_REGISTERED = "seal-registered"
    #: To supervisors: an official asks for a second person; to the one who asked: it was decided.
    APPROVAL_ASKED = "approval-asked"
    APPROVAL_DECIDED = "approval-decided"
    #: To supervisors and the data protection officer: an emergency access was opened; its review is overdue.
    EMERGENCY_OPENED = "emergency-opened"
    EMERGENCY_OVERDUE = "emergency-overdue"
    #: To the person: their record was opened in an emergency.
    EMERGENCY_ON_YOU = "emergency-on-you"
    #: To the person: a decision about them is announced; it changed, was withdrawn, or is final.
    DECISION_INTENDED = "decision-intended"
    DECISION_STEP = "decision-step"
    #: To the person: a company or somebody else asks for consent to receive data about them.
    CONSENT_ASKED = "consent-asked"
    #: To both sides: a mandate was given; to the other side: it was ended.
    MANDATE_GIVEN = "mandate-given"
    MANDATE_ENDED = "mandate-ended"
    #: To the person: somebody was shown their data (`place` is the purpose); misuse of them was confirmed; somebody
    #: signed in as them on a kind of device that they never used; mail to them came back too often.
    LOOK = "look"
    FINDING_ON_YOU = "finding-on-you"
    NEW_DEVICE = "new-device"
    MAIL_SUSPENDED = "mail-suspended"
    #: To supervisors: somebody of their organisation asked for the records of many people at once.
    BULK_VOLUME = "bulk-volume"
    #: To the person: something happened in a dispute of theirs.
    DISPUTE_STEP = "dispute-step"
    #: To whoever received a value: it was found wrong.
    CORRECTION = "correction"
    #: To auditors: a verification found the log broken.
    LOG_BROKEN = "log-broken"


@dataclass(frozen=True, slots=True)
class ShownAlert:
    """One alert that its reader has not yet put away."""

    alert_id: str
    kind: str
    place: str | None
    raised_at: datetime


class Alerts:
    """Raises alerts and shows each to those it is for, and to nobody else."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, log: AuditLog, clock: Clock) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._clock = clock

    def tell_person(self, code: PersonalCode, kind: AlertKind, place: str | None = None) -> None:
        """The person sees it wherever they sign in. The same kind and place is told once, however often it is raised.

        Raises:
            DisclosureUnavailable: the log could not record it; nobody was told.
        """
        index = person_index(self._sealer, code)
        self._raise(kind, place, [{"subject_index": index, "to": index.hex()}])

    def tell_accounts(self, account_ids: Iterable[str], kind: AlertKind, place: str | None = None) -> None:
        """As `tell_person`, to each of these accounts."""
        self._raise(kind, place, [{"account_id": account_id, "to": account_id} for account_id in account_ids])

    def waiting(self, actor: Actor) -> list[ShownAlert]:
        """What the actor has not put away, newest first."""
        with self._sessions() as session:
            rows = session.scalars(
                select(Alert)
                .where(self._is_for(actor), Alert.seen_at.is_(None), Alert.in_portal)
                .order_by(Alert.raised_at.desc())
                .limit(SHOWN)
            )
            return [ShownAlert(row.id, row.kind, row.place, row.raised_at) for row in rows]

    def put_away(self, actor: Actor, alert_id: str) -> None:
        """Raises NothingHere when there is no such alert for this actor."""
        with self._sessions.begin() as session:
            changed = session.execute(
                update(Alert)
                .where(Alert.id == alert_id, self._is_for(actor), Alert.seen_at.is_(None))
                .values(seen_at=self._clock())
                .returning(Alert.id)
            ).all()
        if not changed:
            raise NothingHere

    def tell_again(self, index: bytes, kind: AlertKind, place: str, *, entry: int, in_portal: bool) -> None:
        """The person of this index is told of the newest of many like events, in one alert that comes up anew.

        What it stands for is an entry of the log already, so it leaves none of its own. What was told before, by
        whoever read the log first, changes nothing.
        """
        recipient = {"subject_index": index, "to": index.hex()}
        row = _row_of(kind, place, recipient, self._clock()) | {"in_portal": in_portal, "newest_entry": entry}
        with self._sessions.begin() as session:
            statement = _insert(session).values(**row)
            # While the last one is neither read nor mailed it keeps its time, or a digest would run away from its hour.
            waits = (Alert.mailed_at.is_(None)) & (Alert.seen_at.is_(None))
            anew = {
                "raised_at": case((waits, Alert.raised_at), else_=statement.excluded.raised_at),
                "mail_due_at": case((waits, Alert.mail_due_at), else_=None),
                "mailed_at": None,
                "newest_entry": entry,
                "seen_at": None,
                "in_portal": in_portal,
            }
            is_newer = Alert.newest_entry < entry
            session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=anew, where=is_newer))

    def _raise(self, kind: AlertKind, place: str | None, recipients: list[dict[str, object]]) -> None:
        now = self._clock()
        rows = [_row_of(kind, place, recipient, now) for recipient in recipients]
        with self._sessions.begin() as session:
            told = sum(_is_new(session, row) for row in rows)
            if told:
                record(self._log, [self._event(kind, told, now)])

    def _event(self, kind: AlertKind, recipients: int, now: datetime) -> Access:
        return Access(
            action=Action.ALERT,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=now,
            automatic=True,
            details={"kind": kind, "recipients": recipients},
        )

    def _is_for(self, actor: Actor) -> ColumnElement[bool]:
        """An official's own code does not count: what concerns them as a person is told to them as a citizen."""
        if actor.role is not Role.CITIZEN or actor.personal_code is None:
            return Alert.account_id == actor.account_id
        index = person_index(self._sealer, actor.personal_code)
        return (Alert.account_id == actor.account_id) | (Alert.subject_index == index)


def person_index(sealer: Sealer, code: PersonalCode) -> bytes:
    """The index under which alerts to this person are raised."""
    return sealer.blind_index(code.subject, _SUBJECTS)


def _row_of(kind: AlertKind, place: str | None, recipient: Mapping[str, object], now: datetime) -> dict[str, object]:
    return {
        "id": str(uuid.uuid5(_IDS, f"{kind}\n{place or uuid.uuid4()}\n{recipient['to']}")),
        "account_id": recipient.get("account_id"),
        "subject_index": recipient.get("subject_index"),
        "kind": kind,
        "place": place,
        "raised_at": now,
    }


def _insert(session: Session) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(Alert) if session.get_bind().dialect.name == "postgresql" else sqlite.insert(Alert)


def _is_new(session: Session, row: dict[str, object]) -> bool:
    """Insert the row, unless the same was raised before."""
    statement = _insert(session).values(**row).on_conflict_do_nothing(index_elements=["id"]).returning(Alert.id)
    return session.execute(statement).first() is not None
