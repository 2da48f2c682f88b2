"""A parent acts for a child. Nothing of it is stored: the population register is asked anew each time, by the gate.

The questions are entries: whose parent the actor is, about the actor; whether the child is specially protected, about
the child. The words of the register (`relation` is "laps") are those of config/registries/10-population.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.mandates import ADULT_AT, ClosedBy, ParentageUnknown, birthday
from portal.registries.records import Record
from portal.services.disclosure import Disclosure, Gate, Grant
from portal.services.mandates.standing import Asked, Closure, Standing, representation
from portal.services.protection import Guarded, Protection
from portal.services.records import subject_of
from portal.services.safeguards import Foundations

_REGISTRY = "population"
_QUESTION = ("relation", "relative-given-names", "relative-family-name", "relative-code", "related-until")
_CHILD = "laps"
_IDS = "mandates/child"
_ID = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Child:
    """Somebody whom the register calls a child of the actor. `holds` while the tie lasts and the child is a minor."""

    mandate_id: str
    code: PersonalCode = field(repr=False)
    name: str = field(repr=False)
    last_day: date
    holds: bool


class Children:
    """Says whose parent the actor is today, and what of a child stays closed to them."""

    def __init__(self, on: Foundations, gate: Gate) -> None:
        self._on = on
        self._gate = gate
        self._protection = Protection(on.catalogue)

    @staticmethod
    def may_be(mandate_id: str) -> bool:
        """Whether an id has the form of those that stand for a child."""
        return _ID.fullmatch(mandate_id) is not None

    def all(self, actor: Actor, *, request_id: str) -> list[Child]:
        """For whom the actor may act as a parent today.

        Raises:
            ParentageUnknown: the register gave no answer.
            DisclosureUnavailable: the question could not be recorded, so it was not asked.
        """
        return [child for child in self._known(actor, request_id) if child.holds]

    def standing(self, actor: Actor, mandate_id: str, *, request_id: str) -> Standing:
        """Raises NothingHere unless the id stands for a child for whom the actor may act today; else as `all`."""
        child = self._found(actor, mandate_id, request_id)
        if not child.holds:
            raise NothingHere
        return self._standing(actor, child, request_id)

    @contextmanager
    def held(self, asked: Asked) -> Iterator[Standing]:
        """As `GivenMandates.held`. Of somebody who was the actor's child to act for, the attempt is an entry."""
        child = self._found(asked.actor, asked.mandate_id, asked.request_id)
        if not child.holds:
            self._gate.refuse([asked.grant(child.code)], Reason.MANDATE_NOT_IN_FORCE)
            raise NothingHere
        yield self._standing(asked.actor, child, asked.request_id)

    def _found(self, actor: Actor, mandate_id: str, request_id: str) -> Child:
        for child in self._known(actor, request_id):
            if child.mandate_id == mandate_id:
                return child
        raise NothingHere

    def _known(self, actor: Actor, request_id: str) -> list[Child]:
        parent = subject_of(actor)
        [answer] = self._gate.disclose([self._question(actor, parent, _REGISTRY, _QUESTION, request_id)])
        if answer.records is None:
            raise ParentageUnknown
        children = (self._child(parent, record) for record in answer.records if _said(record, "relation") == _CHILD)
        return [child for child in children if child is not None]

    def _child(self, parent: PersonalCode, record: Record) -> Child | None:
        try:
            code = PersonalCode.parse(_said(record, "relative-code"))
        except InvalidPersonalCode:  # a child without an Estonian code has nothing in these registries
            return None
        last = birthday(code.born_on, ADULT_AT) - timedelta(days=1)
        until = record.fields["related-until"].value if "related-until" in record.fields else None
        if isinstance(until, date):
            last = min(last, until)
        names = (_said(record, "relative-given-names"), _said(record, "relative-family-name"))
        mandate_id = self._on.sealer.blind_index(f"{parent.subject}\n{code.subject}", _IDS).hex()
        return Child(mandate_id, code, " ".join(name for name in names if name), last, self._today() <= last)

    def _standing(self, actor: Actor, child: Child, request_id: str) -> Standing:
        return Standing(
            mandate_id=child.mandate_id,
            principal=replace(actor, personal_code=child.code),
            name=child.name,
            registries=tuple(self._on.catalogue.registries.values()),
            last_day=child.last_day,
            closures=self._closures(child.code, self._guarded(actor, child.code, request_id)),
            is_child=True,
        )

    def _closures(self, child: PersonalCode, guarded: Guarded) -> tuple[Closure, ...]:
        closures = []
        for registry in self._on.catalogue.registries.values():
            limit = registry.parents
            is_closed = limit is not None and birthday(child.born_on, limit.closed_from_age) <= self._today()
            for one in registry.fields.values():
                if f"{registry.code}/{one.code}" in guarded.fields:
                    closures.append(Closure(registry.code, one, ClosedBy.PROTECTION))
                elif is_closed and one.sensitive:
                    closures.append(Closure(registry.code, one, ClosedBy.AGE))
        return tuple(closures)

    def _guarded(self, actor: Actor, child: PersonalCode, request_id: str) -> Guarded:
        """What marks on the child guard: a parent may be the very one from whom an address is protected."""
        marks: dict[str, list[str]] = {}
        for name in sorted(self._protection.fields):
            registry, _slash, code = name.partition("/")
            marks.setdefault(registry, []).append(code)
        return self._protection.of(self._asked(actor, child, marks, request_id))

    def _asked(
        self, actor: Actor, child: PersonalCode, marks: dict[str, list[str]], request_id: str
    ) -> Sequence[Disclosure]:
        return self._gate.disclose(
            [self._question(actor, child, registry, tuple(codes), request_id) for registry, codes in marks.items()]
        )

    def _question(
        self, actor: Actor, about: PersonalCode, registry: str, fields: tuple[str, ...], request_id: str
    ) -> Grant:
        purpose = representation(self._on.catalogue)
        return Grant(
            actor=actor,
            action=Action.MANDATE_CHECK,
            subject=about,
            registry=registry,
            fields=fields,
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            request_id=request_id,
            is_automatic=True,
        )

    def _today(self) -> date:
        return self._on.clock().astimezone(self._on.zone).date()


def _said(record: Record, code: str) -> str:
    value = record.fields[code].value if code in record.fields else None
    return str(value) if value else ""
