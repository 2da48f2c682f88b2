"""What the registries hold on the person who is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import OWN_LOOK, Purpose
from portal.registries.catalogue import Catalogue, Registry
from portal.registries.records import Record
from portal.services.disclosure import Gate, Grant
from portal.services.entries import Once


@dataclass(frozen=True, slots=True)
class Holding:
    """Whether one registry holds anything on the person: a count, 0 for "nothing held", None for "no answer"."""

    registry: Registry
    count: int | None


@dataclass(frozen=True, slots=True)
class OwnRecords:
    """What one registry holds on the person, all fields; `records` is None when it gave no answer."""

    registry: Registry
    entry: int
    records: tuple[Record, ...] | None = field(repr=False)


class Records:
    """The data subject's own looks (GDPR Article 15). The subject is always the actor; no method takes another."""

    def __init__(self, catalogue: Catalogue, gate: Gate) -> None:
        self._catalogue = catalogue
        self._gate = gate

    def holdings(self, actor: Actor, *, request_id: str) -> list[Holding]:
        """Ask each registry whether it holds anything on the actor. One entry for each registry.

        Raises:
            DisclosureUnavailable: the log could not record the question, so it was not asked.
        """
        registries = self._catalogue.registries
        grants = [self._grant(actor, registry, (), request_id) for registry in registries.values()]
        return [Holding(registries[answer.registry], answer.count) for answer in self._gate.confirm(grants)]

    def open(self, actor: Actor, registry_code: str, *, request_id: str) -> OwnRecords:
        """Everything that one registry holds on the actor.

        Raises:
            NothingHere: there is no such registry.
            DisclosureUnavailable: the log could not record the look, so nothing was fetched.
        """
        registry = self._catalogue.registries.get(registry_code)
        if registry is None:
            raise NothingHere
        return self._opened(registry, self._grant(actor, registry, tuple(registry.fields), request_id))

    def everything(self, actor: Actor, *, request_id: str, once: Once) -> Iterator[OwnRecords]:
        """Everything that any registry holds on the actor, one registry after the other, each look an entry.

        `once` keeps what is asked for again, after a crash, one look. Raises DisclosureUnavailable as `open`.
        """
        for registry in self._catalogue.registries.values():
            grant = self._grant(actor, registry, tuple(registry.fields), request_id)
            yield self._opened(registry, replace(grant, once=once))

    def _opened(self, registry: Registry, grant: Grant) -> OwnRecords:
        disclosure = self._gate.disclose([grant])[0]
        return OwnRecords(registry, disclosure.entry, disclosure.records)

    def _grant(self, actor: Actor, registry: Registry, fields: tuple[str, ...], request_id: str) -> Grant:
        purpose = self._own_look()
        return Grant(
            actor=actor,
            action=Action.OWN_READ if fields else Action.OWN_CONFIRMATION,
            subject=subject_of(actor),
            registry=registry.code,
            fields=fields,
            purpose=purpose.code,
            lawful_basis=purpose.lawful_basis.en,
            request_id=request_id,
        )

    def _own_look(self) -> Purpose:
        return self._catalogue.purposes[OWN_LOOK]


def subject_of(actor: Actor) -> PersonalCode:
    """Whose data a citizen may see: their own. Raises NothingHere for an account without a personal code."""
    if actor.personal_code is None:
        raise NothingHere
    return actor.personal_code
