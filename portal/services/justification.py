"""Whether a justification tells a later reader why this access was needed.

A machine cannot judge a reason, but it can refuse what is plainly none: too short, one word again and again, keyboard
runs, stock words that explain nothing. What passes is read by people: the data subject, the supervisor, the auditor.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum

MINIMUM_LENGTH = 20
MAXIMUM_LENGTH = 1000
MINIMUM_WORDS = 4
MINIMUM_DISTINCT_LETTERS = 6

_WORD = re.compile(r"[^\W\d_]{2,}")
_CODE = re.compile(r"(?<!\d)[1-8]\d{10}(?!\d)")
_THREE_ALIKE = re.compile(r"(.)\1{3,}")
_KEYBOARD_RUNS = ("asdf", "qwer", "zxcv", "hjkl", "йцук", "фыва", "abcd", "1234")
#: Words that fill a box and explain nothing, in the three languages of the house.
_EMPTY_WORDS = frozenset(
    """
    check checking test testing needed need work job info information data look looking see update please ok okay
    just because required request requested as asked misc other stuff random reason case client customer person
    kontroll kontrollin kontrollimine vaja vajalik töö info andmed vaatan päring test
    проверка проверить нужно надо работа данные информация тест запрос смотрю
    """.split()  # noqa: SIM905 - prose reads better than a list of ninety strings
)
_SMALL_WORDS = frozenset(
    """
    a an the to of for in on at by is are was be it its i we my our this that and or with from
    ja on ei see ma me oma et или и в на по для это я мы с к
    """.split()  # noqa: SIM905 - as above
)


class Weakness(StrEnum):
    """Why a justification is no justification. The page says it in words, with an example of a good one."""

    EMPTY = "empty"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    NO_SENTENCE = "no-sentence"
    THOUGHTLESS = "thoughtless"
    NAMES_A_PERSONAL_CODE = "names-a-personal-code"
    REPEATED = "repeated"


def tidied(text: str) -> str:
    """The text as it is stored: NFC, without control, format or bidirectional characters, white space folded.

    Format characters (category Cf) could turn a line around for its reader; control characters could forge a line.
    """
    kept = (
        " " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text if unicodedata.category(c) != "Cf"
    )
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


def weakness_of(text: str) -> Weakness | None:
    """What is wrong with `text` as a reason, or None if a person should read it."""
    text = tidied(text)
    if not text:
        return Weakness.EMPTY
    if len(text) < MINIMUM_LENGTH:
        return Weakness.TOO_SHORT
    if len(text) > MAXIMUM_LENGTH:
        return Weakness.TOO_LONG
    if _CODE.search(text):
        return Weakness.NAMES_A_PERSONAL_CODE
    words = _WORD.findall(text.casefold())
    if len(words) < MINIMUM_WORDS:
        return Weakness.NO_SENTENCE
    return Weakness.THOUGHTLESS if _is_thoughtless(text.casefold(), words) else None


def weakness_within_a_case(text: str) -> Weakness | None:
    """The same within an assigned case: the case is the reason, so that a few words, or none, will do."""
    text = tidied(text)
    if len(text) > MAXIMUM_LENGTH:
        return Weakness.TOO_LONG
    return Weakness.NAMES_A_PERSONAL_CODE if _CODE.search(text) else None


def _is_thoughtless(text: str, words: list[str]) -> bool:
    telling = set(words) - _EMPTY_WORDS - _SMALL_WORDS
    return (
        len(telling) < 2
        or len(set(words)) * 2 <= len(words)
        or len({c for c in text if c.isalpha()}) < MINIMUM_DISTINCT_LETTERS
        or _THREE_ALIKE.search(text) is not None
        or sum(any(run in word for run in _KEYBOARD_RUNS) for word in words) * 2 >= len(words)
    )


def is_the_same_reason(first: str, second: str) -> bool:
    """Whether two reasons are the same text, whatever their case, punctuation and spacing."""
    return words_of(first) == words_of(second)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a reason, whatever their case, punctuation and spacing."""
    return tuple(_WORD.findall(tidied(text).casefold()))
