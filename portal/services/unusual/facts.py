"""What the rules may know: the looks, and of people, cases and offices just what a rule asks about."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look by an official at one person, released or denied. `at` is in the office's own time zone."""

    seq: int
    at: datetime
    official: str
    organisation: str
    subject: str = field(repr=False)
    purpose: str | None = None
    registry: str | None = None
    case: str | None = None
    justification: str | None = field(default=None, repr=False)
    denied: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person as the registries know them. `place` is metres east and north in the national grid (L-EST97)."""

    surname: str | None = field(default=None, repr=False)
    born: date | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    household: str | None = None
    former_households: frozenset[str] = frozenset()
    relatives: frozenset[str] = field(default=frozenset(), repr=False)
    employer: str | None = None
    place: tuple[float, float] | None = field(default=None, repr=False)
    is_public_figure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCase:
    """A case: whose team it is, who works on it, about whom it is, and from when to when it was open."""

    team: str | None = None
    officials: frozenset[str] = frozenset()
    subjects: frozenset[str] = field(default=frozenset(), repr=False)
    opened: datetime | None = None
    closed: datetime | None = None

    def was_open(self, at: datetime, grace: timedelta) -> bool:
        began = self.opened is None or self.opened <= at
        return began and (self.closed is None or at <= self.closed + grace)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsPeg:
    """An auditor's note that a person was in the news from a day on."""

    subject: str = field(repr=False)
    day: date


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything beside the looks themselves. What is not known raises no flag."""

    people: Mapping[str, Person] = field(default_factory=dict, repr=False)
    #: Which person an official is, and in which team they work.
    persons_of: Mapping[str, str] = field(default_factory=dict, repr=False)
    teams: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, KnownCase] = field(default_factory=dict)
    #: First and last day of each absence.
    absences: Mapping[str, Sequence[tuple[date, date]]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    #: When seals on a person's accesses began.
    seals: Mapping[str, Sequence[datetime]] = field(default_factory=dict, repr=False)
    news: Sequence[NewsPeg] = ()

    def both(self, look: Look) -> tuple[Person, Person] | None:
        """The official and the person looked at, where both are known and are not the same."""
        own = self.persons_of.get(look.official)
        if own is None or own == look.subject:
            return None
        me, them = self.people.get(own), self.people.get(look.subject)
        return None if me is None or them is None else (me, them)

    def case_of(self, look: Look) -> KnownCase | None:
        return None if look.case is None else self.cases.get(look.case)

    @cached_property
    def bearers(self) -> Counter[str]:
        """How many of the known people have each surname."""
        return Counter(person.surname for person in self.people.values() if person.surname)


class Trail:
    """The looks of a period, in order of time, by official and by person."""

    def __init__(self, looks: Iterable[Look]) -> None:
        self.looks = sorted(looks, key=lambda look: (look.at, look.seq))
        self.by_official: dict[str, list[Look]] = defaultdict(list)
        self.by_pair: dict[tuple[str, str], list[Look]] = defaultdict(list)
        for look in self.looks:
            self.by_official[look.official].append(look)
            self.by_pair[look.official, look.subject].append(look)
        self._times = {official: [look.at for look in looks] for official, looks in self.by_official.items()}

    def of_official_between(self, official: str, since: datetime, until: datetime) -> list[Look]:
        """One official's looks with since <= at <= until."""
        times = self._times.get(official, [])
        return self.by_official.get(official, [])[bisect_left(times, since) : bisect_right(times, until)]
