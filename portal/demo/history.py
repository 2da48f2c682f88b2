"""Fourteen months of looks at people's data: daily work, nightly runs, own looks, refusals, and one man's curiosity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from portal.demo.looks import Event, Look
from portal.demo.names import draw_names
from portal.demo.officials import Official, draw_officials, known_official
from portal.demo.people import Person, Status
from portal.demo.personas import (
    BENEFIT_OFFICER,
    CITIZENS,
    CONTRACTOR_AGENT,
    NEIGHBOUR,
    PUBLIC_FIGURE,
    SINGLE_PARENT,
    TOWN_CLERK,
    code_of,
    purchased_on,
)
from portal.demo.reasons import REFUSED_REASONS, THIN_REASONS, draw_case, draw_justification
from portal.domain.actions import Action, Reason
from portal.domain.purposes import OWN_LOOK

#: How far back the history goes.
DAYS = 425
_OFFICE, _EVENING, _NIGHT, _PATROL = (8.2, 16.6), (18.1, 22.4), (2.0, 4.5), (6.5, 23.0)
#: How often, of a thousand people, somebody opens a record for a purpose that anybody may meet with.
_CHANCES = {
    "insurance-enquiry": 160,
    "residence-registration": 120,
    "roadside-check": 130,
    "licence-renewal": 110,
    "vehicle-registration": 90,
    "land-transaction": 60,
    "criminal-proceedings": 40,
    "tax-audit": 40,
}
_OFFICES = {
    "insurance-enquiry": "insurance-fund",
    "residence-registration": "population-authority",
    "roadside-check": "police",
    "licence-renewal": "transport-administration",
    "vehicle-registration": "transport-administration",
    "land-transaction": "land-register",
    "criminal-proceedings": "police",
    "tax-audit": "tax-board",
    "benefit-claim": "social-insurance-board",
    "household-check": "claimcheck",
    "job-search-support": "unemployment-fund",
    "social-assistance": "jarvelinn",
}
_SEEN_MORE_OFTEN = 4
_FAILURES_IN_A_THOUSAND = 4
_REFUSALS_IN_A_HUNDRED = 3


class History:
    """Draws events about `people` in the time before `now`; the same for the same seed, people and moment."""

    def __init__(self, people: Sequence[Person], registries: Sequence[str], now: datetime, zone: ZoneInfo, seed: int):
        self._people = people
        self._registries = tuple(registries)
        self._now = now
        self._zone = zone
        self._today = now.astimezone(zone).date()
        self._rng = Random(f"{seed}/history")  # noqa: S311 - invented events, not secrets
        self._officials = draw_officials(draw_names(seed), self._rng)

    def events(self) -> list[Event]:
        """All events, oldest first."""
        events = [event for person in self._people for event in self._about(person)]
        events += self._nightly_runs()
        events += self._wrong_match()
        events += self._curiosity()
        return sorted((event for event in events if event.at < self._now), key=lambda event: event.at)

    def _about(self, person: Person) -> Iterator[Event]:
        is_known = person.persona in CITIZENS
        for purpose, chance in _CHANCES.items():
            for _ in range(_SEEN_MORE_OFTEN if is_known else 1):
                if self._rng.randrange(1000) < chance:
                    yield self._work(person, purpose, self._some_day())
        for purpose in self._own_affairs(person):
            yield self._work(person, purpose, self._some_day())
        for _ in range(self._rng.randrange(4, 8) if is_known else self._rng.random() < 0.1):
            yield from self._own_look(person.code, self._some_day())

    def _own_affairs(self, person: Person) -> Iterator[str]:
        """Purposes that follow from what the person asked for."""
        kinds = {benefit.kind for benefit in person.benefits}
        if kinds & {"lapsetoetus", "yksikvanem"}:
            yield from ["benefit-claim"] * self._rng.choice((0, 1, 1, 2))
        if "toimetulek" in kinds:
            yield from ["social-assistance"] * self._rng.choice((1, 2, 3))
        if person.status is Status.UNEMPLOYED:
            yield from ["job-search-support"] * self._rng.choice((1, 2, 3))
        if any(link.source == "OST" for link in person.links) and person.persona != SINGLE_PARENT:
            yield "household-check"

    def _work(self, person: Person, purpose: str, day: date, official: Official | None = None) -> Event:
        """An official opens a record for a reason; now and then the portal refuses, or a registry gives no answer."""
        rng = self._rng
        hours = _PATROL if purpose in {"roadside-check", "criminal-proceedings"} else _OFFICE
        at = self._at(day, hours)
        case = draw_case(purpose, day, rng)
        justification = draw_justification(purpose, case, day - timedelta(days=rng.randrange(1, 6)), rng)
        refusal = None
        if rng.randrange(100) < _REFUSALS_IN_A_HUNDRED:
            refusal = rng.choice((Reason.JUSTIFICATION, Reason.JUSTIFICATION, Reason.JUSTIFICATION_REPEATED))
            justification = rng.choice(REFUSED_REASONS) if refusal is Reason.JUSTIFICATION else justification
        fails = refusal is None and rng.randrange(1000) < _FAILURES_IN_A_THOUSAND
        look = Look(
            action=Action.READ,
            subject=person.code,
            purpose=purpose,
            official=official or rng.choice(self._officials[_OFFICES[purpose]]),
            case=case,
            justification=justification,
            refusal=refusal,
        )
        return Event(at, (look,), fails)

    def _own_look(self, subject: str, day: date) -> Iterator[Event]:
        """A person signs in, asks every registry whether it holds anything, and opens one or two of them."""
        at = self._at(day, _EVENING)
        asked = Look(action=Action.OWN_CONFIRMATION, subject=subject, purpose=OWN_LOOK, registries=self._registries)
        yield Event(at, (asked,))
        for place, registry in enumerate(self._rng.sample(self._registries, self._rng.choice((1, 1, 2)))):
            opened = Look(action=Action.OWN_READ, subject=subject, purpose=OWN_LOOK, registries=(registry,))
            yield Event(at + timedelta(seconds=25 + 70 * place), (opened,))

    def _nightly_runs(self) -> Iterator[Event]:
        """Systems at night: insurance each month, tax forms in February, the search for partners each quarter."""
        checked: dict[date, list[Look]] = defaultdict(list)
        months = [(self._today - timedelta(days=30 * back)).replace(day=2) for back in range(DAYS // 30)]
        for person in self._people:
            if person.jobs and person.status is Status.EMPLOYED:
                is_known = person.persona in CITIZENS
                for month in months if is_known else self._rng.sample(months, 3):
                    checked[month].append(_run(person, "monthly-insurance-check", "insurance-fund"))
        for month, looks in checked.items():
            yield Event(self._at(month, _NIGHT), tuple(looks))
        for month in months:
            if month.month == 2:
                likely = [person for person in self._people if person.jobs and self._rng.random() < 0.6]
                yield self._run_at(month + timedelta(days=9), likely, "tax-prefill", "tax-board")
            if month.month % 3 == 0:
                claiming = [person for person in self._people if _claims_alone(person)]
                yield self._run_at(month + timedelta(days=16), claiming, "household-match", "claimcheck")

    def _run_at(self, day: date, people: Sequence[Person], purpose: str, organisation: str) -> Event:
        return Event(self._at(day, _NIGHT), tuple(_run(person, purpose, organisation) for person in people))

    def _wrong_match(self) -> Iterator[Event]:
        """How bought data reached the single parent: a match, looks by a contractor and the board, and her own."""
        mother = next(person for person in self._people if person.persona == SINGLE_PARENT)
        matched = purchased_on(self._today) + timedelta(days=12)
        yield self._run_at(matched, [mother], "household-match", "claimcheck")
        agent = known_official(CONTRACTOR_AGENT)
        case = f"CC-{matched.year}-00417"
        claim = known_official(BENEFIT_OFFICER)
        board = self._officials["tax-board"][0]
        check, decide = "household-check", "benefit-claim"
        story = (
            (-140, decide, claim, "Yearly renewal of the single parent's benefit: confirming children and earnings."),
            (6, check, agent, f"Review {case}: the match of {matched:%d.%m.%Y} names a man at this address, checking."),
            (
                27,
                check,
                agent,
                f"Review {case}: no reply to our letter about a partner, deciding on a stop of payment.",
            ),
            (55, check, board, f"Stop of the single parent's benefit proposed in {case}, confirming the decision."),
            (96, check, agent, f"The claimant asked to reconsider {case}; reading the bought record once more."),
            (143, decide, claim, f"Appeal against the stop in {case}: comparing the bought link with the register."),
        )
        for days, purpose, official, justification in story:
            look = Look(
                action=Action.READ,
                subject=mother.code,
                purpose=purpose,
                official=official,
                case=case if purpose == check else f"SKA-{matched.year}-{2050 + days:05d}",
                justification=justification,
            )
            yield Event(self._at(matched + timedelta(days=days), _OFFICE), (look,))
        for days in (57, 58, 97, 120):
            yield from self._own_look(mother.code, matched + timedelta(days=days))

    def _curiosity(self) -> Iterator[Event]:
        """The town clerk's work and, after hours and with thin reasons, looks at a singer and the woman next door."""
        clerk = known_official(TOWN_CLERK)
        townspeople = [person for person in self._people if person.home.municipality == "Järvelinn"]
        for _ in range(40):
            purpose = self._rng.choice(("residence-registration", "residence-registration", "social-assistance"))
            yield self._work(self._rng.choice(townspeople or self._people), purpose, self._some_day(), clerk)
        for days, persona in ((388, PUBLIC_FIGURE), (301, PUBLIC_FIGURE), (296, PUBLIC_FIGURE), (77, PUBLIC_FIGURE)):
            yield self._snoop(clerk, persona, days)
        for days in (340, 270, 214, 168, 131, 90, 62, 41, 40, 23, 9):
            yield self._snoop(clerk, NEIGHBOUR, days)
        own = Look(
            action=Action.READ,
            subject=code_of(TOWN_CLERK),
            purpose="residence-registration",
            official=clerk,
            justification="Verifying that the entry of my street is complete and correct",
            refusal=Reason.OWN_RECORD,
        )
        yield Event(self._at(self._today - timedelta(days=39), _EVENING), (own,))

    def _snoop(self, clerk: Official, persona: str, days_ago: int) -> Event:
        look = Look(
            action=Action.READ,
            subject=code_of(persona),
            purpose="residence-registration",
            official=clerk,
            justification=self._rng.choice(THIN_REASONS),
        )
        return Event(self._at(self._today - timedelta(days=days_ago), _EVENING), (look,))

    def _some_day(self) -> date:
        return self._today - timedelta(days=self._rng.randrange(1, DAYS))

    def _at(self, day: date, hours: tuple[float, float]) -> datetime:
        """A moment of the day within these hours; office hours are on working days."""
        if hours == _OFFICE:
            day -= timedelta(days=max(0, day.weekday() - 4))
        seconds = int(self._rng.uniform(*hours) * 3600)
        milliseconds = timedelta(milliseconds=self._rng.randrange(1000))
        clock = time(seconds // 3600, seconds // 60 % 60, seconds % 60)
        return datetime.combine(day, clock, self._zone) + milliseconds


def _run(person: Person, purpose: str, organisation: str) -> Look:
    return Look(action=Action.AUTOMATED_READ, subject=person.code, purpose=purpose, organisation=organisation)


def _claims_alone(person: Person) -> bool:
    """Whom the search for undeclared partners goes through."""
    return any(benefit.kind in {"yksikvanem", "toimetulek"} for benefit in person.benefits)
