"""Who is close to an official: asked through the gate, of both people, and nothing more than is compared."""

from __future__ import annotations

from datetime import date

import pytest

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import Action
from portal.domain.decisions import Relation
from portal.registries.records import FieldValue, Record
from portal.services.closeness import Closeness
from portal.services.disclosure import Gate
from portal.services.protection import Protection
from tests.factories.houses import FakeHouse
from tests.factories.people import JUHAN, KADRI, MARY, a_caseworker
from tests.fakes.registry import OWN


def _closeness(house: FakeHouse) -> Closeness:
    gate = Gate(house.log, house.registries, house.clock)
    return Closeness(house.room.policy, gate, Protection(house.catalogue), house.clock)


def _relation(house: FakeHouse) -> Relation:
    return _closeness(house).check(a_caseworker(code=KADRI), MARY, request_id="r1").relation


def _checks(house: FakeHouse) -> list[Access]:
    items = house.log.read(TrailQuery(actions=frozenset({Action.CONFLICT_CHECK}))).items
    return [item.access for item in items if item.access is not None]


@pytest.mark.parametrize(
    ("registry", "of_official", "of_person", "expected"),
    [
        ("population", {"relative-code": MARY.reveal()}, {}, Relation.RELATIVE),
        ("population", {}, {"relative-code": KADRI.reveal()}, Relation.RELATIVE),
        ("population", {"address": "Kase 3"}, {"address": "Kase 3"}, Relation.HOUSEHOLD),
        (
            "population",
            {"address": "Kase 3", "municipality": "Tartu"},
            {"address": "Kase 3", "municipality": "Võru"},
            Relation.NONE,
        ),
        ("employment", {"employer-code": "10"}, {"employer-code": "10"}, Relation.COLLEAGUE),
        ("employment", {"employer-code": "10"}, {"employer-code": "11"}, Relation.NONE),
        ("population", {"relative-code": JUHAN.reveal()}, {"relative-code": JUHAN.reveal()}, Relation.NONE),
    ],
)
def test_ties_are_found_in_the_registries(
    house: FakeHouse, registry: str, of_official: dict[str, str], of_person: dict[str, str], expected: Relation
) -> None:
    house.registries[registry].holds(KADRI, **of_official)
    house.registries[registry].holds(MARY, **of_person)
    assert _relation(house) is expected


def test_a_tie_that_is_over_binds_nobody(house: FakeHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def once_there(*_: object) -> tuple[Record, ...]:
        held = {"address": "Kase 3", "lived-there-until": date(2020, 1, 1)}
        return (Record({code: FieldValue(value, OWN) for code, value in held.items()}),)

    monkeypatch.setattr(house.registries["population"], "fetch", once_there)
    assert _relation(house) is Relation.NONE


def test_both_people_are_asked_about_for_the_purpose_of_its_own_and_no_more_than_it_lists(house: FakeHouse) -> None:
    _relation(house)
    checks = _checks(house)
    permits = house.catalogue.purposes["conflict-check"].permits
    assert {check.subject for check in checks} == {KADRI.subject, MARY.subject}
    assert all(check.automatic and check.purpose == "conflict-check" for check in checks)
    for check in checks:
        # Whether the official is marked is of no concern.
        listed = set(permits[check.registry or ""]) - ({"protection"} if check.subject == KADRI.subject else set())
        assert set(check.fields) == listed


def test_the_officials_own_ties_are_not_looked_up_for_every_access(house: FakeHouse) -> None:
    closeness = _closeness(house)
    for subject in (MARY, JUHAN):
        closeness.check(a_caseworker(code=KADRI), subject, request_id="r1")
    assert [check.subject for check in _checks(house)].count(KADRI.subject) == 2


def test_what_cannot_be_found_out_is_unknown(house: FakeHouse) -> None:
    house.registries["employment"].is_down = True
    assert _relation(house) is Relation.UNKNOWN
    nobody = a_caseworker(code=None)
    assert _closeness(house).check(nobody, MARY, request_id="r1").relation is Relation.UNKNOWN


def test_no_print_of_a_tie_shows_whom_it_binds(house: FakeHouse) -> None:
    house.registries["population"].holds(KADRI, **{"relative-code": MARY.reveal()})
    closeness = _closeness(house)
    closeness.check(a_caseworker(code=KADRI), MARY, request_id="r1")
    assert MARY.reveal() not in repr(closeness._of_officials)
