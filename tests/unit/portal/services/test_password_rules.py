"""A password that was stolen somewhere is refused, and the list of such is searched where it lies."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings, SettingsError
from portal.domain.actors import Actor, Role
from portal.domain.passwords import PasswordWeakness
from portal.services.password_rules import PasswordRefused, PasswordRules, _stands_in

STOLEN = "uus parool metsa taga"
KADRI = Actor("account-1", Role.CASEWORKER, "Kadri Kask", "social-insurance-board")


def _digest(password: str) -> str:
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def _written(path: Path, *passwords: str) -> Path:
    path.write_text("".join(f"{digest}:7\r\n" for digest in sorted(map(_digest, passwords))), encoding="ascii")
    return path


def test_a_stolen_password_is_refused_and_another_good_one_is_not(tmp_path: Path) -> None:
    rules = PasswordRules(_written(tmp_path / "stolen.txt", STOLEN, "password", "kolm korda kolm on"))
    with pytest.raises(PasswordRefused) as refused:
        rules.refuse_weak(STOLEN, KADRI)
    assert refused.value.weakness is PasswordWeakness.BREACHED
    rules.refuse_weak("kolm korda neli on kaksteist", KADRI)
    PasswordRules(None).refuse_weak(STOLEN, KADRI)


def test_nobody_gets_a_password_that_could_not_be_looked_up(tmp_path: Path) -> None:
    list_of_stolen = _written(tmp_path / "stolen.txt", "password")
    rules = PasswordRules(list_of_stolen)
    list_of_stolen.unlink()
    with pytest.raises(FileNotFoundError):
        rules.refuse_weak(STOLEN, KADRI)


def test_a_list_that_is_not_there_is_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSHOUSE_STAFF__BREACHED_PASSWORDS", str(tmp_path / "absent.txt"))
    with pytest.raises(SettingsError, match=r"staff\.breached_passwords"):
        Settings.load()


@given(
    listed=st.sets(st.binary(min_size=20, max_size=20), max_size=50),
    asked=st.binary(min_size=20, max_size=20),
    count=st.integers(1, 10**6),
)
def test_the_search_finds_what_is_listed_and_nothing_else(listed: set[bytes], asked: bytes, count: int) -> None:
    lines = "".join(f"{digest}:{count}\n" for digest in sorted(one.hex().upper() for one in listed))
    file = io.BytesIO(lines.encode())
    for digest in {*listed, asked}:
        assert _stands_in(file, digest.hex().upper().encode()) is (digest in listed)
