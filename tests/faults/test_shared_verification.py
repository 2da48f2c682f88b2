"""A log that several processes verify together, each on a connection of its own, gets the verdict that one gives it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit.errors import KeyRefused
from audit.keys import MasterKey
from audit.stored import VerificationReport
from audit.stretches import verify_on_cores
from tests.factories.logs import ORIGIN, LogHome, an_access

pytestmark = pytest.mark.fault

SIZE = 1_300
"""Six stretches of one tile each, the last cut off."""


@pytest.fixture(autouse=True)
def _stretches_of_one_tile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.stretches.RANGE", 256)


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> LogHome:
    """A log of two sources, of which one reports seldom; entry 700 is erased, and many stretches lie between."""
    home = LogHome.make(tmp_path, database_url)
    with closing(home.open()) as log:
        sources = ["registry" if number % 400 == 0 else "portal" for number in range(SIZE - 1)]
        log.append_all([an_access(source=source) for source in sources[:1_000]])
        log.append_all([an_access(source=source) for source in sources[1_000:]])
        log.erase_entries([700], basis="GDPR Article 17(1)(d)")
    return home


def _together(home: LogHome, told: list[tuple[int, int]] | None = None, *, bodies: bool = True) -> VerificationReport:
    key = home.settings.master_key if bodies else None
    progress = None if told is None else lambda done, of: told.append((done, of))
    return verify_on_cores(home.settings.database_url, ORIGIN, [home.verifier], key, None, [], 2, progress)


def _damage(home: LogHome, statement: str) -> None:
    engine = create_engine(home.settings.database_url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))  # no trigger stops the tables' owner
        else:
            for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize("bodies", [True, False])
def test_a_sound_log_is_found_sound_to_its_last_entry(home: LogHome, bodies: bool) -> None:
    told: list[tuple[int, int]] = []
    alone, together = home.verify(with_bodies=bodies), _together(home, told, bodies=bodies)
    assert together == alone
    assert (together.ok, together.size, together.erased) == (True, SIZE, 1)
    assert told[-1] == (SIZE, SIZE)
    assert told == sorted(told)


@pytest.mark.parametrize("seq", [0, 900, SIZE - 1])
def test_a_broken_entry_is_named_whoever_of_them_comes_upon_it(home: LogHome, seq: int) -> None:
    _damage(home, f"UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE seq = 5) WHERE seq = {seq}")
    alone, together = home.verify(), _together(home, bodies=False)
    assert (together.ok, together.first_broken, together.problem) == (False, seq, alone.problem)


def test_of_several_broken_entries_the_first_is_named(home: LogHome) -> None:
    _damage(home, "UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE seq = 5) WHERE seq IN (300, 1280)")
    assert _together(home).first_broken == 300


def test_a_body_that_is_gone_is_found_without_the_master_key(home: LogHome) -> None:
    _damage(home, "DELETE FROM bodies WHERE seq = 1100")
    assert _together(home, bodies=False).first_broken == 1_100


def test_a_log_whose_tail_was_cut_off_is_found_shorter_than_its_checkpoints(home: LogHome) -> None:
    _damage(home, "DELETE FROM entries WHERE seq >= 1200")
    together = _together(home, bodies=False)
    assert (together.ok, together.first_broken) == (False, 1_200)


def test_another_logs_master_key_is_refused(home: LogHome) -> None:
    with pytest.raises(KeyRefused):
        verify_on_cores(
            home.settings.database_url, ORIGIN, [home.verifier], MasterKey.generate(), None, [], 2, None
        )  # fmt: skip
