"""The month of Article 12(3), counted as Regulation 1182/71 says."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.deadlines import (
    EXTENDED_MONTHS,
    FIRST_ANSWER_MONTHS,
    deadline,
    easter_sunday,
    is_estonian_holiday,
)

DAYS = st.dates(date(2018, 5, 25), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("received", "months", "due"),
    [
        (date(2026, 3, 2), 1, date(2026, 4, 2)),
        (date(2026, 3, 2), 3, date(2026, 6, 2)),
        # A month without such a date ends the period with its last day, here a Saturday.
        (date(2026, 1, 31), 1, date(2026, 3, 2)),
        (date(2027, 12, 31), 2, date(2028, 2, 29)),
        # Good Friday, then the weekend of Easter.
        (date(2026, 3, 3), 1, date(2026, 4, 6)),
        # Christmas Eve, Christmas Day, Boxing Day on a Saturday, Sunday.
        (date(2026, 11, 24), 1, date(2026, 12, 28)),
        # 23 and 24 June.
        (date(2026, 5, 23), 1, date(2026, 6, 25)),
    ],
)
def test_known_periods_end_on_known_days(received: date, months: int, due: date) -> None:
    assert deadline(received, months) == due


@pytest.mark.parametrize(
    ("year", "sunday"), [(1999, date(1999, 4, 4)), (2000, date(2000, 4, 23)), (2024, date(2024, 3, 31)),
                         (2026, date(2026, 4, 5)), (2038, date(2038, 4, 25)), (2285, date(2285, 3, 22))]
)  # fmt: skip
def test_easter_falls_where_the_church_has_it(year: int, sunday: date) -> None:
    assert easter_sunday(year) == sunday


@given(st.integers(1900, 2299))
def test_easter_is_a_sunday_of_spring(year: int) -> None:
    day = easter_sunday(year)
    assert day.weekday() == calendar.SUNDAY
    assert date(year, 3, 22) <= day <= date(year, 4, 25)


@given(DAYS)
def test_a_period_ends_on_a_working_day_and_runs_at_least_its_month(received: date) -> None:
    due = deadline(received, FIRST_ANSWER_MONTHS)
    assert due.weekday() < calendar.SATURDAY
    assert not is_estonian_holiday(due)
    assert timedelta(days=28) <= due - received <= timedelta(days=36)


@given(DAYS)
def test_whoever_asks_later_is_never_answered_earlier_and_an_extension_never_shortens(received: date) -> None:
    due = deadline(received, FIRST_ANSWER_MONTHS)
    assert due <= deadline(received + timedelta(days=1), FIRST_ANSWER_MONTHS)
    assert due < deadline(received, EXTENDED_MONTHS)
