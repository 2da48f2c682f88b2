"""THE GATE. Personal data leaves a registry only through here, and only after its access entry is durable.

The order is the whole point: the entry first, then the registry, then the caller. A process killed in between leaves an
entry without a disclosure, never a disclosure without an entry. Nothing else may import a connector (`make check`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from audit.entry import Access
from audit.log import Acknowledgement, AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.identifiers import PersonalCode
from portal.domain.machines import ClientSystem
from portal.domain.security_events import SecurityEvent
from portal.registries.connector import Connector, RegistryUnavailable
from portal.registries.records import Record
from portal.services.clock import Clock
from portal.services.entries import Once, record, record_once
from portal.services.security_log import announce


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One look that the policy permits: one actor, one subject, one registry, one purpose, exactly these fields.

    The actor is a person in a role, or a recipient's own system that comes with a consent.
    `is_automatic`: the portal itself compares what it gets, and no human sees it.
    """

    actor: Actor | ClientSystem
    action: Action
    subject: PersonalCode
    registry: str
    fields: tuple[str, ...]
    purpose: str
    lawful_basis: str
    request_id: str
    case: str | None = None
    on_behalf_of: str | None = None
    justification: str | None = field(default=None, repr=False)
    #: The seal under which the entry is withheld from the subject until it ends.
    seal: str | None = None
    #: Small extras for the entry: codes and counts, never a value out of a record.
    details: Mapping[str, str | int] = field(default_factory=dict, hash=False)
    #: Set where the same look may be asked for again, after a crash, and must stay one entry.
    once: Once | None = None
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What the gate handed over. `records` is None when the registry gave no answer; the failure is an entry too."""

    registry: str
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many records a registry holds on the person; None when it gave no answer."""

    registry: str
    entry: int
    count: int | None


class Gate:
    """The one door. Give it grants; it writes their entries in one transaction, then asks the registries."""

    def __init__(self, log: AuditLog, connectors: Mapping[str, Connector], clock: Clock) -> None:
        self._log = log
        self._connectors = connectors
        self._clock = clock

    def disclose(self, grants: Sequence[Grant]) -> list[Disclosure]:
        """Record every grant, then fetch exactly its fields.

        Raises:
            DisclosureUnavailable: the log could not make an entry durable. No registry was asked for what it covers,
                and nothing is released.
        """
        disclosures = []
        for grant, entry in self._recorded(grants):
            try:
                records = self._connectors[grant.registry].fetch(grant.subject, grant.fields)
            except RegistryUnavailable:
                self._record_failure(grant, entry)
                disclosures.append(Disclosure(grant.registry, entry, None))
            else:
                disclosures.append(Disclosure(grant.registry, entry, _only(grant.fields, records)))
        return disclosures

    def confirm(self, grants: Sequence[Grant]) -> list[Confirmation]:
        """Record every grant, then ask only how many records there are (GDPR Article 15(1): confirmation).

        Raises:
            DisclosureUnavailable: as for `disclose`.
        """
        confirmations = []
        for grant, entry in self._recorded(grants):
            try:
                count = self._connectors[grant.registry].count(grant.subject)
            except RegistryUnavailable:
                self._record_failure(grant, entry)
                confirmations.append(Confirmation(grant.registry, entry, None))
            else:
                confirmations.append(Confirmation(grant.registry, entry, count))
        return confirmations

    def note(self, grant: Grant) -> int:
        """Record a look for which no registry is asked: at what the log itself says of the person. Gives its number.

        Raises:
            DisclosureUnavailable: it could not be recorded, so the caller shows nothing.
        """
        [(_grant, entry)] = self._recorded([grant])
        return entry

    def refuse(self, grants: Sequence[Grant], reason: Reason) -> int:
        """Record that these looks were asked for and denied; gives the first entry's number.

        Raises:
            DisclosureUnavailable: the refusal could not be recorded. Nothing was released either.
        """
        denied = self._entered([(grant, self._access(grant, Outcome.DENIED, reason=reason)) for grant in grants])
        announce(SecurityEvent.ACCESS_DENIED, reason=reason, entry=denied[0].seq)
        return denied[0].seq

    def _recorded(self, grants: Sequence[Grant]) -> list[tuple[Grant, int]]:
        acknowledged = self._entered([(grant, self._access(grant, Outcome.RELEASED)) for grant in grants])
        return [(grant, entry.seq) for grant, entry in zip(grants, acknowledged, strict=True)]

    def _record_failure(self, grant: Grant, entry: int) -> None:
        failure = self._access(grant, Outcome.FAILED, reason=Reason.REGISTRY_UNAVAILABLE, refers_to=entry)
        self._entered([(grant, failure)])

    def _entered(self, looks: Sequence[tuple[Grant, Access]]) -> list[Acknowledgement]:
        """All of them in one transaction; each by itself where it must stay one entry however often it is asked for."""
        if not any(grant.once for grant, _ in looks):
            return record(self._log, [access for _, access in looks])
        return [
            record_once(self._log, access, f"{grant.once.key}/{grant.registry}/{access.outcome}")
            for grant, access in looks
            if grant.once is not None
        ]

    def _access(
        self, grant: Grant, outcome: Outcome, *, reason: Reason | None = None, refers_to: int | None = None
    ) -> Access:
        actor = grant.actor
        person = actor if isinstance(actor, Actor) else None
        official = None if person is None or _is_of_oneself(person, grant.subject) else person
        return Access(
            action=grant.action,
            outcome=outcome,
            source=PORTAL_SOURCE,
            occurred_at=self._clock() if grant.once is None else grant.once.occurred_at,
            subject=grant.subject.subject,
            organisation=actor.organisation,
            on_behalf_of=grant.on_behalf_of,
            role=None if person is None else person.role,
            official=None if official is None else official.account_id,
            official_name=None if official is None else official.name,
            registry=grant.registry,
            fields=grant.fields,
            purpose=grant.purpose,
            lawful_basis=grant.lawful_basis,
            case=grant.case,
            justification=grant.justification,
            request_id=grant.request_id,
            reason=reason,
            seal=grant.seal,
            automatic=grant.is_automatic,
            details={**grant.details, **({} if refers_to is None else {"refers-to": refers_to})},
        )


def _is_of_oneself(person: Actor, subject: PersonalCode) -> bool:
    """Whoever looks at somebody else is named beside them: an official, and a citizen who acts for another."""
    return person.role is Role.CITIZEN and person.personal_code == subject


def _only(fields: tuple[str, ...], records: tuple[Record, ...]) -> tuple[Record, ...]:
    """What was logged is what is released, even if a connector is mistaken about what it was asked for."""
    return tuple(Record({code: value for code, value in record.fields.items() if code in fields}) for record in records)
