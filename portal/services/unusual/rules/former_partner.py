"""The person once lived in one household with the official, and does so no longer."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        if (both := facts.both(look)) is None:
            continue
        me, them = both
        theirs = them.former_households | ({them.household} if them.household else set())
        live_together = me.household is not None and me.household == them.household
        if me.former_households & theirs and not live_together:
            yield Flag(look.seq, RULE.code)


RULE = Rule("former-partner", Family.RELATION, find)
