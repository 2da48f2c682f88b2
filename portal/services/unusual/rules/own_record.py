"""The official looked at their own record."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        if facts.persons_of.get(look.official) == look.subject:
            yield Flag(look.seq, RULE.code)


RULE = Rule("own-record", Family.PERSON, find)
