"""Recipients ask. Whoever the code is of, and whether it is anybody's here, the answer and the work are the same."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from audit.log import AuditLog
from portal.domain.actions import Action
from portal.domain.consents import (
    ConsentKeyTaken,
    ConsentRequestRefused,
    ConsentState,
    Notice,
    TooManyRequests,
)
from portal.domain.errors import NothingHere
from portal.domain.machines import ClientSystem, Operation
from portal.models.consents import Consent
from portal.services.alerts import AlertKind, Alerts
from portal.services.clock import Clock
from portal.services.consents.register import Register, ShownConsent, event
from portal.services.consents.terms import ConsentRequest, Terms
from portal.services.entries import record
from portal.services.machines import Admitted
from portal.services.reports import IDEMPOTENCY_KEY

_IDS = uuid.UUID("0d8b6c4e-6f6a-5a0e-8f0b-6b6d7c1f9a31")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a recipient is told of a consent. `state` is waiting, given, not-given or ended.

    A refusal looks like no answer until the request's time is over: it would tell that the person is there.
    """

    consent_id: str
    state: str
    expires_at: datetime
    ends_at: datetime | None


class ConsentRequests:
    """Takes requests into the register and tells a recipient how its own stand."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        register: Register,
        terms: Terms,
        log: AuditLog,
        alerts: Alerts,
        clock: Clock,
    ) -> None:
        self._sessions = sessions
        self._register = register
        self._terms = terms
        self._log = log
        self._alerts = alerts
        self._clock = clock

    def ask(self, admitted: Admitted, request: ConsentRequest, key: str, *, request_id: str) -> Standing:
        """Keep the request and tell the person. The same `key` with the same request gives the first answer again.

        Raises:
            ClientRefused: the system's token is not for one of the registries.
            ConsentRequestRefused: the catalogue does not let this recipient ask for it.
            TooManyRequests: it asked this person, or people in all, too often lately.
            ConsentKeyTaken: the key stands for another request.
            DisclosureUnavailable: the log could not record it; nothing was kept.
        """
        if IDEMPOTENCY_KEY.fullmatch(key) is None:
            raise ConsentRequestRefused({"Idempotency-Key": "8 to 128 letters, digits and . _ ~ -"})
        notice = self._terms.notice(admitted.client, request)
        for registry in notice.fields:
            admitted.require(Operation.REQUEST_CONSENT, registry)
        consent_id = str(uuid.uuid5(_IDS, f"{admitted.client.code}\n{key}"))
        digest = self._register.digest_of(_canonical(request))
        try:
            row: Consent | None = self._kept(admitted.client, consent_id) or self._keep(
                admitted.client, consent_id, request, notice, digest, request_id
            )
        except IntegrityError:  # the same key came twice at once
            row = self._kept(admitted.client, consent_id)
        if row is None or row.request_digest != digest:
            raise ConsentKeyTaken
        self._alerts.tell_person(request.subject, AlertKind.CONSENT_ASKED, consent_id)
        return Standing(consent_id, "waiting", row.expires_at, None)

    def standing(self, admitted: Admitted, consent_id: str) -> Standing:
        """Raises NothingHere for what this recipient did not ask for, ClientRefused beyond its token."""
        consent = self._own(admitted, consent_id)
        return Standing(
            consent_id,
            _told(consent, self._clock()),
            consent.expires_at,
            consent.ends_at if consent.was_given else None,
        )

    def given(self, admitted: Admitted, consent_id: str) -> ShownConsent:
        """A consent that was given, whatever became of it since. Raises NothingHere, also where none was given."""
        consent = self._own(admitted, consent_id)
        if not consent.was_given:
            raise NothingHere
        return consent

    def _own(self, admitted: Admitted, consent_id: str) -> ShownConsent:
        row = self._kept(admitted.client, consent_id)
        if row is None:
            raise NothingHere
        consent = self._register.shown(row, self._clock())
        for registry in consent.notice.fields:
            admitted.require(Operation.REQUEST_CONSENT, registry)
        return consent

    def _kept(self, client: ClientSystem, consent_id: str) -> Consent | None:
        with self._sessions() as session:
            return self._register.of_client(session, client, consent_id)

    def _keep(
        self,
        client: ClientSystem,
        consent_id: str,
        request: ConsentRequest,
        notice: Notice,
        digest: bytes,
        request_id: str,
    ) -> Consent:
        now = self._clock()
        index = self._register.index_of(request.subject)
        row = Consent(
            id=consent_id,
            client=client.code,
            recipient=client.organisation,
            subject_index=index,
            sealed_subject=self._register.seal(request.subject.reveal(), consent_id, "subject"),
            sealed_notice=self._register.seal(notice.to_json(), consent_id, "notice"),
            request_digest=digest,
            state=ConsentState.WAITING,
            continuing=request.continuing,
            days=request.days,
            asked_at=now,
            expires_at=now + self._terms.rules.request,
            uses=0,
            asked_entry=0,
        )
        with self._sessions.begin() as session:
            session.expire_on_commit = False
            self._refuse_too_many(session, client, index, now)
            session.add(row)
            session.flush()
            entry = event(Action.CONSENT_REQUEST, consent_id, notice, request.subject, now, request_id, by=client)
            row.asked_entry = record(self._log, [entry])[0].seq
        return row

    def _refuse_too_many(self, session: Session, client: ClientSystem, index: bytes, now: datetime) -> None:
        """Counted whatever became of the earlier requests: a count that a refusal changed would tell of it."""
        rules = self._terms.rules
        asked = select(func.count()).select_from(Consent).where(Consent.recipient == client.organisation)
        about = asked.where(Consent.subject_index == index, Consent.asked_at > now - rules.per_person_within)
        in_all = asked.where(Consent.asked_at > now - _DAY)
        if session.scalar(about) >= rules.per_person or session.scalar(in_all) >= rules.a_day:  # type: ignore[operator]
            raise TooManyRequests


def _told(consent: ShownConsent, now: datetime) -> str:
    if consent.state is ConsentState.GIVEN:
        return "given"
    if consent.was_given:
        return "ended"
    return "waiting" if now < consent.expires_at else "not-given"


def _canonical(request: ConsentRequest) -> str:
    asked = [request.subject.subject, request.purpose, dict(request.fields), request.days, request.continuing]
    return json.dumps(asked, sort_keys=True)
