"""The server or the connection is lost at the worst moments; the clock is wrong; SQLite would not wait for the disk."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, event, text

from audit import store
from audit.errors import LogUnavailable
from audit.store import _IMMEDIATE as IMMEDIATE
from tests.factories.logs import LogHome, TickingClock, an_access
from tests.faults.test_log_crashes import OwnServer, server

__all__ = ["server"]

pytestmark = pytest.mark.fault


@pytest.mark.postgres
def test_a_connection_cut_between_the_statements_and_the_commit_leaves_nothing_and_the_retry_writes_it_once(
    tmp_path: Path, postgres_url: str
) -> None:
    home = LogHome.make(tmp_path, postgres_url)
    log = home.open()
    log.append(an_access())
    other = create_engine(postgres_url)
    cut: list[int] = []

    def cut_the_connection(connection: Connection) -> None:
        if connection.get_execution_options().get(IMMEDIATE):
            driver: Any = connection.connection.driver_connection
            cut.append(driver.info.backend_pid)
            with other.connect() as killer:
                killer.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": cut[-1]})

    event.listen(log._store.engine, "commit", cut_the_connection)
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            log.append(an_access(case="C-2"), idempotency_key="r1")
    event.remove(log._store.engine, "commit", cut_the_connection)
    other.dispose()
    assert len(set(cut)) == 2, "each attempt had a connection of its own"
    assert log.checkpoint().checkpoint.size == 1
    assert log.append(an_access(case="C-2"), idempotency_key="r1").seq == 1
    log.close()
    report = home.verify()
    assert (report.ok, report.size) == (True, 2)


@pytest.mark.postgres
def test_what_was_acknowledged_before_the_server_was_killed_is_there_when_it_is_back(
    tmp_path: Path, server: OwnServer
) -> None:
    """Every process of the server dies at once, as in a power failure, while four threads append."""
    home = LogHome.make(tmp_path, server.url)
    log = home.open()
    acknowledged: dict[int, str] = {}
    refused = threading.Event()

    def append(thread: int) -> None:
        for turn in range(10_000):
            case = f"{thread}-{turn}"
            try:
                acknowledged[log.append(an_access(case=case)).seq] = case
            except LogUnavailable:
                refused.set()
                return

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(append, thread) for thread in range(4)]
        while len(acknowledged) < 40:
            threading.Event().wait(0.005)
        server.kill()
        for one in running:
            one.result(60)
    assert refused.is_set()
    server.start()
    for seq, case in acknowledged.items():
        access = log.entry(seq).access
        assert access is not None
        assert access.case == case
    log.append(an_access())
    log.close()
    report = home.verify()
    assert report.ok, report.problem
    assert report.size >= len(acknowledged) + 1


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)], ids=str)
def test_a_clock_that_jumps_changes_no_order_and_breaks_nothing(
    tmp_path: Path, database_url: str, jump: timedelta
) -> None:
    """Order is the log's own. Its time stands still until a clock that was set back has caught up."""
    home, clock = LogHome.make(tmp_path, database_url), TickingClock()
    log = home.open(clock)
    before = [log.append(an_access()) for _ in range(2)]
    clock.now += jump
    after = [log.append(an_access()) for _ in range(2)]
    clock.now -= jump
    told = [*before, *after, log.append(an_access())]
    log.close()
    assert [one.seq for one in told] == list(range(5))
    assert [one.logged_at for one in told] == sorted(one.logged_at for one in told)
    if jump < timedelta(0):
        assert after[-1].logged_at == before[-1].logged_at
    report = home.verify()
    assert (report.ok, report.size) == (True, 5)


def test_a_sqlite_that_does_not_wait_for_the_disk_is_refused(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = LogHome.make(tmp_path, sqlite_url)

    class Careless:
        """A build or a wrapper of SQLite that keeps `synchronous` at NORMAL, whatever it is told."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection
            self.text_factory: object = None
            self.isolation_level: object = None

        def cursor(self) -> Careless:
            return self

        def execute(self, statement: str) -> sqlite3.Cursor:
            return self._connection.execute(statement.replace("synchronous=FULL", "synchronous=NORMAL"))

        def close(self) -> None:
            pass

    set_up = store._set_up_sqlite
    monkeypatch.setattr(store, "_set_up_sqlite", lambda connection, record: set_up(Careless(connection), record))
    with pytest.raises(LogUnavailable, match="does not wait for the disk"):
        home.open()
