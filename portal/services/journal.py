"""Entries about what supervisors and auditors do with accesses. They name the entry looked at, and never its subject:

a line in the person's own history could betray an access that is withheld from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.registries.catalogue import Catalogue
from portal.services.clock import Clock
from portal.services.entries import record


class Journal:
    """Makes an act durable before it happens."""

    def __init__(self, log: AuditLog, catalogue: Catalogue, clock: Clock) -> None:
        self._log = log
        self._catalogue = catalogue
        self._clock = clock

    def note(
        self,
        actor: Actor,
        action: Action,
        purpose: str,
        *,
        request_id: str,
        statement: str | None = None,
        refusal: Reason | None = None,
        details: Mapping[str, str | int] = MappingProxyType({}),
    ) -> int:
        """Record one act; gives the entry's number. `statement` is what the actor said of it.

        Raises:
            DisclosureUnavailable: it could not be recorded, so it must not happen.
        """
        stated = self._catalogue.purposes[purpose]
        entry = Access(
            action=action,
            outcome=Outcome.DONE if refusal is None else Outcome.DENIED,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            organisation=actor.organisation,
            role=actor.role,
            official=actor.account_id,
            official_name=actor.name,
            purpose=purpose,
            lawful_basis=stated.lawful_basis.en,
            justification=statement,
            request_id=request_id,
            reason=refusal,
            details=details,
        )
        return record(self._log, [entry])[0].seq
