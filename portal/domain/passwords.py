"""Which passwords are refused: too short, too common, or about the person and the place (ASVS 5.0, 6.2.1 to 6.2.12).

Nothing is demanded of a password's composition and none grows too old (ASVS 6.2.5, 6.2.10): both make people write
weaker ones. A common password of this length is either one of the ten thousand most used (`common_passwords.bin`, made
by scripts/common_passwords.py), or a common word with something before, behind or between.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path

MINIMUM_LENGTH = 12
#: Enough for a sentence; more would only cost time to digest.
MAXIMUM_LENGTH = 128
#: The ten thousand most used passwords that are long enough, as sorted digests.
COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.bin")
#: Of a digest, enough that a good password is mistaken for a common one once in 10^15.
_DIGEST_BYTES = 8
_WORDS = Path(__file__).with_name("common_words.txt")
_LEAST_DIFFERENT = 5
#: A word this short says nothing: it turns up in good passwords by chance.
_SHORTEST_WORD = 3
#: What has to be left of a password once its common words, its runs and its digits at the ends are taken away.
_LEAST_LEFT = 6
_SWAPPED = str.maketrans("013457@$!", "oieastasi")
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "01234567890",
    "йцукенгшщзхъфывапролджэячсмитьбю",
)
_RUN_LENGTH = 4
_OF_NO_WORTH = re.compile(r"[\W\d_]+")


class PasswordWeakness(StrEnum):
    """Why a password is refused. Only the first that applies is told."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    TOO_UNIFORM = "too-uniform"
    NAMES_ITS_OWNER = "names-its-owner"
    COMMON = "common"
    BREACHED = "breached"


def weakness_of(password: str, about: Iterable[str] = ()) -> PasswordWeakness | None:
    """Why `password` must not be taken, or None. `about` holds names that whoever knows the person would try first."""
    if len(password) < MINIMUM_LENGTH:
        return PasswordWeakness.TOO_SHORT
    if len(password) > MAXIMUM_LENGTH:
        return PasswordWeakness.TOO_LONG
    if len(set(password.casefold())) < _LEAST_DIFFERENT or _repeats_itself(password):
        return PasswordWeakness.TOO_UNIFORM
    if common_digest(password) in _common_passwords():
        return PasswordWeakness.COMMON
    plain = _plain(password)
    if _is_little_without(plain, _words_in(about)):
        return PasswordWeakness.NAMES_ITS_OWNER
    is_common = not _OF_NO_WORTH.sub("", plain) or _is_little_without(plain, (*_common_words(), *_runs()))
    return PasswordWeakness.COMMON if is_common else None


def common_digest(password: str) -> bytes:
    """How a common password stands in the list: in one case of letters, as the first bytes of its SHA-256."""
    return hashlib.sha256(password.casefold().encode("utf-8", "surrogatepass")).digest()[:_DIGEST_BYTES]


def _plain(text: str) -> str:
    """In lower case, without accents, and with the usual digits for letters turned back, but for those at the end."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(character for character in folded if not unicodedata.combining(character))
    return folded.rstrip("0123456789!?.,*#").translate(_SWAPPED)


def _is_little_without(plain: str, words: Iterable[str]) -> bool:
    left = plain
    for word in words:
        left = left.replace(word, " ")
    return left != plain and len(_OF_NO_WORTH.sub("", left)) < _LEAST_LEFT


def _repeats_itself(password: str) -> bool:
    """The same few characters over and over, such as "abc1abc1abc1"."""
    return any(
        password == (password[:length] * len(password))[: len(password)] for length in range(1, len(password) // 2 + 1)
    )


def _words_in(texts: Iterable[str]) -> list[str]:
    words = {_plain(word) for text in texts for word in re.split(r"[\W_]+", text)}
    return sorted((word for word in words if len(word) >= _SHORTEST_WORD), key=len, reverse=True)


@cache
def _common_passwords() -> frozenset[bytes]:
    digests = COMMON_PASSWORDS.read_bytes()
    return frozenset(digests[start : start + _DIGEST_BYTES] for start in range(0, len(digests), _DIGEST_BYTES))


@cache
def _common_words() -> tuple[str, ...]:
    """The longest first, so that "password" is taken away before "word"."""
    return tuple(_words_in([_WORDS.read_text(encoding="utf-8")]))


@cache
def _runs() -> tuple[str, ...]:
    """Pieces of the alphabet, of the digits and of keyboards' rows, forwards and backwards; the longest first."""
    pieces = {
        line[start : start + length]
        for run in _RUNS
        for line in (run, run[::-1])
        for length in range(_RUN_LENGTH, len(run) + 1)
        for start in range(len(run) - length + 1)
    }
    return tuple(sorted(pieces, key=lambda piece: (-len(piece), piece)))
