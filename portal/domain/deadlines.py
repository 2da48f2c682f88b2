"""The statutory clock of GDPR Article 12(3): one month from receipt, which may be extended by two further months.

Periods run as Regulation (EEC, Euratom) No 1182/71, Article 3, says: the day of receipt is not counted; a period in
months ends with the day of the same date, or with the last day of a month that has no such date; and a period that
would end on a public holiday, a Saturday or a Sunday ends with the next working day.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

FIRST_ANSWER_MONTHS = 1
EXTENDED_MONTHS = 3
#: Public holidays of Estonia that keep their date (Pühade ja tähtpäevade seadus, § 2), as month and day.
_FIXED = frozenset({(1, 1), (2, 24), (5, 1), (6, 23), (6, 24), (8, 20), (12, 24), (12, 25), (12, 26)})
#: Days from Easter Sunday: Good Friday, Easter Sunday, Whit Sunday.
_FROM_EASTER = (-2, 0, 49)

IsHoliday = Callable[[date], bool]


def is_estonian_holiday(day: date) -> bool:
    return (day.month, day.day) in _FIXED or any(
        day == easter_sunday(day.year) + timedelta(days=away) for away in _FROM_EASTER
    )


def deadline(received: date, months: int, is_holiday: IsHoliday = is_estonian_holiday) -> date:
    """The last day of a period of so many months that begins with what was received on that day."""
    years, month = divmod(received.year * 12 + received.month - 1 + months, 12)
    last = date(years, month + 1, min(received.day, calendar.monthrange(years, month + 1)[1]))
    while last.weekday() >= calendar.SATURDAY or is_holiday(last):
        last += timedelta(days=1)
    return last


def easter_sunday(year: int) -> date:
    """Gregorian Easter (J.-M. Oudin's algorithm, Explanatory Supplement to the Astronomical Almanac)."""
    golden, century = year % 19, year // 100
    epact = (century - century // 4 - (8 * century + 13) // 25 + 19 * golden + 15) % 30
    epact -= (epact // 28) * (1 - (29 // (epact + 1)) * ((21 - golden) // 11))
    weekday = (year + year // 4 + epact + 2 - century + century // 4) % 7
    offset = epact - weekday
    month = 3 + (offset + 40) // 44
    return date(year, month, offset + 28 - 31 * (month // 4))
