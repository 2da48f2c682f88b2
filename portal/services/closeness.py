"""Whether somebody is close to the official who asks: a relative, of the same household, or a colleague.

The links come from the registries, through the gate, for a purpose of its own: what the portal learns about two people
to keep one from the other is a use of their data, and stands in the log like any other (docs/adr/0025). The same
question brings the marks that the registries keep on the person: they need no look-up of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.decisions import Relation
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import CONFLICT_CHECK, Purpose
from portal.registries.records import Record
from portal.services.clock import Clock
from portal.services.disclosure import Disclosure, Gate, Grant
from portal.services.policy import Policy
from portal.services.protection import Guarded, Protection

#: How long an official's own ties are held in this process's memory, so that not every access is a look at them too.
REMEMBERED_FOR = timedelta(minutes=30)
_MOST_REMEMBERED = 2_000
#: Fields that name a tie, and the field that says when it ended.
_RELATIVE = (("relative-code",), None)
_HOME = (("address", "municipality"), "lived-there-until")
_EMPLOYER = (("employer-code",), "employed-until")


@dataclass(frozen=True, slots=True)
class _Ties:
    """What binds one person to others today. `is_whole` is False where a registry gave no answer."""

    relatives: frozenset[str] = field(repr=False)
    homes: frozenset[str] = field(repr=False)
    employers: frozenset[str] = field(repr=False)
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """What the registries said before a look: how close the person is, and which fields marks on them guard."""

    relation: Relation
    guarded: Guarded


class Closeness:
    """Asks the registries about the official and the person, and says how close they are. It never says why."""

    def __init__(self, policy: Policy, gate: Gate, protection: Protection, clock: Clock) -> None:
        self._policy = policy
        self._gate = gate
        self._protection = protection
        self._clock = clock
        self._of_officials: dict[str, tuple[datetime, _Ties]] = {}

    def check(self, actor: Actor, subject: PersonalCode, *, request_id: str, seal: str | None = None) -> Checked:
        """How close `subject` is to the actor; `UNKNOWN` when a registry is silent or the actor's own code not known.
        Where the registry that keeps the marks is silent, all that any mark guards is guarded.

        Under a `seal` the check is withheld from the subject, as the look itself is.

        Raises:
            DisclosureUnavailable: the check could not be recorded, so no registry was asked.
        """
        own_code = actor.personal_code
        if own_code == subject:
            return Checked(Relation.OWN, Guarded())
        if own_code is None:
            answers = self._answers(self._grants(actor, subject, request_id, seal, only=self._protection.fields))
            return Checked(Relation.UNKNOWN, self._protection.of(answers))
        own = self._ties_of_official(actor, own_code, request_id)
        grants = self._grants(actor, subject, request_id, seal)
        answers = self._answers(grants)
        relation = self._relation(own_code, own, subject, self._ties(grants, answers))
        return Checked(relation, self._protection.of(answers))

    def _relation(self, own_code: PersonalCode, own: _Ties, subject: PersonalCode, other: _Ties) -> Relation:
        if subject.reveal() in own.relatives or own_code.reveal() in other.relatives:
            return Relation.RELATIVE
        if own.homes & other.homes:
            return Relation.HOUSEHOLD
        if own.employers & other.employers:
            return Relation.COLLEAGUE
        return Relation.NONE if own.is_whole and other.is_whole else Relation.UNKNOWN

    def _ties_of_official(self, actor: Actor, code: PersonalCode, request_id: str) -> _Ties:
        now = self._clock()
        remembered = self._of_officials.get(actor.account_id)
        if remembered is not None and now - remembered[0] < REMEMBERED_FOR:
            return remembered[1]
        grants = self._grants(actor, code, request_id, without=self._protection.fields)
        ties = self._ties(grants, self._answers(grants))
        if ties.is_whole:
            if len(self._of_officials) >= _MOST_REMEMBERED:
                self._of_officials.clear()
            self._of_officials[actor.account_id] = (now, ties)
        return ties

    def _grants(
        self,
        actor: Actor,
        person: PersonalCode,
        request_id: str,
        seal: str | None = None,
        *,
        only: frozenset[str] | None = None,
        without: frozenset[str] = frozenset(),
    ) -> list[Grant]:
        """One question for each registry, of the check's fields, or of those `only` ("registry/field")."""
        purpose = self._policy.purpose(CONFLICT_CHECK)
        assert purpose is not None  # noqa: S101 - the catalogue is not loaded without it
        grants = [self._grant(actor, person, purpose, registry, request_id, seal) for registry in purpose.permits]
        return [
            replace(
                grant,
                fields=tuple(
                    code
                    for code in grant.fields
                    if (name := f"{grant.registry}/{code}") not in without and (only is None or name in only)
                ),
            )
            for grant in grants
        ]

    def _answers(self, grants: Sequence[Grant]) -> list[Disclosure]:
        return self._gate.disclose([grant for grant in grants if grant.fields])

    def _ties(self, grants: Sequence[Grant], answers: Sequence[Disclosure]) -> _Ties:
        today = self._clock().date()
        return _Ties(
            relatives=frozenset(code.removeprefix("EE") for code in _held(answers, *_RELATIVE, today)),
            homes=frozenset(_held(answers, *_HOME, today)),
            employers=frozenset(_held(answers, *_EMPLOYER, today)),
            is_whole=len(answers) == len(grants) and all(answer.records is not None for answer in answers),
        )

    def _grant(
        self, actor: Actor, person: PersonalCode, purpose: Purpose, registry: str, request_id: str, seal: str | None
    ) -> Grant:
        decision = self._policy.decide_for_system(actor.organisation or "", purpose, registry)
        return Grant(
            actor=actor,
            action=Action.CONFLICT_CHECK,
            subject=person,
            registry=registry,
            fields=decision.codes,
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            request_id=request_id,
            on_behalf_of=self._policy.principal_of(actor),
            is_automatic=True,
            seal=seal,
        )


def _held(answers: Iterable[Disclosure], codes: Sequence[str], ended: str | None, today: date) -> set[str]:
    """What the fields `codes` of each record say together, where the first says anything and it still holds."""
    records = [record for answer in answers for record in answer.records or ()]
    return {
        "\n".join(str(_value(record, code) or "") for code in codes)
        for record in records
        if _value(record, codes[0]) and not _is_over(record, ended, today)
    }


def _is_over(record: Record, ended: str | None, today: date) -> bool:
    last = None if ended is None else _value(record, ended)
    return isinstance(last, date) and last < today


def _value(record: Record, code: str) -> object:
    return record.fields[code].value if code in record.fields else None
