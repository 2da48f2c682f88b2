"""Accounts say who somebody is; their personal codes are sealed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, update
from sqlalchemy.orm import sessionmaker

from portal.domain.actors import Role
from portal.domain.errors import AccountClosed, NothingHere
from portal.models.accounts import Account
from portal.services.accounts import Accounts, NewAccount
from portal.services.clock import system_clock
from portal.services.preparation import bring_tables_up_to_date
from portal.services.sealing import Sealer
from tests.factories.houses import FakeHouse
from tests.factories.people import JUHAN, KADRI, MARY


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


class TestCitizensThroughAProvider:
    """A person whom a provider vouches for has one account, found again by a keyed index of their code."""

    @pytest.fixture
    def accounts(self, database_url: str) -> Iterator[Accounts]:
        bring_tables_up_to_date(database_url)
        engine = create_engine(database_url)
        yield Accounts(sessionmaker(engine), Sealer("master"), system_clock)
        engine.dispose()

    def test_the_first_time_opens_an_account_and_the_second_finds_it(self, accounts: Accounts) -> None:
        first = accounts.citizen(MARY, "Mari Maasikas")
        again = accounts.citizen(MARY, "Mari Kask")
        assert (again.account_id, again.name, again.personal_code) == (first.account_id, "Mari Kask", MARY)
        assert accounts.citizen(MARY, "").name == "Mari Kask"
        assert accounts.citizen(JUHAN, "Juhan").account_id != first.account_id
        assert accounts.citizen_id(MARY) == first.account_id
        assert accounts.citizen_id(KADRI) is None

    def test_many_first_times_at_once_open_one_account(self, accounts: Accounts) -> None:
        with ThreadPoolExecutor(8) as pool:
            ids = set(pool.map(lambda _: accounts.citizen(MARY, "Mari").account_id, range(16)))
        assert len(ids) == 1

    def test_a_closed_account_is_not_opened_again(self, accounts: Accounts) -> None:
        opened = accounts.citizen(MARY, "Mari")
        with accounts._sessions.begin() as session:
            row = session.get(Account, opened.account_id)
            assert row is not None
            row.is_active = False
        with pytest.raises(AccountClosed):
            accounts.citizen(MARY, "Mari")

    def test_an_official_of_the_same_code_is_another_account(self, accounts: Accounts) -> None:
        [official] = accounts.open([NewAccount(Role.CASEWORKER, "Mari", "social-insurance-board", MARY)])
        citizen = accounts.citizen(MARY, "Mari")
        assert citizen.account_id != official
        assert citizen.role is Role.CITIZEN

    def test_accounts_from_before_there_was_an_index_are_found_too(self, accounts: Accounts) -> None:
        [old] = accounts.open([NewAccount(Role.CITIZEN, "Mari", personal_code=MARY)])
        with accounts._sessions.begin() as session:
            session.execute(update(Account).values(citizen_index=None))
        for _ in range(2):
            accounts.index_citizens()
        assert accounts.citizen(MARY, "Mari").account_id == old
