"""When somebody is so many years old."""

from __future__ import annotations

from datetime import date

import pytest

from portal.domain.mandates import ADULT_AT, birthday


@pytest.mark.parametrize(
    ("born", "of_age"),
    [
        (date(2009, 3, 11), date(2027, 3, 11)),
        (date(2008, 12, 31), date(2026, 12, 31)),
        (date(2008, 2, 29), date(2026, 2, 28)),
        (date(2008, 2, 28), date(2026, 2, 28)),
    ],
)
def test_somebody_comes_of_age_on_their_birthday_and_never_a_day_later(born: date, of_age: date) -> None:
    assert birthday(born, ADULT_AT) == of_age


def test_of_the_twenty_ninth_of_february_a_leap_year_has_the_day_itself() -> None:
    assert birthday(date(2008, 2, 29), 16) == date(2024, 2, 29)
