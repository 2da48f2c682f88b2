"""The same official returned to one person on many days, without a case of theirs."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for looks in trail.by_pair.values():
        without = [look for look in looks if facts.case_of(look) is None]
        days = len({look.at.date() for look in without})
        if days >= limits.repeated_days:
            for look in without:
                yield Flag(look.seq, RULE.code, {"days": days})


RULE = Rule("repeated", Family.PATTERN, find)
