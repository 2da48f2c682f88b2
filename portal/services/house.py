"""The services of one running portal, handed down as one typed object by the composition root."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from audit.log import AuditLog
from portal.registries.catalogue import Catalogue
from portal.services.accounts import Accounts
from portal.services.analytics.desk import Analytics
from portal.services.auditor_acts import AuditorActs
from portal.services.bundle.desk import BundleDesk
from portal.services.casework import Casework
from portal.services.casework_room import CaseworkRoom
from portal.services.consents.room import Consents
from portal.services.dashboard import Dashboard
from portal.services.decisions.room import Decisions
from portal.services.disputes.room import DisputeRoom
from portal.services.entrance import Entrance
from portal.services.errands import Errands
from portal.services.export_desk import ExportDesk
from portal.services.exports import Exports
from portal.services.findings import Findings
from portal.services.identities import Identities
from portal.services.machines import Machines
from portal.services.mail.room import MailRoom
from portal.services.mandates.room import Mandates
from portal.services.news_pegs import NewsPegs
from portal.services.officials import OfficialNames
from portal.services.openid import OpenIdSignIn
from portal.services.oversight import Oversight
from portal.services.records import Records
from portal.services.reports import Reports
from portal.services.safeguards import Safeguards
from portal.services.saved_searches import SavedSearches
from portal.services.staff import Staff
from portal.services.statements import Statements
from portal.services.trail import Trail
from portal.services.transparency import Transparency
from portal.services.unusual_looks import UnusualLooks
from portal.services.verification import Verifications


@dataclass(frozen=True, slots=True)
class House:
    """Everything a view may call. `log` serves readiness and its public files; views append through services."""

    catalogue: Catalogue
    accounts: Accounts
    entrance: Entrance
    errands: Errands
    machines: Machines
    reports: Reports
    openid: OpenIdSignIn | None
    staff_openid: OpenIdSignIn | None
    staff: Staff
    records: Records
    trail: Trail
    statements: Statements
    consents: Consents
    mandates: Mandates
    decisions: Decisions
    casework: Casework
    casework_room: CaseworkRoom
    oversight: Oversight
    exports: Exports
    export_desk: ExportDesk
    verifications: Verifications
    analytics: Analytics
    findings: Findings
    saved_searches: SavedSearches
    identities: Identities
    auditor_acts: AuditorActs
    disputes: DisputeRoom
    bundles: BundleDesk
    unusual: UnusualLooks
    news: NewsPegs
    dashboard: Dashboard
    transparency: Transparency
    mail: MailRoom
    officials: OfficialNames
    safeguards: Safeguards
    log: AuditLog
    zone: ZoneInfo
