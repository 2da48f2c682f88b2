"""An invented person as all registries know them: the facts on which their records agree, or plainly do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from portal.demo.places import Address


class Status(StrEnum):
    """How a person spends their days, which decides insurance and benefits."""

    CHILD = "child"
    STUDENT = "student"
    EMPLOYED = "employed"
    UNEMPLOYED = "unemployed"
    AT_HOME = "at-home"
    PENSIONER = "pensioner"


@dataclass(frozen=True, slots=True)
class Residence:
    """A dwelling from one day to another; `until` is None for the present one."""

    address: Address
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class Job:
    """One contract of work. `salary` is a month's full pay before tax in euros for this share of full time."""

    employer: int
    title: str
    kind: str
    share: float
    since: date
    until: date | None
    ground: str | None
    salary: int


@dataclass(frozen=True, slots=True)
class Benefit:
    """One claim; `monthly` is in cents."""

    kind: str
    monthly: int
    since: date
    until: date | None
    status: str


@dataclass(frozen=True, slots=True)
class PartnerLink:
    """Whom the tax board believes the person lives with, and from where. `confidence` only for bought data."""

    partner: str
    ground: str
    address: str
    source: str
    confidence: float | None
    as_of: date


@dataclass(frozen=True, slots=True)
class Tie:
    """How another person is related: "laps", "vanem" or "abikaasa"."""

    kind: str
    other: str
    since: date


@dataclass(slots=True, eq=False)
class Person:
    """One inhabitant. `persona` names those whom the demonstration knows by name."""

    code: str
    given: str
    family: str
    sex: str
    born: date
    citizenship: str = "EST"
    marital: str = "vallaline"
    status: Status = Status.AT_HOME
    residences: list[Residence] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    benefits: list[Benefit] = field(default_factory=list)
    links: list[PartnerLink] = field(default_factory=list)
    persona: str | None = None

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def home(self) -> Address:
        return self.residences[-1].address

    def age_on(self, day: date) -> int:
        return day.year - self.born.year - ((day.month, day.day) < (self.born.month, self.born.day))

    def __repr__(self) -> str:
        return f"<Person {self.persona or 'of the demonstration'}>"


def marry(first: Person, second: Person, since: date) -> None:
    for one, other in ((first, second), (second, first)):
        one.marital = "abielus"
        one.ties.append(Tie("abikaasa", other.code, since))


def give_child(parent: Person, child: Person) -> None:
    parent.ties.append(Tie("laps", child.code, child.born))
    child.ties.append(Tie("vanem", parent.code, child.born))
