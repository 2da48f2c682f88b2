"""Statistics for everybody: who looks at people's data how often, and nothing from which one person could be made out.

What protects people in small numbers:

- A count below `SMALL`, zero included, is not published, and totals are the sums of what is published: whatever the
  hidden counts are, the publication is the same to the byte, so nothing can be had by subtracting.
- A month is published once, whole, and some days after it ended. There is no running figure whose growth could be
  watched from one day to the next.
- There is one breakdown (organisation by month); a second one over the same looks could be set against it.
- Each look, emergency, dispute and seal counts once, in one cell. None of them is counted when it begins and again when
  it ends, for the difference would be what is open now.
- A seal counts in the month after whose end nothing of it is withheld any more: no figure tells that one is in force.
- How long answers took is said of disputes in published cells alone, and in whole weeks.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain
from statistics import median_low
from threading import Lock

from portal.domain.actions import Outcome
from portal.registries.catalogue import Catalogue
from portal.services.analytics.desk import Analytics
from portal.services.analytics.measures import looks_by_day
from portal.services.analytics.tables import day_of
from portal.services.clock import Clock
from portal.services.proceedings.kinds import Proceeding, Stage
from portal.services.proceedings.ledger import Proceedings

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
    EMERGENCIES_IN_TIME = "emergencies-reviewed-in-time"
    EMERGENCIES_NOT_IN_TIME = "emergencies-not-reviewed-in-time"
    SEALS_ENDED = "seals-ended"
    DISPUTES_UPHELD = "disputes-upheld"
    DISPUTES_REFUSED = "disputes-refused"
    DISPUTES_WITHDRAWN = "disputes-withdrawn"


LOOKS = (Figure.BY_PEOPLE, Figure.BY_SYSTEMS, Figure.REFUSED)
SAFEGUARDS = tuple(figure for figure in Figure if figure not in LOOKS)
BREAK_GLASS = (Figure.EMERGENCIES_IN_TIME, Figure.EMERGENCIES_NOT_IN_TIME)
CONTESTED = (Figure.DISPUTES_UPHELD, Figure.DISPUTES_REFUSED, Figure.DISPUTES_WITHDRAWN)
ANSWERED = (Figure.DISPUTES_UPHELD, Figure.DISPUTES_REFUSED)
_OF_STAGE = {
    Stage.EMERGENCY_IN_TIME: Figure.EMERGENCIES_IN_TIME,
    Stage.EMERGENCY_LATE: Figure.EMERGENCIES_NOT_IN_TIME,
    Stage.EMERGENCY_OVERDUE: Figure.EMERGENCIES_NOT_IN_TIME,
    Stage.SEAL_ENDED: Figure.SEALS_ENDED,
    Stage.DISPUTE_UPHELD: Figure.DISPUTES_UPHELD,
    Stage.DISPUTE_REFUSED: Figure.DISPUTES_REFUSED,
    Stage.DISPUTE_WITHDRAWN: Figure.DISPUTES_WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One organisation in one month: a count, or None for fewer than `SMALL`.

    `half_within` is the number of days, whole weeks, within which at least half of the published answers to disputes
    were given; None where there are none.
    """

    organisation: str
    counts: Mapping[Figure, int | None]
    half_within: int | None = None

    def says(self, figures: Sequence[Figure]) -> bool:
        return any(self.counts[figure] is not None for figure in figures)

    def at_least(self, figures: Sequence[Figure]) -> int | None:
        """The sum of what is published of these; None where nothing is."""
        return sum(self.counts[figure] or 0 for figure in figures) if self.says(figures) else None


@dataclass(frozen=True, slots=True)
class Month:
    """A closed month, in UTC: the organisations of which anything can be said, and the sums of what is said of them."""

    first_day: date
    rows: tuple[Row, ...]
    totals: Mapping[Figure, int]
    half_within: int | None = None

    def rows_about(self, figures: Sequence[Figure]) -> list[Row]:
        """The organisations of which one of these figures is published."""
        return [row for row in self.rows if row.says(figures)]

    def together(self, figures: Sequence[Figure]) -> int:
        return sum(self.totals[figure] for figure in figures)


class Transparency:
    """Counts closed months, hides what is small, and keeps the result: a month that was published does not change."""

    def __init__(self, analytics: Analytics, proceedings: Proceedings, catalogue: Catalogue, clock: Clock) -> None:
        self._analytics = analytics
        self._proceedings = proceedings
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
        cells: dict[date, _Cells] = {first: _Cells() for first in firsts}
        for first, organisation, figure, looks in self._looks(firsts[-1], _next_month(newest)):
            cells[first].counts[organisation, figure] += looks
        for ended, one in self._proceedings.settled(_midnight(firsts[-1]), _midnight(_next_month(newest))):
            cells[_first_of_month(ended.astimezone(UTC).date())].add(one)
        months = [self._month(first, cells[first]) for first in firsts]
        while len(months) > 1 and not months[-1].rows:
            months.pop()
        return months

    def _looks(self, since: date, until: date) -> Iterable[tuple[date, str, Figure, int]]:
        measure = looks_by_day(_day(since), _day(until))
        for day, organisation, automatic, outcome, looks, _ in self._analytics.engine().rows(measure):
            if organisation is not None:
                first = _first_of_month(_EPOCH + timedelta(days=day))
                yield first, organisation, _figure(automatic, outcome), looks

    def _month(self, first: date, cells: _Cells) -> Month:
        organisations = [*self._catalogue.organisations, *sorted({code for code, _ in cells.counts})]
        rows = [cells.row(code) for code in dict.fromkeys(organisations)]
        said = tuple(row for row in rows if row.says(tuple(Figure)))
        totals = {figure: sum(row.counts[figure] or 0 for row in said) for figure in Figure}
        return Month(first, said, totals, half_within(chain(*(cells.days_of(row) for row in said))))


class _Cells:
    """One month while it is counted: how many in each cell, and how many days the answers in it took."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, Figure]] = Counter()
        self._days: defaultdict[tuple[str, Figure], list[int]] = defaultdict(list)

    def add(self, one: Proceeding) -> None:
        cell = (one.organisation, _OF_STAGE[one.stage])
        self.counts[cell] += 1
        if one.days_to_answer is not None:
            self._days[cell].append(one.days_to_answer)

    def row(self, organisation: str) -> Row:
        row = Row(organisation, {figure: published(self.counts[organisation, figure]) for figure in Figure})
        return replace(row, half_within=half_within(self.days_of(row)))

    def days_of(self, row: Row) -> list[int]:
        """How many days the answers in the row's published cells took."""
        told = (figure for figure in ANSWERED if row.counts[figure] is not None)
        return [days for figure in told for days in self._days[row.organisation, figure]]


def published(count: int) -> int | None:
    """The count as everybody may know it."""
    return count if count >= SMALL else None


def half_within(days: Iterable[int]) -> int | None:
    """The smallest number of whole weeks, in days, within which at least half of these answers were given.

    A median by itself would be the number of days that one of them took.
    """
    taken = list(days)
    return 7 * max(1, -(-median_low(taken) // 7)) if taken else None


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
    return day_of(_midnight(day))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
