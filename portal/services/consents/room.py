"""The room of consents: its services, put together in one place, and the record that both sides may take away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit.log import AuditLog
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.consents import ConsentRules
from portal.domain.machines import ClientSystem
from portal.services.clock import Clock
from portal.services.consents.own import OwnConsents
from portal.services.consents.record import consent_record
from portal.services.consents.register import Register, ShownConsent, event
from portal.services.consents.requests import ConsentRequests
from portal.services.consents.terms import Terms
from portal.services.consents.uses import ConsentUses
from portal.services.disclosure import Gate
from portal.services.entries import record
from portal.services.machines import Admitted
from portal.services.marks import RecordMarks
from portal.services.policy import Policy
from portal.services.safeguards import Foundations


class ConsentRecords:
    """Gives out records. Taking one away is an entry; the giving's receipt stands in it."""

    def __init__(self, own: OwnConsents, requests: ConsentRequests, log: AuditLog, clock: Clock) -> None:
        self._own = own
        self._requests = requests
        self._log = log
        self._clock = clock

    def for_person(self, actor: Actor, consent_id: str, language: str, page: str, *, request_id: str) -> dict[str, Any]:
        """Raises NothingHere as `OwnConsents.one`, and DisclosureUnavailable."""
        consent = self._own.one(actor, consent_id)
        self._note(consent, actor, request_id)
        return consent_record(consent, language, page, self._proof(consent, for_subject=True))

    def for_recipient(
        self, admitted: Admitted, consent_id: str, language: str, page: str, *, request_id: str
    ) -> dict[str, Any]:
        """Raises NothingHere as `ConsentRequests.given`, and DisclosureUnavailable."""
        consent = self._requests.given(admitted, consent_id)
        self._note(consent, admitted.client, request_id)
        return consent_record(consent, language, page, self._proof(consent, for_subject=False))

    def _note(self, consent: ShownConsent, by: Actor | ClientSystem, request_id: str) -> None:
        at, about = self._clock(), consent.subject
        action = Action.OWN_CONSENT_RECORD if isinstance(by, Actor) else Action.CONSENT_RECORD
        entry = event(action, consent.consent_id, consent.notice, about, at, request_id, by=by)
        record(self._log, [entry])

    def _proof(self, consent: ShownConsent, *, for_subject: bool) -> str | None:
        if not consent.was_given or consent.decided_entry is None:
            return None
        return self._log.receipt(consent.decided_entry, for_subject=for_subject).text


@dataclass(frozen=True, slots=True)
class Consents:
    """The services of this room."""

    requests: ConsentRequests
    uses: ConsentUses
    own: OwnConsents
    records: ConsentRecords

    @classmethod
    def furnish(cls, on: Foundations, gate: Gate, rules: ConsentRules) -> Consents:
        register = Register(on.sealer)
        terms = Terms(on.catalogue, Policy(on.catalogue), rules)
        requests = ConsentRequests(on.sessions, register, terms, on.log, on.alerts(), on.clock)
        marks = RecordMarks(on.sessions, on.sealer, on.clock)
        own = OwnConsents(on.sessions, register, on.log, on.clock)
        return cls(
            requests=requests,
            uses=ConsentUses(on.sessions, register, terms, gate, marks, on.clock),
            own=own,
            records=ConsentRecords(own, requests, on.log, on.clock),
        )
