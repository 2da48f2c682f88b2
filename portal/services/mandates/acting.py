"""A representative looks: registry by registry, each time as an entry about the person that names both."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.registries.catalogue import Catalogue, Registry
from portal.registries.records import Record
from portal.services.disclosure import Gate
from portal.services.mandates.given import GivenMandates
from portal.services.mandates.standing import Asked, Standing, representation
from portal.services.records import subject_of
from portal.services.trail import Trail, TrailFilter, TrailPage


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What one registry holds on the person; `records` is None when it gave no answer."""

    standing: Standing
    registry: Registry
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SeenTrail:
    """Who looked at what one registry holds on the person."""

    standing: Standing
    registry: Registry
    entry: int
    page: TrailPage


class Acting:
    """Looks by the actor in the place of somebody else."""

    def __init__(self, given: GivenMandates, catalogue: Catalogue, gate: Gate, trail: Trail) -> None:
        self._given = given
        self._catalogue = catalogue
        self._gate = gate
        self._trail = trail

    def standing(self, actor: Actor, mandate_id: str) -> Standing:
        """For whom the actor stands. Raises NothingHere unless the mandate holds now."""
        return self._given.standing(actor, mandate_id)

    def look(self, actor: Actor, mandate_id: str, registry_code: str, *, request_id: str) -> LookedAt:
        """Everything that one registry holds on the person.

        Raises:
            NothingHere: there is no such registry, or no mandate of the actor's. Where there was one and it is over or
                reaches other registries, the attempt is an entry in the person's history.
            DisclosureUnavailable: the log could not record the look, so nothing was fetched.
        """
        asked = self._asked(actor, mandate_id, Action.MANDATE_READ, registry_code, request_id)
        with self._given.held(asked) as standing:
            [disclosure] = self._gate.disclose([asked.grant(subject_of(standing.principal))])
        return LookedAt(standing, asked.registry, disclosure.entry, disclosure.records)

    def accesses(
        self, actor: Actor, mandate_id: str, registry_code: str, *, before: str | None = None, request_id: str
    ) -> SeenTrail:
        """Who looked at what one registry holds on the person. Raises as `look` does, and NothingHere for a `before`
        that is no reference of the actor's.
        """
        asked = self._asked(actor, mandate_id, Action.MANDATE_TRAIL_LOOK, registry_code, request_id)
        with self._given.held(asked) as standing:
            entry = self._gate.note(asked.grant(subject_of(standing.principal)))
        page = self._trail.history(standing.principal, TrailFilter(registry=registry_code), before=before)
        return SeenTrail(standing, asked.registry, entry, page)

    def _asked(self, actor: Actor, mandate_id: str, action: Action, registry_code: str, request_id: str) -> Asked:
        registry = self._catalogue.registries.get(registry_code)
        if registry is None:
            raise NothingHere
        return Asked(actor, mandate_id, action, registry, representation(self._catalogue), request_id)
