"""Each rule flags what it is for, and not what lies just beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from portal.registries.catalogue import CatalogueError
from portal.services.unusual.explanations import EXPLANATIONS, Explanation
from portal.services.unusual.facts import Facts, KnownCase, Look, NewsPeg, Person, Trail
from portal.services.unusual.flags import Flag
from portal.services.unusual.limits import FILE, Limits, read_limits
from portal.services.unusual.ranking import ranked
from portal.services.unusual.rules import CODES, RULES

CONFIG = Path(__file__).parents[5] / "config"
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ME, THEM, STRANGER = "me", "them", "stranger"
OPEN_CASE = KnownCase(
    team="team", officials=frozenset({"official"}), subjects=frozenset({THEM}), opened=MONDAY - timedelta(days=30)
)


@pytest.fixture(scope="module")
def limits() -> Limits:
    return read_limits(CONFIG, CODES, EXPLANATIONS)


def a_look(number: int = 0, **changes: Any) -> Look:
    values: dict[str, Any] = {
        "seq": number, "at": MONDAY, "official": "official", "organisation": "office", "subject": THEM,
    }  # fmt: skip
    return Look(**values | changes)


def facts_of(me: Person | None = None, them: Person | None = None, **changes: Any) -> Facts:
    people = {ME: me or Person(), THEM: them or Person(), STRANGER: Person()}
    values: dict[str, Any] = {"people": people, "persons_of": {"official": ME}, "teams": {"official": "team"}}
    return Facts(**values | changes)


def a_habit(count: int = 60, hour: int = 10, **changes: Any) -> list[Look]:
    """Ordinary looks at one hour of the weekdays before."""
    days = [day for day in range(1, 200) if (MONDAY - timedelta(days=day)).weekday() < 5][:count]
    return [
        a_look(1000 + day, at=(MONDAY - timedelta(days=day)).replace(hour=hour), subject=f"p{day}", **changes)
        for day in days
    ]


def many(count: int, *, apart: timedelta = timedelta(minutes=1), **changes: Any) -> list[Look]:
    """Looks at as many people, one after the other."""
    return [a_look(number, at=MONDAY + number * apart, subject=f"p{number}", **changes) for number in range(count)]


def refused(count: int, **changes: Any) -> list[Look]:
    return [a_look(number, denied=True, **changes) for number in range(1, count + 1)]


def born(year: int) -> Person:
    return Person(surname="Kask", born=date(year, 1, 1))


@dataclass(frozen=True)
class Case:
    """Looks and facts; whether the rule flags the look with number 0."""

    rule: str
    what: str
    facts: Facts
    is_flagged: bool
    looks: Sequence[Look] = (a_look(),)


PEG = [NewsPeg(subject=THEM, day=MONDAY.date() - timedelta(days=7))]
LEAVE = {"official": [(MONDAY.date(), MONDAY.date())]}
KNOWN = {"C-1": OPEN_CASE}
WITH_CASE = (a_look(case="C-1"),)
AT_NIGHT = a_look(at=MONDAY.replace(hour=2))
PARTED_AND_BACK = Person(former_households=frozenset({"f"}), household="h")
ELSEWHERE = (a_look(subject=STRANGER, case="C-1"),)
HOME = Person(household="h", address="a", place=(0.0, 0.0))
CASES = [
    Case("own-record", "the official's own record", facts_of(persons_of={"official": THEM}), True),
    Case("own-record", "somebody else's", facts_of(), False),
    Case("relative", "a relative", facts_of(Person(relatives=frozenset({THEM}))), True),
    Case("relative", "a relative of somebody else", facts_of(Person(relatives=frozenset({STRANGER}))), False),
    Case("same-household", "one household", facts_of(HOME, Person(household="h")), True),
    Case("same-household", "two people of whom no household is known", facts_of(), False),
    Case("same-address", "another household in the house", facts_of(HOME, Person(household="g", address="a")), True),
    Case("same-address", "one household, which is another rule's", facts_of(HOME, HOME), False),
    Case("same-surname", "a rare surname, nine years apart", facts_of(born(1980), born(1989)), True),
    Case("same-surname", "a generation apart", facts_of(born(1980), born(2005)), False),
    Case(
        "same-surname", "a common surname",
        facts_of(people={ME: born(1980), THEM: born(1981)} | {f"p{n}": born(1950) for n in range(20)}), False,
    ),
    Case("colleague", "one employer", facts_of(Person(employer="e"), Person(employer="e")), True),
    Case("colleague", "nobody is employed", facts_of(), False),
    Case(
        "former-partner", "once one household",
        facts_of(Person(former_households=frozenset({"f"})), Person(former_households=frozenset({"f"}))), True,
    ),
    Case(
        "former-partner", "who stayed behind",
        facts_of(Person(former_households=frozenset({"f"})), Person(household="f")), True,
    ),
    Case(
        "former-partner", "parted and together again",
        facts_of(PARTED_AND_BACK, PARTED_AND_BACK), False,
    ),
    Case("neighbour", "140 metres away", facts_of(HOME, Person(place=(84.0, 112.0))), True),
    Case("neighbour", "151 metres away", facts_of(HOME, Person(place=(0.0, 151.0))), False),
    Case("neighbour", "at the same address, which is another rule's", facts_of(HOME, HOME), False),
    Case("public-figure", "a public figure", facts_of(them=Person(is_public_figure=True)), True),
    Case("public-figure", "a private person", facts_of(), False),
    Case("no-case", "no case was named", facts_of(), True),
    Case("no-case", "a case nobody knows", facts_of(), True, WITH_CASE),
    Case("no-case", "an open case", facts_of(cases=KNOWN), False, WITH_CASE),
    Case(
        "no-case", "closed fifteen days ago",
        facts_of(cases={"C-1": replace(OPEN_CASE, closed=MONDAY - timedelta(days=15))}), True, WITH_CASE,
    ),
    Case(
        "no-case", "closed within the days of grace",
        facts_of(cases={"C-1": replace(OPEN_CASE, closed=MONDAY - timedelta(days=14))}), False, WITH_CASE,
    ),
    Case(
        "no-case", "a case that was opened only afterwards",
        facts_of(cases={"C-1": replace(OPEN_CASE, opened=MONDAY + timedelta(hours=1))}), True, WITH_CASE,
    ),
    Case(
        "foreign-case", "another team's case",
        facts_of(cases={"C-1": replace(OPEN_CASE, team="other", officials=frozenset())}), True, WITH_CASE,
    ),
    Case(
        "foreign-case", "a colleague's case in one's own team",
        facts_of(cases={"C-1": replace(OPEN_CASE, officials=frozenset({"x"}))}), False, WITH_CASE,
    ),
    Case("unlike-case", "the case is about somebody else", facts_of(cases=KNOWN), True, ELSEWHERE),
    Case(
        "unlike-case", "somebody of the household that the case is about",
        facts_of(cases=KNOWN, people={THEM: HOME, STRANGER: HOME, ME: Person()}), False, ELSEWHERE,
    ),
    Case("volume", "thirty people on one day", facts_of(), True, [*many(30), *a_habit()]),
    Case("volume", "thirty people by one who does so every day", facts_of(), False,
         [replace(look, seq=look.seq + 100 * day, at=look.at - timedelta(days=day))
          for day in range(30) for look in many(30)]),
    Case("volume", "fourteen people, whatever is usual", facts_of(), False, [*many(14), *a_habit()]),
    Case("unusual-hour", "at two in the morning", facts_of(), True, [AT_NIGHT, *a_habit()]),
    Case("unusual-hour", "an hour later than usual", facts_of(), False,
         [a_look(at=MONDAY.replace(hour=11)), *a_habit()]),
    Case("unusual-hour", "on a Sunday", facts_of(), True, [a_look(at=MONDAY - timedelta(days=1)), *a_habit()]),
    Case("unusual-hour", "on a holiday", facts_of(holidays=frozenset({MONDAY.date()})), True, [a_look(), *a_habit()]),
    Case("unusual-hour", "of whose habits little is known", facts_of(), False, [AT_NIGHT, *a_habit(15)]),
    Case("absence", "on leave", facts_of(absences=LEAVE), True),
    Case("absence", "the day after", facts_of(absences=LEAVE), False, (a_look(at=MONDAY + timedelta(days=1)),)),
    Case("denied-tries", "shown after four refusals", facts_of(), True, [a_look(), *refused(4)]),
    Case("denied-tries", "shown after three refusals", facts_of(), False, [a_look(), *refused(3)]),
    Case(
        "denied-tries", "another person than the refusals were about", facts_of(), False,
        [a_look(), *refused(5, subject=STRANGER)],
    ),
    Case("repeated", "on four days", facts_of(), True, [a_look(n, at=MONDAY + timedelta(days=n)) for n in range(4)]),
    Case("repeated", "four times on three days", facts_of(), False,
         [a_look(n, at=MONDAY + timedelta(days=n % 3)) for n in range(4)]),
    Case("repeated", "on four days in a case", facts_of(cases=KNOWN), False,
         [a_look(n, at=MONDAY + timedelta(days=n), case="C-1") for n in range(4)]),
    Case("browsing", "eight people in seven minutes", facts_of(), True, many(8)),
    Case("browsing", "eight people in twice the time", facts_of(), False, many(8, apart=timedelta(minutes=2))),
    Case("browsing", "eight people, each in a case", facts_of(cases=KNOWN), False, many(8, case="C-1")),
    Case("copied", "one sentence for eight people", facts_of(), True,
         many(8, apart=timedelta(days=2), justification="As agreed with the team")),
    Case("copied", "however it is spelt", facts_of(), True, [
        replace(look, justification=text) for look, text in
        zip(many(8), ["As agreed with the team", "as  agreed, with THE team."] * 4, strict=True)]),
    Case("copied", "one sentence over a year", facts_of(), False,
         many(8, apart=timedelta(days=40), justification="As agreed with the team")),
    Case("before-seal", "a day before a seal", facts_of(seals={THEM: [MONDAY + timedelta(days=1)]}), True),
    Case("before-seal", "after it began", facts_of(seals={THEM: [MONDAY]}), False),
    Case("before-seal", "eight days before", facts_of(seals={THEM: [MONDAY + timedelta(days=8)]}), False),
    Case("before-seal", "in a case", facts_of(seals={THEM: [MONDAY + timedelta(days=1)]}, cases=KNOWN), False,
         WITH_CASE),
    Case("after-news", "a week after the news", facts_of(news=PEG), True),
    Case("after-news", "before the news", facts_of(news=PEG), False, (a_look(at=MONDAY - timedelta(days=8)),)),
    Case("after-news", "eight days after", facts_of(news=PEG), False, (a_look(at=MONDAY + timedelta(days=1)),)),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.what}")
def test_a_rule_flags_what_it_is_for_and_not_what_lies_beside_it(case: Case, limits: Limits) -> None:
    [rule] = [rule for rule in RULES if rule.code == case.rule]
    flags = {flag.seq: flag for flag in rule.find(Trail(case.looks), case.facts, limits)}
    assert (0 in flags) is case.is_flagged
    assert all(flag.rule == case.rule for flag in flags.values())


def test_every_rule_is_shown_both_ways() -> None:
    for code in CODES:
        assert {case.is_flagged for case in CASES if case.rule == code} == {True, False}, code


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_is_not_known_raises_no_flag(rule: Any, limits: Limits) -> None:
    found = list(rule.find(Trail([a_look(case="C-1")]), Facts(cases=KNOWN), limits))
    assert found == []


def test_no_flag_holds_a_name_or_a_code_of_a_person(limits: Limits) -> None:
    flags: list[Flag] = [
        flag for case in CASES for rule in RULES for flag in rule.find(Trail(case.looks), case.facts, limits)
    ]
    assert flags
    assert all(type(value) is int for flag in flags for value in flag.said.values())


def test_what_nothing_explains_comes_before_what_a_case_explains(limits: Limits) -> None:
    them = Person(is_public_figure=True)
    looks = [a_look(0, case="C-1"), a_look(1, official="stranger")]
    first, second = ranked(Trail(looks), facts_of(them=them, cases=KNOWN), limits)
    assert (first.look.seq, first.explanation) == (1, None)
    assert (second.look.seq, second.explanation) == (0, Explanation.ASSIGNED_CASE)


@pytest.mark.parametrize(
    ("look", "cases", "expected"),
    [
        (a_look(case="C-1"), KNOWN, Explanation.ASSIGNED_CASE),
        (a_look(case="C-1"), {"C-1": replace(OPEN_CASE, officials=frozenset())}, Explanation.TEAM_CASE),
        (a_look(case="C-1"), {"C-1": replace(OPEN_CASE, officials=frozenset(), team="other")}, None),
        (a_look(case="C-1"), {"C-1": replace(OPEN_CASE, closed=MONDAY - timedelta(days=20))}, None),
        (a_look(case="C-1", subject=STRANGER), KNOWN, None),
        (a_look(case=None), KNOWN, None),
    ],
)
def test_a_chain_explains_only_where_each_link_holds(
    look: Look, cases: dict[str, KnownCase], expected: Explanation | None, limits: Limits
) -> None:
    facts = facts_of(them=Person(is_public_figure=True), cases=cases, people={
        THEM: Person(is_public_figure=True), STRANGER: Person(is_public_figure=True), ME: Person()})  # fmt: skip
    [found] = ranked(Trail([look]), facts, limits)
    assert found.explanation is expected


def test_an_assigned_case_of_last_month_still_explains_a_look_without_one(limits: Limits) -> None:
    earlier = a_look(1, at=MONDAY - timedelta(days=20), case="C-1")
    facts = facts_of(them=Person(is_public_figure=True), cases=KNOWN)
    found = {one.look.seq: one.explanation for one in ranked(Trail([a_look(), earlier]), facts, limits)}
    assert found == {0: Explanation.EARLIER_CASE, 1: Explanation.ASSIGNED_CASE}


def test_two_flags_of_one_family_weigh_less_than_two_of_different_families(limits: Limits) -> None:
    def score(me: Person, them: Person) -> float:
        return ranked(Trail([a_look(case="C-1")]), facts_of(me, them, cases={}), limits)[0].score

    kin = score(Person(relatives=frozenset({THEM})), Person())
    kin_at_home = score(Person(relatives=frozenset({THEM}), household="h"), Person(household="h"))
    known_kin = score(Person(relatives=frozenset({THEM})), Person(is_public_figure=True))
    assert kin < kin_at_home < known_kin


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("browsing_people = 8", "browsing_people = 0", "browsing_people: is not a whole number"),
        ("browsing_people = 8", "browsing_people = true", "browsing_people: is not a whole number"),
        ("browsing_people = 8", "", "browsing_people: is missing"),
        ("browsing_people = 8", "browsing_persons = 8", "browsing_persons: there is no such key"),
        ("own-record = 90", "own-record = 101", "weights.own-record: is not a whole number from 0 to 100"),
        ("own-record = 90", "", "weights.own-record: is missing"),
        ("own-record = 90", "own-record = 90\nhunch = 3", "weights.hunch: there is no such key"),
        ("[weights]", "[waits]", "weights: is missing"),
    ],
)
def test_a_mistake_in_the_thresholds_is_named_with_file_line_and_key(
    before: str, after: str, said: str, tmp_path: Path
) -> None:
    text = (CONFIG / FILE).read_text(encoding="utf-8")
    assert before in text
    (tmp_path / FILE).write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(CatalogueError, match=FILE) as error:
        read_limits(tmp_path, CODES, EXPLANATIONS)
    assert said in str(error.value)
