"""Far more people on one day than the official's own days and the days of their organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from statistics import median

from portal.services.unusual.facts import Facts, Look, Trail
from portal.services.unusual.flags import Family, Flag, Rule
from portal.services.unusual.limits import Limits


def find(trail: Trail, facts: Facts, limits: Limits) -> Iterator[Flag]:
    days = _people_by_day(trail)
    peers: dict[str, list[int]] = defaultdict(list)
    for (_, organisation, _), looks in days.items():
        peers[organisation].append(len({look.subject for look in looks}))
    usual_there = {organisation: median(counts) for organisation, counts in peers.items()}
    own: dict[str, list[int]] = defaultdict(list)
    for (official, organisation, _), looks in days.items():
        people = len({look.subject for look in looks})
        before = own[official]
        usual = max(median(before) if len(before) >= limits.history_least else 0, usual_there[organisation])
        if people >= limits.volume_least and people > limits.volume_factor * usual:
            for look in looks:
                yield Flag(look.seq, RULE.code, {"people": people, "usual": round(usual)})
        before.append(people)


def _people_by_day(trail: Trail) -> dict[tuple[str, str, date], list[Look]]:
    days: dict[tuple[str, str, date], list[Look]] = defaultdict(list)
    for look in trail.looks:
        days[look.official, look.organisation, look.at.date()].append(look)
    return days


RULE = Rule("volume", Family.PATTERN, find)
