"""A caseworker opens a person's record: the reason first, then the policy, then the gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.decisions import Obligation
from portal.domain.errors import AccessDenied, DisclosureUnavailable, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.marks import Mark, MarkKind
from portal.domain.purposes import Purpose
from portal.domain.reviews import Ground
from portal.registries.catalogue import Field, Registry
from portal.registries.records import Record
from portal.services.circumstances import Circumstances, Opening, Situation
from portal.services.disclosure import Disclosure, Gate, Grant
from portal.services.justification import Weakness, tidied, weakness_of, weakness_within_a_case
from portal.services.past_looks import CaseworkPage, PastLooks
from portal.services.policy import Decision, Policy
from portal.services.reviews import Reviews

#: A refused justification is kept as evidence, but not at any length.
EVIDENCE_LENGTH = 200


class JustificationRefused(AccessDenied):
    """The reason given is none. The refusal is in the log; the caller shows what a good reason says."""

    def __init__(self, weakness: Weakness, entry: int) -> None:
        super().__init__(Reason.JUSTIFICATION, entry)
        self.weakness = weakness


@dataclass(frozen=True, slots=True)
class ShownMark:
    """A mark on what was asked for. `is_shown` is False where the restriction kept it closed."""

    kind: MarkKind
    field: str | None
    since: datetime
    is_shown: bool


@dataclass(frozen=True, slots=True)
class OpenedRegistry:
    """One registry's part of an opened record: the fields shown, those kept back, the records (None: no answer)."""

    decision: Decision
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)
    marks: tuple[ShownMark, ...] = ()

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
    justification: str | None = field(repr=False)
    registries: tuple[OpenedRegistry, ...]
    is_reviewed: bool = False


class Casework:
    """Justified access for the caseworker's role."""

    def __init__(
        self, policy: Policy, circumstances: Circumstances, gate: Gate, reviews: Reviews, past: PastLooks
    ) -> None:
        self._policy = policy
        self._circumstances = circumstances
        self._gate = gate
        self._reviews = reviews
        self._past = past

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

    def history(self, actor: Actor, *, before: str | None = None) -> CaseworkPage:
        """The actor's own openings and refusals. Raises NothingHere when `before` is no reference of this actor's."""
        return self._past.history(actor, before=before)

    def open_record(self, actor: Actor, opening: Opening, *, request_id: str) -> OpenedRecord:
        """Disclose the fields that the purpose permits in these circumstances, after the entry is durable.

        Raises:
            NothingHere: no such purpose or registry, or the case that was chosen is none of the actor's.
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
        situation = self._circumstances.of(actor, opening, purpose)
        asked = _Asked(actor, opening, purpose, wanted, tidied(opening.justification) or None, request_id)
        # What needs no registry is refused first: nobody's ties are looked up for an access that cannot be.
        self._refuse_what_policy_refuses(asked, situation)
        self._refuse_a_weak_reason(asked, situation)
        situation = self._circumstances.with_closeness(situation, actor, opening, request_id)
        decisions = self._refuse_what_policy_refuses(asked, situation)
        review = self._filed(asked, situation, decisions)
        disclosures = self._disclose(review, self._grants(asked, situation, decisions))
        opened = tuple(_opened(decisions[part.registry], part, situation.marks) for part in disclosures)
        return OpenedRecord(
            purpose, opening.subject, situation.reference, asked.reason, opened, is_reviewed=review is not None
        )

    def _filed(self, asked: _Asked, situation: Situation, decisions: Mapping[str, Decision]) -> str | None:
        """The review of this access, filed before it happens; None when it needs none."""
        is_due = any(Obligation.NEEDS_REVIEW in decision.obligations for decision in decisions.values())
        if not is_due and Ground.ABSENT not in situation.grounds:
            return None
        return self._reviews.file(
            asked.actor,
            asked.purpose.code,
            situation.reference,
            situation.grounds,
            request_id=asked.request_id,
        )

    def _disclose(self, review: str | None, grants: Sequence[Grant]) -> list[Disclosure]:
        try:
            disclosures = self._gate.disclose(grants)
        except DisclosureUnavailable:
            if review is not None:
                self._reviews.withdraw(review)
            raise
        if review is not None:
            self._reviews.opened(review, [disclosure.entry for disclosure in disclosures])
        return disclosures

    def _refuse_what_policy_refuses(self, asked: _Asked, situation: Situation) -> dict[str, Decision]:
        """The decision on each registry that was asked for; one that opens nothing refuses the whole."""
        decisions = {
            registry: self._policy.decide(asked.actor, asked.purpose, registry, situation.facts)
            for registry in asked.registries
        }
        reason = next((decision.refusal for decision in decisions.values() if decision.refusal is not None), None)
        if reason is not None:
            grants = self._grants(asked, situation, decisions)
            raise AccessDenied(reason, self._gate.refuse([_as_evidence(grant) for grant in grants], reason))
        return decisions

    def _refuse_a_weak_reason(self, asked: _Asked, situation: Situation) -> None:
        text = asked.opening.justification
        weakness = weakness_within_a_case(text) if situation.is_within_a_case else weakness_of(text)
        if weakness is None and not situation.is_within_a_case and self._was_given_for_another(asked):
            weakness = Weakness.REPEATED
        if weakness is not None:
            logged = Reason.JUSTIFICATION_REPEATED if weakness is Weakness.REPEATED else Reason.JUSTIFICATION
            keep = weakness is not Weakness.NAMES_A_PERSONAL_CODE
            grants = self._grants(asked, situation, {})
            entry = self._gate.refuse([_as_evidence(grant, keep_reason=keep) for grant in grants], logged)
            raise JustificationRefused(weakness, entry)

    def _was_given_for_another(self, asked: _Asked) -> bool:
        opening = asked.opening
        return self._past.gave_reason_for_another(asked.actor, asked.reason or "", opening.subject, opening.case)

    def _grants(self, asked: _Asked, situation: Situation, decisions: Mapping[str, Decision]) -> list[Grant]:
        return [
            Grant(
                actor=asked.actor,
                action=Action.READ,
                subject=asked.opening.subject,
                registry=registry,
                fields=_released(asked.opening, registry, decisions.get(registry)),
                details=_approval_of(asked.opening),
                purpose=asked.purpose.code,
                lawful_basis=asked.purpose.lawful_basis.en,
                request_id=asked.request_id,
                case=situation.reference,
                on_behalf_of=self._policy.principal_of(asked.actor),
                justification=asked.reason,
                seal=asked.opening.seal,
                once=asked.opening.once,
            )
            for registry in asked.registries
        ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request to open a record, as it came and as it was read."""

    actor: Actor
    opening: Opening
    purpose: Purpose
    registries: tuple[str, ...]
    reason: str | None = field(repr=False)
    request_id: str


def _opened(decision: Decision, disclosure: Disclosure, marks: Iterable[Mark]) -> OpenedRegistry:
    closed = {field.code for field in decision.because_of(Reason.RESTRICTED)}
    concerned = closed | set(decision.codes)
    here = tuple(
        ShownMark(
            mark.kind, mark.field, mark.since, is_shown=not (closed if mark.field is None else mark.field in closed)
        )
        for mark in marks
        if mark.registry == disclosure.registry and (mark.field is None or mark.field in concerned)
    )
    return OpenedRegistry(decision, disclosure.entry, disclosure.records, here)


def _released(opening: Opening, registry: str, decision: Decision | None) -> tuple[str, ...]:
    """What the policy gives and, where a second person approved, no more than they did."""
    codes = () if decision is None else decision.codes
    return codes if opening.approval is None else opening.approval.only(registry, codes)


def _approval_of(opening: Opening) -> dict[str, str | int]:
    approval = opening.approval
    return {} if approval is None else {"approval": approval.approval_id, "approver": approval.approver}


def _as_evidence(grant: Grant, *, keep_reason: bool = True) -> Grant:
    """A denied look names no fields (none were released) and keeps only the beginning of the reason given."""
    kept = grant.justification[:EVIDENCE_LENGTH] if keep_reason and grant.justification else None
    return replace(grant, fields=(), justification=kept)
