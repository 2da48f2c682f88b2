"""A synthetic trail of an ordinary year at work, with misuse planted in it. Nothing in it stands for real people.

Households, neighbours, employers, teams, shifts, seasons, heavy users, emergencies at night; and all the coincidences
that make honest work look odd: a caseworker in a small town is now and then given a neighbour's claim.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from portal.services.unusual.facts import Facts, KnownCase, Look, NewsPeg, Person

FIRST_DAY = date(2026, 1, 5)
DAYS = 240
#: The share of an office's work that is done without a case: questions on the telephone, checks on the road.
WITHOUT_CASE = 0.12
_SURNAMES = 900
_SPACING = 30.0
_MATTERS = tuple(
    f"{what} {of}"
    for what in ("child allowance", "disability pension", "housing benefit", "parental benefit", "sick pay")
    for of in ("as decided in the spring", "after the move", "since the birth", "after the appeal", "for the school",
               "with the late documents", "before the review", "under the new act", "paid twice", "not yet paid")
)  # fmt: skip
_REASONS = (
    "Caller asks which benefit they are entitled to and when it is paid",
    "Correcting the address on a decision that came back by post",
    "Answering the letter of {day} about the payment of {month}",
    "Checking whether the claim of {day} was registered twice",
    "Calling back about the documents that were missing on {day}",
    "Preparing the hearing on {day}: which facts are undisputed",
)
_NOSY = (
    "checking details of the matter as discussed",
    "follow up of an earlier enquiry by telephone",
    "routine control of the data on file",
)


@dataclass
class OfficeLife:
    """The looks, what is known, and which looks were planted: by number, the kind of misuse."""

    looks: list[Look] = field(default_factory=list)
    facts: Facts = field(default_factory=Facts)
    planted: dict[int, str] = field(default_factory=dict)


@dataclass
class _Official:
    code: str
    organisation: str
    team: str
    person: str
    hours: tuple[int, int]
    per_day: float
    works_at_night: bool


class _Country:
    """Draws everything from one seed."""

    def __init__(self, seed: int, people: int, officials: int) -> None:
        self.random = random.Random(seed)
        self.people: dict[str, Person] = {}
        self.households: dict[str, list[str]] = {}
        self.cases: dict[str, KnownCase] = {}
        self.looks: list[Look] = []
        self.planted: dict[int, str] = {}
        self.absences: dict[str, list[tuple[date, date]]] = {}
        self.seals: dict[str, list[datetime]] = {}
        self.news: list[NewsPeg] = []
        self._make_people(people)
        self.officials = [self._official(number) for number in range(officials)]

    def _make_people(self, count: int) -> None:
        draw = self.random
        weights = [1 / (rank + 3) for rank in range(_SURNAMES)]
        codes = [f"P{number:06}" for number in range(count)]
        place = 0
        index = 0
        while index < count:
            members = codes[index : index + draw.choice((1, 1, 2, 2, 3, 4, 5))]
            household = f"H{place:06}"
            surname = f"S{draw.choices(range(_SURNAMES), weights)[0]}"
            grid = (_SPACING * (place % 300), _SPACING * (place // 300) * 5)
            address = f"A{place // 2:06}" if draw.random() < 0.3 else f"B{place:06}"
            for position, code in enumerate(members):
                years = draw.randint(22, 70) if position < 2 else draw.randint(1, 17)
                self.people[code] = Person(
                    surname=surname,
                    born=FIRST_DAY - timedelta(days=365 * years + draw.randint(0, 364)),
                    address=address,
                    household=household,
                    relatives=frozenset(set(members) - {code}),
                    employer=f"E{draw.randint(0, 400)}" if years >= 22 and draw.random() < 0.7 else None,
                    place=grid,
                    is_public_figure=draw.random() < 0.002,
                )
            self.households[household] = members
            index += len(members)
            place += 1
        self._addresses = list(self.households)
        # One adult in twelve has left a household; whoever stayed behind remembers.
        for code in codes:
            if draw.random() < 1 / 12:
                other = draw.choice(codes)
                shared = f"F{code}"
                for one in (code, other):
                    self.left_household(one, shared)

    def left_household(self, code: str, shared: str) -> None:
        person = self.people[code]
        self.people[code] = _with(person, former_households=person.former_households | {shared})

    def _official(self, number: int) -> _Official:
        draw = self.random
        organisation = f"office-{number % 6}"
        adults = [code for code, person in self.people.items() if person.employer is not None]
        person = draw.choice(adults)
        self.people[person] = _with(self.people[person], employer=organisation)
        start = draw.choice((7, 8, 8, 8, 9))
        official = _Official(
            f"official-{number}",
            organisation,
            f"{organisation}/team-{number // 6 % 4}",
            person,
            (start, start + 8),
            draw.choice((3, 4, 5, 6, 8, 14)),
            works_at_night=organisation == "office-5" and draw.random() < 0.5,
        )
        first = FIRST_DAY + timedelta(days=draw.randint(20, DAYS - 30))
        self.absences[official.code] = [(first, first + timedelta(days=draw.randint(7, 21)))]
        return official

    def honest_work(self) -> None:
        for official in self.officials:
            caseload: list[str] = []
            for day in range(DAYS):
                today = FIRST_DAY + timedelta(days=day)
                if today.weekday() >= 5 and not official.works_at_night:
                    continue
                if any(first <= today <= last for first, last in self.absences[official.code]):
                    continue
                season = 1.4 if today.month in (2, 3, 9) else 0.7 if today.month == 7 else 1.0
                for _ in range(self._poisson(official.per_day * season)):
                    self._honest_look(official, today, caseload)

    def _honest_look(self, official: _Official, today: date, caseload: list[str]) -> None:
        draw = self.random
        at = self._at(official, today)
        if draw.random() < WITHOUT_CASE:
            # Now and then the policy refuses: the wrong purpose was chosen.
            self.look(official, at, self._somebody_but(official), None, denied=draw.random() < 0.03)
            return
        if not caseload or draw.random() < 0.3:
            caseload.append(self._new_case(official, at))
            del caseload[:-25]
        reference = draw.choice(caseload)
        case = self.cases[reference]
        subject = draw.choice(sorted(case.subjects))
        if draw.random() < 0.05:  # a claim is about a household: its other members are looked at too
            household = self.people[subject].household
            subject = draw.choice(self.households[household or ""])
        self.look(official, at, subject, reference)

    def _new_case(self, official: _Official, at: datetime) -> str:
        reference = f"C-{len(self.cases):06}"
        subject = self._somebody_but(official)
        lasts = timedelta(days=self.random.randint(20, 200))
        self.cases[reference] = KnownCase(
            team=official.team,
            officials=frozenset({official.code}),
            subjects=frozenset({subject}),
            opened=at - timedelta(hours=1),
            closed=at + lasts,
        )
        return reference

    def _somebody_but(self, official: _Official) -> str:
        """Anybody, by household; never the official, whose own record the portal refuses."""
        while True:
            household = self.households[self.random.choice(self._addresses)]
            if (subject := self.random.choice(household)) != official.person:
                return subject

    def look(self, official: _Official, at: datetime, subject: str, case: str | None, **changes: object) -> int:
        reason = self.random.choice(_REASONS).format(day=f"{at.day} {at:%B}", month=f"{at:%B}")
        values: dict[str, object] = {"justification": f"{reason}: {self.random.choice(_MATTERS)}"} | changes
        seq = len(self.looks)
        self.looks.append(
            Look(
                seq=seq, at=at, official=official.code, organisation=official.organisation, subject=subject, case=case,
                **values,  # type: ignore[arg-type]
            )
        )  # fmt: skip
        return seq

    def _at(self, official: _Official, day: date) -> datetime:
        hours = (0, 24) if official.works_at_night else official.hours
        moment = self.random.uniform(hours[0], hours[1])
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=moment)

    def workday(self, official: _Official) -> datetime:
        while True:
            day = FIRST_DAY + timedelta(days=self.random.randint(60, DAYS - 1))
            if day.weekday() < 5 and not any(a <= day <= b for a, b in self.absences[official.code]):
                return self._at(official, day)

    def _poisson(self, mean: float) -> int:
        """Arrivals of a day (exponential gaps)."""
        count, left = 0, self.random.expovariate(1)
        while left < mean:
            count += 1
            left += self.random.expovariate(1)
        return count


def _with(person: Person, **changes: object) -> Person:
    values = {name: getattr(person, name) for name in Person.__slots__} | changes
    return Person(**values)  # type: ignore[arg-type]


class _Misuse:
    """Plants looks nobody needed. Each kind is what one reads of in the reports of supervisory authorities."""

    def __init__(self, country: _Country) -> None:
        self._country = country
        self._draw = country.random

    def plant(self, each: int) -> None:
        kinds = {
            "own record": self._own_record,
            "family": self._family,
            "former partner": self._former_partner,
            "neighbour": self._neighbour,
            "colleague": self._colleague,
            "public figure": self._public_figure,
            "after the news": self._after_the_news,
            "night browsing": self._night_browsing,
            "stalking": self._stalking,
            "warning before a seal": self._before_a_seal,
            "a stranger's case": self._borrowed_case,
            "during leave": self._during_leave,
            "trying until it opens": self._trying,
            "one reason for all": self._one_reason_for_all,
        }
        for kind, plant in kinds.items():
            for _ in range(each):
                official = self._draw.choice(self._country.officials)
                for seq in plant(official):
                    self._country.planted[seq] = kind

    def _nosy(self, official: _Official, subject: str, at: datetime | None = None, case: str | None = None) -> int:
        when = at or self._country.workday(official)
        return self._country.look(official, when, subject, case, justification=self._draw.choice(_NOSY))

    def _own_record(self, official: _Official) -> Iterator[int]:
        yield self._nosy(official, official.person)

    def _family(self, official: _Official) -> Iterator[int]:
        kin = sorted(self._country.people[official.person].relatives)
        if kin:
            yield self._nosy(official, self._draw.choice(kin))

    def _former_partner(self, official: _Official) -> Iterator[int]:
        partner = self._draw.choice(sorted(self._country.people))
        for one in (official.person, partner):
            self._country.left_household(one, f"X{official.code}")
        for _ in range(self._draw.randint(1, 3)):
            yield self._nosy(official, partner)

    def _neighbour(self, official: _Official) -> Iterator[int]:
        place = self._country.people[official.person].place
        assert place is not None
        near = [
            code for code, person in self._country.people.items()
            if person.place is not None and person.household != self._country.people[official.person].household
            and abs(person.place[0] - place[0]) <= 2 * _SPACING and abs(person.place[1] - place[1]) < 1
        ]  # fmt: skip
        if near:
            yield self._nosy(official, self._draw.choice(near))

    def _colleague(self, official: _Official) -> Iterator[int]:
        others = [o.person for o in self._country.officials if o.organisation == official.organisation]
        subject = self._draw.choice(others)
        if subject != official.person:
            yield self._nosy(official, subject)

    def _public_figure(self, official: _Official) -> Iterator[int]:
        known = sorted(code for code, person in self._country.people.items() if person.is_public_figure)
        yield self._nosy(official, self._draw.choice(known))

    def _after_the_news(self, official: _Official) -> Iterator[int]:
        at = self._country.workday(official)
        subject = self._draw.choice(sorted(self._country.people))
        self._country.news.append(NewsPeg(subject=subject, day=at.date() - timedelta(days=self._draw.randint(0, 3))))
        yield self._nosy(official, subject, at)

    def _night_browsing(self, official: _Official) -> Iterator[int]:
        at = self._country.workday(official).replace(hour=2, minute=10)
        for step in range(self._draw.randint(8, 14)):
            yield self._nosy(
                official, self._draw.choice(sorted(self._country.people)), at + timedelta(seconds=40 * step)
            )

    def _stalking(self, official: _Official) -> Iterator[int]:
        subject = self._draw.choice(sorted(self._country.people))
        for _ in range(self._draw.randint(5, 9)):
            yield self._nosy(official, subject)

    def _before_a_seal(self, official: _Official) -> Iterator[int]:
        at = self._country.workday(official)
        subject = self._draw.choice(sorted(self._country.people))
        self._country.seals.setdefault(subject, []).append(at + timedelta(days=self._draw.randint(1, 5)))
        yield self._nosy(official, subject, at)

    def _borrowed_case(self, official: _Official) -> Iterator[int]:
        """Somebody else's case is named as the reason for a look at a person it is not about."""
        at = self._country.workday(official)
        foreign = [
            ref for ref, case in self._country.cases.items()
            if official.code not in case.officials and case.team != f"{official.team}"
            and case.was_open(at, timedelta(0))
        ]  # fmt: skip
        if foreign:
            yield self._nosy(official, self._draw.choice(sorted(self._country.people)), at, self._draw.choice(foreign))

    def _one_reason_for_all(self, official: _Official) -> Iterator[int]:
        """A fortnight of looks at strangers under a sentence kept for the purpose."""
        at = self._country.workday(official)
        reason = f"Preparing the {self._draw.choice(_MATTERS)} as agreed with the team lead"
        everybody = sorted(self._country.people)
        for step in range(self._draw.randint(9, 14)):
            when = at + timedelta(hours=24 * step)
            yield self._country.look(official, when, self._draw.choice(everybody), None, justification=reason)

    def _trying(self, official: _Official) -> Iterator[int]:
        """One purpose after the other is refused, until one opens the record."""
        at = self._country.workday(official)
        subject = self._draw.choice(sorted(self._country.people))
        tries = self._draw.randint(4, 7)
        for step in range(tries + 1):
            when = at + timedelta(minutes=step)
            reason = self._draw.choice(_NOSY)
            yield self._country.look(official, when, subject, None, justification=reason, denied=step < tries)

    def _during_leave(self, official: _Official) -> Iterator[int]:
        first, last = self._country.absences[official.code][0]
        day = first + timedelta(days=self._draw.randint(0, (last - first).days))
        at = datetime(day.year, day.month, day.day, self._draw.randint(9, 20), 30, tzinfo=UTC)
        yield self._nosy(official, self._draw.choice(sorted(self._country.people)), at)


def live(seed: int, *, people: int = 6000, officials: int = 96, planted_each: int = 8) -> OfficeLife:
    """A year at work with misuse in it; the same seed gives the same."""
    country = _Country(seed, people, officials)
    country.honest_work()
    _Misuse(country).plant(planted_each)
    facts = Facts(
        people=country.people,
        persons_of={official.code: official.person for official in country.officials},
        teams={official.code: official.team for official in country.officials},
        cases=country.cases,
        absences=country.absences,
        seals=country.seals,
        news=country.news,
    )
    return OfficeLife(country.looks, facts, country.planted)
