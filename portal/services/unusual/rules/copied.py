"""One justification, word for word, for many people within some weeks and without a case."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from portal.services.justification import words_of
from portal.services.unusual.facts import Facts, Look, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for looks in trail.by_official.values():
        reasons: dict[tuple[str, ...], list[Look]] = defaultdict(list)
        for look in looks:
            if look.justification and facts.case_of(look) is None:
                reasons[words_of(look.justification)].append(look)
        for alike in reasons.values():
            for seq, people in _crowded(alike, limits).items():
                yield Flag(seq, RULE.code, {"people": people, "days": limits.copied_days})


def _crowded(alike: list[Look], limits: Limits) -> dict[int, int]:
    """The looks that fall into a window with too many people, each with the most people of its windows."""
    found: dict[int, int] = {}
    first = 0
    for last, look in enumerate(alike):
        while look.at - alike[first].at > timedelta(days=limits.copied_days):
            first += 1
        window = alike[first : last + 1]
        people = len({one.subject for one in window})
        if people >= limits.copied_people:
            found |= {one.seq: max(found.get(one.seq, 0), people) for one in window}
    return found


RULE = Rule("copied", Family.PATTERN, find)
