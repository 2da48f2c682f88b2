"""The people whom the demonstration knows by name. Their codes are the same in every demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from portal.demo.codes import personal_code
from portal.demo.livelihood import employer_number
from portal.demo.people import Benefit, Job, PartnerLink, Person, Residence, Status, give_child, marry
from portal.demo.places import address

SINGLE_PARENT = "single-parent-wrong-match"
FORMER_TENANT = "former-tenant"
PUBLIC_FIGURE = "public-figure"
NEIGHBOUR = "snooped-neighbour"
LAND_OWNER = "land-owner"
PENSIONER = "pensioner"
STUDENT = "student"
NEWCOMER = "newcomer"
JOB_SEEKER = "job-seeker"
TEENAGER = "teenager"
#: The personas who have a citizen's account, in the order of the sign-in page.
CITIZENS = (SINGLE_PARENT, PENSIONER, PUBLIC_FIGURE, NEIGHBOUR, LAND_OWNER, JOB_SEEKER, NEWCOMER, STUDENT, TEENAGER)

CONTRACTOR_AGENT = "contractor-agent"
BENEFIT_OFFICER = "benefit-officer"
TOWN_CLERK = "town-clerk"
PATROL_OFFICER = "patrol-officer"
INSURANCE_CLERK = "insurance-clerk"
LEAD_AUDITOR = "lead-auditor"
FIELD_AUDITOR = "field-auditor"
BENEFIT_SUPERVISOR = "benefit-supervisor"
TOWN_SUPERVISOR = "town-supervisor"


@dataclass(frozen=True, slots=True)
class _Known:
    given: str
    family: str
    sex: str
    born: date
    serial: int

    @property
    def code(self) -> str:
        return personal_code(self.sex, self.born, self.serial)


_KNOWN: Mapping[str, _Known] = MappingProxyType(
    {
        SINGLE_PARENT: _Known("Kadri", "Lepik", "F", date(1991, 4, 17), 271),
        FORMER_TENANT: _Known("Andres", "Kuusk", "M", date(1986, 8, 3), 214),
        PUBLIC_FIGURE: _Known("Liis", "Mägi", "F", date(1989, 6, 30), 422),
        NEIGHBOUR: _Known("Irina", "Petrova", "F", date(1979, 1, 23), 371),
        LAND_OWNER: _Known("Toomas", "Karu", "M", date(1967, 9, 14), 281),
        PENSIONER: _Known("Heino", "Rebane", "M", date(1948, 11, 2), 34),
        STUDENT: _Known("Karl", "Sild", "M", date(2005, 3, 8), 612),
        NEWCOMER: _Known("Emily", "Carter", "F", date(1994, 7, 19), 501),
        TEENAGER: _Known("Anna", "Petrova", "F", date(2011, 2, 3), 29),
        JOB_SEEKER: _Known("Jüri", "Ots", "M", date(1983, 12, 5), 277),
        CONTRACTOR_AGENT: _Known("Robert", "Saar", "M", date(1990, 2, 11), 423),
        BENEFIT_OFFICER: _Known("Anneli", "Vaher", "F", date(1975, 10, 28), 226),
        TOWN_CLERK: _Known("Marek", "Tamm", "M", date(1981, 5, 6), 229),
        PATROL_OFFICER: _Known("Kristjan", "Põld", "M", date(1992, 3, 25), 430),
        INSURANCE_CLERK: _Known("Olga", "Smirnova", "F", date(1970, 7, 1), 273),
        LEAD_AUDITOR: _Known("Helena", "Kask", "F", date(1972, 12, 12), 285),
        FIELD_AUDITOR: _Known("Peeter", "Laur", "M", date(1985, 6, 21), 248),
        BENEFIT_SUPERVISOR: _Known("Katrin", "Aas", "F", date(1968, 1, 15), 274),
        TOWN_SUPERVISOR: _Known("Rein", "Lepp", "M", date(1963, 8, 9), 231),
    }
)
_FAMILY = {
    "wife-of-former-tenant": _Known("Tiina", "Kuusk", "F", date(1988, 2, 14), 218),
    "first-child": _Known("Mia", "Lepik", "F", date(2016, 5, 9), 33),
    "second-child": _Known("Oskar", "Lepik", "M", date(2019, 10, 21), 27),
    "wife-of-pensioner": _Known("Aino", "Rebane", "F", date(1951, 3, 30), 46),
}
#: Dwellings: the town clerk lives next door to the neighbour he is too curious about.
_DWELLINGS = {
    SINGLE_PARENT: 78, FORMER_TENANT: 61, PUBLIC_FIGURE: 40, NEIGHBOUR: 17, TEENAGER: 17, TOWN_CLERK: 16,
    LAND_OWNER: 95, PENSIONER: 30, STUDENT: 52, NEWCOMER: 66, JOB_SEEKER: 71, CONTRACTOR_AGENT: 83, BENEFIT_OFFICER: 23,
    PATROL_OFFICER: 35, INSURANCE_CLERK: 47, LEAD_AUDITOR: 58, FIELD_AUDITOR: 89,
    BENEFIT_SUPERVISOR: 101, TOWN_SUPERVISOR: 107,
}  # fmt: skip


def name_of(persona: str) -> str:
    return f"{_KNOWN[persona].given} {_KNOWN[persona].family}"


def code_of(persona: str) -> str:
    """The eleven digits of a persona."""
    return _KNOWN[persona].code


def known_households(today: date) -> list[list[Person]]:
    """The households of all personas, with everything about them that is not left to chance."""
    return [
        _single_parent(today),
        _former_tenant(today),
        _pensioner(today),
        [
            _alone(
                PUBLIC_FIGURE,
                Status.EMPLOYED,
                _days(today, 2900),
                [_job("Laulustuudio OÜ", "laulja", 1.0, today, 2900, 3400)],
            )
        ],
        _neighbour(today),
        [
            _alone(
                LAND_OWNER,
                Status.EMPLOYED,
                _days(today, 8000),
                [_job("Karu talu OÜ", "põllumees", 1.0, today, 7000, 2400)],
            )
        ],
        [_job_seeker(today)],
        [_newcomer(today)],
        [_alone(STUDENT, Status.STUDENT, _days(today, 400), [])],
        *([_official(persona, place, today)] for place, persona in enumerate(_EMPLOYERS_OF_OFFICIALS)),
    ]


_EMPLOYERS_OF_OFFICIALS = {
    CONTRACTOR_AGENT: "Claimcheck Teenused OÜ",
    BENEFIT_OFFICER: "Sotsiaalkindlustuse amet",
    TOWN_CLERK: "Järvelinna linnavalitsus",
    PATROL_OFFICER: "Politsei",
    INSURANCE_CLERK: "Ravikindlustuse fond",
    LEAD_AUDITOR: "Isikuandmete järelevalve",
    FIELD_AUDITOR: "Isikuandmete järelevalve",
    BENEFIT_SUPERVISOR: "Sotsiaalkindlustuse amet",
    TOWN_SUPERVISOR: "Järvelinna linnavalitsus",
}


def _single_parent(today: date) -> list[Person]:
    """A mother of two whom a credit agency's data link with a former tenant of her flat (the Concentrix situation).

    He moved out, and married somebody else, before she moved in.
    """
    moved_in = _days(today, 2100)
    mother = _person(SINGLE_PARENT, Status.EMPLOYED, moved_in)
    mother.jobs = [_job("Järve Toidukaubad AS", "müüja", 0.5, today, 1300, 640)]
    mia, oskar = (_relative(name, mother, Status.CHILD) for name in ("first-child", "second-child"))
    for child in (mia, oskar):
        give_child(mother, child)
        mother.benefits.append(Benefit("lapsetoetus", 80_00, child.born, _nineteenth(child), "makstakse"))
    stopped = _days(today, 205)
    mother.benefits.append(Benefit("yksikvanem", 160_00, oskar.born, _nineteenth(oskar), "peatatud"))
    mother.benefits.append(Benefit("toimetulek", 214_00, _days(today, 500), stopped, "lopetatud"))
    mother.links.append(
        PartnerLink(name_of(FORMER_TENANT), "sama_aadress", mother.home.line, "OST", 0.41, purchased_on(today))
    )
    return [mother, mia, oskar]


def purchased_on(today: date) -> date:
    """The day that the credit agency's data about the single parent's flat were bought."""
    return _days(today, 260).replace(day=1)


def _neighbour(today: date) -> list[Person]:
    """A nurse with a daughter who is old enough to keep her health data to herself."""
    moved_in = _days(today, 4400)
    mother = _alone(NEIGHBOUR, Status.EMPLOYED, moved_in, [_job("Järvelinna haigla SA", "õde", 1.0, today, 4100, 2150)])
    daughter = _person(TEENAGER, Status.CHILD, moved_in)
    give_child(mother, daughter)
    mother.benefits.append(Benefit("lapsetoetus", 80_00, daughter.born, _nineteenth(daughter), "makstakse"))
    return [mother, daughter]


def _former_tenant(today: date) -> list[Person]:
    moved_out = _days(today, 2160)
    tenant = _person(FORMER_TENANT, Status.EMPLOYED, moved_out + timedelta(days=1))
    flat = address(_DWELLINGS[SINGLE_PARENT])
    tenant.residences.insert(0, Residence(flat, _days(today, 3600), moved_out))
    tenant.jobs = [_job("Valgus Elekter OÜ", "elektrik", 1.0, today, 2500, 2050)]
    wife = _relative("wife-of-former-tenant", tenant, Status.EMPLOYED)
    wife.jobs = [_job("Numbrid ja Partnerid OÜ", "raamatupidaja", 1.0, today, 1700, 1900)]
    marry(tenant, wife, _days(today, 2130))
    return [tenant, wife]


def _pensioner(today: date) -> list[Person]:
    husband = _person(PENSIONER, Status.PENSIONER, _days(today, 11_000))
    wife = _relative("wife-of-pensioner", husband, Status.PENSIONER)
    marry(husband, wife, date(1973, 6, 16))
    for person, monthly in ((husband, 846_20), (wife, 731_50)):
        since = date(person.born.year + 64, person.born.month, person.born.day)
        person.benefits.append(Benefit("vanaduspension", monthly, since, None, "makstakse"))
        other = wife if person is husband else husband
        person.links.append(PartnerLink(other.name, "abielu", person.home.line, "RR", None, _days(today, 90)))
    return [husband, wife]


def _job_seeker(today: date) -> Person:
    person = _alone(JOB_SEEKER, Status.UNEMPLOYED, _days(today, 3300), [])
    lost = _days(today, 130)
    person.jobs = [
        Job(
            employer_number("Põhja Terasetööd AS"), "keevitaja", "TL", 1.0, _days(today, 2600), lost, "koondamine", 1750
        )
    ]
    since = lost + timedelta(days=12)
    person.benefits.append(Benefit("tootu", 389_00, since, since + timedelta(days=270), "makstakse"))
    return person


def _newcomer(today: date) -> Person:
    person = _alone(
        NEWCOMER,
        Status.EMPLOYED,
        _days(today, 640),
        [_job("Selge Tarkvara OÜ", "programmeerija", 1.0, today, 620, 3600)],
    )
    person.citizenship = "GBR"
    return person


def _official(persona: str, place: int, today: date) -> Person:
    job = _job(_EMPLOYERS_OF_OFFICIALS[persona], "ametnik", 1.0, today, 2200, 1950)
    return _alone(persona, Status.EMPLOYED, _days(today, 3000 + 200 * place), [job])


def _alone(persona: str, status: Status, moved_in: date, jobs: list[Job]) -> Person:
    person = _person(persona, status, moved_in)
    person.jobs = jobs
    return person


def _person(persona: str, status: Status, moved_in: date) -> Person:
    known = _KNOWN[persona]
    person = Person(known.code, known.given, known.family, known.sex, known.born, status=status, persona=persona)
    person.residences = [Residence(address(_DWELLINGS[persona]), moved_in, None)]
    return person


def _relative(name: str, of: Person, status: Status) -> Person:
    known = _FAMILY[name]
    person = Person(known.code, known.given, known.family, known.sex, known.born, status=status)
    person.residences = [Residence(of.home, max(known.born, of.residences[-1].since), None)]
    return person


def _job(employer: str, title: str, share: float, today: date, days: int, salary: int) -> Job:
    return Job(employer_number(employer), title, "TL", share, _days(today, days), None, None, salary)


def _days(today: date, days: int) -> date:
    return today - timedelta(days=days)


def _nineteenth(child: Person) -> date:
    return date(child.born.year + 19, child.born.month, child.born.day) - timedelta(days=1)
