"""The person bears the official's surname, which is rare, and is of about the same age."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits

DAYS_OF_A_YEAR = 365


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        if (both := facts.both(look)) is None:
            continue
        me, them = both
        if me.surname is None or me.surname != them.surname or me.born is None or them.born is None:
            continue
        years = abs((me.born - them.born).days) // DAYS_OF_A_YEAR
        if facts.bearers[me.surname] <= limits.surname_bearers and years <= limits.age_band_years:
            yield Flag(look.seq, RULE.code, {"bearers": facts.bearers[me.surname], "years": years})


RULE = Rule("same-surname", Family.RELATION, find)
