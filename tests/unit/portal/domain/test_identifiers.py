"""A personal code is checked when it comes in and hides itself ever after."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.identifiers import InvalidPersonalCode, PersonalCode

VALID = "38001085718"  # the example of the Estonian authentication service TARA


@pytest.mark.parametrize("text", [VALID, f"EE{VALID}", f"  {VALID} \n"])
def test_a_valid_code_is_read(text: str) -> None:
    code = PersonalCode.parse(text)
    assert code.reveal() == VALID
    assert code.subject == f"EE{VALID}"
    assert code.born_on == date(1980, 1, 8)
    assert PersonalCode.of_subject(code.subject) == code
    assert len({code, PersonalCode.parse(VALID)}) == 1


@pytest.mark.parametrize(
    "text",
    ["", "3800108571", "380010857180", "38001085719", "38013085718", "00001085718", "3800108571x", "LV38001085718"],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidPersonalCode) as refused:
        PersonalCode.parse(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("digits", ["٣٨٠٠١٠٨٥٧١٨", "３８００１０８５７１８", "38001085718\u200b"])
def test_look_alike_digits_never_find_a_person(digits: str) -> None:
    with pytest.raises(InvalidPersonalCode):
        PersonalCode.parse(digits)


@given(st.text(max_size=20))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    try:
        code = PersonalCode.parse(text)
    except InvalidPersonalCode:
        return
    assert code.reveal().isascii()
    assert len(code.reveal()) == 11


def test_a_code_never_shows_itself() -> None:
    code = PersonalCode.parse(VALID)
    assert VALID not in f"{code} {code!r} {[code]}"


def test_a_subject_without_its_country_is_no_subject() -> None:
    with pytest.raises(InvalidPersonalCode):
        PersonalCode.of_subject(VALID)
