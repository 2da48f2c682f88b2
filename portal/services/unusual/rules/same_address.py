"""The person is registered at the address of the official, in another household."""

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
        is_one_household = me.household is not None and me.household == them.household
        if me.address and me.address == them.address and not is_one_household:
            yield Flag(look.seq, RULE.code)


RULE = Rule("same-address", Family.RELATION, find)
