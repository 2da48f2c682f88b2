"""The circumstances of one access: which case it lies in, how close the person is, what is marked, what is odd."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from portal.domain.actors import Actor
from portal.domain.decisions import CaseStanding, Facts, Relation
from portal.domain.identifiers import PersonalCode
from portal.domain.marks import Mark, MarkKind, Marks
from portal.domain.purposes import Purpose
from portal.domain.reviews import Ground
from portal.services.absences import Absences
from portal.services.cases import Cases
from portal.services.closeness import Closeness
from portal.services.entries import Once

ADULT_AGE = 18


@dataclass(frozen=True, slots=True)
class Approved:
    """A second person's approval of exactly these fields ("registry/field"), by its id and by who gave it."""

    approval_id: str
    approver: str
    fields: frozenset[str]

    def only(self, registry: str, codes: Iterable[str]) -> tuple[str, ...]:
        """Of these fields those that were approved."""
        return tuple(code for code in codes if f"{registry}/{code}" in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a caseworker asks for. `registries` empty means every registry that the purpose reaches.

    `case` is a reference that was typed; `case_id` a case chosen from the official's own list, `purpose` then being the
    one that the list showed. Under a `seal` all that comes of it, a refusal and a check too, is withheld from the
    subject until the seal ends.
    """

    subject: PersonalCode
    purpose: str
    registries: tuple[str, ...] = ()
    case: str | None = None
    case_id: str | None = None
    justification: str = field(default="", repr=False)
    seal: str | None = None
    once: Once | None = None
    approval: Approved | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known of an access before it is decided. `grounds` are what a supervisor would want to know of it."""

    reference: str | None
    facts: Facts
    marks: tuple[Mark, ...]
    grounds: frozenset[Ground]

    @property
    def is_within_a_case(self) -> bool:
        return self.facts.case is CaseStanding.ASSIGNED


class Circumstances:
    """Finds out what the rules need to know. The registries are asked last, about nobody who is refused anyway."""

    def __init__(self, cases: Cases, closeness: Closeness, marks: Marks, absences: Absences) -> None:
        self._cases = cases
        self._closeness = closeness
        self._marks = marks
        self._absences = absences

    def of(self, actor: Actor, opening: Opening, purpose: Purpose) -> Situation:
        """All that can be known without a registry.

        Raises:
            NothingHere: the case that was chosen is none of the actor's.
        """
        reference, standing, grounds = self._case(actor, opening, purpose)
        if self._absences.is_absent(actor.account_id):
            grounds = grounds | {Ground.ABSENT}
        marks = self._marks.of(opening.subject)
        relation = Relation.OWN if actor.personal_code == opening.subject else Relation.NONE
        facts = Facts(
            case=standing,
            relation=relation,
            restricted=_restricted(marks, purpose),
            guarded=is_minor(opening.subject),
            approved=opening.approval is not None,
        )
        return Situation(reference, facts, marks, grounds)

    def with_closeness(self, situation: Situation, actor: Actor, opening: Opening, request_id: str) -> Situation:
        """The same with the registries' word on how close the person is, and whether they mark them.

        Raises:
            DisclosureUnavailable: the check could not be recorded, so it was not made.
        """
        checked = self._closeness.check(actor, opening.subject, request_id=request_id, seal=opening.seal)
        relation, guarded = checked.relation, checked.guarded
        grounds = situation.grounds | ({Ground.CLOSENESS_UNKNOWN} if relation is Relation.UNKNOWN else set())
        is_guarded = situation.facts.guarded or bool(guarded)
        facts = replace(situation.facts, relation=relation, guarded=is_guarded, marked=guarded.fields)
        return replace(situation, facts=facts, grounds=grounds)

    def _case(
        self, actor: Actor, opening: Opening, purpose: Purpose
    ) -> tuple[str | None, CaseStanding, frozenset[Ground]]:
        if opening.case_id is not None:
            chosen = self._cases.assigned(actor, opening.case_id)
            return chosen.reference, chosen.standing(opening.subject, purpose.code), frozenset()
        if not opening.case:
            return None, CaseStanding.NONE, frozenset({Ground.OUTSIDE_CASE})
        named = self._cases.named(actor, opening.case)
        standing = CaseStanding.STATED if named is None else named.standing(opening.subject, purpose.code)
        if standing is CaseStanding.ASSIGNED:
            return opening.case, standing, frozenset()
        # A reference that was typed proves nothing, so none of its faults refuses more than its absence would.
        return opening.case, CaseStanding.STATED, frozenset({self._fault(actor, opening.case, standing)})

    def _fault(self, actor: Actor, reference: str, standing: CaseStanding) -> Ground:
        if standing is CaseStanding.CLOSED:
            return Ground.CASE_CLOSED
        if standing is CaseStanding.MISFIT:
            return Ground.CASE_DOES_NOT_FIT
        is_known = self._cases.knows(actor.organisation or "", reference)
        return Ground.CASE_OF_ANOTHER if is_known else Ground.CASE_UNKNOWN


def is_minor(code: PersonalCode) -> bool:
    """Whether the person is under 18 today. A birthday needs no clock that can be set."""
    today, born = datetime.now(UTC).date(), code.born_on
    return (today.year - born.year) - ((today.month, today.day) < (born.month, born.day)) < ADULT_AGE


def _restricted(marks: Iterable[Mark], purpose: Purpose) -> frozenset[str]:
    """The purpose's fields that are under restriction of processing, as the rules name them."""
    restricted = [mark for mark in marks if mark.kind is MarkKind.RESTRICTED]
    return frozenset(
        f"{registry}/{code}"
        for registry, codes in purpose.permits.items()
        for code in codes
        if any(mark.is_on(registry, code) for mark in restricted)
    )
