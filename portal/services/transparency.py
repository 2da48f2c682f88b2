"""Statistics for everybody: who looks at people's data how often, and nothing from which one person could be made out.

What protects people in small numbers:

- A count below `SMALL`, zero included, is not published, and totals are the sums of what is published: whatever the
  hidden counts are, the publication is the same to the byte, so nothing can be had by subtracting.
- A month is published once, whole, and some days after it ended. There is no running figure whose growth could be
  watched from one day to the next.
- There is one breakdown (organisation by month); a second one over the same looks could be set against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from threading import Lock

from portal.domain.actions import Outcome
from portal.registries.catalogue import Catalogue
from portal.services.analytics.desk import Analytics
from portal.services.analytics.measures import looks_by_day
from portal.services.analytics.tables import day_of
from portal.services.clock import Clock

#: Nothing is said about fewer looks than this in a month.
SMALL = 5
MONTHS = 12
#: How long after its end a month is published, so that late entries and corrections are in it.
DELAY = timedelta(days=7)
_EPOCH = date(1970, 1, 1)


class Figure(StrEnum):
    """What is counted for each organisation and month."""

    BY_PEOPLE = "looks-by-people"
    BY_SYSTEMS = "looks-by-systems"
    REFUSED = "refused-attempts"


@dataclass(frozen=True, slots=True)
class Row:
    """One organisation in one month: a count, or None for fewer than `SMALL`."""

    organisation: str
    counts: Mapping[Figure, int | None]


@dataclass(frozen=True, slots=True)
class Month:
    """A closed month, in UTC: the organisations of which anything can be said, and the sums of what is said of them."""

    first_day: date
    rows: tuple[Row, ...]
    totals: Mapping[Figure, int]


class Transparency:
    """Counts closed months, hides what is small, and keeps the result: a month that was published does not change."""

    def __init__(self, analytics: Analytics, catalogue: Catalogue, clock: Clock) -> None:
        self._analytics = analytics
        self._catalogue = catalogue
        self._clock = clock
        self._lock = Lock()
        self._kept: tuple[date, list[Month]] | None = None

    def months(self) -> list[Month]:
        """The published months of the last year, newest first, without the oldest ones of which nothing can be said.

        Raises:
            LogUnavailable: neither the tables nor the log could be read.
        """
        newest = _newest_published(self._clock())
        with self._lock:  # many readers at once cause one count
            if self._kept is None or self._kept[0] != newest:
                self._kept = (newest, self._counted(newest))
            return self._kept[1]

    def needs_refresh(self) -> bool:
        """Whether the tables behind the figures should be brought up to date, in the background."""
        return self._analytics.is_due()

    def refresh(self) -> None:
        self._analytics.refresh()

    def _counted(self, newest: date) -> list[Month]:
        firsts = [newest]
        while len(firsts) < MONTHS:
            firsts.append(_first_of_month(firsts[-1] - timedelta(days=1)))
        since, until = _day(firsts[-1]), _day(_next_month(newest))
        counts: dict[date, Counter[tuple[str, Figure]]] = {first: Counter() for first in firsts}
        for day, organisation, automatic, outcome, looks, _ in self._analytics.engine().rows(
            looks_by_day(since, until)
        ):
            figure = _figure(automatic, outcome)
            if organisation is not None:
                counts[_first_of_month(_EPOCH + timedelta(days=day))][organisation, figure] += looks
        months = [self._month(first, counts[first]) for first in firsts]
        while len(months) > 1 and not months[-1].rows:
            months.pop()
        return months

    def _month(self, first: date, counts: Counter[tuple[str, Figure]]) -> Month:
        organisations = [*self._catalogue.organisations, *sorted({code for code, _ in counts})]
        rows = [
            Row(code, {figure: published(counts[code, figure]) for figure in Figure})
            for code in dict.fromkeys(organisations)
        ]
        said = tuple(row for row in rows if any(count is not None for count in row.counts.values()))
        totals = {figure: sum(row.counts[figure] or 0 for row in said) for figure in Figure}
        return Month(first, said, totals)


def published(count: int) -> int | None:
    """The count as everybody may know it."""
    return count if count >= SMALL else None


def _figure(automatic: bool, outcome: str) -> Figure:
    if outcome == Outcome.DENIED:
        return Figure.REFUSED
    return Figure.BY_SYSTEMS if automatic else Figure.BY_PEOPLE


def _newest_published(now: datetime) -> date:
    """The first day of the newest month that ended at least `DELAY` ago."""
    settled = (now.astimezone(UTC) - DELAY).date()
    return _first_of_month(_first_of_month(settled) - timedelta(days=1))


def _first_of_month(day: date) -> date:
    return day.replace(day=1)


def _next_month(first: date) -> date:
    return _first_of_month(first + timedelta(days=31))


def _day(day: date) -> int:
    return day_of(datetime(day.year, day.month, day.day, tzinfo=UTC))
