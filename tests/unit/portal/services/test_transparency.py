"""What is published of the trail says how often government looks, and nothing from which a person could be made out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from obstore.store import MemoryStore

from audit.errors import LogUnavailable
from audit.figures import Measure
from portal.domain.actions import Action, Outcome
from portal.services.analytics.desk import STALE, Analytics
from portal.services.analytics.lake import STATE, Lake
from portal.services.analytics.tables import day_of
from portal.services.transparency import MONTHS, SMALL, Figure, Month, Transparency
from tests.factories.houses import shipped_catalogue
from tests.factories.logs import LogHome, TickingClock, an_access

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 14, 9, tzinfo=UTC)
CODES = sorted(shipped_catalogue().organisations)[:3]


class FixedEngine:
    """Gives prepared rows of `looks_by_day`."""

    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._rows = list(rows)

    def rows(self, measure: Measure) -> list[tuple[Any, ...]]:
        return self._rows


class FixedAnalytics(Analytics):
    def __init__(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._engine = FixedEngine(rows)

    def engine(self) -> FixedEngine:
        return self._engine


def published_of(rows: Sequence[tuple[Any, ...]], now: datetime = NOW) -> list[Month]:
    return Transparency(FixedAnalytics(rows), shipped_catalogue(), lambda: now).months()


def a_row(when: datetime, organisation: str, looks: int, *, automatic: bool = False, denied: bool = False) -> Any:
    outcome = Outcome.DENIED if denied else Outcome.RELEASED
    return (day_of(when), organisation, automatic, outcome.value, looks, 0)


CELLS = st.tuples(
    st.sampled_from([OCTOBER, OCTOBER - timedelta(days=31), OCTOBER - timedelta(days=61)]),
    st.sampled_from(CODES),
    st.sampled_from([(False, False), (True, False), (False, True)]),  # automatic, denied: one pair for each figure
)


@given(
    large=st.dictionaries(CELLS, st.integers(SMALL, 10_000), max_size=8),
    small=st.dictionaries(CELLS, st.integers(0, SMALL - 1), max_size=8),
    other=st.integers(0, SMALL - 1),
)
def test_nothing_that_is_published_depends_on_a_small_count(
    large: dict[Any, int], small: dict[Any, int], other: int
) -> None:
    """Two countries that differ in small counts alone publish the same, so that no subtraction can tell them apart."""

    def country(smalls: dict[Any, int]) -> list[Month]:
        cells = smalls | large
        return published_of([a_row(w, o, looks, automatic=a, denied=d) for (w, o, (a, d)), looks in cells.items()])

    assert country(small) == country(dict.fromkeys(small, other)) == country({})


@given(large=st.dictionaries(CELLS, st.integers(SMALL, 10_000), min_size=1, max_size=8))
def test_what_is_large_enough_is_published_exactly(large: dict[Any, int]) -> None:
    months = published_of([a_row(w, o, looks, automatic=a, denied=d) for (w, o, (a, d)), looks in large.items()])
    said = sum(count or 0 for month in months for row in month.rows for count in row.counts.values())
    assert said == sum(sum(month.totals.values()) for month in months) == sum(large.values())


def test_the_boundary_of_what_is_small() -> None:
    [october] = published_of([a_row(OCTOBER, CODES[0], SMALL), a_row(OCTOBER, CODES[1], SMALL - 1)])
    assert [(row.organisation, row.counts[Figure.BY_PEOPLE]) for row in october.rows] == [(CODES[0], SMALL)]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2026, 11, 7, 23, 59, tzinfo=UTC), "2026-09"),
        (datetime(2026, 11, 8, 0, 0, tzinfo=UTC), "2026-10"),
        (datetime(2026, 1, 8, 0, 0, tzinfo=UTC), "2025-12"),
        (datetime(2024, 3, 7, 0, 0, tzinfo=UTC), "2024-01"),
    ],
)
def test_a_month_is_published_a_week_after_it_ended(now: datetime, newest: str) -> None:
    assert f"{published_of([], now)[0].first_day:%Y-%m}" == newest


def test_a_year_is_published_without_the_empty_months_before_the_first() -> None:
    months = published_of([a_row(OCTOBER, CODES[0], 9), a_row(datetime(2026, 3, 31, 23, tzinfo=UTC), CODES[0], 9)])
    assert [month.first_day.month for month in months] == [10, 9, 8, 7, 6, 5, 4, 3]
    assert len(published_of([a_row(datetime(2025, 11, 1, tzinfo=UTC), CODES[0], 9)])) == MONTHS


def test_days_of_the_running_month_are_never_counted(tmp_path: Path, database_url: str) -> None:
    clock = TickingClock(datetime(2026, 10, 31, 23, 0, tzinfo=UTC))
    with closing(LogHome.make(tmp_path, database_url).open(clock)) as log:
        looks = [an_access(organisation=CODES[0]) for _ in range(6)]
        log.append_all(looks)
        log.append_all([an_access(organisation=CODES[0], outcome=Outcome.FAILED) for _ in range(6)])
        log.append_all([an_access(organisation=CODES[0], action=Action.OWN_READ) for _ in range(6)])
        clock.now = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
        log.append_all(looks * 2)
        clock.now = NOW
        analytics = Analytics(log, Lake(MemoryStore(), clock), clock)
        for _ in ("on the log's database", "on the tables"):
            [october] = Transparency(analytics, shipped_catalogue(), clock).months()
            assert october.totals == {Figure.BY_PEOPLE: 6, Figure.BY_SYSTEMS: 0, Figure.REFUSED: 0}
            analytics.refresh()


def test_tables_that_are_old_or_damaged_are_not_believed(tmp_path: Path) -> None:
    clock = TickingClock(NOW)
    with closing(LogHome.make(tmp_path, f"sqlite:///{tmp_path}/log.db").open(clock)) as log:
        store = MemoryStore()
        analytics = Analytics(log, Lake(store, clock), clock)
        analytics.refresh()
        assert type(analytics.engine()).__name__ == "LakeEngine"
        clock.now += STALE
        assert type(analytics.engine()).__name__ == "LogEngine"
        assert analytics.is_due()
        store.put(STATE, b"damaged")
        assert type(analytics.engine()).__name__ == "LogEngine"
        assert not analytics.is_due()


def test_figures_that_cannot_be_counted_are_not_kept_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    analytics = FixedAnalytics([a_row(OCTOBER, CODES[0], 9)])
    transparency = Transparency(analytics, shipped_catalogue(), lambda: NOW)

    def unreachable(_: Measure) -> list[tuple[Any, ...]]:
        raise LogUnavailable("the database is gone")

    with monkeypatch.context() as patch:
        patch.setattr(analytics.engine(), "rows", unreachable)
        with pytest.raises(LogUnavailable):
            transparency.months()
    assert transparency.months()[0].totals[Figure.BY_PEOPLE] == 9
