"""A person's look at what is held on them: an entry of its own kind, about themselves only."""

from __future__ import annotations

import pytest

from audit.log import TrailQuery
from portal.domain.errors import NothingHere
from tests.factories.houses import FakeHouse
from tests.factories.people import JUHAN, MARY, a_citizen, an_auditor


def test_every_registry_is_asked_and_says_how_much_it_holds(house: FakeHouse) -> None:
    house.registries["vehicles"].holds(MARY, make="Volvo")
    house.registries["land"].is_down = True
    holdings = {
        holding.registry.code: holding.count for holding in house.records.holdings(a_citizen(), request_id="r1")
    }
    assert list(holdings) == list(house.catalogue.registries)
    assert (holdings["vehicles"], holdings["population"], holdings["land"]) == (1, 0, None)
    asked = house.log.count(TrailQuery(actions=frozenset({"own-confirmation"}), outcome="released"))
    assert asked == len(house.catalogue.registries)


def test_the_own_look_shows_every_field_and_is_logged_as_such(house: FakeHouse) -> None:
    house.registries["vehicles"].holds(MARY, make="Volvo")
    house.registries["vehicles"].holds(JUHAN, make="Saab")
    own = house.records.open(a_citizen(MARY), "vehicles", request_id="r1")
    assert own.records is not None
    assert [record.fields["make"].value for record in own.records] == ["Volvo"]
    access = house.log.entry(own.entry).access
    assert access is not None
    assert (access.action, access.subject, access.official) == ("own-read", MARY.subject, None)
    assert access.fields == tuple(house.catalogue.registries["vehicles"].fields)


def test_a_registry_that_does_not_exist_is_not_here(house: FakeHouse) -> None:
    with pytest.raises(NothingHere):
        house.records.open(a_citizen(), "secrets", request_id="r1")


def test_an_account_without_a_personal_code_has_no_records(house: FakeHouse) -> None:
    with pytest.raises(NothingHere):
        house.records.holdings(an_auditor(), request_id="r1")
