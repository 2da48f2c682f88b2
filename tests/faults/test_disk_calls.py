"""Each call by which SQLite reaches the disk fails once, in its turn: what was acknowledged is there all the same."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.databases import environment
from tests.factories.logs import LogHome, an_access

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
#: How many appends one call's failure is tried in: with a checkpoint of the write-ahead log every few of them.
LIMIT = int(os.environ.get("SOAK_DISK_CALLS", "60"))
SECONDS = 120 + LIMIT

#: Appends with the nth call failing, for n = 1, 2, 3 …, and says for each what failed, whether the append was
#: acknowledged, and that its retry gave one entry. Every connection is new, as after a failure; each turn's, where the
#: calls are those by which a database is closed and opened.
CHILD = textwrap.dedent(
    """
    import ctypes, json, sys
    from pathlib import Path
    from sqlalchemy import event
    from audit.errors import LogUnavailable
    from audit.keys import MasterKey
    from audit.log import LogSettings, open_log
    from tests.factories.logs import an_access

    url, folder = sys.argv[1], Path(sys.argv[2])
    error, limit, kinds, deep = map(int, sys.argv[3:])
    shim = ctypes.CDLL(None)
    master = MasterKey.from_text((folder / "keys" / "master_key.txt").read_text())
    log = open_log(LogSettings(url, "test.example/log", folder / "keys" / "log.key", master, folder / "log.checkpoint"))
    # Every few commits the journal is copied back into the database: those calls fail as well.
    event.listen(log._store.engine, "connect", lambda c, _: c.execute("PRAGMA wal_autocheckpoint=40"))
    log._store.engine.dispose()
    said = []
    for turn in range(limit):
        access = an_access(case=f"C-{turn}", justification="x" * 2000)
        shim.fail_call(ctypes.c_long(1 + turn * 7 % deep), error, kinds)
        if kinds >= 8:
            log._store.engine.dispose()
        try:
            told = log.append(access, idempotency_key=f"r{turn}")
        except LogUnavailable:
            told = None
        failed = shim.failed()
        shim.fail_call(ctypes.c_long(0), 0, 0)
        again = log.append(access, idempotency_key=f"r{turn}")
        assert told is None or told.seq == again.seq, "a retry gives the first acknowledgement"
        said.append([turn, failed, told is not None, again.seq])
    log.close()
    print(json.dumps(said))
    """
)
WRITE, SYNC, TRUNCATE, OPEN, READ, MMAP, UNLINK = (1 << number for number in range(7))
TO_THE_DISK = WRITE | SYNC | TRUNCATE


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("needs a C compiler, for the library that makes the disk fail")
    library = tmp_path_factory.mktemp("shim") / "failing_disk.so"
    source = Path(__file__).with_name("failing_disk.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def _said(
    folder: Path,
    shim: Path,
    error: int,
    limit: int,
    kinds: int,
    deep: int,
    *,
    program: str = CHILD,
    files: str = "test.db",
) -> list[tuple[int, int, bool, int]]:
    """What the child says of each turn: its number, the call that failed, whether it was acknowledged, the entry."""
    script = folder / "child.py"
    script.write_text(program)
    arguments = [f"sqlite:///{folder / 'test.db'}", str(folder), *map(str, (error, limit, kinds, deep))]
    child = subprocess.run(
        [sys.executable, str(script), *arguments],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT), LD_PRELOAD=str(shim), FAILING_FILES=files),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return [tuple(turn) for turn in json.loads(child.stdout)]


def _assert_each_is_there_once(home: LogHome, said: list[tuple[int, int, bool, int]]) -> None:
    assert [seq for _, _, _, seq in said] == list(range(len(said))), "each once, without a gap"
    report = home.verify()
    assert (report.ok, report.size, report.opened) == (True, len(said), len(said)), report.problem
    log = home.open()
    for turn, _, _, seq in said:
        access = log.entry(seq).access
        assert access is not None
        assert access.case == f"C-{turn}"
    assert log.append(an_access()).seq == len(said)
    log.close()


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, 0], ids=["no space", "I/O error", "short write"])
def test_whatever_call_fails_what_was_acknowledged_is_there_and_a_retry_gives_one_entry(
    tmp_path: Path, sqlite_url: str, shim: Path, error: int
) -> None:
    home = LogHome.make(tmp_path, sqlite_url)
    said = _said(tmp_path, shim, error, LIMIT, TO_THE_DISK, 90)
    failures = [turn for turn, failed, _, _ in said if failed]
    assert failures, "the library was loaded, and some call failed"
    if error:
        refused = [turn for turn, failed, acknowledged, _ in said if failed and not acknowledged]
        assert refused, "a failure that the transaction needs is never taken for success"
        assert any(failed == SYNC for _, failed, _, _ in said), "an fsync was among them"
    else:
        assert any(failed and acknowledged for _, failed, acknowledged, _ in said), (
            "a short write is written to its end"
        )
    _assert_each_is_there_once(home, said)


@pytest.mark.parametrize(
    ("call", "error", "deep"),
    [
        pytest.param(OPEN, errno.EIO, 3, id="open"),
        pytest.param(OPEN, errno.EMFILE, 3, id="open, too many files"),
        pytest.param(READ, errno.EIO, 30, id="read"),
        pytest.param(MMAP, errno.ENOMEM, 2, id="mmap"),
    ],
)
def test_a_database_that_does_not_open_or_is_not_read_has_the_append_refused_and_the_next_one_goes_on(
    tmp_path: Path, sqlite_url: str, shim: Path, call: int, error: int, deep: int
) -> None:
    """Of a database, its journal and the journal's index. One that would open for reading alone is not kept, either."""
    home = LogHome.make(tmp_path, sqlite_url)
    said = _said(tmp_path, shim, error, LIMIT // 2, call, deep)
    assert {failed for _, failed, _, _ in said} >= {call}
    assert any(failed and not acknowledged for _, failed, acknowledged, _ in said)
    _assert_each_is_there_once(home, said)


def test_a_journal_that_cannot_be_removed_is_of_no_consequence(tmp_path: Path, sqlite_url: str, shim: Path) -> None:
    """It was copied into the database before; whoever opens it next finds nothing new in it."""
    home = LogHome.make(tmp_path, sqlite_url)
    said = _said(tmp_path, shim, errno.EIO, LIMIT // 2, UNLINK, 2)
    assert sum(failed == UNLINK for _, failed, _, _ in said) >= 10
    assert all(acknowledged for _, _, acknowledged, _ in said)
    _assert_each_is_there_once(home, said)


def test_a_commit_whose_fsync_failed_is_not_acknowledged_because_the_next_one_succeeds(
    tmp_path: Path, sqlite_url: str, shim: Path
) -> None:
    """After a failed fsync the kernel may have dropped the pages: a second one that succeeds proves nothing."""
    LogHome.make(tmp_path, sqlite_url)
    # The first fsync of an append is that of its commit: no checkpoint of the journal comes before it.
    program = CHILD.replace("wal_autocheckpoint=40", "wal_autocheckpoint=0").replace("turn * 7 % deep", "turn * 2")
    said = _said(tmp_path, shim, errno.EIO, 40, TO_THE_DISK, 0, program=program, files="test.db-wal")
    synced = [acknowledged for _, failed, acknowledged, _ in said if failed == SYNC]
    assert synced
    assert not any(synced)
