"""A measure gives the same wherever it runs: on the log's database, on local Parquet, on Parquet in an object store."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from audit.entry import Access
from audit.figures import Measure
from audit.log import AuditLog
from portal.domain.actions import Action, Outcome
from portal.services.analytics import measures
from portal.services.analytics.engines import LakeEngine, LogEngine
from portal.services.analytics.lake import Lake
from portal.services.analytics.tables import day_of
from tests.factories.logs import NOON, LogHome, TickingClock, an_access

FIRST_DAY = day_of(NOON)
MEASURES: dict[str, Measure] = {
    "looks by day": measures.looks_by_day(FIRST_DAY, FIRST_DAY + 90),
    "looks of two days": measures.looks_by_day(FIRST_DAY + 20, FIRST_DAY + 22),
    "looks by purpose": measures.looks_by_purpose(FIRST_DAY, FIRST_DAY + 90),
    "days of registries": measures.days_of_registries(FIRST_DAY, FIRST_DAY + 90),
    "people looked at": measures.people_looked_at(FIRST_DAY, FIRST_DAY + 90),
}
ORGANISATIONS = ("police", "social-insurance", "o'hara; drop table bodies", "back\\slash", "tööamet")


@pytest.fixture
def s3() -> Iterator[S3Store]:
    """A bucket of an S3-compatible server on this machine."""
    server = ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    host, port = server.get_host_and_port()
    store = S3Store(
        "trail",
        endpoint=f"http://{host}:{port}",
        access_key_id="test",
        secret_access_key="test",
        region="eu-north-1",
        client_options={"allow_http": True},
        virtual_hosted_style_request=False,
    )
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/trail", method="PUT"), timeout=10).close()
    yield store
    server.stop()


def a_varied_trail(count: int) -> list[Access]:
    return [
        an_access(
            subject=f"EE3800{number % 17:07}",
            official=f"official-{number % 5}",
            organisation=ORGANISATIONS[number % 5],
            action=(Action.READ, Action.AUTOMATED_READ, Action.OWN_READ)[number % 3],
            outcome=(Outcome.RELEASED, Outcome.RELEASED, Outcome.DENIED, Outcome.FAILED)[number % 4],
            automatic=number % 3 == 1,
            case=None if number % 2 else "C-1",
            purpose=None if number % 11 == 0 else f"purpose-{number % 4}",
        )
        for number in range(count)
    ]


def fill(log: AuditLog, clock: TickingClock) -> None:
    for start in range(0, 120, 30):
        log.append_all(a_varied_trail(120)[start : start + 30])
        clock.now += timedelta(days=20)


def lake_engine(store: ObjectStore, log: AuditLog, clock: TickingClock) -> LakeEngine:
    lake = Lake(store, clock)
    return LakeEngine(lake, lake.refresh(log))


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_every_engine_gives_the_same(measure: Measure, tmp_path: Path, database_url: str, s3: S3Store) -> None:
    clock = TickingClock()
    with closing(LogHome.make(tmp_path, database_url).open(clock)) as log:
        fill(log, clock)
        expected = LogEngine(log).rows(measure)
        assert expected
        local = LocalStore(tmp_path / "lake", mkdir=True)
        for store in (local, MemoryStore(), s3):
            assert lake_engine(store, log, clock).rows(measure) == expected, store


def test_before_the_first_refresh_there_is_nothing(tmp_path: Path) -> None:
    lake = Lake(LocalStore(tmp_path / "lake", mkdir=True), TickingClock())
    assert LakeEngine(lake, lake.state()).rows(MEASURES["looks by day"]) == []


@given(
    looks=st.lists(
        st.tuples(
            st.sampled_from(ORGANISATIONS),
            st.sampled_from([Outcome.RELEASED, Outcome.DENIED, Outcome.FAILED]),
            st.booleans(),
            st.sampled_from([None, "C-1"]),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_figures_are_those_of_a_count_by_hand(
    looks: list[tuple[str, Outcome, bool, str | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("log")
    clock = TickingClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    with closing(LogHome.make(folder, f"sqlite:///{folder}/log.db").open(clock)) as log:
        log.append_all([an_access(organisation=o, outcome=r, automatic=a, case=c) for o, r, a, c in looks])
        rows = lake_engine(MemoryStore(), log, clock).rows(MEASURES["looks by day"])
    by_hand: dict[tuple[str, bool, str], list[int]] = {}
    for organisation, outcome, automatic, case in looks:
        if outcome is not Outcome.FAILED:
            counted = by_hand.setdefault((organisation, automatic, outcome.value), [0, 0])
            counted[0] += 1
            counted[1] += case is not None
    assert {row[1:4]: list(row[4:]) for row in rows} == by_hand
