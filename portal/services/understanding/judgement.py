"""Whether what happened to somebody's data lately was unusual, by rules that can be told to that person.

Only what stands in their own history is compared: never who an official is to them, and never what a seal withholds,
since that is under another index. A judgement that names nothing unusual is no promise that all was right.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from portal.domain.actions import Action
from portal.domain.purposes import EMERGENCY, Purpose
from portal.services.understanding.digest import Digest, Seen
from portal.services.understanding.kinds import Kind

RECENT_DAYS = 30
#: Working hours, from the first (included) to the last (excluded), Monday to Friday, where the reader lives.
OPENS, CLOSES = 7, 20
_SATURDAY = 5
#: So many earlier spans are compared; fewer than three of them with a look say nothing about what is usual.
EARLIER_SPANS = 11
_SPANS_NEEDED = 3
#: Few looks are no flood, however quiet it was before.
_LEAST = 5
#: Purposes that are served by night too: a patrol or an ambulance keeps no office hours.
_BY_NIGHT = frozenset({EMERGENCY, "roadside-check", "criminal-proceedings"})


class Yardstick(StrEnum):
    """What was compared."""

    NOTICE = "notice"
    EMERGENCY = "emergency"
    REFUSED = "refused"
    NO_CASE = "no-case"
    HOURS = "hours"
    MORE = "more"


@dataclass(frozen=True, slots=True)
class Compared:
    """One comparison: what was found, and the most of any earlier span (None: there is too little to say)."""

    test: Yardstick
    found: int
    usual: int | None = None

    @property
    def is_unusual(self) -> bool:
        if self.test is Yardstick.MORE:
            return self.usual is not None and self.found > max(self.usual, _LEAST)
        return self.found > 0


@dataclass(frozen=True, slots=True)
class Judgement:
    """The last `days` days: how often others looked, who they were (most looks first), and what was compared."""

    days: int
    looks: int
    organisations: tuple[tuple[str, int], ...]
    compared: tuple[Compared, ...]

    @property
    def unusual(self) -> list[Compared]:
        return [one for one in self.compared if one.is_unusual]


def judge(digest: Digest, purposes: Mapping[str, Purpose], today: date) -> Judgement:
    recent = list(digest.since(today - timedelta(days=RECENT_DAYS)))
    looks = [one for one in recent if one.is_look]
    people = [one for one in looks if one.kind is Kind.HUMAN and one.shared.action == Action.READ]
    counts = Counter[str]()
    for one in looks:
        counts[one.shared.organisation or ""] += one.number
    total = _number(looks)
    found = {
        Yardstick.NOTICE: _number(one for one in recent if one.is_notice),
        Yardstick.EMERGENCY: _number(one for one in people if one.shared.purpose == EMERGENCY),
        Yardstick.REFUSED: _number(one for one in recent if one.is_refusal),
        Yardstick.NO_CASE: _number(one for one in people if not one.has_case and _needs_case(one, purposes)),
        Yardstick.HOURS: _number(one for one in people if one.shared.purpose not in _BY_NIGHT and _is_outside(one)),
    }
    compared = [Compared(test, number) for test, number in found.items()]
    compared.append(Compared(Yardstick.MORE, total, _usual(digest, today)))
    return Judgement(RECENT_DAYS, total, tuple(counts.most_common()), tuple(compared))


def _number(seen: Iterable[Seen]) -> int:
    return sum(one.number for one in seen)


def _needs_case(one: Seen, purposes: Mapping[str, Purpose]) -> bool:
    purpose = purposes.get(one.shared.purpose or "")
    return purpose is not None and purpose.case_required


def _is_outside(one: Seen) -> bool:
    return one.at.weekday() >= _SATURDAY or not OPENS <= one.at.hour < CLOSES


def _usual(digest: Digest, today: date) -> int | None:
    """The most looks in any earlier span of the same length; None where there were too few spans with looks."""
    spans = Counter[int]()
    for one in digest.seen:
        back = ((today - one.at.date()).days - 1) // RECENT_DAYS
        if one.is_look and 1 <= back <= EARLIER_SPANS:
            spans[back] += one.number
    return max(spans.values()) if len(spans) >= _SPANS_NEEDED else None
