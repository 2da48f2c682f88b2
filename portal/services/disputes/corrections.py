"""Telling everybody who received a value that it was found wrong (GDPR Article 19), and keeping what they answer.

The log knows who received it: each organisation, official by official, and its systems. Officials are told in the
portal; for a system, or an official who has left, the organisation's data protection officers are. Whoever looked under
a seal is told as well, but neither the person's list nor their history shows it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from audit.entry import Access
from audit.log import AuditLog, TrailQuery
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor, Duty
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.disputes import CorrectionNotice, Dispute
from portal.services.accounts import Accounts
from portal.services.alerts import AlertKind, Alerts
from portal.services.disputes.ledger import DisputeLedger
from portal.services.entries import record

#: Looks by which a value leaves its registry for somebody else.
_RECEIVING = frozenset({Action.READ, Action.AUTOMATED_READ})
_BASIS = "GDPR Article 19"
#: After these nobody is reminded any more: the person sees who did not answer, and the authority may ask.
MOST_REMINDERS = 3
_A_ROUND = 200


@dataclass(frozen=True, slots=True)
class Recipient:
    """One organisation's official, or its systems, as the person sees them: when they received it and were told."""

    organisation: str
    is_system: bool
    looks: int
    told_at: datetime
    acknowledged_at: datetime | None
    reminders: int


@dataclass(frozen=True, slots=True)
class Notice:
    """What a recipient is told: which value, and by which case of theirs they received it. It names no person."""

    notice_id: str
    registry: str
    field: str
    case: str | None
    last_look_at: datetime
    told_at: datetime
    acknowledged_at: datetime | None
    reminders: int = 0


class Corrections:
    """Finds the recipients of a value, tells them, and takes their acknowledgement."""

    def __init__(
        self, ledger: DisputeLedger, log: AuditLog, accounts: Accounts, alerts: Alerts, patience: timedelta
    ) -> None:
        """`patience` is how long a recipient has before each reminder."""
        self._ledger = ledger
        self._log = log
        self._accounts = accounts
        self._alerts = alerts
        self._patience = patience

    def tell_recipients(self, dispute_id: str, subject: PersonalCode, *, request_id: str) -> int:
        """Tell everybody who received the value in dispute; gives how many that are. Safe to repeat.

        Raises DisclosureUnavailable: the log could not record it; nobody was told.
        """
        with self._ledger.step() as session:
            dispute = session.get_one(Dispute, dispute_id)
            known = select(CorrectionNotice.id).where(CorrectionNotice.dispute_id == dispute_id)
            if session.scalar(known.limit(1)) is not None or dispute.registry_code is None:
                return 0
            notices = self._notices(dispute, subject)
            if not notices:
                return 0
            session.add_all(notices)
            record(
                self._log,
                [
                    correction_event(Action.CORRECTION_NOTICE, dispute, subject, one, self._ledger.now(), request_id)
                    for one in notices
                ],
            )
            told = [(one.id, self._readers(one)) for one in notices]
        for notice_id, accounts in told:
            self._alerts.tell_accounts(accounts, AlertKind.CORRECTION, notice_id)
        return len(told)

    def recipients(self, dispute_id: str) -> list[Recipient]:
        """Those that the person may know of. Whoever asks has seen to it that the dispute is theirs."""
        shown = CorrectionNotice.dispute_id == dispute_id, CorrectionNotice.seal.is_(None)
        with self._ledger.reading() as session:
            rows = session.scalars(select(CorrectionNotice).where(*shown).order_by(CorrectionNotice.organisation))
            return [
                Recipient(
                    row.organisation, row.account_id is None, row.looks, row.told_at, row.acknowledged_at, row.reminders
                )
                for row in rows
            ]

    def waiting(self, actor: Actor) -> list[Notice]:
        """What this official, or this data protection officer for the organisation, was told; the newest first."""
        with self._ledger.reading() as session:
            wanted = select(CorrectionNotice, Dispute).join(Dispute, Dispute.id == CorrectionNotice.dispute_id)
            rows = session.execute(wanted.where(self._is_for(actor)).order_by(CorrectionNotice.told_at.desc())).all()
            return [
                Notice(
                    one.id,
                    dispute.registry_code or "",
                    dispute.field_code,
                    one.case,
                    one.last_look_at,
                    one.told_at,
                    one.acknowledged_at,
                    one.reminders,
                )
                for one, dispute in rows
            ]

    def acknowledge(self, actor: Actor, notice_id: str, *, request_id: str) -> None:
        """Say that the correction was taken into account. Safe to repeat.

        Raises NothingHere: there is no such notice for this actor. DisclosureUnavailable: it was not kept.
        """
        with self._ledger.step() as session:
            row = session.scalar(select(CorrectionNotice).where(CorrectionNotice.id == notice_id, self._is_for(actor)))
            if row is None:
                raise NothingHere
            changed = session.execute(
                update(CorrectionNotice)
                .where(CorrectionNotice.id == notice_id, CorrectionNotice.acknowledged_at.is_(None))
                .values(acknowledged_at=self._ledger.now(), acknowledged_by=actor.account_id)
                .returning(CorrectionNotice.id)
            ).all()
            if changed:
                dispute = session.get_one(Dispute, row.dispute_id)
                subject = self._ledger.subject_of(dispute)
                event = correction_event(
                    Action.CORRECTION_ACKNOWLEDGEMENT, dispute, subject, row, self._ledger.now(), request_id
                )
                named = replace(event, role=actor.role, official=actor.account_id, official_name=actor.name)
                record(self._log, [named])

    def remind_due(self) -> int:
        """Remind everybody who has had long enough and has not answered; gives how many. Safe to repeat."""
        before = self._ledger.now() - self._patience
        is_due = (
            CorrectionNotice.acknowledged_at.is_(None),
            CorrectionNotice.reminders < MOST_REMINDERS,
            func.coalesce(CorrectionNotice.reminded_at, CorrectionNotice.told_at) <= before,
        )
        with self._ledger.reading() as session:
            due = session.scalars(select(CorrectionNotice.id).where(*is_due).limit(_A_ROUND)).all()
        return sum(self._remind(notice_id, is_due) for notice_id in due)

    def _remind(self, notice_id: str, is_due: tuple[ColumnElement[bool], ...]) -> bool:
        """Raises DisclosureUnavailable: the log could not record it; nobody was reminded."""
        with self._ledger.step() as session:
            row = session.scalars(
                update(CorrectionNotice)
                .where(CorrectionNotice.id == notice_id, *is_due)
                .values(reminders=CorrectionNotice.reminders + 1, reminded_at=self._ledger.now())
                .returning(CorrectionNotice)
            ).one_or_none()
            if row is None:
                return False
            dispute = session.get_one(Dispute, row.dispute_id)
            subject = self._ledger.subject_of(dispute)
            event = correction_event(
                Action.CORRECTION_REMINDER, dispute, subject, row, self._ledger.now(), uuid.uuid4().hex[:16]
            )
            record(self._log, [replace(event, automatic=True)])
            readers, place = self._readers(row), f"{notice_id}/{row.reminders}"
        self._alerts.tell_accounts(readers, AlertKind.CORRECTION, place)
        return True

    def _notices(self, dispute: Dispute, subject: PersonalCode) -> list[CorrectionNotice]:
        """One for each official and each organisation's systems, under a seal and without one apart."""
        found: dict[tuple[str, str | None, str | None], CorrectionNotice] = {}
        for access in self._received(dispute, subject):
            official = None if access.automatic else access.official
            key = (access.organisation or access.source, official, access.seal)
            notice = found.setdefault(
                key,
                CorrectionNotice(
                    id=str(uuid.uuid4()),
                    dispute_id=dispute.id,
                    organisation=key[0],
                    account_id=official if official in self._accounts.names([official or ""]) else None,
                    seal=access.seal,
                    looks=0,
                    told_at=self._ledger.now(),
                ),
            )
            notice.looks += 1
            notice.case, notice.last_look_at = access.case, access.occurred_at
        return list(found.values())

    def _received(self, dispute: Dispute, subject: PersonalCode) -> Iterable[Access]:
        query = TrailQuery(
            subject=subject.subject,
            with_sealed=True,
            registry=dispute.registry_code,
            outcome=Outcome.RELEASED,
            actions=_RECEIVING,
        )
        for logged in self._log.stream(query):
            access = logged.access
            if access is not None and (not dispute.field_code or dispute.field_code in access.fields):
                yield access

    def _readers(self, notice: CorrectionNotice) -> list[str]:
        if notice.account_id is not None and self._is_open(notice.account_id):
            return [notice.account_id]
        return self._accounts.of_duty(Duty.DATA_PROTECTION, notice.organisation)

    def _is_open(self, account_id: str) -> bool:
        try:
            self._accounts.actor(account_id)
        except NothingHere:
            return False
        return True

    def _is_for(self, actor: Actor) -> ColumnElement[bool]:
        own = CorrectionNotice.account_id == actor.account_id
        if Duty.DATA_PROTECTION not in actor.duties:
            return own
        of_organisation = and_(
            CorrectionNotice.organisation == actor.organisation, CorrectionNotice.account_id.is_(None)
        )
        return or_(own, of_organisation)


def correction_event(
    action: Action,
    dispute: Dispute,
    subject: PersonalCode,
    notice: CorrectionNotice,
    at: datetime,
    request_id: str,
) -> Access:
    """What the log says of one recipient of a value that was found wrong."""
    return Access(
        action=action,
        outcome=Outcome.DONE,
        source=PORTAL_SOURCE,
        occurred_at=at,
        subject=subject.subject,
        organisation=notice.organisation,
        registry=dispute.registry_code,
        fields=(dispute.field_code,) if dispute.field_code else (),
        lawful_basis=_BASIS,
        request_id=request_id,
        seal=notice.seal,
        details={"dispute": dispute.number, "looks": notice.looks},
    )
