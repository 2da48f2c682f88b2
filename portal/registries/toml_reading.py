"""Reading TOML tables strictly, and noting every mistake with file, line and key instead of stopping at the first."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path as FilePath
from types import MappingProxyType
from typing import Any, TypeVar

from portal.domain.text import LANGUAGES, LocalizedText
from portal.registries.toml_lines import Path, line_of, lines_of

Choice = TypeVar("Choice", bound=StrEnum)
Value = TypeVar("Value")
#: What stands for a text that is missing or wrong. It never leaves the reader: a catalogue with mistakes is not made.
_NO_TEXT = LocalizedText("", "", "")
_CODE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SYNTAX_LINE = re.compile(r"\s*\(at (?:line (\d+), column \d+|(end of document))\)$")


class Mistakes:
    """What is wrong with the files that were read, in the order it was found."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __bool__(self) -> bool:
        return bool(self.lines)

    def note(self, file: FilePath, line: int, key: str, what: str) -> None:
        self.lines.append(f"{file}:{line}: {key}: {what}")


class TomlTable:
    """One table of a file. Each key is asked for by what it must be; `finish` finds the keys nobody asked for."""

    def __init__(
        self, file: FilePath, path: Path, values: dict[str, Any], lines: Mapping[Path, int], mistakes: Mistakes
    ) -> None:
        self._file = file
        self._path = path
        self._values = values
        self._lines = lines
        self._mistakes = mistakes
        self._asked: set[str] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    @property
    def place(self) -> str:
        """File and line, for a mistake that points at a second place."""
        return f"{self._file}:{line_of(self._lines, self._path)}"

    def mistake(self, key: str | None, what: str, position: int | None = None) -> None:
        """Note that `key` (or this table itself) is wrong; `position` points into an array."""
        path = self._path if key is None else (*self._path, key)
        if position is not None:
            path = (*path, position)
        self._mistakes.note(self._file, line_of(self._lines, path), _dotted(path), what)

    def finish(self) -> None:
        for key in self._values:
            if key not in self._asked:
                self.mistake(key, "there is no such key here")

    def text(self, key: str, *, default: str | None = None) -> str:
        """A text that is not blank. Without a default it must be there."""
        value = self._taken(key, str, "a text", is_optional=default is not None)
        if value is None:
            return default or ""
        if not value.strip():
            self.mistake(key, "is empty")
        return str(value)

    def code(self, key: str) -> str:
        """A name of the catalogue: lowercase ASCII letters, digits and hyphens."""
        value = self.text(key)
        if value and not is_code(value):
            self.mistake(key, "a code is a lowercase letter, then lowercase letters, digits and hyphens (at most 64)")
        return value

    def peek_at_name(self) -> tuple[str | None, LocalizedText]:
        """The `code` and `name` of this table as they stand, without a word about mistakes."""
        code, name = self._values.get("code"), self._values.get("name")
        texts = [name.get(language) if isinstance(name, dict) else None for language in LANGUAGES]
        return (code if isinstance(code, str) else None), LocalizedText(*(str(text or "") for text in texts))

    def peek_at_fields(self) -> list[str]:
        """Each field of this registry's file as "registry/field", as they stand, without a word about mistakes."""
        fields = self._values.get("fields")
        tables = [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
        return [f"{self._values.get('code')}/{field.get('code')}" for field in tables]

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self._taken(key, bool, "true or false", is_optional=True)
        return default if value is None else bool(value)

    def whole_number(self, key: str, *, least: int, most: int) -> int:
        """A whole number of this range, both ends included."""
        value = self._taken(key, int, "a whole number", is_optional=False)
        if value is None:
            return least
        if isinstance(value, bool) or not least <= value <= most:
            self.mistake(key, f"is not a whole number from {least} to {most}")
            return least
        return int(value)

    def choice(self, key: str, kind: type[Choice], *, default: Choice | None = None) -> Choice:
        value = self.text(key, default=default)
        try:
            return kind(value)
        except ValueError:
            if value:
                self.mistake(key, f"is none of {', '.join(kind)}")
            return next(iter(kind))

    def localized(self, key: str) -> LocalizedText:
        """A text in every language of the house."""
        inner = self.table(key)
        return _NO_TEXT if inner is None else inner.as_localized()

    def as_localized(self) -> LocalizedText:
        texts = []
        for language in LANGUAGES:
            if language not in self._values:
                self._asked.add(language)
                self.mistake(language, "this language is missing")
                texts.append("")
            else:
                texts.append(self.text(language))
        self.finish()
        return LocalizedText(*texts)

    def texts(self, key: str, *, is_optional: bool = False) -> tuple[str, ...]:
        """An array of texts."""
        values = self._taken(key, list, "an array of texts", is_optional=is_optional)
        for position, value in enumerate(values or ()):
            if not isinstance(value, str) or not value.strip():
                self.mistake(key, "expected a text", position)
        return tuple(value for value in values or () if isinstance(value, str) and value.strip())

    def table(self, key: str, *, is_optional: bool = False) -> TomlTable | None:
        values = self._taken(key, dict, "a table", is_optional=is_optional)
        return None if values is None else self._inner((*self._path, key), values)

    def tables(self, key: str, *, is_optional: bool = False) -> list[TomlTable]:
        """An array of tables; an empty one counts as missing unless it is optional."""
        values = self._taken(key, list, "an array of tables", is_optional=is_optional)
        if values is not None and not values and not is_optional:
            self.mistake(key, "is empty")
        inner = []
        for position, value in enumerate(values or ()):
            if isinstance(value, dict):
                inner.append(self._inner((*self._path, key, position), value))
            else:
                self.mistake(key, "expected a table", position)
        return inner

    def _inner(self, path: Path, values: dict[str, Any]) -> TomlTable:
        return TomlTable(self._file, path, values, self._lines, self._mistakes)

    def _taken(self, key: str, kind: type, expected: str, *, is_optional: bool) -> Any:
        self._asked.add(key)
        if key not in self._values:
            if not is_optional:
                self.mistake(key, "is missing")
            return None
        value = self._values[key]
        if not isinstance(value, kind):
            self.mistake(key, f"expected {expected}")
            return None
        return value


def is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


def read_toml(file: FilePath, mistakes: Mistakes) -> TomlTable | None:
    """The top table of a file, or None, with the mistake noted, when there is no reading it."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        mistakes.note(file, 1, "file", f"cannot be read ({error.strerror})")
        return None
    except UnicodeDecodeError:
        mistakes.note(file, 1, "file", "is not UTF-8")
        return None
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        _note_syntax(file, text, str(error), mistakes)
        return None
    return TomlTable(file, (), values, lines_of(text), mistakes)


def _note_syntax(file: FilePath, text: str, message: str, mistakes: Mistakes) -> None:
    place = _SYNTAX_LINE.search(message)
    line = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
    mistakes.note(file, line, "syntax", _SYNTAX_LINE.sub("", message))


def _dotted(path: Path) -> str:
    if not path:
        return "file"
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def frozen(mapping: Mapping[str, Value]) -> Mapping[str, Value]:
    """A read-only copy that keeps its order."""
    return MappingProxyType(dict(mapping))
