"""The services of one portal, built from its settings. With `app` it is the one composition root."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from zoneinfo import ZoneInfo

from cryptography import x509
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import sessionmaker

from audit.errors import AuditError, KeyRefused
from audit.keys import load_signer
from audit.log import AuditLog, open_log
from config.operation import TimeStampSettings
from config.protection import ProtectionSettings
from config.settings import Settings
from portal.domain.consents import ConsentRules
from portal.domain.intended_decisions import DecisionRules
from portal.domain.machines import ClientSystem
from portal.domain.mandates import MandateLimits
from portal.installation import log_settings, unlocked
from portal.registries.catalogue import Catalogue, CatalogueError, load_catalogue
from portal.registries.client_files import load_clients
from portal.registries.connector import Connector
from portal.registries.decision_files import load_decision_rules
from portal.registries.recipient_files import load_consent_rules
from portal.registries.sql import build_connectors
from portal.services.accounts import Accounts
from portal.services.analytics.desk import Analytics, store_at
from portal.services.analytics.lake import Lake
from portal.services.attempts import Attempts
from portal.services.attention import Attention
from portal.services.auditor_acts import AuditorActs
from portal.services.bundle.contents import Sources
from portal.services.bundle.room import furnish_bundles
from portal.services.casework_room import CaseworkRoom
from portal.services.clock import Clock, system_clock
from portal.services.consents.room import Consents
from portal.services.dashboard import Dashboard
from portal.services.decisions.room import Decisions
from portal.services.disclosure import Gate
from portal.services.disputes.room import DisputeRoom, DisputeTerms
from portal.services.emergencies import EmergencyLimits
from portal.services.entrance import Entrance
from portal.services.errands import Errands
from portal.services.export_desk import ExportDesk
from portal.services.exporting.stamping import TimeStampAuthority
from portal.services.exports import Exports
from portal.services.findings import Findings
from portal.services.house import House
from portal.services.identities import Identities
from portal.services.machines import Machines, Terms
from portal.services.mail.devices import NewDevices
from portal.services.mail.room import MailRoom
from portal.services.mandates.room import Mandates
from portal.services.news_pegs import NewsPegs
from portal.services.notices import Notices
from portal.services.officials import OfficialNames
from portal.services.openid import open_id_sign_in
from portal.services.oversight import Oversight
from portal.services.policy import Policy
from portal.services.proceedings.figures import ProceedingFigures
from portal.services.proceedings.ledger import Proceedings
from portal.services.pseudonyms import Pseudonyms
from portal.services.records import Records
from portal.services.relations import Relations
from portal.services.relying_party import RelyingParty
from portal.services.reports import Reports
from portal.services.safeguards import Foundations, Limits, Safeguards
from portal.services.saved_searches import SavedSearches
from portal.services.sealed_files import SealedFiles
from portal.services.sealing import References, Sealer
from portal.services.seals import SealLimits
from portal.services.sessions import SessionLimits, Sessions
from portal.services.staff import furnish_staff
from portal.services.staff_openid import staff_sign_in, unfit_roles
from portal.services.statements import Statements
from portal.services.trail import Trail
from portal.services.transparency import Transparency
from portal.services.unusual.explanations import EXPLANATIONS
from portal.services.unusual.limits import read_limits
from portal.services.unusual.rules import CODES
from portal.services.unusual_facts import UnusualFacts
from portal.services.unusual_looks import UnusualLooks
from portal.services.verification import Routine, Verifications


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside the catalogue and speaks of it: client systems, recipients by consent, rules of decisions."""

    clients: Mapping[str, ClientSystem] = field(default_factory=dict)
    consents: ConsentRules = field(default_factory=lambda: ConsentRules({}, {}))
    decisions: DecisionRules = field(default_factory=lambda: DecisionRules({}))


class StartRefused(RuntimeError):
    """The portal must not start as it is set. The message names every reason."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("The portal does not start:\n" + "\n".join(f"  - {reason}" for reason in reasons))


def furnish_house(settings: Settings, *, clock: Clock = system_clock) -> House:
    """The services without the web: what the command line and the jobs work with. Raises StartRefused."""
    try:
        settings = unlocked(settings)
    except KeyRefused as refused:
        raise StartRefused([f"master_key_token: {refused}"]) from None
    if settings.master_key is None or settings.secret_key is None:
        raise StartRefused(["there are no keys yet; `python -m portal init` makes them for a demonstration"])
    reasons: list[str] = []
    engine = engine_of(settings.database_url)
    log = _log_or_reason(settings, reasons)
    catalogue = _catalogue_or_reason(settings, reasons)
    beside = Beside() if catalogue is None else _beside(settings, catalogue, reasons)
    _note_unreachable(engine, reasons)
    reasons += unfit_roles(settings.staff_oidc, {} if catalogue is None else catalogue.organisations)
    if log is None or catalogue is None or reasons:
        raise StartRefused(reasons)
    return _compose(settings, engine, log, catalogue, beside, connectors_of(settings, catalogue), clock)


def connectors_of(settings: Settings, catalogue: Catalogue) -> dict[str, Connector]:
    return dict(build_connectors(catalogue, settings.data_dir, settings.registry_urls))


def engine_of(url: str) -> Engine:
    """The portal's own database. The log and each registry have engines of their own."""
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
    if make_url(url).get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]  # a DBAPI connection
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=10000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _compose(
    settings: Settings,
    engine: Engine,
    log: AuditLog,
    catalogue: Catalogue,
    beside: Beside,
    connectors: dict[str, Connector],
    clock: Clock,
) -> House:
    assert settings.master_key is not None and settings.secret_key is not None  # noqa: S101, PT018 - see log_settings
    master, secret = settings.master_key.get_secret_value(), settings.secret_key.get_secret_value()
    sessions = sessionmaker(engine)
    zone = ZoneInfo(settings.time_zone)
    references = References(secret)
    officials = OfficialNames(master)
    pseudonyms = Pseudonyms(officials, master)
    sealer = Sealer(master)
    accounts = Accounts(sessions, sealer, clock)
    gate = Gate(log, connectors, clock)
    analytics = Analytics(log, Lake(store_at(settings.analytics_store), clock), clock)
    foundations = Foundations(sessions, sealer, log, clock, zone, catalogue)
    proceedings = Proceedings(sessions, timedelta(days=settings.protection.review_days), clock, zone)
    witnesses = tuple(witness.rpartition(" ")[2] for witness in settings.audit.witnesses)
    oversight_desk = Oversight(log, catalogue, references, clock, zone)
    news = NewsPegs(sessions, sealer, oversight_desk)
    exports = Exports(
        log,
        oversight_desk,
        load_signer(settings.audit.export_key_file),
        clock,
        pseudonyms,
        witnesses=witnesses,
        authority=_authority(settings.time_stamping),
    )
    trail = Trail(log, catalogue, officials, references, clock, zone, foundations.lifting())
    files = SealedFiles(settings.export_folder)
    records, consents = Records(catalogue, gate), Consents.furnish(foundations, gate, beside.consents)
    disputes = DisputeRoom.furnish(
        foundations,
        accounts,
        trail,
        oversight_desk,
        DisputeTerms.of(settings.attachments, settings.disputes, is_production=settings.is_production),
    )
    accounts.index_citizens()
    devices = NewDevices(foundations, foundations.alerts(), Notices(foundations.sessions, foundations.clock))
    entrance = Entrance(accounts, Sessions(sessions, sealer, _session_limits(settings), clock), log, clock, devices)
    party = RelyingParty.of_url(settings.base_url)
    disputes = DisputeRoom.furnish(
        foundations,
        accounts,
        trail,
        oversight_desk,
        DisputeTerms.of(settings.attachments, settings.disputes, is_production=settings.is_production),
    )
    room = CaseworkRoom.furnish(sessions, sealer, log, gate, catalogue, references, clock, zone)
    return House(
        catalogue=catalogue,
        accounts=accounts,
        entrance=entrance,
        staff_openid=staff_sign_in(
            settings.staff_oidc, settings.base_url, Attempts(sessions, sealer, clock), foundations, entrance
        ),
        openid=open_id_sign_in(settings.oidc, settings.base_url, Attempts(sessions, sealer, clock), accounts, entrance),
        errands=Errands(sessions, sealer, clock),
        staff=furnish_staff(foundations, accounts, entrance, party, settings.staff),
        machines=Machines(beside.clients, sessions, log, clock, Terms.of(settings.base_url, settings.machines)),
        reports=Reports(log, catalogue, references, clock),
        records=records,
        trail=trail,
        disputes=disputes,
        bundles=furnish_bundles(
            foundations,
            accounts,
            Sources(records, trail, consents.own, disputes.own, disputes.attachments),
            files,
            keep=timedelta(days=settings.protection.bundle_keep_days),
            base_url=settings.base_url,
            witnesses=witnesses,
        ),
        statements=Statements(log, catalogue, foundations.lifting()),
        consents=consents,
        mandates=Mandates.furnish(
            foundations, gate, trail, MandateLimits(timedelta(days=settings.protection.mandate_days))
        ),
        decisions=Decisions.furnish(foundations, beside.decisions, disputes),
        casework=room.casework,
        casework_room=room,
        oversight=oversight_desk,
        exports=exports,
        export_desk=ExportDesk(
            foundations,
            accounts,
            exports,
            files,
            timedelta(days=settings.protection.export_keep_days),
        ),
        verifications=Verifications(
            sessions,
            log,
            oversight_desk,
            Attention(foundations.alerts(), accounts),
            Routine.of(settings.verification.full_hours, settings.verification.onward_minutes),
        ),
        analytics=analytics,
        findings=Findings(sessions, sealer, accounts, oversight_desk, clock),
        saved_searches=SavedSearches(sessions, sealer, accounts, oversight_desk),
        identities=Identities(sessions, oversight_desk, pseudonyms),
        auditor_acts=AuditorActs(sessions, log, oversight_desk, accounts),
        unusual=UnusualLooks(
            sessions,
            oversight_desk,
            UnusualFacts(sessions, sealer, accounts, news, zone),
            Relations(Policy(catalogue), gate, catalogue),
            read_limits(settings.catalogue_dir, CODES, EXPLANATIONS),
        ),
        news=news,
        dashboard=Dashboard(analytics, ProceedingFigures(proceedings, oversight_desk, clock), catalogue, clock),
        transparency=Transparency(analytics, proceedings, catalogue, clock),
        safeguards=Safeguards.build(foundations, accounts, room.casework, gate, _limits(settings.protection)),
        mail=MailRoom.furnish(foundations, accounts, master, settings.base_url, settings.mail),
        officials=officials,
        log=log,
        zone=zone,
    )


def _authority(settings: TimeStampSettings | None) -> TimeStampAuthority | None:
    if settings is None:
        return None
    return TimeStampAuthority(settings.url, x509.load_pem_x509_certificates(settings.certificate_file.read_bytes()))


def _session_limits(settings: Settings) -> SessionLimits:
    return SessionLimits(
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(minutes=settings.session_absolute_minutes),
    )


def _limits(protection: ProtectionSettings) -> Limits:
    return Limits(
        seals=SealLimits(timedelta(days=protection.seal_days), timedelta(days=protection.seal_total_days)),
        emergencies=EmergencyLimits(
            lasts=timedelta(minutes=protection.emergency_minutes),
            review=timedelta(hours=protection.emergency_review_hours),
        ),
        approvals=timedelta(hours=protection.approval_hours),
        bulk_attention=protection.bulk_attention,
        bulk_keep=timedelta(days=protection.bulk_keep_days),
    )


def _log_or_reason(settings: Settings, reasons: list[str]) -> AuditLog | None:
    try:
        return open_log(log_settings(settings))
    except AuditError as error:
        reasons.append(f"audit log: {error}")
        return None


def _catalogue_or_reason(settings: Settings, reasons: list[str]) -> Catalogue | None:
    try:
        return load_catalogue(settings.catalogue_dir)
    except CatalogueError as error:
        reasons.append(str(error))
        return None


def _beside(settings: Settings, catalogue: Catalogue, reasons: list[str]) -> Beside:
    folder = settings.catalogue_dir
    try:
        return Beside(
            load_clients(folder, catalogue),
            load_consent_rules(folder, catalogue),
            load_decision_rules(folder, catalogue),
        )
    except CatalogueError as error:
        reasons.append(str(error))
        return Beside()


def _note_unreachable(engine: Engine, reasons: list[str]) -> None:
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM sessions LIMIT 1")
    except SQLAlchemyError as error:
        reasons.append(
            f"portal database {engine.url.render_as_string(hide_password=True)}: cannot be used"
            f" ({type(error).__name__}); `python -m portal init` prepares it"
        )
