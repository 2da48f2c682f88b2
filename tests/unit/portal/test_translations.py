"""Every text of the pages and of the catalogue is there in each language, whole."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

from portal.domain.text import LANGUAGES

ROOT = Path(__file__).parents[3]
TRANSLATIONS = ROOT / "portal" / "translations"
CATALOGUE_FILES = sorted((ROOT / "config").rglob("*.toml"))
TRANSLATED = [code for code in LANGUAGES if code != "en"]
#: What a text leaves open: `%(name)s`, the `%{count}` of the character count (its sign escaped), a lone percent sign.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%\{\w+\}|%%")
#: What tools write where nobody wrote anything.
UNFILLED_HEADERS = ("FIRST AUTHOR", "FULL NAME", "EMAIL@ADDRESS", "ORGANIZATION", "VERSION", "LL@li.org")


def _file_of(language: str) -> Path:
    return TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"


def _catalogue(language: str) -> Catalog:
    with _file_of(language).open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def _forms(text: str | Iterable[str]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def _placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def _texts_in_the_code() -> set[str | tuple[str, ...]]:
    with (TRANSLATIONS / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = {**DEFAULT_KEYWORDS, **parse_keywords(["_", "_l", "ngettext:1,2"])}
    found = extract_from_dir(str(ROOT / "portal"), methods, options, keywords)
    return {message for _file, _line, message, _comments, _context in found}


def _is_lost(message: Message, form: int) -> bool:
    """Whether this form of a translation misses a placeholder of its original, or has one that nobody fills.

    The form for exactly one may do without the number where the English one does; other forms stand for many numbers.
    """
    originals = _forms(message.id)
    translation = _forms(message.string)[form]
    stands_for_one_only = form == 0 and len(_forms(message.string)) == len(originals)
    allowed = [_placeholders(originals[-1])] + ([_placeholders(originals[0])] if stands_for_one_only else [])
    return _placeholders(translation) not in allowed


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_in_all_its_forms_and_none_is_a_guess(language: str) -> None:
    catalogue = _catalogue(language)
    missing = [
        message.id
        for message in _messages(catalogue)
        if message.fuzzy
        or len(_forms(message.string)) != (catalogue.num_plurals if message.pluralizable else 1)
        or not all(form.strip() for form in _forms(message.string))
    ]
    assert not missing, f"{len(missing)} texts want a translation into {language}, among them: {missing[:5]}"


@pytest.mark.parametrize("language", TRANSLATED)
def test_no_translation_loses_what_the_code_fills_in(language: str) -> None:
    lost = [
        (message.id, message.string)
        for message in _messages(_catalogue(language))
        for form in range(len(_forms(message.string)))
        if _is_lost(message, form)
    ]
    assert not lost


def test_a_translation_that_loses_or_invents_a_placeholder_is_noticed() -> None:
    whole = Message("%(count)s of %(all)s", "%(count)s / %(all)s")
    assert not _is_lost(whole, 0)
    assert _is_lost(Message("%(count)s of %(all)s", "%(count)s"), 0)
    assert _is_lost(Message("Nobody", "%(name)s"), 0)
    plural = ("%(count)s record of %(all)s", "%(count)s records of %(all)s")
    russian = Message(plural, ("одна из %(all)s", "%(count)s из %(all)s", "%(count)s из %(all)s"))
    assert _is_lost(russian, 0), "the first form in Russian stands for 21 and 31 too"


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_translators_have_exactly_the_texts_of_the_code(language: str) -> None:
    at_the_translators = {message.id for message in _messages(_catalogue(language))}
    in_the_code = _texts_in_the_code()
    assert len(in_the_code) > 300, "the texts of the code were not found"
    assert not in_the_code - at_the_translators, "collect the new texts with `make messages`, and translate them"
    assert not at_the_translators - in_the_code, "drop the texts that no page says any more with `make messages`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_head_of_a_catalogue_says_nothing_that_nobody_filled_in(language: str) -> None:
    head = _file_of(language).read_text(encoding="utf-8").partition("\n\n")[0]
    assert not [placeholder for placeholder in UNFILLED_HEADERS if placeholder in head]
    assert "#, fuzzy" not in head


def _languages_missing(node: Any, where: str) -> Iterator[str]:
    """Each text under `node` that one language says and another does not, by its place in the file."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _languages_missing(item, f"{where}[{number}]")
    elif isinstance(node, dict):
        if node.keys() & set(LANGUAGES):
            yield from (f"{where}.{code}" for code in LANGUAGES if not str(node.get(code, "")).strip())
        for key, value in node.items():
            yield from _languages_missing(value, f"{where}.{key}")


@pytest.mark.parametrize("file", CATALOGUE_FILES, ids=lambda file: file.name)
def test_every_text_of_the_catalogue_is_there_in_each_language(file: Path) -> None:
    assert not list(_languages_missing(tomllib.loads(file.read_text(encoding="utf-8")), file.name))


def test_a_text_of_the_catalogue_without_a_language_is_noticed() -> None:
    described = tomllib.loads('[[field]]\nname = { en = "Name", et = "Nimi" }\n')
    assert list(_languages_missing(described, "x.toml")) == ["x.toml.field[0].name.ru"]
