"""Accounts say who somebody is; their personal codes are sealed."""

from __future__ import annotations

import sqlite3

import pytest

from portal.domain.actors import Role
from portal.domain.errors import NothingHere
from portal.services.accounts import NewAccount
from tests.factories.houses import FakeHouse
from tests.factories.people import KADRI, MARY


def test_an_account_is_the_actor_it_was_opened_for(house: FakeHouse) -> None:
    [account_id] = house.accounts.open([NewAccount(Role.CASEWORKER, "Kadri Kask", "tax-board", KADRI)])
    actor = house.accounts.actor(account_id)
    assert (actor.role, actor.name, actor.organisation) == (Role.CASEWORKER, "Kadri Kask", "tax-board")
    assert actor.personal_code == KADRI


def test_the_database_holds_no_personal_code_in_clear(house: FakeHouse) -> None:
    house.accounts.open([NewAccount(Role.CITIZEN, "Mari", personal_code=MARY)])
    with sqlite3.connect(house.folder / "portal.db") as connection:
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert MARY.reveal() not in dump
    assert MARY.reveal().encode() not in (house.folder / "portal.db").read_bytes()


@pytest.mark.parametrize("account_id", ["", "none", "' OR 1=1 --"])
def test_nobody_else_is_a_demonstration_person(house: FakeHouse, account_id: str) -> None:
    [real] = house.accounts.open([NewAccount(Role.CITIZEN, "Mari", personal_code=MARY)])
    for wanted in (account_id, real):
        with pytest.raises(NothingHere):
            house.accounts.demonstration_person(wanted)


def test_demonstration_people_are_listed_in_their_order(house: FakeHouse) -> None:
    house.accounts.open([NewAccount(Role.CITIZEN, "B"), NewAccount(Role.AUDITOR, "A", "x")], demonstration=True)
    house.accounts.open([NewAccount(Role.CITIZEN, "not listed")])
    assert [person.name for person in house.accounts.demonstration_people()] == ["B", "A"]
