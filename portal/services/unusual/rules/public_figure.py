"""The person is known to the public."""

from __future__ import annotations

from collections.abc import Iterator

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    for look in trail.looks:
        person = facts.people.get(look.subject)
        if person is not None and person.is_public_figure:
            yield Flag(look.seq, RULE.code)


RULE = Rule("public-figure", Family.PERSON, find)
