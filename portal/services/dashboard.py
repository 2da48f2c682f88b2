"""The overview: how much was looked at, by whom, for what, how much of it in a case, what followed, who fell silent.

Figures only: no person, no official and no reason stands in them, so asking for them is no look at anybody and leaves
no entry. Each figure names the search that lists the entries behind it, or the list of what
is counted; that search, or list, is an entry.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any

from portal.domain.actions import Outcome
from portal.registries.catalogue import Catalogue
from portal.services.analytics.desk import Analytics
from portal.services.analytics.measures import days_of_registries, looks_by_day, looks_by_purpose, people_looked_at
from portal.services.analytics.tables import day_of
from portal.services.clock import Clock
from portal.services.proceedings.figures import KindFigures, ProceedingFigures
from portal.services.proceedings.kinds import Kind

#: How many days back the overview may look.
SPANS = (7, 30, 90, 365)
#: A registry that is used on most days and has been silent for so many is named first.
SILENCE_DAYS = 3
_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Looks:
    """How often was looked: by officials, by systems, of these in a case; and how often it was refused."""

    by_people: int = 0
    by_systems: int = 0
    with_case: int = 0
    refused: int = 0

    @property
    def shown(self) -> int:
        return self.by_people + self.by_systems

    @property
    def share_with_case(self) -> float | None:
        """Of what officials and systems were shown, the part that named a case; None where nothing was shown."""
        return self.with_case / self.shown if self.shown else None

    def add(self, *, automatic: bool, outcome: str, looks: int, with_case: int) -> None:
        if outcome == Outcome.DENIED:
            self.refused += looks
            return
        self.with_case += with_case
        if automatic:
            self.by_systems += looks
        else:
            self.by_people += looks


@dataclass(frozen=True, slots=True)
class PurposeFigures:
    """One purpose: all attempts under it, and those of them that were refused. None: the attempt named no purpose."""

    purpose: str | None
    looks: int
    refused: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether the log hears of one registry: on how many days of the span, when last, and for how long not."""

    registry: str
    entries: int
    days_heard: int
    last_day: date | None
    longest_silence: int
    silent_for: int
    span: int

    @property
    def has_fallen_silent(self) -> bool:
        """Used on most days, and not heard of for `SILENCE_DAYS` or longer: a fault, or a detour round the log."""
        is_in_daily_use = 2 * self.days_heard > self.span - self.silent_for
        return is_in_daily_use and self.silent_for >= SILENCE_DAYS and self.silent_for > self.longest_silence

    @property
    def was_never_heard(self) -> bool:
        return self.last_day is None


@dataclass(frozen=True, slots=True)
class Figures:
    """One span of days, the last of which is today (UTC)."""

    since: date
    until: date
    total: Looks
    people: int
    officials: int
    by_day: Sequence[tuple[date, int]]
    by_organisation: Sequence[tuple[str | None, Looks]]
    by_purpose: Sequence[PurposeFigures]
    coverage: Sequence[Coverage]
    proceedings: Mapping[Kind, KindFigures]
    as_of: datetime | None = field(default=None)


class Dashboard:
    """Counts what the overview shows."""

    def __init__(
        self, analytics: Analytics, proceedings: ProceedingFigures, catalogue: Catalogue, clock: Clock
    ) -> None:
        self.proceedings = proceedings
        self._analytics = analytics
        self._catalogue = catalogue
        self._clock = clock

    def figures(self, span: int) -> Figures:
        """The figures of the last `span` days, one of `SPANS`.

        Raises:
            LogUnavailable: neither the tables nor the log could be read.
        """
        until = day_of(self._clock()) + 1
        since = until - span
        engine = self._analytics.engine()
        total, by_day, by_organisation = _looks(engine.rows(looks_by_day(since, until)))
        [(people, officials)] = engine.rows(people_looked_at(since, until))
        return Figures(
            since=_date(since),
            until=_date(until - 1),
            total=total,
            people=people,
            officials=officials,
            by_day=[(_date(day), by_day[day]) for day in range(since, until)],
            by_organisation=sorted(by_organisation.items(), key=lambda pair: (-pair[1].shown, pair[0] or "")),
            by_purpose=[PurposeFigures(*row) for row in engine.rows(looks_by_purpose(since, until))],
            coverage=self._coverage(engine.rows(days_of_registries(since, until)), since, until),
            proceedings=self.proceedings.of(span),
            as_of=self._analytics.as_of(),
        )

    def needs_refresh(self) -> bool:
        """Whether the tables behind the figures should be brought up to date, in the background."""
        return self._analytics.is_due()

    def refresh(self) -> None:
        self._analytics.refresh()

    def _coverage(self, rows: Sequence[tuple[Any, ...]], since: int, until: int) -> list[Coverage]:
        heard: dict[str, dict[int, int]] = {code: {} for code in self._catalogue.registries}
        for registry, day, entries in rows:
            heard.setdefault(registry, {})[day] = entries
        every = [_covered(registry, days, since, until) for registry, days in heard.items()]
        return sorted(every, key=lambda one: (not one.has_fallen_silent, one.registry))


def _looks(rows: Sequence[tuple[Any, ...]]) -> tuple[Looks, dict[int, int], dict[str | None, Looks]]:
    total = Looks()
    by_day: dict[int, int] = defaultdict(int)
    by_organisation: dict[str | None, Looks] = defaultdict(Looks)
    for day, organisation, automatic, outcome, looks, with_case in rows:
        for counted in (total, by_organisation[organisation]):
            counted.add(automatic=automatic, outcome=outcome, looks=looks, with_case=with_case)
        if outcome != Outcome.DENIED:
            by_day[day] += looks
    return total, by_day, by_organisation


def _covered(registry: str, days: dict[int, int], since: int, until: int) -> Coverage:
    """The longest silence is the one between two days on which the registry was heard of; today may still come."""
    if not days:
        return Coverage(registry, 0, 0, None, 0, until - since, until - since)
    ordered = sorted(days)
    silences = [later - earlier - 1 for earlier, later in pairwise(ordered)]
    last = ordered[-1]
    return Coverage(
        registry,
        entries=sum(days.values()),
        days_heard=len(ordered),
        last_day=_date(last),
        longest_silence=max(silences, default=0),
        silent_for=max(0, until - 1 - last),
        span=until - since,
    )


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)
