"""Many attempts of one day were refused; what was shown to the same official that day belongs to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

from portal.services.unusual.facts import Facts, Look, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for looks in trail.by_official.values():
        days: dict[date, list[Look]] = defaultdict(list)
        for look in looks:
            days[look.at.date()].append(look)
        for of_day in days.values():
            tried = {look.subject for look in of_day if look.denied}
            tries = sum(look.denied for look in of_day)
            if tries >= limits.denied_tries:
                for look in of_day:
                    if look.subject in tried:
                        yield Flag(look.seq, RULE.code, {"tries": tries})


RULE = Rule("denied-tries", Family.PATTERN, find)
