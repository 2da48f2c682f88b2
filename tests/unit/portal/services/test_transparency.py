"""What is published of the trail says how often government looks, and nothing from which a person could be made out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from portal.services.proceedings.kinds import ANSWERED, Proceeding, Stage
from portal.services.proceedings.ledger import Proceedings
from portal.services.transparency import (
    BREAK_GLASS,
    CONTESTED,
    MONTHS,
    SAFEGUARDS,
    SMALL,
    Figure,
    Month,
    Transparency,
    half_within,
)  # fmt: skip
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


class FixedProceedings(Proceedings):
    def __init__(self, settled: Sequence[tuple[datetime, Proceeding]] = ()) -> None:
        self._settled = settled

    def settled(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, Proceeding]]:
        return ((when, one) for when, one in self._settled if since <= when < until)


def published_of(
    rows: Sequence[tuple[Any, ...]] = (), now: datetime = NOW, settled: Sequence[tuple[datetime, Proceeding]] = ()
) -> list[Month]:
    analytics, proceedings = FixedAnalytics(rows), FixedProceedings(settled)
    return Transparency(analytics, proceedings, shipped_catalogue(), lambda: now).months()


def settled_at(when: datetime, organisation: str, stage: Stage, days: int = 3) -> tuple[datetime, Proceeding]:
    return when, Proceeding(stage, organisation, when - timedelta(days=days), when, when, ())


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


#: One stage for each published figure: every cell can be filled by itself.
PROCEEDING_CELLS = st.tuples(
    st.sampled_from([OCTOBER, OCTOBER - timedelta(days=31), OCTOBER - timedelta(days=61)]),
    st.sampled_from(CODES),
    st.sampled_from(
        [
            Stage.EMERGENCY_IN_TIME,
            Stage.EMERGENCY_OVERDUE,
            Stage.SEAL_ENDED,
            Stage.DISPUTE_UPHELD,
            Stage.DISPUTE_REFUSED,
            Stage.DISPUTE_WITHDRAWN,
        ]
    ),
)
DAYS = st.integers(0, 400)


@given(
    large=st.dictionaries(PROCEEDING_CELLS, st.lists(DAYS, min_size=SMALL, max_size=30), max_size=6),
    small=st.dictionaries(PROCEEDING_CELLS, st.lists(DAYS, max_size=SMALL - 1), max_size=6),
    other=st.lists(DAYS, max_size=SMALL - 1),
)
def test_nothing_that_is_published_depends_on_a_few_disputes_emergencies_or_seals(
    large: dict[Any, list[int]], small: dict[Any, list[int]], other: list[int]
) -> None:
    """Neither on how many there are in a small cell, nor on how long their answers took."""

    def country(smalls: dict[Any, list[int]]) -> list[Month]:
        cells = smalls | large
        return published_of(settled=[settled_at(*cell, days) for cell, each in cells.items() for days in each])

    assert country(small) == country(dict.fromkeys(small, other)) == country({})


@given(cells=st.dictionaries(PROCEEDING_CELLS, st.lists(DAYS, min_size=SMALL, max_size=30), min_size=1, max_size=6))
def test_a_proceeding_counts_in_one_cell_and_the_sums_are_those_of_the_cells(cells: dict[Any, list[int]]) -> None:
    months = published_of(settled=[settled_at(*cell, days) for cell, each in cells.items() for days in each])
    assert sum(month.together(SAFEGUARDS) for month in months) == sum(map(len, cells.values()))
    for month in months:
        for figures in (BREAK_GLASS, CONTESTED):
            assert month.together(figures) == sum(row.at_least(figures) or 0 for row in month.rows)
    answers = {when for (when, _, stage), _each in cells.items() if stage in ANSWERED}
    assert len([month for month in months if month.half_within]) == len(answers)


@given(days=st.lists(DAYS, min_size=1))
def test_half_of_the_answers_came_within_the_weeks_that_are_published(days: list[int]) -> None:
    weeks = half_within(days)
    assert weeks is not None
    assert weeks % 7 == 0
    assert 2 * sum(taken <= weeks for taken in days) >= len(days)
    assert weeks == 7 or 2 * sum(taken <= weeks - 7 for taken in days) < len(days)


def test_a_seal_in_force_and_an_open_dispute_are_in_no_figure() -> None:
    """What `settled` may give is the whole of what can be published: an open stage has no figure."""
    from_open = (Stage.SEAL_IN_FORCE, Stage.DISPUTE_WAITING, Stage.DISPUTE_OVERDUE, Stage.EMERGENCY_WAITING)
    for stage in from_open:
        with pytest.raises(KeyError):
            published_of(settled=[settled_at(OCTOBER, CODES[0], stage)])


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
            [october] = Transparency(analytics, FixedProceedings(), shipped_catalogue(), clock).months()
            assert {figure: count for figure, count in october.totals.items() if count} == {Figure.BY_PEOPLE: 6}
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
    transparency = Transparency(analytics, FixedProceedings(), shipped_catalogue(), lambda: NOW)

    def unreachable(_: Measure) -> list[tuple[Any, ...]]:
        raise LogUnavailable("the database is gone")

    with monkeypatch.context() as patch:
        patch.setattr(analytics.engine(), "rows", unreachable)
        with pytest.raises(LogUnavailable):
            transparency.months()
    assert transparency.months()[0].totals[Figure.BY_PEOPLE] == 9
