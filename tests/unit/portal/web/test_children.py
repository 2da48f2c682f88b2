"""A parent looks for a child, with real sessions: while the register says so, and never at what is the child's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from audit.entry import Access
from audit.log import TrailQuery
from portal.demo.codes import personal_code
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Role
from portal.domain.identifiers import PersonalCode
from portal.services.accounts import NewAccount
from tests.factories.apps import FakePortal
from tests.factories.people import JUHAN, MARY

TODAY = datetime(2027, 3, 10, 9, tzinfo=UTC)


def a_child(born: date, serial: int = 33) -> PersonalCode:
    return PersonalCode.parse(personal_code("F", born, serial))


#: Ten, fifteen, and a child whose fourteenth and eighteenth birthdays are tried.
MIA = a_child(date(2016, 5, 9))
ANNA = a_child(date(2011, 6, 1))
EVE = a_child(date(2009, 3, 11))


@dataclass
class Family:
    """Mari is the mother of all three; Juhan is nobody's father."""

    portal: FakePortal
    now: list[datetime] = field(default_factory=lambda: [TODAY])

    @classmethod
    def of(cls, folder: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Family:
        now = [TODAY]
        portal = FakePortal.build(folder, monkeypatch, clock=lambda: now[0], database_url=url)
        new = NewAccount(Role.CITIZEN, "Anna Maasikas", personal_code=ANNA)
        [portal.accounts["anna"]] = portal.house.accounts.open([new], demonstration=True)
        population, health = portal.registries["population"], portal.registries["health-insurance"]
        population.holds(MARY, **{"given-names": "Mari"})
        for code, name in ((MIA, "Mia"), (ANNA, "Anna"), (EVE, "Eve")):
            names = {"relative-given-names": name, "relative-family-name": "Maasikas"}
            population.holds(MARY, relation="laps", **{"relative-code": code.reveal()}, **names)
            population.holds(code, **{"given-names": name, "address": f"{name} tänav 1"})
            health.holds(code, **{"insurance-basis": "laps", "family-doctor": "Dr Tamm"})
        population.holds(MARY, relation="abikaasa", **{"relative-code": JUHAN.reveal()})
        return cls(portal, now)

    def child(self, parent: FlaskClient, name: str) -> str:
        """The address of a child on the parent's list."""
        page = parent.get("/me/for").get_data(as_text=True)
        listed: dict[str, str] = {said: href for href, said in re.findall(r'href="(/me/for/[^"]+)">([^<]+)<', page)}
        return listed[name]

    def entries(self, *actions: Action) -> list[Access]:
        found = [logged.access for logged in self.portal.house.log.stream(TrailQuery()) if logged.access]
        return [access for access in found if access.action in actions]


@pytest.fixture
def family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Iterator[Family]:
    family = Family.of(tmp_path, monkeypatch, database_url)
    yield family
    family.portal.close()


@pytest.fixture
def quick_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Family]:
    """What is asked of registries and the log, whatever the portal's database is: nothing of it is stored there."""
    family = Family.of(tmp_path, monkeypatch, f"sqlite:///{tmp_path / 'portal.db'}")
    yield family
    family.portal.close()


def _text(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status, (path, answer.status_code)
    return " ".join(answer.get_data(as_text=True).split())


def test_a_parent_looks_for_a_child_and_the_child_sees_it(family: Family) -> None:
    mari, anna = family.portal.client("citizen"), family.portal.client("anna")
    child = family.child(mari, "Anna Maasikas")
    assert "Anna tänav 1" in _text(mari, f"{child}/records/population")
    assert "looked at who had opened your data" in _text(mari, f"{child}/accesses/population")
    assert "Your child sees these looks too" in _text(mari, child)
    history = _text(anna, "/me/accesses")
    assert re.search(r"Your representative Mari Maasikas looked at \d+ fields of your data in the Population", history)
    checks = _text(anna, "/me/accesses?kind=check")
    assert "Before your parent Mari Maasikas could look" in checks
    assert "who your children are" in _text(mari, "/me/accesses?kind=check")
    looks = family.entries(Action.MANDATE_READ, Action.MANDATE_TRAIL_LOOK)
    assert {(one.subject, one.official_name, one.outcome) for one in looks} == {
        (ANNA.subject, "Mari Maasikas", Outcome.RELEASED)
    }


def test_the_register_is_asked_anew_at_each_request_and_each_time_is_an_entry(quick_family: Family) -> None:
    mari = quick_family.portal.client("citizen")
    child = quick_family.child(mari, "Mia Maasikas")
    quick_family.portal.registries["population"]._records[MARY].clear()
    for path in (child, f"{child}/records/population", f"{child}/accesses/population"):
        assert mari.get(path).status_code == 404
    about_her = [one for one in quick_family.entries(Action.MANDATE_CHECK) if one.subject == MARY.subject]
    assert len(about_her) == 4
    assert all(one.automatic and one.official is None for one in about_her)


def test_a_child_is_acted_for_until_the_day_of_the_eighteenth_birthday(quick_family: Family) -> None:
    quick_family.now[0] = datetime(2027, 3, 10, 21, 59, tzinfo=UTC)  # 23:59 in Tallinn, the eve of it
    mari = quick_family.portal.client("citizen")
    child = quick_family.child(mari, "Eve Maasikas")
    assert "Eve tänav 1" in _text(mari, f"{child}/records/population")
    quick_family.now[0] = datetime(2027, 3, 10, 22, 0, tzinfo=UTC)
    for path in (child, f"{child}/records/population", f"{child}/accesses/population"):
        assert mari.get(path).status_code == 404
    assert "Eve Maasikas" not in _text(mari, "/me/for")
    refused = [one for one in quick_family.entries(Action.MANDATE_READ) if one.outcome == Outcome.DENIED]
    assert [(one.subject, one.reason) for one in refused] == [(EVE.subject, Reason.MANDATE_NOT_IN_FORCE)]


def test_a_tie_that_has_ended_opens_nothing(quick_family: Family) -> None:
    population = quick_family.portal.registries["population"]
    tie = next(one for one in population._records[MARY] if one.get("relative-code") == MIA.reveal())
    tie["related-until"] = date(2027, 3, 9)  # type: ignore[assignment]  # a day, as a registry gives it
    assert "Mia Maasikas" not in _text(quick_family.portal.client("citizen"), "/me/for")


def test_sensitive_health_fields_close_at_the_catalogues_age_and_the_reason_is_shown(family: Family) -> None:
    mari = family.portal.client("citizen")
    young, old = family.child(mari, "Mia Maasikas"), family.child(mari, "Anna Maasikas")
    assert "child under 19" in _text(mari, f"{young}/records/health-insurance")
    page = _text(mari, f"{old}/records/health-insurance")
    assert "child under 19" not in page
    assert "Dr Tamm" in page
    assert "Closed to you: Reason for insurance" in page
    assert "From the age of 14" in page
    looks = {one.subject: one for one in family.entries(Action.MANDATE_READ)}
    assert "insurance-basis" in looks[MIA.subject].fields
    assert "insurance-basis" not in looks[ANNA.subject].fields
    assert looks[ANNA.subject].details["closed-fields"] == 1
    assert ("insurance-basis",) not in family.portal.registries["health-insurance"].asked


def test_looks_at_what_is_closed_are_left_out_of_the_list_that_a_parent_reads(quick_family: Family) -> None:
    portal, mari = quick_family.portal, quick_family.portal.client("citizen")
    for code in (MIA, ANNA):
        for fields in (("insurance-basis",), ("insured-from",)):
            portal.house.log.append(
                Access(
                    action=Action.READ,
                    outcome=Outcome.RELEASED,
                    source="portal",
                    occurred_at=TODAY,
                    subject=code.subject,
                    organisation="insurance-fund",
                    official="clerk",
                    official_name="Olga Clerk",
                    registry="health-insurance",
                    fields=fields,
                    purpose="insurance-enquiry",
                )
            )
    seen = {
        name: _text(mari, f"{quick_family.child(mari, name)}/accesses/health-insurance").count("Health Insurance Fund")
        for name in ("Mia Maasikas", "Anna Maasikas")
    }
    assert seen["Mia Maasikas"] == 2 * seen["Anna Maasikas"] > 0
    page = _text(mari, f"{quick_family.child(mari, 'Anna Maasikas')}/accesses/health-insurance")
    assert "Looks at what is closed to you are left out: Reason for insurance" in page


def test_a_protected_address_stays_closed_to_a_parent_and_so_does_who_looked(quick_family: Family) -> None:
    portal, mari = quick_family.portal, quick_family.portal.client("citizen")
    portal.registries["population"].holds(MIA, protection="aadress")
    child = quick_family.child(mari, "Mia Maasikas")
    page = _text(mari, f"{child}/records/population")
    assert "Mia tänav" not in page
    assert "specially protected" in page
    assert "This list is closed to you" in _text(mari, f"{child}/accesses/land")
    [refused] = quick_family.entries(Action.MANDATE_TRAIL_LOOK)
    assert (refused.outcome, refused.reason) == (Outcome.DENIED, Reason.CLOSED_TO_PARENT)


def test_of_a_child_who_is_protected_whole_nothing_opens(quick_family: Family) -> None:
    portal, mari = quick_family.portal, quick_family.portal.client("citizen")
    portal.registries["population"].holds(MIA, protection="avalik")
    child = quick_family.child(mari, "Mia Maasikas")
    for registry in portal.registries:
        assert "Nothing of this registry is shown to you" in _text(mari, f"{child}/records/{registry}")
    assert {one.outcome for one in quick_family.entries(Action.MANDATE_READ)} == {Outcome.DENIED}
    assert portal.registries["health-insurance"].asked == []


def test_without_an_answer_of_the_register_nothing_is_shown_and_it_is_said(quick_family: Family) -> None:
    portal, mari = quick_family.portal, quick_family.portal.client("citizen")
    child = quick_family.child(mari, "Mia Maasikas")
    portal.registries["population"].is_down = True
    for path in ("/me/for", child, f"{child}/records/health-insurance", f"{child}/accesses/health-insurance"):
        assert "gives no answer at the moment" in _text(mari, path, 503)
    assert quick_family.entries(Action.MANDATE_READ, Action.MANDATE_TRAIL_LOOK) == []
    assert portal.registries["health-insurance"].asked == []


def test_a_child_of_another_and_an_id_that_stands_for_nobody_get_one_answer(family: Family) -> None:
    portal = family.portal
    mari, juhan, anna = portal.client("citizen"), portal.client("neighbour"), portal.client("anna")
    child = family.child(mari, "Mia Maasikas")
    forged = f"/me/for/{'0' * 64}"
    for other in (juhan, anna):
        for path in (child, forged):
            for tail in ("", "/records/population", "/accesses/population"):
                assert other.get(path + tail).status_code == 404
    assert family.entries(Action.MANDATE_READ, Action.MANDATE_TRAIL_LOOK) == []
    assert "names no child" in _text(juhan, "/me/for")  # the father of nobody; her husband is no child of hers
    assert "Juhan" not in _text(mari, "/me/for")
    assert mari.get(f"{child}/records/nothing").status_code == 404
    for code in (MIA, MARY):
        assert code.reveal() not in child


def test_whoever_received_a_mandate_of_a_parent_gets_no_child_with_it(quick_family: Family) -> None:
    portal, mari = quick_family.portal, quick_family.portal.client("citizen", stepped_up=True)
    child = quick_family.child(mari, "Mia Maasikas")
    form = {"personal_code": JUHAN.reveal(), "called": "him", "registries": ["population"], "until": ["1", "4", "2027"]}
    given = portal.post(mari, "/me/mandates/new", **form)
    assert given.status_code == 303
    mandate = given.headers["Location"].rpartition("/")[2]
    juhan = portal.client("neighbour")
    assert juhan.get(f"/me/for/{mandate}").status_code == 200
    for path in (child, f"/me/for/{mandate}/for", f"{child}/records/population"):
        assert juhan.get(path).status_code == 404
    assert "names no child" in _text(juhan, "/me/for")
    assert mari.get(f"/me/mandates/{child.rpartition('/')[2]}").status_code == 404
    assert portal.post(mari, f"/me/mandates/{child.rpartition('/')[2]}/end").status_code == 404
