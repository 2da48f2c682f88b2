"""The case that was named is one of another team."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        case = facts.case_of(look)
        if case is None or look.official in case.officials:
            continue
        if case.team is not None and case.team != facts.teams.get(look.official):
            yield Flag(look.seq, RULE.code)


RULE = Rule("foreign-case", Family.CASE, find)
