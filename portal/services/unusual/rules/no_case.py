"""The look named no case, one that is not known, or one that was closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    grace = timedelta(days=limits.case_grace_days)
    for look in trail.looks:
        case = facts.case_of(look)
        if case is None or not case.was_open(look.at, grace):
            yield Flag(look.seq, RULE.code, {"closed": int(case is not None), "named": int(look.case is not None)})


RULE = Rule("no-case", Family.CASE, find)
