"""The services of disputes, put together in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from portal.services.accounts import Accounts
from portal.services.disputes.citizens import Disputes
from portal.services.disputes.corrections import Corrections
from portal.services.disputes.desk import DisputeDesk
from portal.services.disputes.file import DisputeFiles
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
    files: DisputeFiles
    corrections: Corrections
    marks: RecordMarks

    @classmethod
    def furnish(cls, on: Foundations, accounts: Accounts, trail: Trail, oversight: Oversight) -> Self:
        ledger = DisputeLedger(on)
        marks = RecordMarks(on.sessions, on.sealer, on.clock)
        marking = Marking(ledger, marks)
        own = Disputes(ledger, trail, on.catalogue, marking)
        corrections = Corrections(ledger, on.log, accounts, on.alerts())
        return cls(
            own=own,
            desk=DisputeDesk(ledger, oversight, on.alerts(), marking, corrections),
            files=DisputeFiles(own, trail, on.log, on.clock),
            corrections=corrections,
            marks=marks,
        )
