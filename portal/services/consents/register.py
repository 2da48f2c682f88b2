"""The register of consents: how a row is found, read, and told of in the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.entry import Access
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.consents import ConsentState, Notice
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem
from portal.models.consents import Consent
from portal.services.sealing import Sealer

_SUBJECTS = "consents/subject"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownConsent:
    """One consent as it stands now. `subject` is for the services; no page and no answer shows it."""

    consent_id: str
    state: ConsentState
    notice: Notice
    subject: PersonalCode = field(repr=False)
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    ends_at: datetime | None
    ended_at: datetime | None
    uses: int
    last_used_at: datetime | None
    asked_entry: int
    decided_entry: int | None
    ended_entry: int | None

    @property
    def lasts(self) -> timedelta:
        return timedelta(days=self.notice.days)

    @property
    def was_given(self) -> bool:
        return self.ends_at is not None


class Register:
    """Reads rows and writes what the log says of them. It opens no session of its own."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer

    def index_of(self, subject: PersonalCode) -> bytes:
        return self._sealer.blind_index(subject.subject, _SUBJECTS)

    def digest_of(self, request: str) -> bytes:
        return self._sealer.blind_index(request, "consents/request")

    def seal(self, text: str, consent_id: str, part: str) -> bytes:
        return self._sealer.seal(text, f"{consent_id}/{part}")

    def of_client(self, session: Session, client: ClientSystem, consent_id: str) -> Consent | None:
        """A consent that this system's organisation asked for; another's is as if it were not there."""
        wanted = select(Consent).where(Consent.id == consent_id, Consent.recipient == client.organisation)
        return session.scalars(wanted).one_or_none()

    def of_person(self, session: Session, subject: PersonalCode, consent_id: str) -> Consent | None:
        wanted = select(Consent).where(Consent.id == consent_id, Consent.subject_index == self.index_of(subject))
        return session.scalars(wanted).one_or_none()

    def shown(self, row: Consent, now: datetime) -> ShownConsent:
        return ShownConsent(
            consent_id=row.id,
            state=_state(row, now),
            notice=Notice.from_json(self._sealer.unseal(row.sealed_notice, f"{row.id}/notice")),
            subject=PersonalCode.parse(self._sealer.unseal(row.sealed_subject, f"{row.id}/subject")),
            asked_at=row.asked_at,
            expires_at=row.expires_at,
            decided_at=row.decided_at,
            ends_at=row.ends_at,
            ended_at=row.ended_at,
            uses=row.uses,
            last_used_at=row.last_used_at,
            asked_entry=row.asked_entry,
            decided_entry=row.decided_entry,
            ended_entry=row.ended_entry,
        )


def event(
    action: Action,
    consent_id: str,
    notice: Notice,
    subject: PersonalCode,
    at: datetime,
    request_id: str,
    *,
    by: Actor | ClientSystem,
    details: Mapping[str, str | int] | None = None,
    reason: Reason | None = None,
) -> Access:
    """A step of a consent as the log has it: codes, a reference, and the fingerprint of what the person was told."""
    is_system = isinstance(by, ClientSystem)
    return Access(
        action=action,
        outcome=Outcome.DONE if reason is None else Outcome.DENIED,
        source=PORTAL_SOURCE,
        occurred_at=at,
        subject=subject.subject,
        organisation=notice.recipient.code,
        role=by.role if isinstance(by, Actor) else None,
        purpose=notice.purpose.code,
        lawful_basis=notice.purpose.lawful_basis.en,
        request_id=request_id,
        reason=reason,
        automatic=is_system,
        details={"consent": consent_id, "terms-sha256": notice.sha256, **(details or {})},
    )


def _state(row: Consent, now: datetime) -> ConsentState:
    if row.state == ConsentState.WAITING and now >= row.expires_at:
        return ConsentState.EXPIRED
    if row.state == ConsentState.GIVEN and row.ends_at is not None and now >= row.ends_at:
        return ConsentState.OVER
    return ConsentState(row.state)
