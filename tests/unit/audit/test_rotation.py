"""The master key is replaced while the log goes on; afterwards the old one opens nothing. On both databases."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine, text

from audit import rotation
from audit.entry import Access
from audit.errors import KeyRefused
from audit.keys import MasterKey
from audit.log import AuditLog, LogSettings, TrailQuery, open_log
from audit.opening import open_parts
from audit.rotation import MASTER_KEY_ROTATION, Rotation, rotate_master_key
from tests.databases import environment
from tests.factories.logs import ORIGIN, LogHome, TickingClock, an_access

SUBJECTS = 23
ROOT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    """A log with entries about many, wrapped by a first master key."""
    home = LogHome.make(tmp_path, database_url)
    log = home.open()
    log.append_all([an_access(subject=f"EE{number}") for number in range(SUBJECTS)])
    log.append(an_access(subject=None))
    log.close()
    return home


@pytest.fixture
def new(monkeypatch: pytest.MonkeyPatch) -> MasterKey:
    monkeypatch.setattr(rotation, "BATCH", 5)
    return MasterKey.generate()


def _with(home: LogHome, new: MasterKey, previous: MasterKey | None = None) -> LogHome:
    return replace(home, settings=replace(home.settings, master_key=new, previous_master_key=previous))


def _rotate(home: LogHome, new: MasterKey, told: list[tuple[int, int]] | None = None) -> Rotation:
    both = _with(home, new, home.settings.master_key)
    log = open_parts(both.settings, clock=TickingClock())
    try:
        return rotate_master_key(log, new, None if told is None else lambda done, total: told.append((done, total)))
    finally:
        log.close()


def _said(log: AuditLog) -> list[Access]:
    query = TrailQuery(actions=frozenset({MASTER_KEY_ROTATION}))
    return [item.access for item in log.stream(query) if item.access is not None]


def _wrapped_by(url: str) -> set[bytes]:
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT wrapped FROM subjects UNION ALL SELECT wrapped FROM vault_keys"))
        ids = {bytes(wrapped)[:4] for wrapped in rows.scalars()}
    engine.dispose()
    return ids


def test_after_the_rotation_the_new_key_alone_opens_everything(home: LogHome, new: MasterKey) -> None:
    told: list[tuple[int, int]] = []
    result = _rotate(home, new, told)
    assert result.rewrapped == SUBJECTS + 1
    assert told[-1] == (SUBJECTS + 1, SUBJECTS + 1)
    assert _wrapped_by(home.settings.database_url) == {new.key_id}
    rotated = _with(home, new)
    report = rotated.verify()
    assert (report.ok, report.opened) == (True, SUBJECTS + 3)
    log = rotated.open()
    assert log.count(TrailQuery(subject="EE3")) == 1, "a search finds by the same blind index as before"
    assert log.append(an_access(subject="EE3")).seq == SUBJECTS + 3
    assert log.receipt(SUBJECTS + 3, for_subject=True).label_count == 2
    log.close()


def test_after_the_rotation_the_old_key_opens_nothing(home: LogHome, new: MasterKey) -> None:
    _rotate(home, new)
    with pytest.raises(KeyRefused, match="another master key"):
        home.open()
    with pytest.raises(KeyRefused, match="another master key"):
        home.verify()


def test_the_log_says_when_the_rotation_began_and_ended_and_no_key(home: LogHome, new: MasterKey) -> None:
    old = home.settings.master_key
    _rotate(home, new)
    log = _with(home, new).open()
    began, ended = _said(log)
    log.close()
    assert (began.source, began.outcome, ended.outcome, began.subject) == ("log", "begun", "done", None)
    assert dict(began.details) == {"old-key": old.key_id.hex(), "new-key": new.key_id.hex()}
    assert dict(ended.details) == {"new-key": new.key_id.hex()}


def test_a_rotation_that_was_done_is_not_done_again(home: LogHome, new: MasterKey) -> None:
    _rotate(home, new)
    again = _rotate(home, new)
    assert (again.rewrapped, again.ended) == (0, None)
    log = _with(home, new).open()
    assert len(_said(log)) == 2
    log.close()


def test_a_rotation_cut_off_is_taken_up_where_it_stopped(
    home: LogHome, new: MasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    turned: list[int] = []
    rewrap = rotation._rewrap

    def failing(*arguments: object) -> int:
        if len(turned) == 2:
            raise KeyboardInterrupt
        turned.append(rewrap(*arguments))  # type: ignore[arg-type]
        return turned[-1]

    monkeypatch.setattr(rotation, "_rewrap", failing)
    with pytest.raises(KeyboardInterrupt):
        _rotate(home, new)
    monkeypatch.setattr(rotation, "_rewrap", rewrap)
    assert _wrapped_by(home.settings.database_url) == {home.settings.master_key.key_id, new.key_id}
    both = _with(home, new, home.settings.master_key)
    assert both.verify().ok
    log = both.open()
    assert [log.entry(seq).access is not None for seq in range(SUBJECTS)] == [True] * SUBJECTS
    log.append_all([an_access(subject=f"EE{number}") for number in (0, 10, 22, 99)])
    log.close()
    assert _rotate(home, new).rewrapped == SUBJECTS + 1 - sum(turned)
    rotated = _with(home, new)
    assert rotated.verify().ok
    log = rotated.open()
    assert [access.outcome for access in _said(log)] == ["begun", "done"]
    log.close()


def test_until_the_rotation_begins_both_keys_together_change_nothing(home: LogHome, new: MasterKey) -> None:
    """Processes are given the second key one after the other; none wraps by it before the log says so."""
    log = _with(home, new, home.settings.master_key).open()
    log.append(an_access(subject="EE-new"))
    log.close()
    assert _wrapped_by(home.settings.database_url) == {home.settings.master_key.key_id}
    assert home.verify().ok


@pytest.mark.parametrize("is_first", [True, False])
def test_once_it_has_begun_every_process_wraps_by_the_new_key(home: LogHome, new: MasterKey, is_first: bool) -> None:
    old = home.settings.master_key
    running = _with(home, new, old).open() if is_first else _with(home, old, new).open()
    _rotate(home, new)
    running.append(an_access(subject="EE-new"))
    assert running.entry(0).access is not None
    running.close()
    assert _wrapped_by(home.settings.database_url) == {new.key_id}


def test_a_process_that_was_not_given_the_new_key_appends_nothing_that_would_be_lost(
    home: LogHome, new: MasterKey
) -> None:
    running = home.open()
    _rotate(home, new)
    size = _with(home, new).verify().size
    for subject in ("EE-new", "EE3"):
        with pytest.raises(KeyRefused, match="another master key"):
            running.append(an_access(subject=subject))
    running.close()
    report = _with(home, new).verify()
    assert (report.ok, report.size) == (True, size)


def test_appends_and_reads_go_on_while_keys_are_turned(home: LogHome, new: MasterKey) -> None:
    settings = _with(home, new, home.settings.master_key).settings
    logs = [open_log(settings, clock=TickingClock()) for _ in range(2)]

    def use(number: int) -> int:
        log = logs[number % 2]
        seq = log.append(an_access(subject=f"EE{number}")).seq
        assert log.entry(seq).access is not None
        assert log.entry(number % SUBJECTS).access is not None
        return seq

    with ThreadPoolExecutor(5) as pool:
        rotating = pool.submit(_rotate, home, new)
        appended = list(pool.map(use, range(60)))
        assert rotating.result().ended is not None
    for log in logs:
        log.close()
    assert len(set(appended)) == 60
    assert _wrapped_by(home.settings.database_url) == {new.key_id}
    report = _with(home, new).verify()
    assert (report.ok, report.size) == (True, SUBJECTS + 1 + 60 + 2)


def test_a_person_erased_in_the_middle_stays_erased(
    home: LogHome, new: MasterKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = _with(home, new, home.settings.master_key).open()

    def erase(seconds: float) -> None:
        time.sleep(seconds)
        log.erase_subject("EE5", basis="GDPR Article 17")

    # Only as the rotation calls it: a writer that waits for the lock meanwhile sleeps as well, and must erase nothing.
    monkeypatch.setattr(rotation, "time", SimpleNamespace(monotonic=time.monotonic, sleep=erase))
    _rotate(home, new)
    monkeypatch.undo()
    assert log.count(TrailQuery(subject="EE5")) == 0
    log.close()
    report = _with(home, new).verify()
    assert (report.ok, report.erased) == (True, 1)


def test_the_old_key_is_needed_to_rotate(home: LogHome, new: MasterKey) -> None:
    with pytest.raises(KeyRefused, match="another master key"):
        open_parts(_with(home, new, MasterKey.generate()).settings)


def test_a_second_rotation_follows_the_first(home: LogHome, new: MasterKey) -> None:
    _rotate(home, new)
    third = MasterKey.generate()
    _rotate(_with(home, new), third)
    assert _wrapped_by(home.settings.database_url) == {third.key_id}
    log = _with(home, third).open()
    assert [access.outcome for access in _said(log)] == ["begun", "done"] * 2
    log.close()


def test_a_backup_from_before_is_beyond_reading_without_the_old_key(tmp_path: Path, sqlite_url: str) -> None:
    """Which is how an erasure reaches backups: rotate, then destroy the old key."""
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access(subject="EE48001085717"))
    log.close()
    backup = home.at(f"sqlite:///{tmp_path / 'backup.db'}")
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{backup.database_file}'"))
    engine.dispose()
    log = home.open()
    log.erase_subject("EE48001085717", basis="GDPR Article 17")
    log.close()
    new = MasterKey.generate()
    _rotate(home, new)
    assert backup.verify(with_remembered=False).opened == 1, "as long as the old key is there"
    with pytest.raises(KeyRefused):
        _with(backup, new).verify(with_remembered=False)
    assert _with(backup, new).verify(with_bodies=False, with_remembered=False).ok, "its proofs outlive its bodies"


def test_recovery_from_a_backup_older_than_the_rotation_needs_the_previous_key(tmp_path: Path, sqlite_url: str) -> None:
    from audit.log import recover_log

    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append(an_access(subject="EE1"))
    log.close()
    backup = home.at(f"sqlite:///{tmp_path / 'backup.db'}")
    engine = create_engine(sqlite_url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{backup.database_file}'"))
    engine.dispose()
    new = MasterKey.generate()
    _rotate(home, new)
    with pytest.raises(KeyRefused, match="another master key"):
        recover_log(_with(backup, new).settings)
    both = _with(backup, new, home.settings.master_key)
    assert recover_log(both.settings) is not None
    _rotate(backup, new)
    assert _wrapped_by(backup.settings.database_url) == {new.key_id}
    assert _with(backup, new).verify().ok


def test_without_any_master_key_the_proofs_still_hold_and_the_bodies_are_lost(home: LogHome) -> None:
    log = home.open()
    receipt = log.receipt(0).text
    log.close()
    lost = _with(home, MasterKey.generate())
    with pytest.raises(KeyRefused):
        lost.open()
    report = lost.verify(with_bodies=False)
    assert (report.ok, report.opened) == (True, 0)
    from audit.verify import verify_receipt

    assert verify_receipt(receipt, [home.verifier]).access is not None


def _run(home: LogHome, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    keys = home.settings.signing_key.parent
    settings: LogSettings = home.settings
    done = subprocess.run(
        [sys.executable, "-m", "audit", *arguments],
        cwd=ROOT,
        env=environment(
            GLASSHOUSE_LOG_DATABASE_URL=settings.database_url,
            GLASSHOUSE_LOG_CHECKPOINT_FILE=str(settings.checkpoint_file),
            GLASSHOUSE_LOG_SIGNING_KEY=str(keys / "log.key"),
            GLASSHOUSE_LOG_VKEY=str(keys / "log.vkey"),
            **variables,
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def test_the_command_rotates_with_two_key_files(home: LogHome, new: MasterKey, tmp_path: Path) -> None:
    old_file, new_file = tmp_path / "keys" / "master_key.txt", tmp_path / "new.txt"
    new_file.write_text(new.to_text())
    given = ["--master-key-file", str(new_file), "--previous-master-key-file", str(old_file)]
    told = _run(home, "rotate-master-key", "--master-key-file", str(new_file))
    assert (told.returncode, "--previous-master-key-file" in told.stderr) == (2, True)
    told = _run(home, "rotate-master-key", "--master-key-file", str(old_file), *given[2:])
    assert (told.returncode, "the same" in told.stderr) == (2, True)
    told = _run(home, "rotate-master-key", *given)
    assert told.returncode == 0, told.stderr
    assert f"{SUBJECTS + 1} subjects" in told.stdout
    assert new.to_text() not in told.stdout + told.stderr
    told = _run(home, "verify", *given)
    assert told.stdout.startswith(f"SOUND: {ORIGIN}"), told
    assert _with(home, new).verify().ok
