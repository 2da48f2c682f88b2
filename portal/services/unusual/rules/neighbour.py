"""The person lives close to the official, by the land registry."""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        if (both := facts.both(look)) is None:
            continue
        me, them = both
        if me.place is None or them.place is None or me.address == them.address:
            continue
        metres = round(hypot(me.place[0] - them.place[0], me.place[1] - them.place[1]))
        if metres <= limits.neighbour_metres:
            yield Flag(look.seq, RULE.code, {"metres": metres})


RULE = Rule("neighbour", Family.RELATION, find)
