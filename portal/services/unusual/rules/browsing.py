"""Many people in a short time, none of them with a case: as one leafs through a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    span = timedelta(minutes=limits.browsing_minutes)
    for looks in trail.by_official.values():
        without = [look for look in looks if facts.case_of(look) is None]
        flagged: dict[int, int] = {}
        first = 0
        for last, look in enumerate(without):
            while look.at - without[first].at > span:
                first += 1
            people = len({one.subject for one in without[first : last + 1]})
            if people >= limits.browsing_people:
                for one in without[first : last + 1]:
                    flagged[one.seq] = max(flagged.get(one.seq, 0), people)
        for seq, people in flagged.items():
            yield Flag(seq, RULE.code, {"people": people, "minutes": limits.browsing_minutes})


RULE = Rule("browsing", Family.PATTERN, find)
