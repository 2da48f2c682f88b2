"""A caseworker opens a person's record: the reason first, then the policy, then the gate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from audit.log import AuditLog, LoggedAccess, TrailQuery
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.decisions import CaseStanding, Facts, Relation
from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.registries.catalogue import Field, Registry
from portal.registries.records import Record
from portal.services.disclosure import Gate, Grant
from portal.services.entries import Once
from portal.services.justification import Weakness, is_the_same_reason, tidied, weakness_of
from portal.services.policy import Decision, Policy
from portal.services.sealing import References

PAGE_LENGTH = 50
#: How many of an official's last reasons a new one is held against.
REASONS_REMEMBERED = 30
#: A refused justification is kept as evidence, but not at any length.
EVIDENCE_LENGTH = 200


class JustificationRefused(AccessDenied):
    """The reason given is none. The refusal is in the log; the caller shows what a good reason says."""

    def __init__(self, weakness: Weakness, entry: int) -> None:
        super().__init__(Reason.JUSTIFICATION, entry)
        self.weakness = weakness


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a caseworker asks for. `registries` empty means every registry that the purpose reaches.

    Under a `seal` all that comes of it, a refusal too, is withheld from the subject until the seal ends.
    """

    subject: PersonalCode
    purpose: str
    registries: tuple[str, ...] = ()
    case: str | None = None
    justification: str = field(repr=False)
    seal: str | None = None
    once: Once | None = None


@dataclass(frozen=True, slots=True)
class OpenedRegistry:
    """One registry's part of an opened record: the fields shown, those kept back, the records (None: no answer)."""

    decision: Decision
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)

    @property
    def registry(self) -> Registry:
        return self.decision.registry

    @property
    def permitted(self) -> tuple[Field, ...]:
        return self.decision.permitted

    @property
    def withheld(self) -> tuple[Field, ...]:
        return self.decision.withheld


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """What the caseworker sees, once. Another look is another entry."""

    purpose: Purpose
    subject: PersonalCode
    case: str | None
    justification: str = field(repr=False)
    registries: tuple[OpenedRegistry, ...]


@dataclass(frozen=True, slots=True)
class CaseworkPage:
    """A page of an official's own requests, newest first. `older` is the reference to pass for the next page."""

    items: list[LoggedAccess]
    older: str | None


class Casework:
    """Justified access for the caseworker's role."""

    def __init__(self, policy: Policy, gate: Gate, log: AuditLog, references: References) -> None:
        self._policy = policy
        self._gate = gate
        self._log = log
        self._references = references

    def purposes(self, actor: Actor) -> tuple[Purpose, ...]:
        return self._policy.purposes_for(actor)

    def purpose(self, actor: Actor, code: str) -> Purpose:
        """Raises NothingHere when there is no such purpose or the actor may not state it."""
        purpose = self._policy.purpose(code)
        if purpose is None or self._policy.refusal_of_purpose(actor, purpose) is not None:
            raise NothingHere
        return purpose

    def offers(self, actor: Actor, purpose: Purpose) -> tuple[Decision, ...]:
        return self._policy.offers(actor, purpose)

    def open_record(self, actor: Actor, opening: Opening, *, request_id: str) -> OpenedRecord:
        """Disclose the fields that the purpose permits, after the entry is durable.

        Raises:
            NothingHere: no such purpose or registry.
            AccessDenied: the policy refused; the refusal is an entry.
            JustificationRefused: the reason says nothing; the refusal is an entry.
            DisclosureUnavailable: the log could not record it; nothing was released.
        """
        purpose = self._policy.purpose(opening.purpose)
        if purpose is None:
            raise NothingHere
        wanted = tuple(dict.fromkeys(opening.registries)) or tuple(purpose.permits)
        if not self._policy.knows_registries(wanted):
            raise NothingHere
        reason = tidied(opening.justification)
        facts = Facts(
            case=CaseStanding.STATED if opening.case else CaseStanding.NONE,
            relation=Relation.OWN if actor.personal_code == opening.subject else Relation.NONE,
        )
        decisions = {registry: self._policy.decide(actor, purpose, registry, facts) for registry in wanted}
        grants = [
            Grant(
                actor=actor,
                action=Action.READ,
                subject=opening.subject,
                registry=registry,
                fields=decision.codes,
                purpose=purpose.code,
                lawful_basis=purpose.lawful_basis.en,
                request_id=request_id,
                case=opening.case,
                on_behalf_of=self._policy.principal_of(actor),
                justification=reason,
                seal=opening.seal,
                once=opening.once,
            )
            for registry, decision in decisions.items()
        ]
        self._refuse_what_policy_refuses(decisions.values(), grants)
        self._refuse_a_weak_reason(actor, opening, reason, grants)
        opened = tuple(
            OpenedRegistry(decisions[disclosure.registry], disclosure.entry, disclosure.records)
            for disclosure in self._gate.disclose(grants)
        )
        return OpenedRecord(purpose, opening.subject, opening.case, reason, opened)

    def history(self, actor: Actor, *, before: str | None = None) -> CaseworkPage:
        """The actor's own openings and refusals. Raises NothingHere when `before` is no reference of this actor's."""
        last = None if before is None else self._references.entry(before, actor.account_id)
        query = TrailQuery(official=actor.account_id, actions=frozenset({Action.READ}))
        page = self._log.read(query, before=last, limit=PAGE_LENGTH)
        older = page.next_before
        return CaseworkPage(page.items, None if older is None else self._references.to_entry(older, actor.account_id))

    def _refuse_what_policy_refuses(self, decisions: Iterable[Decision], grants: Sequence[Grant]) -> None:
        reason = next((decision.refusal for decision in decisions if decision.refusal is not None), None)
        if reason is not None:
            raise AccessDenied(reason, self._gate.refuse([_as_evidence(grant) for grant in grants], reason))

    def _refuse_a_weak_reason(self, actor: Actor, opening: Opening, reason: str, grants: Sequence[Grant]) -> None:
        weakness = weakness_of(opening.justification)
        if weakness is None and self._was_given_for_another(actor, opening, reason):
            weakness = Weakness.REPEATED
        if weakness is not None:
            logged = Reason.JUSTIFICATION_REPEATED if weakness is Weakness.REPEATED else Reason.JUSTIFICATION
            keep = weakness is not Weakness.NAMES_A_PERSONAL_CODE
            entry = self._gate.refuse([_as_evidence(grant, keep_reason=keep) for grant in grants], logged)
            raise JustificationRefused(weakness, entry)

    def _was_given_for_another(self, actor: Actor, opening: Opening, reason: str) -> bool:
        """Whether the actor gave this very reason lately for another person outside this case."""
        query = TrailQuery(official=actor.account_id, actions=frozenset({Action.READ}), outcome=Outcome.RELEASED)
        for logged in self._log.read(query, limit=REASONS_REMEMBERED).items:
            access = logged.access
            if access is None or access.justification is None or access.subject == opening.subject.subject:
                continue
            same_case = opening.case is not None and access.case == opening.case
            if not same_case and is_the_same_reason(access.justification, reason):
                return True
        return False


def _as_evidence(grant: Grant, *, keep_reason: bool = True) -> Grant:
    """A denied look names no fields (none were released) and keeps only the beginning of the reason given."""
    kept = grant.justification[:EVIDENCE_LENGTH] if keep_reason and grant.justification else None
    return replace(grant, fields=(), justification=kept)
