"""The overview counts what was looked at, and names the registries that the log no longer hears of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from portal.domain.actions import Action, Outcome
from portal.services.analytics.desk import Analytics
from portal.services.analytics.lake import Lake
from portal.services.dashboard import SPANS, Coverage, Dashboard, Figures
from portal.services.proceedings.figures import KindFigures, ProceedingFigures
from portal.services.proceedings.kinds import Kind
from tests.factories.houses import shipped_catalogue
from tests.factories.logs import LogHome, TickingClock, an_access

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


class NoProceedings(ProceedingFigures):
    """A country in which nothing follows looks."""

    def __init__(self) -> None:
        pass

    def of(self, _span: int) -> Mapping[Kind, KindFigures]:
        return {}


def figures_of(folder: Path, url: str, looks: Sequence[tuple[int, dict[str, object]]], span: int = 30) -> Figures:
    """The overview after looks, each so many days ago; the last of them first in the list or not."""
    clock = TickingClock()
    with closing(LogHome.make(folder, url).open(clock)) as log:
        for days_ago, changes in sorted(looks, key=lambda look: -look[0]):
            clock.now = NOW - timedelta(days=days_ago)
            log.append(an_access(**changes))
        clock.now = NOW
        analytics = Analytics(log, Lake(MemoryStore(), clock), clock)
        return Dashboard(analytics, NoProceedings(), shipped_catalogue(), clock).figures(span)


def test_looks_refusals_and_cases_are_told_apart(tmp_path: Path, database_url: str) -> None:
    found = figures_of(
        tmp_path,
        database_url,
        [
            (1, {"organisation": "police", "case": "C-1"}),
            (1, {"organisation": "police", "case": None}),
            (2, {"organisation": "police", "outcome": Outcome.DENIED, "case": None}),
            (2, {"organisation": "tax-board", "automatic": True, "action": Action.AUTOMATED_READ, "official": None}),
            (3, {"organisation": "tax-board", "outcome": Outcome.FAILED}),
            (3, {"action": Action.OWN_READ, "organisation": None}),
        ],
    )
    assert (found.total.by_people, found.total.by_systems, found.total.refused) == (2, 1, 1)
    assert found.total.share_with_case == pytest.approx(2 / 3)
    assert [(code, looks.shown, looks.refused) for code, looks in found.by_organisation] == [
        ("police", 2, 1),
        ("tax-board", 1, 0),
    ]
    assert (found.people, found.officials) == (1, 1)
    assert sum(looks for _, looks in found.by_day) == 3
    assert [(one.looks, one.refused) for one in found.by_purpose] == [(4, 1)]


@pytest.mark.parametrize("span", SPANS)
def test_a_span_ends_today_and_holds_exactly_its_days(tmp_path: Path, span: int) -> None:
    looks: list[tuple[int, dict[str, object]]] = [(0, {}), (span - 1, {}), (span, {})]
    found = figures_of(tmp_path, f"sqlite:///{tmp_path}/log.db", looks, span)
    assert found.until == NOW.date()
    assert len(found.by_day) == span
    assert found.total.shown == 2
    assert (found.by_day[0][1], found.by_day[-1][1]) == (1, 1)


def coverage_of(tmp_path: Path, days_ago: Sequence[int]) -> Coverage:
    looks: list[tuple[int, dict[str, object]]] = [(day, {"registry": "population"}) for day in days_ago]
    found = figures_of(tmp_path, f"sqlite:///{tmp_path}/log.db", looks)
    return next(one for one in found.coverage if one.registry == "population")


@pytest.mark.parametrize(
    ("days_ago", "is_silent"),
    [
        (range(30), False),
        (range(3, 30), True),
        (range(2, 30), False),  # a weekend is no silence
        ([*range(4, 10), *range(15, 30)], False),  # it was silent for longer before
        ([5, 20], False),  # rarely used: a silence says nothing
        ([], False),
    ],
)
def test_a_registry_in_daily_use_that_is_silent_for_longer_than_ever_is_named(
    tmp_path: Path, days_ago: Sequence[int], *, is_silent: bool
) -> None:
    assert coverage_of(tmp_path, days_ago).has_fallen_silent is is_silent


def test_a_registry_that_never_reported_is_listed_all_the_same(tmp_path: Path) -> None:
    found = figures_of(tmp_path, f"sqlite:///{tmp_path}/log.db", [])
    assert {one.registry for one in found.coverage} == set(shipped_catalogue().registries)
    assert all(one.was_never_heard for one in found.coverage)
    assert found.total.share_with_case is None


def test_a_registry_that_the_catalogue_no_longer_has_stays_visible(tmp_path: Path) -> None:
    found = figures_of(tmp_path, f"sqlite:///{tmp_path}/log.db", [(1, {"registry": "abolished"})])
    assert [one.entries for one in found.coverage if one.registry == "abolished"] == [1]
