"""The services of disputes, put together in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from config.disputes import AttachmentSettings, DisputeSettings
from portal.services.accounts import Accounts
from portal.services.attachments.intake import AttachmentIntake
from portal.services.attachments.scanning import ClamdScanner
from portal.services.disputes.attachments import DisputeAttachments, DisputeRetention
from portal.services.disputes.citizens import Disputes
from portal.services.disputes.corrections import Corrections
from portal.services.disputes.desk import DisputeDesk
from portal.services.disputes.file import DisputeFiles
from portal.services.disputes.filings import Authority, DisputeFilings
from portal.services.disputes.ledger import DisputeLedger
from portal.services.disputes.marking import Marking
from portal.services.disputes.system_corrections import SystemCorrections
from portal.services.disputes.withholding import Withholding
from portal.services.marks import RecordMarks
from portal.services.oversight import Oversight
from portal.services.safeguards import Foundations
from portal.services.sealed_files import SealedFiles
from portal.services.trail import Trail


@dataclass(frozen=True, slots=True)
class DisputeTerms:
    """What the settings say of disputes."""

    intake: AttachmentIntake
    keep: timedelta
    filed: SealedFiles
    authority: Authority
    patience: timedelta

    @classmethod
    def of(cls, attachments: AttachmentSettings, disputes: DisputeSettings, *, is_production: bool) -> Self:
        scanner = None if attachments.clamd is None else ClamdScanner(attachments.clamd, attachments.timeout_seconds)
        are_taken = attachments.are_taken(is_production=is_production)
        return cls(
            AttachmentIntake(SealedFiles(attachments.folder), scanner, are_taken=are_taken),
            timedelta(days=disputes.keep_days),
            SealedFiles(attachments.folder / "filed"),
            Authority(disputes.authority, disputes.authority_mail, timedelta(days=disputes.filing_days)),
            timedelta(days=disputes.reminder_days),
        )


@dataclass(frozen=True, slots=True)
class DisputeRoom:
    """Both sides of a dispute, and the marks that stand beside contested data."""

    ledger: DisputeLedger
    own: Disputes
    desk: DisputeDesk
    files: DisputeFiles
    corrections: Corrections
    marks: RecordMarks
    attachments: DisputeAttachments
    retention: DisputeRetention
    withholding: Withholding
    filings: DisputeFilings
    system_corrections: SystemCorrections

    @classmethod
    def furnish(
        cls, on: Foundations, accounts: Accounts, trail: Trail, oversight: Oversight, terms: DisputeTerms
    ) -> Self:
        ledger = DisputeLedger(on, terms.intake)
        marks = RecordMarks(on.sessions, on.sealer, on.clock)
        marking = Marking(ledger, marks)
        own = Disputes(ledger, trail, on.catalogue, marking)
        corrections = Corrections(ledger, on.log, accounts, on.alerts(), terms.patience)
        desk = DisputeDesk(ledger, oversight, on.alerts(), marking, corrections)
        attachments = DisputeAttachments(ledger, own, desk, terms.intake)
        return cls(
            ledger=ledger,
            own=own,
            desk=desk,
            files=DisputeFiles(own, attachments, trail, on.log, on.clock),
            corrections=corrections,
            marks=marks,
            attachments=attachments,
            withholding=Withholding(ledger, desk, terms.intake),
            system_corrections=SystemCorrections(ledger, on.log),
            filings=DisputeFilings(ledger, own, terms.filed, terms.authority),
            retention=DisputeRetention(ledger, terms.intake, terms.keep),
        )
