"""Corrections for recipients' own systems (GDPR Article 19): fetched and taken over by programs, over the API."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import Action
from portal.domain.disputes import DisputeKind
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem, Operation
from portal.models.disputes import CorrectionNotice, Dispute
from portal.services.disputes.corrections import correction_event
from portal.services.disputes.ledger import DisputeLedger
from portal.services.entries import record
from portal.services.machines import Admitted

_SHOWN = 500


@dataclass(frozen=True, slots=True)
class WaitingCorrection:
    """One that the system has not taken over yet. It names no person."""

    notice_id: str
    registry: str
    told_at: datetime
    reminders: int


@dataclass(frozen=True, slots=True)
class Correction:
    """What was found wrong: whose, which value (None: all that the registry holds), and what is to be done with it."""

    notice_id: str
    subject: PersonalCode = field(repr=False)
    registry: str
    field: str | None
    kind: DisputeKind
    looks: int
    last_look_at: datetime
    told_at: datetime
    acknowledged_at: datetime | None


class SystemCorrections:
    """What one organisation's systems were told, for those of its client systems that may take it."""

    def __init__(self, ledger: DisputeLedger, log: AuditLog) -> None:
        self._ledger = ledger
        self._log = log

    def waiting(self, admitted: Admitted) -> list[WaitingCorrection]:
        """Those not taken over yet, the oldest first, of the registries that the token is for."""
        is_waiting = *_for_system(admitted.client), CorrectionNotice.acknowledged_at.is_(None)
        with self._ledger.reading() as session:
            rows = session.execute(_wanted().where(*is_waiting).order_by(CorrectionNotice.told_at).limit(_SHOWN)).all()
            return [
                WaitingCorrection(one.id, dispute.registry_code or "", one.told_at, one.reminders)
                for one, dispute in rows
                if Operation.TAKE_CORRECTIONS.scope(dispute.registry_code or "") in admitted.scopes
            ]

    def one(self, admitted: Admitted, notice_id: str, *, request_id: str) -> Correction:
        """One with the person it is about; each fetching is an entry in their history.

        Raises:
            NothingHere: the organisation's systems were told of no such correction.
            ClientRefused: the token is not for its registry.
            DisclosureUnavailable: the log could not record it; nothing was released.
        """
        with self._ledger.reading() as session:
            row, dispute = self._known(session, admitted, notice_id)
            subject = self._ledger.subject_of(dispute)
            record(self._log, [self._event(Action.CORRECTION_FETCH, dispute, row, admitted.client, request_id)])
            return Correction(
                row.id,
                subject,
                dispute.registry_code or "",
                dispute.field_code or None,
                DisputeKind(dispute.kind),
                row.looks,
                row.last_look_at,
                row.told_at,
                row.acknowledged_at,
            )

    def acknowledge(self, admitted: Admitted, notice_id: str, *, request_id: str) -> datetime:
        """Note that the system took it over; gives when it first said so. Safe to repeat. Raises as `one`."""
        with self._ledger.step() as session:
            row, dispute = self._known(session, admitted, notice_id)
            changed = session.execute(
                update(CorrectionNotice)
                .where(CorrectionNotice.id == notice_id, CorrectionNotice.acknowledged_at.is_(None))
                .values(acknowledged_at=self._ledger.now(), acknowledged_by_client=admitted.client.code)
                .returning(CorrectionNotice.id)
            ).all()
            if changed:
                event = self._event(Action.CORRECTION_ACKNOWLEDGEMENT, dispute, row, admitted.client, request_id)
                record(self._log, [event])
            session.refresh(row)
            assert row.acknowledged_at is not None  # noqa: S101 - just set, or before
            return row.acknowledged_at

    def _known(self, session: Session, admitted: Admitted, notice_id: str) -> tuple[CorrectionNotice, Dispute]:
        found = session.execute(
            _wanted().where(CorrectionNotice.id == notice_id, *_for_system(admitted.client))
        ).first()
        if found is None:
            raise NothingHere
        admitted.require(Operation.TAKE_CORRECTIONS, found[1].registry_code or "")
        return found[0], found[1]

    def _event(
        self, action: Action, dispute: Dispute, row: CorrectionNotice, client: ClientSystem, request_id: str
    ) -> Access:
        subject = self._ledger.subject_of(dispute)
        event = correction_event(action, dispute, subject, row, self._ledger.now(), request_id)
        return replace(event, automatic=True, details={**event.details, "client": client.code})


def _wanted() -> Select[CorrectionNotice, Dispute]:
    return select(CorrectionNotice, Dispute).join(Dispute, Dispute.id == CorrectionNotice.dispute_id)


def _for_system(client: ClientSystem) -> tuple[ColumnElement[bool], ...]:
    return CorrectionNotice.organisation == client.organisation, CorrectionNotice.account_id.is_(None)
