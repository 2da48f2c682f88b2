"""While the official was away: on leave, or ill."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        day = look.at.date()
        if any(first <= day <= last for first, last in facts.absences.get(look.official, ())):
            yield Flag(look.seq, RULE.code)


RULE = Rule("absence", Family.TIME, find)
