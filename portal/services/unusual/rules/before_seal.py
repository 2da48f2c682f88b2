"""Shortly before an investigation of this person was sealed: somebody may have looked to warn them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    span = timedelta(days=limits.before_seal_days)
    for look in trail.looks:
        for began in facts.seals.get(look.subject, ()):
            if began - span <= look.at < began and facts.case_of(look) is None:
                yield Flag(look.seq, RULE.code, {"days": max(1, (began - look.at).days)})
                break


RULE = Rule("before-seal", Family.PERSON, find)
