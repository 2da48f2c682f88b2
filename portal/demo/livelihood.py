"""Work, pensions, benefits and bought guesses about partners, drawn for one person at a time."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from portal.demo.people import Benefit, Job, PartnerLink, Person, Status

SCHOOL_AGE, ADULT_AGE, PENSION_AGE = 7, 19, 65
#: Employers known by number only; those with a name of their own have the numbers after these.
EMPLOYERS = 900
KNOWN_EMPLOYERS = (
    "Järve Toidukaubad AS", "Laulustuudio OÜ", "Järvelinna haigla SA", "Karu talu OÜ", "Valgus Elekter OÜ",
    "Numbrid ja Partnerid OÜ", "Põhja Terasetööd AS", "Selge Tarkvara OÜ", "Claimcheck Teenused OÜ",
    "Sotsiaalkindlustuse amet", "Järvelinna linnavalitsus", "Politsei", "Ravikindlustuse fond",
    "Isikuandmete järelevalve",
)  # fmt: skip
CHILD_BENEFIT, SINGLE_PARENT_BENEFIT, SUBSISTENCE_BENEFIT, UNEMPLOYMENT_BENEFIT = 80_00, 80_00, 200_00, 389_00
#: Of the single parents and the poorest, how many a credit agency's data link with somebody.
BOUGHT_LINKS = 0.08

_TITLES = (
    ("müüja", 1150), ("klienditeenindaja", 1250), ("õpetaja", 1900), ("hooldaja", 1150), ("autojuht", 1450),
    ("laotööline", 1250), ("raamatupidaja", 1800), ("kokk", 1200), ("ehitaja", 1600), ("elektrik", 1850),
    ("õde", 2000), ("programmeerija", 3200), ("keevitaja", 1700), ("projektijuht", 2500), ("koristaja", 950),
    ("analüütik", 2600), ("õmbleja", 1100), ("metsatööline", 1400), ("sekretär", 1300), ("turvatöötaja", 1050),
)  # fmt: skip
_GROUNDS = ("poolte_kokkulepe", "tootaja_soov", "tootaja_soov", "koondamine", "tahtaeg")
_DAYS_OF_A_YEAR = 365


def employer_number(name: str) -> int:
    return EMPLOYERS + KNOWN_EMPLOYERS.index(name)


def draw_status(person: Person, today: date, rng: Random) -> Status:
    age = person.age_on(today)
    if age < ADULT_AGE:
        return Status.CHILD
    if age >= PENSION_AGE:
        return Status.PENSIONER
    if age < 25 and rng.random() < 0.45:
        return Status.STUDENT
    return rng.choices((Status.EMPLOYED, Status.UNEMPLOYED, Status.AT_HOME), (82, 6, 12))[0]


def draw_jobs(person: Person, today: date, rng: Random) -> list[Job]:
    """Contracts, newest first. Working life begins at 19 and ends with the pension."""
    start = person.born + timedelta(days=ADULT_AGE * _DAYS_OF_A_YEAR + rng.randrange(1500))
    end = min(today, person.born + timedelta(days=PENSION_AGE * _DAYS_OF_A_YEAR))
    until: date | None = None
    if person.status is not Status.EMPLOYED:
        until = end - timedelta(days=rng.randrange(20, 700))
    jobs = []
    for _ in range(rng.choices((1, 2, 3, 4, 5), (25, 30, 25, 12, 8))[0]):
        latest = until or end
        since = latest - timedelta(days=rng.randrange(90, 2600))
        if since < start:
            break
        title, salary = rng.choice(_TITLES)
        share = rng.choices((1.0, 0.75, 0.5), (84, 6, 10))[0]
        kind = rng.choices(("TL", "KL", "AT"), (86, 8, 6))[0]
        pay = int(salary * share * rng.uniform(0.85, 1.4))
        ground = None if until is None else rng.choice(_GROUNDS)
        jobs.append(Job(rng.randrange(EMPLOYERS), title, kind, share, since, until, ground, pay))
        until = since - timedelta(days=rng.choice((1, 1, 14, 60, 200)))
    return jobs


def draw_benefits(person: Person, children: list[Person], today: date, rng: Random) -> list[Benefit]:
    """What a person claims; `children` are those for whom this parent, and not the other, draws child benefit."""
    benefits = [
        Benefit("lapsetoetus", CHILD_BENEFIT, child.born, _nineteenth(child.born), "makstakse")
        for child in children
        if child.status is Status.CHILD
    ]
    match person.status:
        case Status.PENSIONER:
            since = person.born + timedelta(days=PENSION_AGE * _DAYS_OF_A_YEAR + 16)
            benefits.append(Benefit("vanaduspension", rng.randrange(520_00, 1100_00), since, None, "makstakse"))
        case Status.UNEMPLOYED:
            since = today - timedelta(days=rng.randrange(20, 240))
            until = since + timedelta(days=270)
            benefits.append(Benefit("tootu", UNEMPLOYMENT_BENEFIT, since, until, "makstakse"))
        case _:
            pass
    if person.status in {Status.UNEMPLOYED, Status.AT_HOME} and rng.random() < 0.3:
        since = today - timedelta(days=rng.randrange(30, 500))
        benefits.append(Benefit("toimetulek", SUBSISTENCE_BENEFIT, since, None, "makstakse"))
    return benefits


def single_parent_benefit(children: list[Person]) -> Benefit:
    youngest = max(child.born for child in children)
    return Benefit("yksikvanem", SINGLE_PARENT_BENEFIT, youngest, _nineteenth(youngest), "makstakse")


def draw_bought_link(person: Person, strangers: list[Person], today: date, rng: Random) -> None:
    """A credit agency's guess at a partner: somebody who had a parcel, a debt or a lease at the address once."""
    claims = {benefit.kind for benefit in person.benefits}
    if not strangers or not claims & {"yksikvanem", "toimetulek"} or rng.random() >= BOUGHT_LINKS:
        return
    stranger = rng.choice(strangers)
    person.links.append(
        PartnerLink(
            stranger.name,
            "sama_aadress",
            person.home.line,
            "OST",
            round(rng.uniform(0.31, 0.93), 2),
            (today - timedelta(days=rng.randrange(40, 600))).replace(day=1),
        )
    )


def _nineteenth(born: date) -> date:
    """The day before the nineteenth birthday: benefits for a child end with it."""
    return date(born.year + 19, born.month, min(born.day, 28)) - timedelta(days=1)
