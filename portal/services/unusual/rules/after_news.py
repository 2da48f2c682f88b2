"""Soon after the person was in the news."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    days = {peg.subject: peg.day for peg in sorted(facts.news, key=lambda peg: peg.day)}
    for look in trail.looks:
        day = days.get(look.subject)
        if day is not None and 0 <= (look.at.date() - day).days <= limits.news_days:
            yield Flag(look.seq, RULE.code, {"days": (look.at.date() - day).days})


RULE = Rule("after-news", Family.PERSON, find)
