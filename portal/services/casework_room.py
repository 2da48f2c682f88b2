"""How the services of casework and supervision stand together: made here once, for the portal and for its tests."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from audit.log import AuditLog
from portal.registries.catalogue import Catalogue
from portal.services.absences import Absences
from portal.services.accounts import Accounts
from portal.services.case_import import CaseImport
from portal.services.cases import Cases
from portal.services.casework import Casework
from portal.services.circumstances import Circumstances
from portal.services.clock import Clock
from portal.services.closeness import Closeness
from portal.services.disclosure import Gate
from portal.services.escalations import Escalations
from portal.services.journal import Journal
from portal.services.marks import RecordMarks
from portal.services.past_looks import PastLooks
from portal.services.policy import Policy
from portal.services.protection import Protection
from portal.services.reviews import Reviews
from portal.services.sealing import References, Sealer
from portal.services.supervision import Supervision
from portal.services.team_accesses import TeamAccesses


@dataclass(frozen=True, slots=True)
class CaseworkRoom:
    """The services for caseworkers, their supervisors, and the auditors to whom supervisors hand over."""

    policy: Policy
    casework: Casework
    cases: Cases
    case_import: CaseImport
    marks: RecordMarks
    reviews: Reviews
    absences: Absences
    supervision: Supervision
    escalations: Escalations

    @classmethod
    def furnish(
        cls,
        sessions: sessionmaker[Session],
        sealer: Sealer,
        log: AuditLog,
        gate: Gate,
        catalogue: Catalogue,
        references: References,
        clock: Clock,
        zone: ZoneInfo,
    ) -> CaseworkRoom:
        policy = Policy(catalogue)
        cases = Cases(sessions, sealer)
        marks = RecordMarks(sessions, sealer, clock)
        absences = Absences(sessions, clock, zone)
        reviews = Reviews(sessions, clock)
        accounts = Accounts(sessions, sealer, clock)
        accesses = TeamAccesses(log, absences, references, clock, zone)
        journal = Journal(log, catalogue, clock)
        closeness = Closeness(policy, gate, Protection(catalogue), clock)
        circumstances = Circumstances(cases, closeness, marks, absences)
        return cls(
            policy=policy,
            casework=Casework(policy, circumstances, gate, reviews, PastLooks(log, references)),
            cases=cases,
            case_import=CaseImport(sessions, sealer, log, catalogue, clock),
            marks=marks,
            reviews=reviews,
            absences=absences,
            supervision=Supervision(accounts, accesses, reviews, absences, journal, catalogue),
            escalations=Escalations(reviews, accesses, accounts, references, journal),
        )
