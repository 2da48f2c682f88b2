"""Which passwords are refused, and that good ones are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.passwords import COMMON_PASSWORDS, MAXIMUM_LENGTH, MINIMUM_LENGTH, PasswordWeakness, weakness_of

ABOUT = ("Kadri Kask", "social-insurance-board")


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("", PasswordWeakness.TOO_SHORT),
        ("lühike", PasswordWeakness.TOO_SHORT),
        ("x" * (MAXIMUM_LENGTH + 1), PasswordWeakness.TOO_LONG),
        ("aaaaaaaaaaaa", PasswordWeakness.TOO_UNIFORM),
        ("abc1abc1abc1", PasswordWeakness.TOO_UNIFORM),
        ("password1234", PasswordWeakness.COMMON),
        ("P@ssw0rd!2345", PasswordWeakness.COMMON),
        ("Parool2026!!", PasswordWeakness.COMMON),
        ("SUMMERwinter2024", PasswordWeakness.COMMON),
        ("qwertyuiop12", PasswordWeakness.COMMON),
        ("йцукенгшщз1234", PasswordWeakness.COMMON),
        ("123456789012", PasswordWeakness.COMMON),
        ("94720385617402", PasswordWeakness.COMMON),
        ("1qaz2wsx3edc", PasswordWeakness.COMMON),
        ("LeaveMeAlone", PasswordWeakness.COMMON),
        ("sonyericsson", PasswordWeakness.COMMON),
        ("ghjcnjgfhjkm", PasswordWeakness.COMMON),
        ("Glasshouse2026", PasswordWeakness.COMMON),
        ("Kadri Kask 2026", PasswordWeakness.NAMES_ITS_OWNER),
        ("k4sk-K4dr1-2026", PasswordWeakness.NAMES_ITS_OWNER),
        ("SocialInsurance!", PasswordWeakness.NAMES_ITS_OWNER),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, weakness: PasswordWeakness) -> None:
    assert weakness_of(password, ABOUT) is weakness


@pytest.mark.parametrize(
    "password",
    [
        "kolm sinist lehma mäel",
        "correct horse battery staple",
        "ilus suvine päev rannas",
        "xK9#mQ2$vL7pW",
        "три синие коровы на холме",
        "🦊🐢🦉 rebane kilpkonn öökull",
    ],
)
def test_several_unrelated_words_or_random_signs_are_taken(password: str) -> None:
    """No demands on composition: spaces, Cyrillic and emoji are as good as digits (ASVS 6.2.5, 6.2.8)."""
    assert weakness_of(password, ABOUT) is None


@given(st.text(max_size=200))
def test_any_text_gets_an_answer_and_no_short_one_passes(password: str) -> None:
    weakness = weakness_of(password, ABOUT)
    if len(password) < MINIMUM_LENGTH:
        assert weakness is PasswordWeakness.TOO_SHORT
    if len(password) > MAXIMUM_LENGTH:
        assert weakness is PasswordWeakness.TOO_LONG


def test_the_list_of_common_passwords_is_longer_than_the_standard_asks_for() -> None:
    """ASVS 5.0, 6.2.4: at least the 3000 most used that are long enough."""
    listed = COMMON_PASSWORDS.read_bytes()
    digests = [listed[start : start + 8] for start in range(0, len(listed), 8)]
    assert len(digests) == 10_000
    assert digests == sorted(set(digests))
