"""References of cases and orders: what offices call them, written so that no two look alike and are not."""

from __future__ import annotations

import unicodedata

_SIGNS = frozenset("0123456789 -/.:_")


def is_plain_reference(text: str) -> bool:
    """Whether all of `text` is Latin letters, digits 0 to 9 and the signs - / . : _ and the space."""
    return all(_is_plain(character) for character in text)


def _is_plain(character: str) -> bool:
    is_latin = character.isalpha() and unicodedata.name(character, "").startswith("LATIN ")
    is_folded = unicodedata.normalize("NFKC", character) == character
    return is_folded and (is_latin or character in _SIGNS)
