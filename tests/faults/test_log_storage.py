"""The disk is full, a commit fails, the memory of the last checkpoint is gone: nothing is acknowledged falsely."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from audit.entry import encode_body
from audit.errors import LogFrozen, LogUnavailable
from audit.log import AuditLog, LogSettings, open_log
from audit.store import _IMMEDIATE as IMMEDIATE
from audit.writer import Request
from tests.factories.logs import LogHome, TickingClock, an_access

pytestmark = pytest.mark.fault


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


@pytest.fixture
def log(home: LogHome) -> Iterator[AuditLog]:
    log = home.open()
    yield log
    log.close()


@contextmanager
def _failing_commits(log: AuditLog) -> Iterator[list[str]]:
    failed: list[str] = []

    def fail(connection: Connection) -> None:
        if connection.get_execution_options().get(IMMEDIATE):
            failed.append("COMMIT")
            raise OperationalError("COMMIT", {}, OSError(5, "Input/output error"))

    event.listen(log._store.engine, "commit", fail)
    try:
        yield failed
    finally:
        event.remove(log._store.engine, "commit", fail)


@contextmanager
def _failing_at(log: AuditLog, moment: str, table: str) -> Iterator[None]:
    """Let the database itself fail at a row of a table, before or after it has it."""
    engine = log._store.engine
    body = " BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            body = " FOR EACH ROW EXECUTE FUNCTION io_error()"
            connection.exec_driver_sql(
                "CREATE FUNCTION io_error() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                " RAISE EXCEPTION USING ERRCODE = 'io_error'; END $$"
            )
        connection.exec_driver_sql(f"CREATE TRIGGER io_error {moment} ON {table}{body}")
    try:
        yield
    finally:
        with engine.begin() as connection:
            on_table = f" ON {table}" if engine.dialect.name == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER io_error{on_table}")
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("DROP FUNCTION io_error")


FAILURES = [
    ("BEFORE INSERT", "entries"),
    ("BEFORE INSERT", "bodies"),
    ("BEFORE INSERT", "subjects"),
    ("BEFORE INSERT", "idempotency"),
    ("AFTER UPDATE", "tiles"),
    ("BEFORE UPDATE", "head"),
    ("AFTER UPDATE", "head"),
    ("AFTER INSERT", "checkpoints"),
]


@pytest.mark.parametrize(("moment", "table"), FAILURES)
@pytest.mark.parametrize("entries", [1, 9])
def test_a_row_that_cannot_be_written_acknowledges_nothing_and_loses_nothing(
    home: LogHome, log: AuditLog, moment: str, table: str, entries: int
) -> None:
    log.append(an_access())
    several = [an_access(subject=f"EE4940313651{number}", source="another") for number in range(entries)]
    with _failing_at(log, moment, table):
        for _ in range(2):
            with pytest.raises(LogUnavailable) as refused:
                log._writer.write(Request(several, [encode_body(one) for one in several], "r1"))
    assert "EE4940313651" not in str(refused.value)
    assert log.checkpoint().checkpoint.size == 1
    assert home.verify().ok
    assert log.append_all(several)[0].seq == 1
    report = home.verify()
    assert (report.ok, report.size, report.opened) == (True, 1 + entries, 1 + entries)


def test_a_commit_that_fails_acknowledges_nothing_and_loses_nothing(home: LogHome, log: AuditLog) -> None:
    log.append(an_access())
    with _failing_commits(log) as failed:
        for _ in range(2):
            with pytest.raises(LogUnavailable) as refused:
                log.append(an_access(subject="EE49403136515", source="another"), idempotency_key="r1")
        assert len(failed) == 2
    assert "EE49403136515" not in str(refused.value)
    assert log.checkpoint().checkpoint.size == 1
    assert home.verify().ok
    assert log.append(an_access(subject="EE49403136515", source="another"), idempotency_key="r1").seq == 1
    log.append(an_access())
    report = home.verify()
    assert (report.ok, report.size, report.opened) == (True, 3, 3)


def test_a_commit_whose_answer_is_lost_is_no_acknowledgement_and_its_retry_finds_the_entry(
    home: LogHome, log: AuditLog
) -> None:
    """The one open outcome: the database made it durable and could not say so."""
    log.append(an_access())

    def lose_the_answer(connection: Connection) -> None:
        if connection.get_execution_options().get(IMMEDIATE):
            connection.connection.commit()
            raise OperationalError("COMMIT", {}, ConnectionError("server closed the connection"))

    event.listen(log._store.engine, "commit", lose_the_answer)
    with pytest.raises(LogUnavailable):
        log.append(an_access(case="C-2"), idempotency_key="r1")
    event.remove(log._store.engine, "commit", lose_the_answer)
    assert log.append(an_access(case="C-2"), idempotency_key="r1").seq == 1
    assert log.append(an_access()).seq == 2
    report = home.verify()
    assert (report.ok, report.size) == (True, 3)


def _append_until_refused(log: AuditLog, bound: int) -> int:
    for acknowledged in range(bound):
        try:
            log.append(an_access(justification="x" * 3000))
        except LogUnavailable:
            return acknowledged
    raise AssertionError("the disk was never full")


def test_a_full_database_refuses_and_goes_on_without_a_gap_once_there_is_room(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access())

    def bound(connection: sqlite3.Connection, _record: object) -> None:
        used = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {used + 40}")

    log._store.engine.dispose()
    event.listen(log._store.engine, "connect", bound)
    acknowledged = 1 + _append_until_refused(log, 500)
    assert acknowledged > 1
    assert log.checkpoint().checkpoint.size == acknowledged
    report = home.verify()
    assert (report.ok, report.size) == (True, acknowledged)
    event.remove(log._store.engine, "connect", bound)
    log._store.engine.dispose()
    assert log.append(an_access()).seq == acknowledged
    log.close()
    report = home.verify()
    assert (report.ok, report.size) == (True, acknowledged + 1)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte. Only root can mount one."""
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a small file system")
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let a test mount a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_refuses_and_goes_on_without_a_gap_once_there_is_room(small_disk: Path) -> None:
    """Database, write-ahead log and remembered checkpoint all stand on the disk that is full."""
    home = LogHome.make(small_disk, f"sqlite:///{small_disk / 'log.db'}")
    log = home.open()
    acknowledged = _append_until_refused(log, 500)
    assert acknowledged > 1
    with pytest.raises(LogUnavailable):
        log.append(an_access(justification="x" * 3000))
    assert log.checkpoint().checkpoint.size == acknowledged
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    assert log.append(an_access()).seq == acknowledged
    log.close()
    report = home.verify()
    assert (report.ok, report.size) == (True, acknowledged + 1)


def _settle(log: AuditLog) -> None:
    """Have the newest checkpoint remembered now rather than within a second."""
    memory = log._writer._memory
    assert memory is not None
    memory.settle()


@contextmanager
def _unwritable(home: LogHome) -> Iterator[None]:
    """Let the remembered checkpoint be read and not be written: a folder stands where its successor is prepared."""
    assert home.settings.checkpoint_file is not None
    obstacle = home.settings.checkpoint_file.with_name(home.settings.checkpoint_file.name + ".new")
    obstacle.mkdir()
    try:
        yield
    finally:
        obstacle.rmdir()


def test_without_its_memory_the_log_grows_no_further(home: LogHome, log: AuditLog) -> None:
    log.append(an_access())
    _settle(log)
    with _unwritable(home):
        assert log.append(an_access()).seq == 1, "it is durable, and says so"
        with pytest.raises(LogUnavailable, match="remembered"):
            _settle(log)
        for _ in range(2):
            with pytest.raises(LogUnavailable, match="remembered"):
                log.append(an_access())
        assert log.checkpoint().checkpoint.size == 2
    assert log.append(an_access()).seq == 2
    log.close()
    assert home.verify().size == 3
    assert home.verify().ok


def test_a_memory_that_is_gone_for_good_comes_back_with_the_next_append(home: LogHome, log: AuditLog) -> None:
    """Deleting the file costs the guard what it knew before, and no more; verification says that it is missing."""
    assert home.settings.checkpoint_file is not None
    log.append(an_access())
    _settle(log)
    home.settings.checkpoint_file.unlink()
    log.append(an_access())
    log.close()
    assert "\n2\n" in home.settings.checkpoint_file.read_text()


def test_a_database_set_back_under_a_running_process_is_noticed_by_what_another_remembered(
    tmp_path: Path, sqlite_url: str
) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    log, other = home.open(), home.open()
    log.append(an_access())
    backup = tmp_path / "backup.db"
    with sqlite3.connect(home.database_file) as source, sqlite3.connect(backup) as copy:
        source.backup(copy)
    other.append(an_access())  # which `log` itself has not seen
    other.close()
    log._store.engine.dispose()
    for leftover in tmp_path.glob("test.db-*"):
        leftover.unlink()
    backup.replace(home.database_file)
    with pytest.raises(LogFrozen, match="older backup"):
        log.append(an_access())
    with pytest.raises(LogFrozen, match="older backup"):
        log.ping()
    log.close()


def test_a_database_that_is_none_is_unavailable(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    home.database_file.write_bytes(b"this is no database" * 100)
    for leftover in tmp_path.glob("test.db-*"):
        leftover.unlink()
    with pytest.raises(LogUnavailable):
        home.open()


def test_a_database_held_by_somebody_else_is_unavailable_after_a_bounded_wait(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("audit.store.LOCK_SECONDS", 0.2)
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access())
    holder = sqlite3.connect(home.database_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogUnavailable):
        log.append(an_access())
    assert log.entry(0).access is not None, "reading goes on"
    holder.execute("ROLLBACK")
    holder.close()
    assert log.append(an_access()).seq == 1
    log.close()
    assert home.verify().ok


def test_a_log_kept_without_a_memory_says_nothing_of_one(tmp_path: Path, sqlite_url: str) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    settings = home.settings
    log = open_log(
        LogSettings(settings.database_url, settings.origin, settings.signing_key, settings.master_key, None),
        clock=TickingClock(),
    )
    log.append(an_access())
    assert log.verify().ok
    log.close()
    assert not (tmp_path / "log.checkpoint").exists()
