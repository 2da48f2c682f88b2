"""Mandates as those use them who received one.

The row stays locked from the question "does it hold?" until the look's entry is durable, so an end that has been
acknowledged lies before every later look in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import update

from portal.domain.actions import Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.models.mandates import Mandate
from portal.services.disclosure import Gate
from portal.services.mandates.register import Register, in_force
from portal.services.mandates.standing import Asked, Standing
from portal.services.records import subject_of
from portal.services.safeguards import Foundations


class GivenMandates:
    """Says whether a mandate holds, and holds it while somebody looks."""

    def __init__(self, on: Foundations, register: Register, gate: Gate) -> None:
        self._on = on
        self._register = register
        self._gate = gate

    def standing(self, actor: Actor, mandate_id: str) -> Standing:
        """Raises NothingHere unless the actor received this mandate and it holds now."""
        row = self._received(actor, mandate_id)
        if row.ended_at is not None or row.ends_at <= self._on.clock():
            raise NothingHere
        return self._standing(row, actor)

    @contextmanager
    def held(self, asked: Asked) -> Iterator[Standing]:
        """The mandate, in force until the caller has the entry.

        Raises NothingHere as `standing` does, and where the mandate does not reach the registry. Of a mandate that was
        the actor's the attempt is an entry in the person's history.
        """
        row = self._received(asked.actor, asked.mandate_id)
        about = self._register.parties(row).giver
        if asked.registry.code not in row.registries.split(","):
            self._gate.refuse([asked.grant(about)], Reason.BEYOND_MANDATE)
            raise NothingHere
        now = self._on.clock()
        with self._on.sessions() as session:
            held = session.execute(
                update(Mandate)
                .where(Mandate.id == asked.mandate_id, in_force(now))
                .values(uses=Mandate.uses + 1, last_used_at=now)
                .returning(Mandate.id)
                .execution_options(synchronize_session=False)
            ).first()
            if held is None:
                self._gate.refuse([asked.grant(about)], Reason.MANDATE_NOT_IN_FORCE)
                raise NothingHere
            yield self._standing(row, asked.actor)
            session.commit()

    def _received(self, actor: Actor, mandate_id: str) -> Mandate:
        with self._on.sessions() as session:
            row = self._register.received(session, subject_of(actor), mandate_id)
        if row is None:
            raise NothingHere
        return row

    def _standing(self, row: Mandate, actor: Actor) -> Standing:
        parties = self._register.parties(row)
        known = self._on.catalogue.registries
        return Standing(
            mandate_id=row.id,
            principal=replace(actor, personal_code=parties.giver),
            name=parties.giver_name,
            registries=tuple(known[code] for code in row.registries.split(",") if code in known),
            last_day=self._register.last_day(row),
        )
