"""The services over the shipped catalogue, with registries that refuse to answer without an entry."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import sessionmaker

from audit.keys import generate_signing_key
from audit.log import AuditLog
from portal.models.base import Base
from portal.registries.catalogue import Catalogue, load_catalogue
from portal.services.accounts import Accounts
from portal.services.attention import Attention
from portal.services.casework import Casework
from portal.services.casework_room import CaseworkRoom
from portal.services.disclosure import Gate
from portal.services.emergencies import EmergencyLimits
from portal.services.entrance import Entrance
from portal.services.errands import Errands
from portal.services.export_desk import ExportDesk
from portal.services.exports import Exports
from portal.services.findings import Findings
from portal.services.officials import OfficialNames
from portal.services.oversight import Oversight
from portal.services.pseudonyms import Pseudonyms
from portal.services.records import Records
from portal.services.safeguards import Foundations, Limits, Safeguards
from portal.services.sealed_files import SealedFiles
from portal.services.sealing import References, Sealer
from portal.services.seals import SealLimits
from portal.services.sessions import SessionLimits, Sessions
from portal.services.statements import Statements
from portal.services.trail import Trail
from portal.services.verification import Routine, Verifications
from tests.factories.logs import LogHome, TickingClock
from tests.fakes.registry import FakeRegistry

TALLINN = ZoneInfo("Europe/Tallinn")
SESSION_LIMITS = SessionLimits(idle=timedelta(minutes=30), absolute=timedelta(hours=8))

LIMITS = Limits(
    seals=SealLimits(order=timedelta(days=90), total=timedelta(days=365)),
    emergencies=EmergencyLimits(lasts=timedelta(minutes=15), review=timedelta(hours=48)),
    approvals=timedelta(hours=24),
    bulk_attention=100,
    bulk_keep=timedelta(days=7),
)


@cache
def shipped_catalogue() -> Catalogue:
    """The catalogue in config/. It cannot be changed, so all tests may read the same one."""
    return load_catalogue(Path(__file__).parents[2] / "config")


@dataclass
class FakeHouse:
    """Every service, each made anew for one test."""

    home: LogHome
    log: AuditLog
    clock: TickingClock
    catalogue: Catalogue
    registries: dict[str, FakeRegistry]
    accounts: Accounts
    sessions: Sessions
    entrance: Entrance
    errands: Errands
    records: Records
    trail: Trail
    statements: Statements
    casework: Casework
    room: CaseworkRoom
    oversight: Oversight
    findings: Findings
    exports: Exports
    export_desk: ExportDesk
    verifications: Verifications
    safeguards: Safeguards
    folder: Path
    engine: Engine

    def close(self) -> None:
        self.log.close()
        self.engine.dispose()

    @classmethod
    def build(cls, folder: Path, log_url: str, portal_url: str) -> FakeHouse:
        home = LogHome.make(folder, log_url)
        clock = TickingClock()
        log = home.open(clock)
        catalogue = shipped_catalogue()
        registries = {code: FakeRegistry(code, log) for code in catalogue.registries}
        gate = Gate(log, registries, clock)
        references, officials = References("secret"), OfficialNames("master")
        engine = create_engine(portal_url)
        Base.metadata.create_all(engine)
        sessions = sessionmaker(engine)
        sealer = Sealer("master")
        accounts = Accounts(sessions, sealer, clock)
        room = CaseworkRoom.furnish(sessions, sealer, log, gate, catalogue, references, clock, TALLINN)
        signed_in = Sessions(sessions, sealer, SESSION_LIMITS, clock)
        foundations = Foundations(sessions, sealer, log, clock, TALLINN, catalogue)
        oversight = Oversight(log, catalogue, references, clock, TALLINN)
        signer = generate_signing_key(folder / "keys" / "export.key", f"{log.origin}/export")
        exports = Exports(log, oversight, signer, clock, Pseudonyms(officials, "master"))
        files = SealedFiles(folder / "exports")
        return cls(
            home=home,
            log=log,
            clock=clock,
            catalogue=catalogue,
            registries=registries,
            accounts=accounts,
            sessions=signed_in,
            entrance=Entrance(accounts, signed_in, log, clock),
            errands=Errands(sessions, sealer, clock),
            records=Records(catalogue, gate),
            trail=Trail(log, catalogue, officials, references, clock, TALLINN, foundations.lifting()),
            statements=Statements(log, catalogue, foundations.lifting()),
            casework=room.casework,
            room=room,
            safeguards=Safeguards.build(foundations, accounts, room.casework, gate, LIMITS),
            oversight=oversight,
            findings=Findings(sessions, sealer, accounts, oversight, clock),
            exports=exports,
            export_desk=ExportDesk(foundations, accounts, exports, files, timedelta(days=7)),
            verifications=Verifications(
                sessions, log, oversight, Attention(foundations.alerts(), accounts), Routine.of(24, 15)
            ),
            folder=folder,
            engine=engine,
        )
