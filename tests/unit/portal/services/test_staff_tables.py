"""Staff's tables on both databases: what two people do at once, and that the migrations make what the models say."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, inspect
from sqlalchemy.orm import sessionmaker

from portal.domain.actors import Actor, Role
from portal.domain.staff import Standing
from portal.models.staff import (
    AccountNotice,
    Ceremony,
    EnrolmentCode,
    Passkey,
    StaffCredentials,
    StaffRequest,
)
from portal.services.accounts import Accounts, NewAccount
from portal.services.ceremonies import Asked, Ceremonies
from portal.services.enrolment_codes import CodeProblem, CodeRefused, EnrolmentCodes, digest_of, new_code
from portal.services.passkeys import Answer, LastPasskey, Passkeys
from portal.services.passwords import Check, Passwords
from portal.services.preparation import bring_tables_up_to_date
from portal.services.relying_party import RelyingParty
from portal.services.sealing import Sealer
from tests.factories.logs import TickingClock
from tests.fakes.authenticator import SoftAuthenticator

BROWSER = "a browser's secret"


class Desk:
    """The services over tables that the migrations made, with one caseworker who may set credentials."""

    def __init__(self, url: str) -> None:
        bring_tables_up_to_date(url)
        self.engine = create_engine(url)
        self.sessions = sessionmaker(self.engine)
        self.clock = TickingClock()
        self.sealer = Sealer("master")
        self.passwords = Passwords(self.sessions, self.sealer, self.clock)
        self.codes = EnrolmentCodes(self.sessions, self.clock)
        self.ceremonies = Ceremonies(self.sessions, self.clock)
        party = RelyingParty.of_url("https://data.example")
        self.passkeys = Passkeys(self.sessions, party, self.ceremonies, self.clock)
        accounts = Accounts(self.sessions, self.sealer, self.clock)
        [self.account] = accounts.open([NewAccount(Role.CASEWORKER, "Kadri Kask", "police")])
        self.person = Actor(self.account, Role.CASEWORKER, "Kadri Kask", "police")
        with self.sessions.begin() as session:
            row = StaffCredentials(
                account_id=self.account, standing=Standing.INVITED, user_handle=b"h" * 32, wrong_passwords=0
            )
            session.add(row)
            session.flush()
            self.passwords.put(row, "kolm sinist lehma")

    def add_key(self) -> SoftAuthenticator:
        key = SoftAuthenticator("https://data.example")
        prompt = self.passkeys.ask_for_new(self.person, Asked.ADD, BROWSER)
        made = self.passkeys.made(self.person, Asked.ADD, Answer(prompt.token, key.make(prompt.options), BROWSER))
        with self.sessions.begin() as session:
            self.passkeys.keep(session, self.account, made, "Key")
        return key


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    desk = Desk(database_url)
    yield desk
    desk.engine.dispose()


def test_the_migrations_make_the_tables_that_the_models_describe(desk: Desk) -> None:
    for model in (AccountNotice, Ceremony, EnrolmentCode, Passkey, StaffCredentials, StaffRequest):
        made = {column["name"] for column in inspect(desk.engine).get_columns(model.__tablename__)}
        assert made == {column.name for column in model.__table__.columns}


def test_of_two_answers_to_one_challenge_one_counts(desk: Desk) -> None:
    for _ in range(5):
        begun = desk.ceremonies.begin(Asked.SIGN_IN, BROWSER)
        with ThreadPoolExecutor(2) as pool:
            taken = list(pool.map(desk.ceremonies.take, [begun.token] * 2, [Asked.SIGN_IN] * 2, [BROWSER] * 2))
        assert sorted(one is None for one in taken) == [False, True]


def test_of_two_uses_of_one_code_one_counts(desk: Desk) -> None:
    code, now = new_code(), desk.clock()
    with desk.sessions.begin() as session:
        desk.codes.put(session, desk.account, digest_of(code), opens_at=now, ends_at=now + timedelta(hours=1))
    assert desk.codes.opened(code).account_id == desk.account

    def use(_: int) -> bool:
        try:
            with desk.sessions.begin() as session:
                desk.codes.use_up(session, code)
        except CodeRefused as refused:
            return refused.problem is not CodeProblem.UNKNOWN
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(use, range(2))) == [False, True]


def test_an_answer_that_was_overtaken_by_another_of_the_same_key_is_refused(desk: Desk) -> None:
    """Two answers with one counter, each to a challenge of its own: a copied key, or one that was replayed."""
    key = desk.add_key()
    first, second = (desk.passkeys.ask(Asked.SIGN_IN, BROWSER) for _ in range(2))
    answers = [Answer(one.token, key.prove(one.options, sign_count=7), BROWSER) for one in (first, second)]
    with ThreadPoolExecutor(2) as pool:
        proven = list(pool.map(lambda answer: desk.passkeys.proved(Asked.SIGN_IN, answer), answers))
    assert [one.refusal is None for one in proven].count(True) == 1


def test_a_key_that_counts_nothing_may_go_on_counting_nothing(desk: Desk) -> None:
    """Passkeys that are kept in sync say 0 each time (Web Authentication, section 6.1.1)."""
    key = desk.add_key()
    for _ in range(2):
        prompt = desk.passkeys.ask(Asked.SIGN_IN, BROWSER)
        answer = Answer(prompt.token, key.prove(prompt.options, sign_count=0), BROWSER)
        assert desk.passkeys.proved(Asked.SIGN_IN, answer).refusal is None


def test_the_last_passkey_stays(desk: Desk) -> None:
    desk.add_key()
    [line] = desk.passkeys.of_account(desk.account)
    with pytest.raises(LastPasskey), desk.sessions.begin() as session:
        desk.passkeys.drop(session, desk.account, line.passkey_id)
    assert len(desk.passkeys.of_account(desk.account)) == 1


def test_wrong_passwords_count_until_a_right_one_or_a_lock(desk: Desk) -> None:
    wrong = [desk.passwords.check(desk.account, "x") for _ in range(4)]
    assert wrong == [Check.WRONG] * 4
    assert desk.passwords.check(desk.account, "kolm sinist lehma") is Check.RIGHT
    assert [desk.passwords.check(desk.account, "x") for _ in range(5)] == [Check.WRONG] * 4 + [Check.LOCKS]
    assert desk.passwords.check(desk.account, "kolm sinist lehma") is Check.LOCKED
    desk.clock.now += timedelta(minutes=15)
    assert desk.passwords.check(desk.account, "kolm sinist lehma") is Check.RIGHT


def test_a_digest_is_made_anew_when_the_parameters_rise(desk: Desk) -> None:
    before = _sealed(desk)
    stronger = Passwords(
        desk.sessions, desk.sealer, desk.clock, hasher=PasswordHasher(time_cost=3, memory_cost=19_456, parallelism=1)
    )
    assert stronger.check(desk.account, "kolm sinist lehma") is Check.RIGHT
    after = _sealed(desk)
    assert before != after
    assert "t=3" in desk.sealer.unseal(after, f"password/{desk.account}")
    assert stronger.check(desk.account, "kolm sinist lehma") is Check.RIGHT
    assert _sealed(desk) == after


def test_a_digest_moved_to_another_account_opens_nothing(desk: Desk) -> None:
    from cryptography.exceptions import InvalidTag

    sealed = _sealed(desk)
    assert "m=19456,t=2,p=1" in desk.sealer.unseal(sealed, f"password/{desk.account}")
    with pytest.raises(InvalidTag):
        desk.sealer.unseal(sealed, "password/another")


def _sealed(desk: Desk) -> bytes:
    with desk.sessions() as session:
        sealed = session.get_one(StaffCredentials, desk.account).sealed_password
    assert sealed is not None
    return sealed


@pytest.mark.parametrize(
    ("url", "origin", "rp_id"),
    [
        ("https://data.example.ee", "https://data.example.ee", "data.example.ee"),
        ("https://data.example.ee:8443", "https://data.example.ee:8443", "data.example.ee"),
        ("http://127.0.0.1:5000", "http://localhost:5000", "localhost"),
        ("http://[::1]:5000", "http://localhost:5000", "localhost"),
    ],
)
def test_origin_and_rp_id_come_from_the_settings(url: str, origin: str, rp_id: str) -> None:
    assert RelyingParty.of_url(url) == RelyingParty(origin, rp_id)
