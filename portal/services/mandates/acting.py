"""A representative looks: registry by registry, each time as an entry about the person that names both."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.registries.catalogue import Catalogue, Registry
from portal.registries.records import Record
from portal.services.disclosure import Gate
from portal.services.mandates.children import Child, Children
from portal.services.mandates.given import GivenMandates
from portal.services.mandates.standing import Asked, Closure, Standing, representation
from portal.services.records import subject_of
from portal.services.trail import Trail, TrailFilter, TrailPage


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What one registry holds on the person; `records` is None when it gave no answer, or when all of it is closed."""

    standing: Standing
    registry: Registry
    closed: tuple[Closure, ...]
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)

    @property
    def is_closed(self) -> bool:
        return len(self.closed) == len(self.registry.fields)


@dataclass(frozen=True, slots=True)
class SeenTrail:
    """Who looked at what one registry holds on the person; without a `page` it stays closed.

    Looks that touched a field which is closed to the reader are left out.
    """

    standing: Standing
    registry: Registry
    closed: tuple[Closure, ...]
    entry: int
    page: TrailPage | None


class Acting:
    """Looks by the actor in the place of somebody else. Raises ParentageUnknown where that hangs on a silent register.

    Every method looks anew whether the actor may; what an earlier one said counts for nothing.
    """

    def __init__(
        self, given: GivenMandates, children: Children, catalogue: Catalogue, gate: Gate, trail: Trail
    ) -> None:
        self._given = given
        self._children = children
        self._catalogue = catalogue
        self._gate = gate
        self._trail = trail

    def children(self, actor: Actor, *, request_id: str) -> list[Child]:
        """For whom the actor may act as a parent today."""
        return self._children.all(actor, request_id=request_id)

    def standing(self, actor: Actor, mandate_id: str, *, request_id: str) -> Standing:
        """For whom the actor stands. Raises NothingHere unless the mandate holds now."""
        if Children.may_be(mandate_id):
            return self._children.standing(actor, mandate_id, request_id=request_id)
        return self._given.standing(actor, mandate_id)

    def look(self, actor: Actor, mandate_id: str, registry_code: str, *, request_id: str) -> LookedAt:
        """What one registry holds on the person, but for what stays closed.

        Raises:
            NothingHere: there is no such registry, or no mandate of the actor's. Where there was one and it is over or
                reaches other registries, the attempt is an entry in the person's history.
            DisclosureUnavailable: the log could not record the look, so nothing was fetched.
        """
        asked = self._asked(actor, mandate_id, Action.MANDATE_READ, registry_code, request_id)
        with self._held(asked) as standing:
            closed, about = standing.closed_in(registry_code), subject_of(standing.principal)
            grant = asked.grant(about, closed)
            if not grant.fields:
                entry = self._gate.refuse([asked.grant(about)], Reason.CLOSED_TO_PARENT)
                return LookedAt(standing, asked.registry, closed, entry, None)
            [disclosure] = self._gate.disclose([grant])
        return LookedAt(standing, asked.registry, closed, disclosure.entry, disclosure.records)

    def accesses(
        self, actor: Actor, mandate_id: str, registry_code: str, *, before: str | None = None, request_id: str
    ) -> SeenTrail:
        """Who looked at what one registry holds on the person. Raises as `look` does, and NothingHere for a `before`
        that is no reference of the actor's.
        """
        asked = self._asked(actor, mandate_id, Action.MANDATE_TRAIL_LOOK, registry_code, request_id)
        with self._held(asked) as standing:
            closed, grant = standing.closed_in(registry_code), asked.grant(subject_of(standing.principal))
            if standing.hides_who_looked:
                entry = self._gate.refuse([grant], Reason.CLOSED_TO_PARENT)
                return SeenTrail(standing, asked.registry, closed, entry, None)
            entry = self._gate.note(grant)
        page = self._trail.history(standing.principal, TrailFilter(registry=registry_code), before=before)
        return SeenTrail(standing, asked.registry, closed, entry, _without(page, closed))

    def _held(self, asked: Asked) -> AbstractContextManager[Standing]:
        return self._children.held(asked) if Children.may_be(asked.mandate_id) else self._given.held(asked)

    def _asked(self, actor: Actor, mandate_id: str, action: Action, registry_code: str, request_id: str) -> Asked:
        registry = self._catalogue.registries.get(registry_code)
        if registry is None:
            raise NothingHere
        return Asked(actor, mandate_id, action, registry, representation(self._catalogue), request_id)


def _without(page: TrailPage, closed: tuple[Closure, ...]) -> TrailPage:
    shut = {one.field.code for one in closed}
    lines = [line for line in page.lines if not any(one.code in shut for one in line.fields)]
    return replace(page, lines=lines)
