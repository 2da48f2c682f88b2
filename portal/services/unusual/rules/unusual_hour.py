"""At an hour, or on a kind of day, at which this official hardly ever works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits

SATURDAY = 5


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for looks in trail.by_official.values():
        if len(looks) < limits.history_least:
            continue
        hours = Counter(look.at.hour for look in looks)
        free_days = sum(_is_free(look.at.date(), facts) for look in looks)
        for look in looks:
            near = sum(hours[(look.at.hour + step) % 24] for step in (-1, 0, 1))
            is_rare_hour = 100 * near <= limits.usual_hours_percent * len(looks)
            is_rare_day = _is_free(look.at.date(), facts) and 100 * free_days <= limits.usual_hours_percent * len(looks)
            if is_rare_hour or is_rare_day:
                yield Flag(look.seq, RULE.code, {"hour": look.at.hour, "free_day": int(is_rare_day)})


def _is_free(day: date, facts: Facts) -> bool:
    return day.weekday() >= SATURDAY or day in facts.holidays


RULE = Rule("unusual-hour", Family.TIME, find)
