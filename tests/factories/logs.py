"""Logs and accesses to test with. Each call makes new ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audit.entry import Access
from audit.keys import MasterKey, generate_signing_key, load_signer
from audit.log import AuditLog, LogSettings, create_log, open_log, verify_store
from audit.note import Ed25519Verifier, Verifier
from audit.remembered import RememberedCheckpoint
from audit.verify import VerificationReport

ORIGIN = "test.example/log"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def an_access(**changes: Any) -> Access:
    """A caseworker's look at one person, with whatever the test wants otherwise."""
    values: dict[str, Any] = {
        "action": "read",
        "outcome": "released",
        "source": "portal",
        "occurred_at": NOON,
        "subject": "EE38001085718",
        "organisation": "social-insurance",
        "role": "caseworker",
        "official": "official-1",
        "official_name": "Mari Maasikas",
        "registry": "population",
        "fields": ("name", "address"),
        "purpose": "benefit-decision",
        "lawful_basis": "GDPR Article 6(1)(e)",
        "case": "C-1",
        "justification": "Deciding the claim of 2 March for a housing benefit",
        "request_id": "0011223344556677",
    }
    return Access(**values | changes)


@dataclass
class TickingClock:
    """A clock that goes on by a second at each look, and can be set."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass(frozen=True)
class LogHome:
    """A new log in a folder of its own, with what a test needs to open, check and damage it."""

    settings: LogSettings
    verifier: Ed25519Verifier

    @classmethod
    def make(cls, folder: Path, database_url: str) -> LogHome:
        key_file = folder / "keys" / "log.key"
        generate_signing_key(key_file, ORIGIN)
        settings = LogSettings(database_url, ORIGIN, key_file, MasterKey.generate(), folder / "log.checkpoint")
        create_log(settings)
        (folder / "keys" / "master_key.txt").write_text(settings.master_key.to_text())
        return cls(settings, load_signer(key_file).verifier())

    def open(self, clock: Callable[[], datetime] | None = None) -> AuditLog:
        return open_log(self.settings, clock=clock or TickingClock())

    def verify(
        self, *, with_bodies: bool = True, with_remembered: bool = True, witnesses: Sequence[Verifier] = ()
    ) -> VerificationReport:
        """Replay the log as `python -m audit verify` does."""
        assert self.settings.checkpoint_file is not None
        kept = RememberedCheckpoint(self.settings.checkpoint_file, ORIGIN, [self.verifier]).read()
        return verify_store(
            self.settings.database_url,
            [self.verifier],
            self.settings.master_key if with_bodies else None,
            previous_master_key=self.settings.previous_master_key if with_bodies else None,
            earlier=[kept.checkpoint] if kept is not None and with_remembered else [],
            witnesses=witnesses,
        )

    def at(self, database_url: str) -> LogHome:
        """The same log with its database somewhere else."""
        return replace(self, settings=replace(self.settings, database_url=database_url))

    @property
    def database_file(self) -> Path:
        return Path(self.settings.database_url.removeprefix("sqlite:///"))
