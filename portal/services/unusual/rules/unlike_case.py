"""The case that was named is about somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        case = facts.case_of(look)
        if case is not None and case.subjects and look.subject not in case.subjects:
            household = facts.people[look.subject].household if look.subject in facts.people else None
            of_case = {facts.people[one].household for one in case.subjects if one in facts.people}
            if household is None or household not in of_case:
                yield Flag(look.seq, RULE.code)


RULE = Rule("unlike-case", Family.CASE, find)
