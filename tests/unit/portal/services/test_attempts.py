"""A sign-in under way is taken up once, soon, and by the browser that began it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import sessionmaker

from portal.services.attempts import LIFETIME, Aim, Attempts
from portal.services.sealing import Sealer
from tests.unit.portal.services.test_sessions import Hall, hall

__all__ = ["hall"]

AIM = Aim("/me/accesses", "high", "session-1", 600)


@pytest.fixture
def attempts(hall: Hall) -> Attempts:
    return Attempts(sessionmaker(hall.engine), Sealer("master"), lambda: hall.now)


def test_what_began_comes_back_whole_and_once(attempts: Attempts) -> None:
    state, begun = attempts.begin("browser", AIM)
    assert attempts.take(state, "browser") == begun
    assert begun.aim == AIM
    assert attempts.take(state, "browser") is None


@pytest.mark.parametrize("browser", ["another", "", None])
def test_another_browser_gets_nothing_and_the_attempt_is_over(attempts: Attempts, browser: str | None) -> None:
    state, _ = attempts.begin("browser", AIM)
    assert attempts.take(state, browser) is None
    assert attempts.take(state, "browser") is None


def test_it_waits_a_while_and_then_is_swept_away(attempts: Attempts, hall: Hall) -> None:
    early, _ = attempts.begin("browser", AIM)
    late, _ = attempts.begin("browser", AIM)
    hall.now += LIFETIME - timedelta(seconds=1)
    assert attempts.take(early, "browser") is not None
    hall.now += timedelta(seconds=1)
    assert attempts.take(late, "browser") is None
    attempts.begin("browser", AIM)
    with hall.engine.connect() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM sign_in_attempts")).scalar_one() == 1


def test_of_many_who_come_with_one_state_one_gets_it(attempts: Attempts) -> None:
    state, _ = attempts.begin("browser", AIM)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: attempts.take(state, "browser"), range(16)))
    assert len([one for one in taken if one is not None]) == 1


def test_the_database_holds_neither_state_nor_nonce_nor_verifier(attempts: Attempts, hall: Hall) -> None:
    state, begun = attempts.begin("browser", AIM)
    with hall.engine.connect() as connection:
        rows = repr(connection.execute(text("SELECT * FROM sign_in_attempts")).all())
    for secret in (state, begun.nonce, begun.verifier, "/me/accesses"):
        assert secret not in rows
    assert begun.nonce not in repr(begun)


@pytest.mark.parametrize("state", ["", "x", "x" * 100_000, "\udcff", "' OR 1=1 --"])
def test_what_is_no_state_takes_nothing(attempts: Attempts, state: str) -> None:
    attempts.begin("browser", AIM)
    assert attempts.take(state, "browser") is None
