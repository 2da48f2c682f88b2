"""What representatives did, as both sides read it: from the log, never from a count beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit.log import TrailQuery
from portal.domain.actions import MANDATE_LOOKS
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.registries.catalogue import Registry
from portal.services.mandates.register import Register
from portal.services.mandates.standing import Standing
from portal.services.records import subject_of
from portal.services.safeguards import Foundations

#: Looks that a page lists, and entries of the person's that are searched for them.
LISTED = 50
_SEARCHED = 500


@dataclass(frozen=True, slots=True)
class PastLook:
    """One look by a representative, or one that was refused; `fields` is how many were shown."""

    occurred_at: datetime
    action: str
    outcome: str
    registry: Registry | None
    fields: int
    entry: int


class MandateHistory:
    """Reads the looks under one mandate, newest first, the same for both sides."""

    def __init__(self, on: Foundations, register: Register) -> None:
        self._on = on
        self._register = register

    def under(self, actor: Actor, mandate_id: str) -> list[PastLook]:
        """Of a mandate that was given. Raises NothingHere when the actor is no side of it."""
        with self._on.sessions() as session:
            row = self._register.found(session, subject_of(actor), mandate_id)
        if row is None:
            raise NothingHere
        return self._looks(self._register.parties(row).giver, mandate_id, row.given_at)

    def of_standing(self, standing: Standing) -> list[PastLook]:
        """Of a footing on which the actor stands now."""
        return self._looks(subject_of(standing.principal), standing.mandate_id)

    def _looks(self, about: PersonalCode, mandate_id: str, since: datetime | None = None) -> list[PastLook]:
        query = TrailQuery(subject=about.subject, actions=frozenset(MANDATE_LOOKS), since=since)
        page = self._on.log.read(query, limit=_SEARCHED)
        found = [
            PastLook(
                one.access.occurred_at,
                one.access.action,
                one.access.outcome,
                self._on.catalogue.registries.get(one.access.registry or ""),
                len(one.access.fields),
                one.seq,
            )
            for one in page.items
            if one.access is not None and one.access.details.get("mandate") == mandate_id
        ]
        return found[:LISTED]
