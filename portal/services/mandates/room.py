"""The room of mandates: its services, put together in one place."""

from __future__ import annotations

from dataclasses import dataclass

from portal.domain.mandates import MandateLimits
from portal.services.disclosure import Gate
from portal.services.mandates.acting import Acting
from portal.services.mandates.children import Children
from portal.services.mandates.desk import MandateDesk
from portal.services.mandates.given import GivenMandates
from portal.services.mandates.history import MandateHistory
from portal.services.mandates.register import Register
from portal.services.safeguards import Foundations
from portal.services.trail import Trail


@dataclass(frozen=True, slots=True)
class Mandates:
    """The services of this room."""

    desk: MandateDesk
    acting: Acting
    history: MandateHistory

    @classmethod
    def furnish(cls, on: Foundations, gate: Gate, trail: Trail, limits: MandateLimits) -> Mandates:
        register = Register(on.sealer, on.zone)
        return cls(
            desk=MandateDesk(on, register, limits),
            acting=Acting(GivenMandates(on, register, gate), Children(on, gate), on.catalogue, gate, trail),
            history=MandateHistory(on, register),
        )
