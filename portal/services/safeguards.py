"""What departs from the rule and is watched for it: seals and alerts, put together in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from audit.log import AuditLog
from portal.registries.catalogue import Catalogue
from portal.services.accounts import Accounts
from portal.services.alerts import Alerts
from portal.services.approvals import Approvals
from portal.services.attention import Attention
from portal.services.bulk import BulkLists
from portal.services.bulk_running import BulkRuns
from portal.services.casework import Casework
from portal.services.clock import Clock
from portal.services.disclosure import Gate
from portal.services.emergencies import Emergencies, EmergencyLimits
from portal.services.emergency_casework import EmergencyCasework
from portal.services.four_eyes import FourEyes
from portal.services.lifting import Lifting
from portal.services.policy import Policy
from portal.services.sealed_casework import SealedCasework
from portal.services.sealing import Sealer
from portal.services.seals import SealLimits, Seals


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each exception may last."""

    seals: SealLimits
    emergencies: EmergencyLimits
    approvals: timedelta
    bulk_attention: int
    bulk_keep: timedelta


@dataclass(frozen=True, slots=True)
class Foundations:
    """What every safeguard stands on."""

    sessions: sessionmaker[Session]
    sealer: Sealer
    log: AuditLog
    clock: Clock
    zone: ZoneInfo
    catalogue: Catalogue

    def alerts(self) -> Alerts:
        return Alerts(self.sessions, self.sealer, self.log, self.clock)

    def lifting(self) -> Lifting:
        return Lifting(self.sessions, self.sealer, self.log, self.alerts(), self.clock)


@dataclass(frozen=True, slots=True)
class Safeguards:
    """The services of one running portal that deal with exceptions."""

    alerts: Alerts
    seals: Seals
    sealed_casework: SealedCasework
    lifting: Lifting
    emergencies: Emergencies
    emergency_casework: EmergencyCasework
    approvals: Approvals
    four_eyes: FourEyes
    bulk: BulkLists
    bulk_runs: BulkRuns
    limits: Limits

    @classmethod
    def build(cls, on: Foundations, accounts: Accounts, casework: Casework, gate: Gate, limits: Limits) -> Safeguards:
        alerts = on.alerts()
        attention = Attention(alerts, accounts)
        seals = Seals(on.sessions, on.sealer, on.log, limits.seals, on.clock, on.zone)
        emergencies = Emergencies(on.sessions, on.sealer, on.log, on.catalogue, limits.emergencies, on.clock)
        approvals = Approvals(on.sessions, on.sealer, on.log, limits.approvals, on.clock)
        return cls(
            alerts=alerts,
            seals=seals,
            sealed_casework=SealedCasework(seals, casework, gate, attention),
            lifting=on.lifting(),
            emergencies=emergencies,
            emergency_casework=EmergencyCasework(emergencies, gate, on.catalogue, alerts, attention),
            approvals=approvals,
            four_eyes=FourEyes(Policy(on.catalogue), casework, gate, approvals, attention),
            bulk=BulkLists(on.sessions, on.sealer, on.log, attention, on.clock, large=limits.bulk_attention),
            bulk_runs=BulkRuns(on.sessions, on.sealer, accounts, casework, on.clock),
            limits=limits,
        )

    def discard_old_results(self) -> None:
        self.bulk.discard_old(self.limits.bulk_keep)
