"""Who may see which fields for which purpose, and what has to happen beside it. Rules are data; no rule means no."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from portal.domain.actions import Reason
from portal.domain.actors import Actor
from portal.domain.decisions import Facts, Obligation, Relation
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.registries.catalogue import Catalogue, Field, Registry, Rule
from portal.services.policy_engine import Answer, PolicyEngine

#: How many decisions are remembered: each is one role, organisation, purpose and set of circumstances, never a person.
REMEMBERED = 4096
#: The role under which a registry's own system, or the portal itself, states a purpose.
SYSTEM = "system"
#: What a field is refused for while an obligation is not met.
_REASON_OF = {Obligation.NEEDS_CASE: Reason.CASE_MISSING, Obligation.NEEDS_SECOND_PERSON: Reason.SECOND_PERSON}
#: Which reason is told when several hold: who somebody is comes before what they ask for.
_PRECEDENCE = (
    Reason.POLICY_ERROR,
    Reason.ROLE,
    Reason.ORGANISATION,
    Reason.OWN_RECORD,
    Reason.REGISTRY,
    Reason.CLOSE_PERSON,
    Reason.CASE_MISSING,
    Reason.CASE_CLOSED,
    Reason.CASE_DOES_NOT_FIT,
    Reason.RESTRICTED,
    Reason.SECOND_PERSON,
    Reason.FIELD,
)


@dataclass(frozen=True, slots=True)
class RefusedField:
    """A field that stays closed, and why."""

    field: Field
    reason: Reason


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy says of one access to one registry.

    Exactly `permitted` may be released. `obligations` are those of the permitted fields (a review follows) and those
    whose fulfilment would open more (a case, a second person). `refusal` says why nothing opens; None when something
    does.
    """

    registry: Registry
    permitted: tuple[Field, ...]
    refused: tuple[RefusedField, ...]
    obligations: frozenset[Obligation]
    refusal: Reason | None

    @property
    def withheld(self) -> tuple[Field, ...]:
        return tuple(refused.field for refused in self.refused)

    @property
    def codes(self) -> tuple[str, ...]:
        """The permitted fields, in the registry's order, as a grant names them."""
        return tuple(field.code for field in self.permitted)

    def because_of(self, reason: Reason) -> tuple[Field, ...]:
        return tuple(refused.field for refused in self.refused if refused.reason is reason)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one field opens or not: the rules that decided it, or that there was none."""

    allowed: bool
    rules: tuple[Rule, ...]
    failed: bool


class Policy:
    """Answers from the catalogue and the circumstances alone: same question, same answer, no side effect."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._engine = PolicyEngine(catalogue)
        self._fields = tuple(
            f"{registry.code}/{field}" for registry in catalogue.registries.values() for field in registry.fields
        )
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._asked)

    def purpose(self, code: str) -> Purpose | None:
        return self._catalogue.purposes.get(code)

    def knows_registries(self, codes: tuple[str, ...]) -> bool:
        return bool(codes) and all(code in self._catalogue.registries for code in codes)

    def principal_of(self, actor: Actor) -> str | None:
        """The organisation for which the actor's own works as a processor, if it does."""
        organisation = self._catalogue.organisations.get(actor.organisation or "")
        return None if organisation is None else organisation.acts_for

    def purposes_for(self, actor: Actor) -> tuple[Purpose, ...]:
        """The purposes that the actor may state, in the catalogue's order."""
        return tuple(
            purpose for purpose in self._catalogue.purposes.values() if self.refusal_of_purpose(actor, purpose) is None
        )

    def refusal_of_purpose(self, actor: Actor, purpose: Purpose) -> Reason | None:
        """Why the actor may not state this purpose at all: it opens nothing to them under the best of circumstances."""
        decisions = [self.decide(actor, purpose, code, Facts()) for code in self._catalogue.registries]
        if any(decision.permitted for decision in decisions):
            return None
        return _foremost(decision.refusal for decision in decisions if decision.refusal is not None)

    def decide(self, actor: Actor, purpose: Purpose, registry: str, facts: Facts) -> Decision:
        """What opens in `registry` to this actor for this purpose in these circumstances, and what does not, and why.

        Raises KeyError for a registry that is not in the catalogue.
        """
        return self._decide(actor.role.value, actor.organisation or "", purpose, registry, facts)

    def decide_for_system(self, organisation: str, purpose: Purpose, registry: str) -> Decision:
        """The same for a system of `organisation`, with no human looking."""
        return self._decide(SYSTEM, organisation, purpose, registry, Facts())

    def refusal_of_access(self, actor: Actor, purpose: Purpose, registry: str, subject: PersonalCode) -> Reason | None:
        """Why this actor can never open this person's record in `registry` for `purpose`; None when it may be asked."""
        relation = Relation.OWN if actor.personal_code == subject else Relation.NONE
        if registry not in self._catalogue.registries:
            return Reason.REGISTRY
        return self.decide(actor, purpose, registry, Facts(relation=relation)).refusal

    def permitted_fields(self, actor: Actor, purpose: Purpose, registry: str) -> tuple[str, ...]:
        """The fields of `registry` that `purpose` gives within an assigned case, in the registry's order."""
        known = registry in self._catalogue.registries
        return self.decide(actor, purpose, registry, Facts()).codes if known else ()

    def offers(self, actor: Actor, purpose: Purpose) -> tuple[Decision, ...]:
        """What the purpose gives in each registry it reaches, and what it does not, in the best of circumstances."""
        decisions = (self.decide(actor, purpose, code, Facts()) for code in self._catalogue.registries)
        return tuple(decision for decision in decisions if decision.permitted)

    def explain(self, role: str, organisation: str, purpose: Purpose, field: str, facts: Facts) -> Explanation:
        """Why `field` ("registry/field") opens or stays closed. Raises KeyError when there is no such field."""
        answer = self._answers(role, organisation, purpose, facts)[field]
        return Explanation(answer.allowed, answer.rules, answer.failed)

    def _decide(self, role: str, organisation: str, purpose: Purpose, registry: str, facts: Facts) -> Decision:
        described = self._catalogue.registries[registry]
        actual = self._answers(role, organisation, purpose, facts)
        # What a second person could open is not a field that the purpose lacks.
        at_best = self._answers(role, organisation, purpose, Facts(approved=True))
        permitted, refused, obligations = [], [], set()
        for field in described.fields.values():
            name = f"{registry}/{field.code}"
            answer = actual[name]
            if answer.allowed:
                permitted.append(field)
                obligations |= _obligations_that_follow(answer)
                continue
            reason = _reason_of(answer, at_best[name], role, organisation, purpose)
            refused.append(RefusedField(field, reason))
            if at_best[name].allowed and not any(rule.reason for rule in answer.rules):
                # Only what is not met yet stands in the way; where a rule refuses outright, no fulfilment helps.
                obligations |= {rule.obligation for rule in answer.rules if rule.obligation is not None}
        refusal = None if permitted else _whole_refusal(tuple(refused))
        return Decision(described, tuple(permitted), tuple(refused), frozenset(obligations), refusal)

    def _answers(self, role: str, organisation: str, purpose: Purpose, facts: Facts) -> dict[str, Answer]:
        answers = self._remembered(role, organisation, purpose.code, facts)
        if any(answer.failed for answer in answers.values()):
            self._remembered.cache_clear()  # a failure is not an answer to keep
        return answers

    def _asked(self, role: str, organisation: str, purpose: str, facts: Facts) -> dict[str, Answer]:
        return self._engine.answers(role, organisation, self._catalogue.purposes[purpose], facts, self._fields)


def _obligations_that_follow(answer: Answer) -> set[Obligation]:
    """A permission free of obligations wins over one that has some."""
    permits = [rule for rule in answer.rules if rule.permits]
    if any(rule.obligation is None for rule in permits):
        return set()
    return {rule.obligation for rule in permits if rule.obligation is not None}


def _reason_of(answer: Answer, at_best: Answer, role: str, organisation: str, purpose: Purpose) -> Reason:
    if answer.failed:
        return Reason.POLICY_ERROR
    if role not in purpose.roles:
        return Reason.ROLE
    if organisation not in purpose.organisations:
        return Reason.ORGANISATION
    if not at_best.allowed:
        return Reason.FIELD
    forbidding = [rule for rule in answer.rules if not rule.permits]
    return _foremost(reason for rule in forbidding if (reason := _told(rule)) is not None)


def _told(rule: Rule) -> Reason | None:
    return rule.reason if rule.obligation is None else _REASON_OF.get(rule.obligation)


def _whole_refusal(refused: tuple[RefusedField, ...]) -> Reason:
    """Why a registry stays closed altogether: where every field is simply not listed, the purpose does not reach it."""
    foremost = _foremost(part.reason for part in refused)
    return Reason.REGISTRY if foremost is Reason.FIELD else foremost


def _foremost(reasons: Iterable[Reason]) -> Reason:
    """The reason that is told; a field that nothing forbids and nothing permits is one that no rule lists."""
    return min(reasons, key=_PRECEDENCE.index, default=Reason.FIELD)
