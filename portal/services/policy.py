"""Who may see which fields for which purpose. The rules are data (config/purposes.toml); no rule means no."""

from __future__ import annotations

from dataclasses import dataclass

from portal.domain.actions import Reason
from portal.domain.actors import Actor
from portal.domain.identifiers import PersonalCode
from portal.domain.purposes import Purpose
from portal.registries.catalogue import Catalogue, Field, Registry


@dataclass(frozen=True, slots=True)
class Offer:
    """What one purpose gives an actor in one registry, and what it keeps from them."""

    registry: Registry
    permitted: tuple[Field, ...]
    withheld: tuple[Field, ...]


class Policy:
    """Answers from the catalogue alone: same question, same answer, no side effect."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def purpose(self, code: str) -> Purpose | None:
        return self._catalogue.purposes.get(code)

    def knows_registries(self, codes: tuple[str, ...]) -> bool:
        return bool(codes) and all(code in self._catalogue.registries for code in codes)

    def purposes_for(self, actor: Actor) -> tuple[Purpose, ...]:
        """The purposes that the actor may state, in the catalogue's order."""
        return tuple(
            purpose for purpose in self._catalogue.purposes.values() if self.refusal_of_purpose(actor, purpose) is None
        )

    def refusal_of_purpose(self, actor: Actor, purpose: Purpose) -> Reason | None:
        if actor.role.value not in purpose.roles:
            return Reason.ROLE
        if actor.organisation is None or actor.organisation not in purpose.organisations:
            return Reason.ORGANISATION
        return None

    def refusal_of_access(self, actor: Actor, purpose: Purpose, registry: str, subject: PersonalCode) -> Reason | None:
        """Why this actor may not open this person's record in `registry` for `purpose`; None when they may."""
        if refusal := self.refusal_of_purpose(actor, purpose):
            return refusal
        if actor.personal_code == subject:
            return Reason.OWN_RECORD
        if not self.permitted_fields(actor, purpose, registry):
            return Reason.REGISTRY
        return None

    def principal_of(self, actor: Actor) -> str | None:
        """The organisation for which the actor's own works as a processor, if it does."""
        organisation = self._catalogue.organisations.get(actor.organisation or "")
        return None if organisation is None else organisation.acts_for

    def permitted_fields(self, actor: Actor, purpose: Purpose, registry: str) -> tuple[str, ...]:
        """Exactly the fields of `registry` that `purpose` permits, in the registry's order; empty when refused."""
        described = self._catalogue.registries.get(registry)
        if described is None or self.refusal_of_purpose(actor, purpose) is not None:
            return ()
        permitted = frozenset(purpose.permits.get(registry, ()))
        return tuple(code for code in described.fields if code in permitted)

    def offers(self, actor: Actor, purpose: Purpose) -> tuple[Offer, ...]:
        """What the purpose gives in each registry it reaches, and what it does not."""
        offers = []
        for registry in self._catalogue.registries.values():
            permitted = frozenset(self.permitted_fields(actor, purpose, registry.code))
            if permitted:
                fields = registry.fields.values()
                offers.append(
                    Offer(
                        registry,
                        tuple(field for field in fields if field.code in permitted),
                        tuple(field for field in fields if field.code not in permitted),
                    )
                )
        return tuple(offers)
