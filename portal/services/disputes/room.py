"""The services of disputes, put together in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from portal.services.disputes.citizens import Disputes
from portal.services.disputes.desk import DisputeDesk
from portal.services.disputes.ledger import DisputeLedger
from portal.services.disputes.marking import Marking
from portal.services.marks import RecordMarks
from portal.services.oversight import Oversight
from portal.services.safeguards import Foundations
from portal.services.trail import Trail


@dataclass(frozen=True, slots=True)
class DisputeRoom:
    """Both sides of a dispute, and the marks that stand beside contested data."""

    own: Disputes
    desk: DisputeDesk
    marks: RecordMarks

    @classmethod
    def furnish(cls, on: Foundations, trail: Trail, oversight: Oversight) -> Self:
        ledger = DisputeLedger(on)
        marks = RecordMarks(on.sessions, on.sealer, on.clock)
        marking = Marking(ledger, marks)
        return cls(
            Disputes(ledger, trail, on.catalogue, marking), DisputeDesk(ledger, oversight, on.alerts(), marking), marks
        )
