"""Many threads and several processes append at once: no entry is lost, doubled or put out of its order."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, event

from audit import writer
from audit.batch import Acknowledgement
from audit.entry import Access, leaf_hash
from audit.errors import IdempotencyConflict, LogOverloaded
from audit.log import AuditLog, TrailQuery
from audit.store import _IMMEDIATE as IMMEDIATE
from tests.databases import environment
from tests.factories.logs import LogHome, an_access

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
#: Below the test run's own bound: a lost wake-up shows as a failure of the test that lost it.
SECONDS = 60

Result = TypeVar("Result")


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


@pytest.fixture
def log(home: LogHome) -> Iterator[AuditLog]:
    log = home.open()
    yield log
    log.close()


def _at_once(threads: int, work: Callable[[int], Result]) -> list[Result]:
    """Run `work(0)` to `work(threads - 1)` at one moment, each on a thread, and give what they gave."""
    start = threading.Barrier(threads)

    def run(number: int) -> Result:
        start.wait(SECONDS)
        return work(number)

    with ThreadPoolExecutor(threads) as pool:
        return [future.result(SECONDS) for future in [pool.submit(run, number) for number in range(threads)]]


def _assert_kept(home: LogHome, acknowledged: dict[int, tuple[str, str]]) -> None:
    """`acknowledged` gives for each entry number the case that it was given for, and the leaf hash it was told."""
    assert sorted(acknowledged) == list(range(len(acknowledged))), "each acknowledged once, and no gap"
    log = home.open()
    try:
        kept = list(log.stream(TrailQuery()))
        assert [item.seq for item in kept] == sorted(acknowledged)
        for item in kept:
            assert item.access is not None
            assert item.access.case == acknowledged[item.seq][0]
        for seq in acknowledged:
            assert leaf_hash(log.receipt(seq).leaf).hex() == acknowledged[seq][1]
    finally:
        log.close()
    report = home.verify()
    assert (report.ok, report.size, report.problem) == (True, len(acknowledged), None)


@pytest.mark.parametrize("threads", [2, 8, 32])
def test_threads_that_append_at_once_each_get_their_own_entry_in_their_own_order(
    home: LogHome, log: AuditLog, threads: int
) -> None:
    each = 96 // threads

    def append(number: int) -> list[tuple[Access, Acknowledgement]]:
        accesses = [an_access(case=f"{number}-{turn}", subject=f"EE{turn % 3}") for turn in range(each)]
        return [(access, log.append(access)) for access in accesses]

    results = _at_once(threads, append)
    for own in results:
        assert all(first.seq < second.seq for (_, first), (_, second) in pairwise(own))
        assert all(acknowledged.tree_size > acknowledged.seq for _, acknowledged in own)
    _assert_kept(
        home,
        {told.seq: (str(access.case), told.leaf_hash.hex()) for own in results for access, told in own},
    )


def test_threads_that_append_several_at_once_get_them_next_to_each_other(home: LogHome, log: AuditLog) -> None:
    def append(number: int) -> list[Acknowledgement]:
        return log.append_all([an_access(case=f"{number}-{turn}") for turn in range(7)])

    results = _at_once(8, append)
    for told in results:
        assert [one.seq for one in told] == list(range(told[0].seq, told[0].seq + 7))
    _assert_kept(
        home,
        {
            one.seq: (f"{number}-{turn}", one.leaf_hash.hex())
            for number, told in enumerate(results)
            for turn, one in enumerate(told)
        },
    )


#: Appends on several threads and prints, for each acknowledged entry: number, case, leaf hash.
CHILD = textwrap.dedent(
    """
    import sys, threading
    from pathlib import Path
    from audit.keys import MasterKey
    from audit.log import LogSettings, open_log
    from tests.factories.logs import an_access

    url, folder, name, threads, each, key = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:7]
    master = MasterKey.from_text((folder / "keys" / "master_key.txt").read_text())
    log = open_log(LogSettings(url, "test.example/log", folder / "keys" / "log.key", master, folder / "log.checkpoint"))
    said = threading.Lock()

    def append(thread):
        for turn in range(int(each)):
            case = key or f"{name}-{thread}-{turn}"
            told = log.append(an_access(case=case), idempotency_key=f"{key}-{turn}" if key else None)
            with said:
                print(told.seq, case, told.leaf_hash.hex(), flush=True)

    print("ready", flush=True)
    sys.stdin.readline()
    workers = [threading.Thread(target=append, args=(number,)) for number in range(int(threads))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    log.close()
    """
)


def _processes(folder: Path, url: str, processes: int, threads: int, each: int, key: str = "") -> list[list[str]]:
    """Run children that start to append at one moment, and give the lines that each printed."""
    script = folder / "child.py"
    script.write_text(CHILD)
    children = [
        subprocess.Popen(
            [sys.executable, str(script), url, str(folder), f"p{number}", str(threads), str(each), key],
            cwd=ROOT,
            env=environment(PYTHONPATH=str(ROOT)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdin is not None
        if child.stdout.readline() != "ready\n":
            raise AssertionError(child.communicate(timeout=SECONDS)[1])
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    lines = []
    for child in children:
        out, err = child.communicate(timeout=SECONDS)
        assert child.returncode == 0, err
        lines.append(out.splitlines())
    return lines


def test_processes_that_append_at_once_share_one_sequence(tmp_path: Path, home: LogHome) -> None:
    lines = _processes(tmp_path, home.settings.database_url, processes=3, threads=3, each=12)
    acknowledged: dict[int, tuple[str, str]] = {}
    for own in lines:
        assert len(own) == 36
        for line in own:
            seq, case, leaf = line.split()
            assert int(seq) not in acknowledged
            acknowledged[int(seq)] = (case, leaf)
    _assert_kept(home, acknowledged)


def test_a_retry_raced_by_threads_gives_one_entry(home: LogHome, log: AuditLog) -> None:
    access = an_access()
    results = _at_once(16, lambda _: [log.append(access, idempotency_key=f"request-{turn}") for turn in range(4)])
    for turn in range(4):
        assert len({(told[turn].seq, told[turn].leaf_hash) for told in results}) == 1
    assert log.checkpoint().checkpoint.size == 4
    assert home.verify().ok


def test_a_retry_raced_by_processes_gives_one_entry(tmp_path: Path, home: LogHome) -> None:
    lines = _processes(tmp_path, home.settings.database_url, processes=3, threads=2, each=5, key="same")
    told = {tuple(line.split()) for own in lines for line in own}
    assert {int(seq) for seq, _, _ in told} == set(range(5))
    assert len(told) == 5
    report = home.verify()
    assert (report.ok, report.size) == (True, 5)


def test_of_different_accesses_raced_under_one_key_one_is_recorded_and_the_others_conflict(
    home: LogHome, log: AuditLog
) -> None:
    def append(number: int) -> int | None:
        try:
            return log.append(an_access(case=f"C-{number}"), idempotency_key="one").seq
        except IdempotencyConflict:
            return None

    results = _at_once(12, append)
    assert sorted(seq for seq in results if seq is not None) == [0]
    assert log.checkpoint().checkpoint.size == 1
    assert log.entry(0).access == an_access(case=f"C-{results.index(0)}")
    assert home.verify().ok


@contextmanager
def _held_at_commit(log: AuditLog) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Hold the writer at its next commit: (it has come to it, let it go on)."""
    reached, go_on = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        if connection.get_execution_options().get(IMMEDIATE):  # a reader passes
            reached.set()
            assert go_on.wait(SECONDS)

    engine = log._store.engine
    event.listen(engine, "commit", hold)
    try:
        yield reached, go_on
    finally:
        go_on.set()
        event.remove(engine, "commit", hold)


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(SECONDS * 200):
        if holds():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it never came to this")


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(
    home: LogHome, log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_QUEUED", 3)
    with ThreadPoolExecutor(4) as pool, _held_at_commit(log) as (reached, go_on):
        first = pool.submit(log.append, an_access())
        assert reached.wait(SECONDS)
        waiting = [pool.submit(log.append, an_access()) for _ in range(3)]
        _until(lambda: len(log._writer._queue) == 3)
        with pytest.raises(LogOverloaded) as refused:
            log.append(an_access())
        with pytest.raises(LogOverloaded):
            log.append_all([an_access(), an_access()])
        assert refused.value.retry_after > 0
        go_on.set()
        told = {future.result(SECONDS).seq for future in (first, *waiting)}
    assert told == {0, 1, 2, 3}
    assert log.append(an_access()).seq == 4
    assert home.verify().ok


def test_a_request_larger_than_the_queue_is_taken_when_nothing_waits(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_QUEUED", 3)
    assert len(log.append_all([an_access() for _ in range(10)])) == 10


def test_a_waiting_caller_is_not_answered_before_the_commit(log: AuditLog) -> None:
    with ThreadPoolExecutor(2) as pool, _held_at_commit(log) as (reached, go_on):
        first = pool.submit(log.append, an_access())
        assert reached.wait(SECONDS)
        second = pool.submit(log.append, an_access())
        _until(lambda: len(log._writer._queue) == 1)
        assert not first.done()
        assert not second.done()
        assert log.checkpoint().checkpoint.size == 0
        go_on.set()
        assert [first.result(SECONDS).seq, second.result(SECONDS).seq] == [0, 1]


def test_a_caller_broken_off_while_it_waits_leaves_nobody_waiting(log: AuditLog) -> None:
    """A worker that is told to stop raises SystemExit wherever it stands; the pen must not be lost with it."""

    class Impatient:
        def __init__(self, gate: threading.Lock) -> None:
            self.acquire, self.release = self._break_off, gate.release
            self._gate = gate

        def _break_off(self) -> None:
            self._gate.acquire()
            raise SystemExit

    def impatient() -> None:
        request = writer.Request([an_access()], [b"{}"])
        request.gate = Impatient(request.gate)  # type: ignore[assignment]
        log._writer.write(request)

    with ThreadPoolExecutor(4) as pool, _held_at_commit(log) as (reached, go_on):
        first = pool.submit(log.append, an_access())
        assert reached.wait(SECONDS)
        broken = pool.submit(impatient)
        _until(lambda: len(log._writer._queue) == 1)
        third = pool.submit(log.append, an_access())
        _until(lambda: len(log._writer._queue) == 2)
        go_on.set()
        assert first.result(SECONDS).seq == 0
        with pytest.raises(SystemExit):
            broken.result(SECONDS)
        assert third.result(SECONDS).seq == 1
    assert log.append(an_access()).seq == 2


def test_a_writer_broken_off_in_mid_batch_acknowledges_nothing(log: AuditLog) -> None:
    def broken_off(_connection: object) -> None:
        raise KeyboardInterrupt

    event.listen(log._store.engine, "commit", broken_off)
    request = writer.Request([an_access()], [b"{}"])
    with pytest.raises(KeyboardInterrupt):
        log._writer.write(request)
    event.remove(log._store.engine, "commit", broken_off)
    assert request.error is not None, "whoever waited with it must not take it for written"
    assert log.checkpoint().checkpoint.size == 0
    assert log.append(an_access()).seq == 0


def test_the_log_is_never_called_frozen_because_it_grows(home: LogHome, log: AuditLog) -> None:
    """A look at the head that is overtaken by an append, here or in another process, is no rollback."""
    other = home.open()
    stop = threading.Event()

    def watch(_: int) -> int:
        looks = 0
        while not stop.is_set():
            log.ping()
            other.ping()
            home.open().close()
            looks += 1
        return looks

    with ThreadPoolExecutor(2) as pool:
        watching = [pool.submit(watch, number) for number in range(2)]
        for _ in range(60):
            log.append(an_access())
            other.append(an_access())
        stop.set()
        assert all(future.result(SECONDS) > 0 for future in watching)
    other.close()


def test_verification_holds_while_appends_go_on(home: LogHome, log: AuditLog) -> None:
    stop = threading.Event()

    def append(number: int) -> int:
        turns = 0
        while not stop.is_set():
            log.append(an_access(case=f"{number}-{turns}"))
            turns += 1
        return turns

    with ThreadPoolExecutor(3) as pool:
        appending = [pool.submit(append, number) for number in range(3)]
        sizes = []
        try:
            for _ in range(6):
                _until(lambda: log.checkpoint().checkpoint.size > (sizes[-1] if sizes else 0))
                report = log.verify()
                assert report.ok, report.problem
                sizes.append(report.size)
        finally:
            stop.set()
        total = sum(future.result(SECONDS) for future in appending)
    assert sizes == sorted(set(sizes)), "each look saw the log as it stood, and more of it than the last"
    report = home.verify()
    assert (report.ok, report.size) == (True, total)
