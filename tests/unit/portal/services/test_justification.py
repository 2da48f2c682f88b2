"""A reason must tell a later reader why; what is plainly none is refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.services.justification import MAXIMUM_LENGTH, Weakness, is_the_same_reason, tidied, weakness_of

GOOD = [
    "Deciding the housing benefit claim received on 3 March; checking the household given in it",
    "Taotleja esitas 3. märtsil sünnitoetuse avalduse, kontrollin lapse elukohta",
    "Заявитель просит пособие на ребёнка, сверяю место жительства и состав семьи",
    "Patient brought to the emergency ward unconscious, need blood group and current medicines",
    "Returning a call from the applicant about why the March payment was stopped",
]

BAD = {
    "": Weakness.EMPTY,
    " \t\n": Weakness.EMPTY,
    "\u202e\u200b": Weakness.EMPTY,
    "asdf": Weakness.TOO_SHORT,
    "check": Weakness.TOO_SHORT,
    "x": Weakness.TOO_SHORT,
    "work needed for case": Weakness.THOUGHTLESS,
    "checking the data because needed for work": Weakness.THOUGHTLESS,
    "asdf asdf asdf asdf asdf asdf": Weakness.THOUGHTLESS,
    "qwerty qwertz asdfgh zxcvbn hjkl": Weakness.THOUGHTLESS,
    "aaaaaaa bbbbbbb ccccccc ddddddd": Weakness.THOUGHTLESS,
    "need info need info need info need info": Weakness.THOUGHTLESS,
    "1234567890 1234567890 12345": Weakness.NO_SENTENCE,
    "......................................": Weakness.NO_SENTENCE,
    "проверка данных нужно для работа тест": Weakness.THOUGHTLESS,
    "The claim of 38001085718 is to be decided today": Weakness.NAMES_A_PERSONAL_CODE,
    "reason " * 400: Weakness.TOO_LONG,
}


@pytest.mark.parametrize("text", GOOD)
def test_a_reason_that_says_why_is_taken(text: str) -> None:
    assert weakness_of(text) is None


@pytest.mark.parametrize(("text", "weakness"), list(BAD.items()))
def test_a_thoughtless_reason_is_refused(text: str, weakness: Weakness) -> None:
    assert weakness_of(text) is weakness


@given(st.text(max_size=MAXIMUM_LENGTH + 50))
def test_any_text_is_judged_and_what_is_stored_holds_no_hidden_characters(text: str) -> None:
    stored = tidied(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} for char in stored)
    assert tidied(stored) == stored
    if weakness_of(text) is None:
        assert 20 <= len(stored) <= MAXIMUM_LENGTH


def test_the_same_reason_is_known_again_whatever_its_dress() -> None:
    assert is_the_same_reason("Deciding the claim of March", "  deciding   the CLAIM, of March! ")
    assert not is_the_same_reason("Deciding the claim of March", "Deciding the claim of April")
