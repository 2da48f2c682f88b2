"""Four eyes: a second person approves what opens sensitive fields. They see the reason and never the data.

An approval is bound to who asked, the person, the purpose and exactly these fields; it expires, and it is used once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.models.approvals import Approval
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.sealing import Sealer

HISTORY_LENGTH = 50


class ApprovalState(StrEnum):
    """From the question to its one use. `EXPIRED` is never stored: time makes it."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownApproval:
    """One request. `subject` is for the gate alone: the second person is not shown whom it is about."""

    approval_id: str
    subject: PersonalCode = field(repr=False)
    justification: str = field(repr=False)
    purpose: str
    case: str | None
    fields: tuple[str, ...]
    requested_by: str
    requester_name: str = field(repr=False)
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None
    state: ApprovalState

    @property
    def registries(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.fields))


class Approvals:
    """Keeps requests, takes decisions, and lets each approval be used once."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, log: AuditLog, lasts: timedelta, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._lasts = lasts
        self._clock = clock

    def ask(
        self,
        actor: Actor,
        purpose: Purpose,
        subject: PersonalCode,
        fields: Sequence[str],
        *,
        case: str | None,
        justification: str,
        request_id: str,
    ) -> str:
        """Keep the request and record it; gives its id. Raises DisclosureUnavailable when it cannot be recorded."""
        approval_id, now = str(uuid.uuid4()), self._clock()
        row = Approval(
            id=approval_id,
            sealed_subject=self._sealer.seal(subject.reveal(), approval_id),
            sealed_justification=self._sealer.seal(justification, f"{approval_id}/reason"),
            purpose=purpose.code,
            case=case,
            fields="\n".join(fields),
            requested_by=actor.account_id,
            requester_name=actor.name,
            organisation=actor.organisation or "",
            requested_at=now,
            expires_at=now + self._lasts,
            state=ApprovalState.ASKED,
        )
        with self._sessions.begin() as session:
            session.add(row)
            session.flush()
            record(self._log, [self._event(actor, Action.APPROVAL_REQUEST, row, request_id, Outcome.DONE)])
        return approval_id

    def decide(self, actor: Actor, approval_id: str, *, approve: bool, request_id: str) -> str:
        """Approve or refuse, once; gives who asked.

        Raises:
            NothingHere: there is none for this actor, it is their own, it has expired or was decided before.
            DisclosureUnavailable: the log could not record it; it is still to be decided.
        """
        now = self._clock()
        state = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
        with self._sessions.begin() as session:
            row = session.scalars(
                update(Approval)
                .where(
                    Approval.id == approval_id,
                    Approval.organisation == (actor.organisation or "\0"),
                    Approval.requested_by != actor.account_id,
                    Approval.state == ApprovalState.ASKED,
                    Approval.expires_at > now,
                )
                .values(state=state, decided_by=actor.account_id, decided_at=now, expires_at=now + self._lasts)
                .returning(Approval)
            ).one_or_none()
            if row is None:
                raise NothingHere
            outcome = Outcome.DONE if approve else Outcome.DENIED
            record(self._log, [self._event(actor, Action.APPROVAL_DECISION, row, request_id, outcome)])
            return row.requested_by

    def take(self, actor: Actor, approval_id: str) -> ShownApproval | None:
        """Use it up; None when it cannot be used (any more). Raises NothingHere when it is not the actor's."""
        now = self._clock()
        with self._sessions.begin() as session:
            row = session.get(Approval, approval_id)
            if row is None or row.requested_by != actor.account_id:
                raise NothingHere
            taken = session.execute(
                update(Approval)
                .where(
                    Approval.id == approval_id,
                    Approval.state == ApprovalState.APPROVED,
                    Approval.expires_at > now,
                )
                .values(state=ApprovalState.USED, used_at=now)
                .returning(Approval.id)
                .execution_options(synchronize_session=False)
            ).all()
            return self._shown(row) if taken else None

    def give_back(self, approval_id: str) -> None:
        """What was taken could not be used, since the log did not answer: it stands as before."""
        with self._sessions.begin() as session:
            session.execute(
                update(Approval)
                .where(Approval.id == approval_id, Approval.state == ApprovalState.USED)
                .values(state=ApprovalState.APPROVED, used_at=None)
            )

    def own(self, actor: Actor, approval_id: str) -> ShownApproval:
        """Raises NothingHere when there is none of the actor's."""
        with self._sessions() as session:
            row = session.get(Approval, approval_id)
            if row is None or row.requested_by != actor.account_id:
                raise NothingHere
            return self._shown(row)

    def asked_by(self, actor: Actor) -> list[ShownApproval]:
        with self._sessions() as session:
            rows = session.scalars(
                select(Approval)
                .where(Approval.requested_by == actor.account_id)
                .order_by(Approval.requested_at.desc())
                .limit(HISTORY_LENGTH)
            )
            return self._all(rows)

    def waiting_for(self, actor: Actor) -> list[ShownApproval]:
        """What this actor may decide, the oldest first."""
        with self._sessions() as session:
            rows = session.scalars(
                select(Approval)
                .where(
                    Approval.organisation == (actor.organisation or "\0"),
                    Approval.requested_by != actor.account_id,
                    Approval.state == ApprovalState.ASKED,
                    Approval.expires_at > self._clock(),
                )
                .order_by(Approval.requested_at)
                .limit(HISTORY_LENGTH)
            )
            return self._all(rows)

    def _all(self, rows: Iterable[Approval]) -> list[ShownApproval]:
        return [self._shown(row) for row in rows]

    def _shown(self, row: Approval) -> ShownApproval:
        state = ApprovalState(row.state)
        if state in {ApprovalState.ASKED, ApprovalState.APPROVED} and self._clock() >= row.expires_at:
            state = ApprovalState.EXPIRED
        return ShownApproval(
            approval_id=row.id,
            subject=PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id)),
            justification=self._sealer.unseal(row.sealed_justification, f"{row.id}/reason"),
            purpose=row.purpose,
            case=row.case,
            fields=tuple(row.fields.split("\n")),
            requested_by=row.requested_by,
            requester_name=row.requester_name,
            requested_at=row.requested_at,
            expires_at=row.expires_at,
            decided_by=row.decided_by,
            state=state,
        )

    def _event(self, actor: Actor, action: Action, row: Approval, request_id: str, outcome: Outcome) -> Access:
        subject = PersonalCode.parse(self._sealer.unseal(row.sealed_subject, row.id))
        is_asking = action is Action.APPROVAL_REQUEST
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
            purpose=row.purpose,
            case=row.case,
            justification=self._sealer.unseal(row.sealed_justification, f"{row.id}/reason") if is_asking else None,
            request_id=request_id,
            details={"approval": row.id, "fields": len(row.fields.split("\n"))},
        )
