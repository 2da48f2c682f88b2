"""Writing: many callers at once, in bulk, and one alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import select

from audit import rows, schema
from audit.log import AuditLog, open_log
from audit.store import Store
from benchmarks.disk import delay_is_settable, fsync_takes
from benchmarks.figures import Ratio, Report, interleaved, micro, per_second
from benchmarks.logs import Appenders, accesses, databases, on_threads, settings_at
from benchmarks.peers import BareInsert, NaiveChain, RawRows

KINDS = ("sqlite", "postgresql")
#: Microseconds of one fsync, and how many times the naive chain the log is to be: on SQLite, on PostgreSQL.
DISKS: dict[int, dict[str, float]] = {
    100: {"sqlite": 3.0, "postgresql": 4.0},
    2_000: {"sqlite": 10.0, "postgresql": 10.0},
}
THREADS, PROCESSES = 16, 4
BATCH = 1_000


def appends(report: Report, folder: Path, options: argparse.Namespace) -> None:
    for kind in KINDS:
        (folder / "appends").mkdir(exist_ok=True)
        with databases(kind, folder / "appends") as of_kind:
            url = of_kind.new()
            settings = settings_at(url, folder / f"{kind}-keys")
            log, naive = open_log(settings), NaiveChain(of_kind.new())
            appenders = Appenders(settings, folder / f"{kind}-keys", PROCESSES, THREADS // PROCESSES)
            for delay, targets in DISKS.items():
                with fsync_takes(delay):
                    _compare_appends(report, kind, delay, targets[kind], log, naive, appenders, options.rounds)
                if not delay_is_settable():
                    break
            appenders.close()
            log.close()
            naive.engine.dispose()


def _compare_appends(
    report: Report,
    kind: str,
    delay: int,
    target: float,
    log: AuditLog,
    naive: NaiveChain,
    appenders: Appenders,
    rounds: int,
) -> None:
    # So many that each round takes about half a second.
    each = 100 if delay <= 100 else 40
    total = THREADS * each

    def rate(count: int, work: Callable[[], float]) -> float:
        return count / work()

    for warm_up in (partial(on_threads, THREADS, 5, log.append), partial(appenders.append, 5)):
        warm_up()
    found = interleaved(
        rounds,
        {
            "naive chain, one thread": lambda: rate(each * 3, lambda: on_threads(1, each * 3, naive.append)),
            "naive chain, 16 threads": lambda: rate(total // 4, lambda: on_threads(THREADS, each // 4, naive.append)),
            "log, 16 threads": lambda: rate(total, lambda: on_threads(THREADS, each, log.append)),
            "log, 4 processes of 4 threads": lambda: rate(total * 2, lambda: appenders.append(each * 2)),
        },
    )
    best = max(found["naive chain, one thread"], found["naive chain, 16 threads"])
    ours, several = found["log, 16 threads"], found["log, 4 processes of 4 threads"]
    where = f"{kind}, an fsync of {delay / 1000:g} ms" if delay_is_settable() else f"{kind}, this disk's own fsync"
    report.add(
        f"Appends, durable, encrypted and committed: {where}",
        {name: per_second(value) for name, value in found.items()},
        [
            Ratio(f"{where}: 16 threads over the naive chain (the faster of its two)", ours / best, at_least=target),
            Ratio(f"{where}: 4 processes of 4 threads over one of 16", several / ours, at_least=1.0),
        ],
    )


def bulk(report: Report, folder: Path, options: argparse.Namespace) -> None:
    for kind in KINDS:
        (folder / "bulk").mkdir(exist_ok=True)
        with databases(kind, folder / "bulk") as of_kind, fsync_takes(100):
            log = open_log(settings_at(of_kind.new(), folder / f"{kind}-bulk"))
            given = [accesses(start, BATCH) for start in range(0, 4 * BATCH, BATCH)]

            def ingest(log: AuditLog = log, given: list[Any] = given) -> float:
                started = perf_counter()
                for batch in given:
                    log.append_all(batch)
                return len(given) * BATCH / (perf_counter() - started)

            ingest()
            raw = RawRows(of_kind.new(), *_rows_of(log._store, len(given) * BATCH))  # noqa: SLF001

            def insert(indexed: bool, raw: RawRows = raw, count: int = len(given)) -> float:
                raw.empty()
                started = perf_counter()
                for number in range(count):
                    raw.insert(number * BATCH, BATCH, indexed=indexed)
                return count * BATCH / (perf_counter() - started)

            found = interleaved(
                options.rounds,
                {
                    "log, append_all of 1,000": ingest,
                    "the same rows into the same tables and indexes, raw": lambda: insert(True),
                    "the same bytes into one bare table, raw": lambda: insert(False),
                },
            )
            ours, indexed, bare = found.values()
            report.add(
                f"Bulk ingest in batches of 1,000: {kind}, an fsync of 0.1 ms",
                {name: per_second(value) for name, value in found.items()},
                [
                    Ratio(f"{kind}: bulk ingest over the raw insert of the same rows", ours / indexed, at_least=0.35),
                    Ratio(f"{kind}: bulk ingest over the same bytes in one bare table", ours / bare),
                ],
            )
            raw.close()
            log.close()


def _rows_of(store: Store, count: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    bodies = [schema.bodies.c[name] for name in rows.BODY]
    with store.reading() as connection:
        entries = connection.execute(select(schema.entries).order_by(schema.entries.c.seq).limit(count)).all()
        sealed = connection.execute(select(*bodies).order_by(schema.bodies.c.seq).limit(count)).all()
    return [tuple(row) for row in entries], [tuple(row) for row in sealed]


def single(report: Report, folder: Path, options: argparse.Namespace) -> None:
    for kind in KINDS:
        (folder / "single").mkdir(exist_ok=True)
        with databases(kind, folder / "single") as of_kind:
            log = open_log(settings_at(of_kind.new(), folder / f"{kind}-single"))
            given = accesses(0, 100)
            for access in given:
                log.append(access)
            entries, bodies = _rows_of(log._store, 1)  # noqa: SLF001
            bare = BareInsert(of_kind.new(), entries[0][1], bodies[0][1])
            for delay in DISKS:
                with fsync_takes(delay):
                    _compare_single(report, kind, delay, log, bare, options.rounds)
            bare.close()
            log.close()


def _compare_single(report: Report, kind: str, delay: int, log: AuditLog, bare: BareInsert, rounds: int) -> None:
    given = accesses(0, 100)

    def latency(work: Callable[[int], object]) -> float:
        started = perf_counter()
        for number in range(len(given)):
            work(number)
        return (perf_counter() - started) / len(given)

    found = interleaved(
        rounds,
        {
            "one append": lambda: latency(lambda number: log.append(given[number])),
            "one bare durable insert through SQLAlchemy": lambda: latency(lambda _: bare.through_sqlalchemy()),
            "one bare durable insert through the driver": lambda: latency(lambda _: bare.through_driver()),
        },
    )
    ours, sqlalchemy, driver = found.values()
    where = f"{kind}, an fsync of {delay / 1000:g} ms"
    report.add(
        f"One append alone: {where}",
        {name: micro(value) for name, value in found.items()},
        [
            Ratio(f"{where}: one append over one bare insert through SQLAlchemy", ours / sqlalchemy, at_most=2.0),
            Ratio(f"{where}: one append over one bare insert through the driver", ours / driver),
        ],
    )
