"""Texts of the catalogue in the languages of the house."""

from __future__ import annotations

from dataclasses import dataclass

#: The languages of the portal, the first being the one it falls back to.
LANGUAGES = ("en", "et", "ru")


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """One text in English, Estonian and Russian; none of the three may be missing."""

    en: str
    et: str
    ru: str

    def in_language(self, code: str) -> str:
        """The text in the language with ISO 639-1 code `code`, in English for a language the house does not speak."""
        return {"et": self.et, "ru": self.ru}.get(code, self.en)
