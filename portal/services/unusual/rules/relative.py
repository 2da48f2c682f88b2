"""The person is a parent, a child, a brother, a sister or a spouse of the official."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        if (both := facts.both(look)) is not None and look.subject in both[0].relatives:
            yield Flag(look.seq, RULE.code)


RULE = Rule("relative", Family.RELATION, find)
