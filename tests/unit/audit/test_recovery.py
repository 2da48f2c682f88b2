"""A database restored from a backup: the log refuses to go on, says why, and goes on only as `recover` lets it."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from audit.checkpoint import open_checkpoint
from audit.errors import LogFrozen, VerificationFailed
from audit.log import AuditLog, LogSettings, TrailQuery, open_log, recover_log, verify_store
from audit.recovery import RECOVERY
from tests.factories.logs import LogHome, TickingClock, an_access


@dataclass(frozen=True)
class Restorable:
    """A log of five entries with a backup of it, and three entries that were signed for after the backup."""

    home: LogHome
    restore: Callable[[], None]

    def open(self, settings: LogSettings | None = None) -> AuditLog:
        return open_log(settings or self.home.settings, clock=TickingClock())

    def without_memory(self) -> LogSettings:
        """As somebody opens it who has not been given, or has thrown away, the remembered checkpoint."""
        return replace(self.home.settings, checkpoint_file=None)

    def recover(self) -> int:
        acknowledged = recover_log(self.home.settings, clock=TickingClock())
        assert acknowledged is not None
        return acknowledged.seq

    def recoveries(self) -> list[dict[str, object]]:
        with closing(self.open()) as log:
            found = log.read(TrailQuery(actions=frozenset({RECOVERY}))).items
            return [dict(one.access.details) for one in found if one.access is not None]


def _sqlite_backup(home: LogHome, folder: Path) -> Callable[[], None]:
    backup = folder / "backup.db"
    engine = create_engine(home.settings.database_url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{backup}'"))
    engine.dispose()

    def restore() -> None:
        for leftover in home.database_file.parent.glob(f"{home.database_file.name}*"):
            leftover.unlink()
        shutil.copy(backup, home.database_file)

    return restore


def _postgresql_backup(home: LogHome, server: str) -> tuple[Callable[[], None], Callable[[], None]]:
    name = make_url(home.settings.database_url).database
    admin = create_engine(server, isolation_level="AUTOCOMMIT")

    def copied(source: str, target: str) -> None:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {target} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {target} TEMPLATE {source}"))

    def cleaned() -> None:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name}_backup WITH (FORCE)"))
        admin.dispose()

    copied(f"{name}", f"{name}_backup")
    return lambda: copied(f"{name}_backup", f"{name}"), cleaned


@pytest.fixture
def log(tmp_path: Path, database_url: str, request: pytest.FixtureRequest) -> Iterator[Restorable]:
    home = LogHome.make(tmp_path, database_url)
    with closing(home.open()) as opened:
        opened.append_all([an_access() for _ in range(5)])
    cleaned: Callable[[], None] | None = None
    if database_url.startswith("sqlite"):
        restore = _sqlite_backup(home, tmp_path)
    else:
        restore, cleaned = _postgresql_backup(home, request.getfixturevalue("postgres_server"))
    with closing(home.open()) as opened:
        opened.append_all([an_access() for _ in range(3)])
    yield Restorable(home, restore)
    if cleaned is not None:
        cleaned()


def test_a_restored_database_is_not_opened_and_the_reason_is_said(log: Restorable) -> None:
    log.restore()
    with pytest.raises(LogFrozen, match="holds 5 entries, yet 8 were signed for: an older backup"):
        log.open()


def test_a_process_that_had_it_open_appends_nothing_to_a_restored_database(log: Restorable) -> None:
    with closing(log.open()) as running:
        running._store.engine.dispose()
        log.restore()
        for _ in range(2):
            with pytest.raises(LogFrozen, match="older backup"):
                running.append(an_access())
        with pytest.raises(LogFrozen):
            running.ping()
    with closing(log.open(log.without_memory())) as restored:
        assert restored.checkpoint().checkpoint.size == 5, "nothing was written"


@pytest.mark.parametrize("entries", [1, 2, 3, 9])
def test_a_database_restored_and_appended_to_is_found_out_at_any_size(log: Restorable, entries: int) -> None:
    """Shorter than what was signed for, just as long, and longer."""
    log.restore()
    with closing(log.open(log.without_memory())) as careless:
        careless.append_all([an_access(case="after the restore") for _ in range(entries)])
    with pytest.raises(LogFrozen, match="older backup" if entries < 3 else "not the ones that were signed for"):
        log.open()
    report = log.home.verify()
    assert not report.ok
    assert report.first_broken is not None


def test_recovery_is_an_entry_that_says_what_was_lost_and_the_evidence_is_kept(log: Restorable) -> None:
    assert log.home.settings.checkpoint_file is not None
    signed_for = log.home.settings.checkpoint_file.read_text()
    log.restore()
    assert log.recover() == 5
    [lost] = log.recoveries()
    assert (lost["went-on-from"], lost["signed-for"]) == (5, 8)
    assert str(lost["signed-root"]) == _root_of(signed_for)
    kept = list(log.home.settings.checkpoint_file.parent.glob("*.lost-*"))
    assert [path.read_text() for path in kept] == [signed_for]
    with closing(log.open()) as opened:
        assert opened.append(an_access()).seq == 6
    report = log.home.verify()
    assert (report.ok, report.size) == (True, 7)


def _root_of(note: str) -> str:
    return base64.b64decode(note.split("\n")[2]).hex()


def test_a_log_restored_and_appended_to_can_be_recovered_too(log: Restorable) -> None:
    log.restore()
    with closing(log.open(log.without_memory())) as careless:
        careless.append_all([an_access(case="after the restore") for _ in range(9)])
    assert log.recover() == 14
    assert [one["went-on-from"] for one in log.recoveries()] == [14]
    assert log.home.verify().ok


def test_what_is_not_frozen_is_not_recovered(log: Restorable) -> None:
    assert recover_log(log.home.settings, clock=TickingClock()) is None
    with closing(log.open()) as opened:
        assert opened.checkpoint().checkpoint.size == 8
    assert log.recoveries() == []


def test_recovery_does_not_hide_the_rollback_from_who_kept_a_checkpoint(log: Restorable) -> None:
    """Whoever holds a checkpoint of what was lost still proves by it that the log went back."""
    assert log.home.settings.checkpoint_file is not None
    kept = open_checkpoint(log.home.settings.checkpoint_file.read_text(), log.home.settings.origin, [log.home.verifier])
    log.restore()
    log.recover()
    with closing(log.open()) as opened:
        opened.append_all([an_access() for _ in range(5)])
    url, key = log.home.settings.database_url, log.home.settings.master_key
    report = verify_store(url, [log.home.verifier], key, earlier=[kept.checkpoint])
    assert not report.ok


def test_a_broken_restored_log_is_not_recovered(log: Restorable) -> None:
    log.restore()
    engine = create_engine(log.home.settings.database_url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            connection.execute(text("DROP TRIGGER bodies_refuses_update"))
        connection.execute(text("UPDATE bodies SET outcome = 'denied' WHERE seq = 1"))
    engine.dispose()
    with pytest.raises(VerificationFailed, match="broken and is not recovered"):
        recover_log(log.home.settings, clock=TickingClock())
    with pytest.raises(LogFrozen):
        log.open()
