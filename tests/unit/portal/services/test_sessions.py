"""A session is a row on the server: it ends by time, by its person, and by whatever changes the account."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import sessionmaker

from portal.domain.actors import Actor, Role
from portal.domain.assurance import Assurance
from portal.domain.devices import Device
from portal.models.accounts import Account
from portal.models.sessions import SignedInSession
from portal.services.accounts import Accounts, NewAccount
from portal.services.preparation import bring_tables_up_to_date
from portal.services.sealing import Sealer
from portal.services.sessions import Method, OpenSession, Proof, SessionLimits, Sessions
from tests.factories.people import JUHAN, MARY

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=8)
PROOF = Proof(
    Method.OPENID, Assurance.SUBSTANTIAL, provider_session="provider-sid", id_token="header.payload.signature"
)


STRONGER = Proof(Method.OPENID, Assurance.HIGH)


class Hall:
    """Sessions over a database that the migrations made, and a clock that stands until it is set."""

    def __init__(self, url: str) -> None:
        bring_tables_up_to_date(url)
        self.engine: Engine = create_engine(url)
        self.now = MORNING
        sealer, maker = Sealer("master"), sessionmaker(self.engine)
        self.sessions = Sessions(maker, sealer, SessionLimits(IDLE, ABSOLUTE), lambda: self.now)
        accounts = Accounts(maker, sealer, lambda: self.now)
        new = [
            NewAccount(Role.CITIZEN, "Mari", personal_code=MARY),
            NewAccount(Role.CITIZEN, "Juhan", personal_code=JUHAN),
        ]
        self.mary, self.juhan = (accounts.actor(account_id) for account_id in accounts.open(new))

    def begin(self, session_id: str = "session-1", actor: Actor | None = None, proof: Proof = PROOF) -> str:
        return self.sessions.begin(session_id, actor or self.mary, proof, Device("Firefox", "Linux"))

    def resumed(self, token: str) -> OpenSession:
        session = self.sessions.resume(token)
        assert session is not None
        return session

    def dump(self) -> bytes:
        with self.engine.connect() as connection:
            rows = [list(connection.execute(text(f"SELECT * FROM {name}"))) for name in ("sessions", "accounts")]
        return repr(rows).encode()


@pytest.fixture
def hall(database_url: str) -> Iterator[Hall]:
    hall = Hall(database_url)
    yield hall
    hall.engine.dispose()


def test_a_token_opens_the_session_it_was_made_for(hall: Hall) -> None:
    session = hall.resumed(hall.begin())
    assert (session.session_id, session.account_id) == ("session-1", hall.mary.account_id)
    assert (session.method, session.assurance) == (Method.OPENID, Assurance.SUBSTANTIAL)
    assert session.device == Device("Firefox", "Linux")
    assert (session.started_at, session.ends_at) == (MORNING, MORNING + ABSOLUTE)


def test_neither_the_token_nor_what_the_provider_gave_is_in_the_database(hall: Hall) -> None:
    token = hall.begin()
    dump = hall.dump()
    for secret in (token, "provider-sid", "header.payload.signature", MARY.reveal()):
        assert secret.encode() not in dump
    assert hall.sessions.id_token("session-1") == "header.payload.signature"


@pytest.mark.parametrize("token", ["", "x", "session-1", "0" * 43, "é" * 43, "\udcff" * 43, "x" * 100_000])
def test_what_is_no_token_opens_nothing(hall: Hall, token: str) -> None:
    hall.begin()
    assert hall.sessions.resume(token) is None


def test_every_token_is_another_and_has_256_bits(hall: Hall) -> None:
    tokens = {hall.begin(f"session-{number}") for number in range(50)}
    assert len(tokens) == 50
    assert {len(token) for token in tokens} == {43}


def test_a_session_that_is_not_used_ends(hall: Hall) -> None:
    token = hall.begin()
    hall.now += IDLE - timedelta(seconds=1)
    hall.resumed(token)
    hall.now += IDLE
    assert hall.sessions.resume(token) is None
    hall.now = MORNING
    assert hall.sessions.resume(token) is None, "it is gone, not asleep"


def test_a_session_that_is_used_all_day_ends_all_the_same(hall: Hall) -> None:
    token = hall.begin()
    while hall.now < MORNING + ABSOLUTE - timedelta(minutes=10):
        hall.now += timedelta(minutes=10)
        hall.resumed(token)
    hall.now = MORNING + ABSOLUTE
    assert hall.sessions.resume(token) is None


def test_its_last_use_is_written_at_most_once_a_minute(hall: Hall) -> None:
    token = hall.begin()
    hall.now += timedelta(seconds=59)
    hall.resumed(token)
    assert hall.resumed(token).last_seen_at == MORNING
    hall.now += timedelta(seconds=1)
    hall.resumed(token)
    assert hall.resumed(token).last_seen_at == MORNING + timedelta(minutes=1)


def test_a_short_idle_limit_does_not_end_a_session_in_use(database_url: str) -> None:
    hall = Hall(database_url)
    maker = sessionmaker(hall.engine)
    limits = SessionLimits(timedelta(minutes=1), ABSOLUTE)
    hall.sessions = Sessions(maker, Sealer("master"), limits, lambda: hall.now)
    token = hall.begin()
    for _ in range(10):
        hall.now += timedelta(seconds=30)
        hall.resumed(token)
    hall.engine.dispose()


def test_an_ended_session_is_not_brought_back_by_a_request_under_way(hall: Hall) -> None:
    token = hall.begin()
    hall.now += timedelta(minutes=2)
    assert hall.sessions.end("session-1")
    assert hall.sessions.resume(token) is None
    assert not hall.sessions.end("session-1")
    assert hall.sessions.of_account(hall.mary.account_id) == []


def test_rotating_gives_a_new_token_and_the_old_one_opens_nothing(hall: Hall) -> None:
    old = hall.begin()
    hall.now += timedelta(minutes=5)
    new = hall.sessions.rotate("session-1", STRONGER)
    assert new is not None
    assert hall.sessions.resume(old) is None
    session = hall.resumed(new)
    assert (session.assurance, session.ends_at) == (Assurance.HIGH, MORNING + ABSOLUTE)
    assert (session.started_at, session.proved_at) == (MORNING, hall.now)
    assert hall.sessions.rotate("gone", STRONGER) is None


def test_of_many_step_ups_at_once_one_token_opens_and_no_other(hall: Hall) -> None:
    old = hall.begin()
    with ThreadPoolExecutor(8) as pool:
        tokens = list(pool.map(lambda _: hall.sessions.rotate("session-1", STRONGER), range(8)))
    assert len({hall.resumed(token).session_id for token in tokens if token and hall.sessions.resume(token)}) == 1
    assert sum(hall.sessions.resume(token) is not None for token in tokens if token) == 1
    assert hall.sessions.resume(old) is None


def test_a_weaker_proof_that_is_fresher_does_not_borrow_the_level_of_the_one_before(hall: Hall) -> None:
    hall.begin()
    assert hall.sessions.rotate("session-1", STRONGER)
    hall.now += timedelta(minutes=5)
    token = hall.sessions.rotate("session-1", Proof(Method.OPENID, Assurance.SUBSTANTIAL))
    assert token is not None
    assert hall.resumed(token).assurance is Assurance.SUBSTANTIAL


def test_a_step_up_at_the_provider_ends_with_the_new_session_there_and_signs_out_with_the_new_token(hall: Hall) -> None:
    hall.begin(proof=Proof(Method.OPENID, Assurance.LOW, "sid-1", "token-1"))
    hall.sessions.rotate("session-1", Proof(Method.OPENID, Assurance.HIGH, "sid-2", "token-2"))
    assert hall.sessions.of_provider_session("sid-1") == []
    assert [one.session_id for one in hall.sessions.of_provider_session("sid-2")] == ["session-1"]
    assert hall.sessions.id_token("session-1") == "token-2"


def test_an_account_has_its_own_sessions_the_latest_first_and_none_that_is_over(hall: Hall) -> None:
    hall.begin("forgotten")
    hall.now += timedelta(minutes=20)
    hall.begin("earlier")
    hall.begin("juhans", hall.juhan)
    hall.now += timedelta(minutes=15)
    hall.begin("later")
    assert [one.session_id for one in hall.sessions.of_account(hall.mary.account_id)] == ["later", "earlier"]


def test_sessions_that_are_over_are_swept_away_at_the_next_sign_in(hall: Hall) -> None:
    hall.begin("forgotten")
    hall.now += IDLE
    hall.begin("new")
    with hall.engine.connect() as connection:
        assert connection.execute(text("SELECT id FROM sessions")).scalars().all() == ["new"]


def test_the_sessions_on_one_session_of_the_provider_are_found(hall: Hall) -> None:
    hall.begin("a")
    hall.sessions.begin("b", hall.mary, Proof(Method.OPENID, Assurance.HIGH, provider_session="other"), Device())
    hall.sessions.begin("c", hall.mary, Proof(Method.DEMONSTRATION, Assurance.HIGH), Device())
    assert [one.session_id for one in hall.sessions.of_provider_session("provider-sid")] == ["a"]


def test_a_proof_does_not_show_what_the_provider_gave() -> None:
    assert "payload" not in repr(PROOF)


def test_the_migrations_make_the_tables_that_the_models_describe(hall: Hall) -> None:
    from sqlalchemy import inspect

    for model in (Account, SignedInSession):
        made = {column["name"] for column in inspect(hall.engine).get_columns(model.__tablename__)}
        assert made == {column.name for column in model.__table__.columns}
