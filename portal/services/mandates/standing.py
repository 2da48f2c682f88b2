"""What a representative asks for, on what footing they may, and what stays closed to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.mandates import ClosedBy
from portal.domain.purposes import REPRESENTATION, Purpose
from portal.registries.catalogue import Catalogue, Field, Registry
from portal.services.disclosure import Grant


@dataclass(frozen=True, slots=True)
class Closure:
    """One field of one registry that stays closed, and why."""

    registry: str
    field: Field
    by: ClosedBy


@dataclass(frozen=True, slots=True)
class Standing:
    """For whom the actor stands, in which registries, and until when.

    `principal` is the actor in that person's place: what reads "the actor's own" then reads the person's. `closures`
    are there only for a child.
    """

    mandate_id: str
    principal: Actor = field(repr=False)
    name: str = field(repr=False)
    registries: tuple[Registry, ...]
    last_day: date
    closures: tuple[Closure, ...] = ()
    is_child: bool = False

    def closed_in(self, registry: str) -> tuple[Closure, ...]:
        return tuple(one for one in self.closures if one.registry == registry)

    @property
    def hides_who_looked(self) -> bool:
        """Which town or office looked tells where somebody lives: of a protected child a parent is not told."""
        return any(one.by is ClosedBy.PROTECTION for one in self.closures)


@dataclass(frozen=True, slots=True)
class Asked:
    """One look that a representative wants: at what, in which registry."""

    actor: Actor
    mandate_id: str
    action: Action
    registry: Registry
    purpose: Purpose
    request_id: str

    def grant(self, about: PersonalCode, closed: tuple[Closure, ...] = ()) -> Grant:
        """The look for the gate, which names the representative beside the person. No fields for a look at the log."""
        shut = {one.field.code for one in closed}
        wanted = tuple(self.registry.fields) if self.action is Action.MANDATE_READ else ()
        return Grant(
            actor=self.actor,
            action=self.action,
            subject=about,
            registry=self.registry.code,
            fields=tuple(code for code in wanted if code not in shut),
            purpose=self.purpose.code,
            lawful_basis=self.purpose.lawful_basis.en,
            request_id=self.request_id,
            details={"mandate": self.mandate_id} | ({"closed-fields": len(shut)} if shut else {}),
        )


def representation(catalogue: Catalogue) -> Purpose:
    """Raises NothingHere in a country whose catalogue has no such purpose: nobody acts for anybody there."""
    purpose = catalogue.purposes.get(REPRESENTATION)
    if purpose is None:
        raise NothingHere
    return purpose
