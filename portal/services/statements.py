"""Everything that Article 15 of the GDPR entitles a person to know, registry by registry, in one place.

What a registry declares comes from the catalogue. Who received the data is not what the registry expects but what the
log knows: the person is entitled to the actual recipients (Court of Justice, C-154/21, Österreichische Post).
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.log import AuditLog, TrailQuery
from portal.domain.actions import MANDATE_LOOKS, OWN_LOOKS, Action, Outcome
from portal.domain.actors import Actor
from portal.domain.purposes import OVERSIGHT, Organisation, Purpose
from portal.registries.catalogue import Catalogue, Registry
from portal.registries.description import Source
from portal.services.lifting import LiftsSeals
from portal.services.records import subject_of


@dataclass(frozen=True, slots=True)
class ActualRecipient:
    """A body that was shown the person's data, and in how many looks. None is one the catalogue no longer knows."""

    organisation: Organisation | None
    looks: int


@dataclass(frozen=True, slots=True)
class RegistryStatement:
    """What one registry owes the person. `uses` are the purposes for which others may be shown its fields."""

    registry: Registry
    controller: Organisation | None
    recipients: tuple[ActualRecipient, ...]
    uses: tuple[Purpose, ...]
    sources: tuple[Source, ...]

    @property
    def automatic_uses(self) -> tuple[Purpose, ...]:
        return tuple(purpose for purpose in self.uses if purpose.is_automatic)


@dataclass(frozen=True, slots=True)
class Statement:
    """The statement about one person; `authorities` are those they may complain to."""

    registries: tuple[RegistryStatement, ...]
    authorities: tuple[Organisation, ...]


class Statements:
    """A person's right of access (GDPR Article 15(1) and (2)). The subject is always the actor."""

    def __init__(self, log: AuditLog, catalogue: Catalogue, lifting: LiftsSeals) -> None:
        self._log = log
        self._catalogue = catalogue
        self._lifting = lifting

    def statement(self, actor: Actor) -> Statement:
        """Asks no registry: what each holds is shown on its own page.

        Raises:
            NothingHere: the account has no personal code.
            LogUnavailable: the log cannot be read, so nobody can say who received the data.
        """
        subject_of(actor)
        self._lifting.lift_due()
        organisations = self._catalogue.organisations
        authorities = self._catalogue.purposes[OVERSIGHT].organisations
        return Statement(
            tuple(self._about(actor, registry) for registry in self._catalogue.registries.values()),
            tuple(organisations[code] for code in sorted(authorities)),
        )

    def _about(self, actor: Actor, registry: Registry) -> RegistryStatement:
        purposes = self._catalogue.purposes.values()
        return RegistryStatement(
            registry=registry,
            controller=self._catalogue.organisations.get(registry.controller),
            recipients=self._recipients(actor, registry),
            uses=tuple(purpose for purpose in purposes if registry.code in purpose.permits),
            sources=_sources_of(registry),
        )

    def _recipients(self, actor: Actor, registry: Registry) -> tuple[ActualRecipient, ...]:
        """Who was shown something. A refused attempt disclosed nothing and so made nobody a recipient; whoever acts for
        the person stands in their place.
        """
        query = TrailQuery(
            subject=subject_of(actor).subject,
            registry=registry.code,
            outcome=Outcome.RELEASED,
            exclude_actions=OWN_LOOKS | MANDATE_LOOKS | {Action.MANDATE_CHECK},
        )
        counts = self._log.counts_by(query, "organisation")
        found = [ActualRecipient(self._catalogue.organisations.get(code), looks) for code, looks in counts.items()]
        return tuple(sorted(found, key=lambda recipient: -recipient.looks))


def _sources_of(registry: Registry) -> tuple[Source, ...]:
    """Where the registry has its fields from, and where single rows say that they come from: each once."""
    declared = [field.source for field in registry.fields.values()]
    by_row = [
        source
        for field in registry.fields.values()
        if field.provenance is not None
        for source in field.provenance.sources.values()
    ]
    return tuple(dict.fromkeys([*declared, *by_row]))
