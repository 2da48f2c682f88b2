"""The whole country, household by household: the same for the same seed and day, and never all of it in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from portal.demo.codes import CodeBook
from portal.demo.livelihood import (
    draw_benefits,
    draw_bought_link,
    draw_jobs,
    draw_status,
    single_parent_benefit,
)
from portal.demo.names import NamePool, Names, draw_names
from portal.demo.people import PartnerLink, Person, Residence, Status, give_child, marry
from portal.demo.personas import known_households
from portal.demo.places import address

SEED = 20_240_517
_YEAR = 365.25
_KINDS = ("single", "couple", "family", "single-parent", "old-couple", "old-single")
_WEIGHTS = (27, 16, 31, 9, 9, 8)
#: Between which ages the first adult of a household is.
_AGES = {
    "single": (19, 64),
    "couple": (19, 64),
    "family": (24, 52),
    "single-parent": (22, 52),
    "old-couple": (65, 94),
    "old-single": (65, 94),
}
#: How many of the last people stay known as possible former tenants.
_REMEMBERED = 60


class Country:
    """`size` people as of `today`."""

    def __init__(self, size: int, today: date, seed: int = SEED) -> None:
        self.size = size
        self.today = today
        self.seed = seed

    def households(self) -> Iterator[list[Person]]:
        """The personas' households first, then others until `size` people are reached exactly."""
        rng = Random(self.seed)  # noqa: S311 - invented people, not secrets
        draw = _Draw(rng, draw_names(self.seed), self.today)
        left = self.size
        for household in known_households(self.today):
            draw.make_room_for(household)
            left -= len(household)
            yield household
        while left > 0:
            household = draw.household(left)
            left -= len(household)
            yield household


class _Draw:
    def __init__(self, rng: Random, names: Names, today: date) -> None:
        self.rng = rng
        self.names = names
        self.today = today
        self._codes = CodeBook()
        self._dwelling = 0
        self._taken: set[int] = set()
        self._strangers: deque[Person] = deque(maxlen=_REMEMBERED)

    def make_room_for(self, household: list[Person]) -> None:
        """Keep the codes and the dwelling of people who were not drawn from being given to others."""
        for person in household:
            self._codes.take(person.code)
            self._taken.add(person.home.number)

    def household(self, most: int) -> list[Person]:
        kind = self.rng.choices(_KINDS, _WEIGHTS)[0] if most > 5 else "single"
        pool = self.names.pool(self.rng)
        adults, children = self._members(kind, pool)
        while self._dwelling in self._taken:
            self._dwelling += 1
        home = address(self._dwelling)
        self._dwelling += 1
        moved_in = self.today - timedelta(days=self.rng.randrange(60, 9000))
        for person in (*adults, *children):
            self._settle(person, moved_in)
            person.residences.append(Residence(home, max(moved_in, person.born), None))
            person.status = draw_status(person, self.today, self.rng)
        for adult in adults:
            if adult.status is not Status.STUDENT:
                adult.jobs = draw_jobs(adult, self.today, self.rng)
        self._draw_claims(kind, adults, children)
        self._strangers.extend(adults)
        return [*adults, *children]

    def _members(self, kind: str, pool: NamePool) -> tuple[list[Person], list[Person]]:
        rng = self.rng
        is_old = kind.startswith("old")
        age = rng.uniform(*_AGES[kind])
        first = self._person(pool, rng.choices("MF", (15, 85) if kind == "single-parent" else (50, 50))[0], age)
        adults = [first]
        if kind in {"couple", "family", "old-couple"}:
            second = self._person(pool, "F" if first.sex == "M" else "M", min(99, max(19, age + rng.uniform(-6, 6))))
            adults.append(second)
            if is_old or rng.random() < 0.62:
                self._marry(pool, first, second)
        children = []
        if kind in {"family", "single-parent"}:
            for _ in range(rng.choices((1, 2, 3), (46, 41, 13))[0]):
                child = self._person(pool, rng.choice("MF"), rng.uniform(0.1, min(18.9, age - 18.5)))
                child.family = pool.borne_by(self._stem(pool, first), child.sex)
                children.append(child)
                for adult in adults:
                    give_child(adult, child)
        if is_old and len(adults) == 1:
            first.marital = "lesk"
        elif first.marital == "vallaline" and kind == "single-parent" and rng.random() < 0.4:
            first.marital = "lahutatud"
        return adults, children

    def _person(self, pool: NamePool, sex: str, age: float) -> Person:
        rng = self.rng
        born = self.today - timedelta(days=int(age * _YEAR) + 1)
        citizenship = "EST" if rng.random() < 0.93 else rng.choice(("LVA", "FIN", "UKR", "GBR"))
        return Person(
            code=self._codes.give(sex, born, rng),
            given=pool.first_name(sex, rng),
            family=pool.borne_by(pool.family_name(rng), sex),
            sex=sex,
            born=born,
            citizenship=citizenship,
        )

    def _marry(self, pool: NamePool, first: Person, second: Person) -> None:
        youngest = max(first.born, second.born)
        earliest = youngest + timedelta(days=int(18.5 * _YEAR))
        marry(first, second, earliest + (self.today - earliest) * self.rng.random())
        if self.rng.random() < 0.8:
            second.family = pool.borne_by(self._stem(pool, first), second.sex)

    def _stem(self, pool: NamePool, person: Person) -> str:
        """The family name as a man of the family bears it."""
        return person.family.removesuffix("a") if pool.is_russian and person.sex == "F" else person.family

    def _settle(self, person: Person, moved_in: date) -> None:
        """Earlier homes, oldest first: flats that others live in today."""
        until = moved_in - timedelta(days=1)
        earlier = []
        for _ in range(self.rng.choices((0, 1, 2), (35, 45, 20))[0]):
            since = until - timedelta(days=self.rng.randrange(300, 4000))
            if since < person.born:
                break
            earlier.append(Residence(address(self.rng.randrange(self._dwelling)), since, until))
            until = since - timedelta(days=1)
        person.residences.extend(reversed(earlier))

    def _draw_claims(self, kind: str, adults: list[Person], children: list[Person]) -> None:
        claimant = adults[0] if adults[0].sex == "F" else adults[-1]
        for adult in adults:
            adult.benefits = draw_benefits(adult, children if adult is claimant else [], self.today, self.rng)
        if kind == "single-parent" and any(child.status is Status.CHILD for child in children):
            claimant.benefits.append(single_parent_benefit(children))
        if len(adults) == 2 and any(adult.benefits for adult in adults):
            self._link_couple(*adults)
        for adult in adults:
            draw_bought_link(adult, list(self._strangers), self.today, self.rng)

    def _link_couple(self, first: Person, second: Person) -> None:
        is_married = first.marital == "abielus"
        for one, other in ((first, second), (second, first)):
            one.links.append(
                PartnerLink(
                    other.name,
                    "abielu" if is_married else "yhine_taotlus",
                    one.home.line,
                    "RR" if is_married else "DEKL",
                    None,
                    (self.today - timedelta(days=self.rng.randrange(10, 400))),
                )
            )
