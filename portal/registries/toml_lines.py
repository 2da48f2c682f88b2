"""The line on which each key of a TOML text stands, which the standard library's reader does not tell.

The text must have been accepted by `tomllib` first: this scanner follows TOML 1.0 and checks nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping
from types import MappingProxyType

#: A key's way from the top: names of tables and keys, and positions in arrays.
Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]*")
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([btnfr"\\]))')


def lines_of(text: str) -> Mapping[Path, int]:
    """Line numbers, counted from 1, of every key, table and array element in valid TOML."""
    return MappingProxyType(_Scanner(text.replace("\r\n", "\n")).scan())


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest table around it when the key itself is not there."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line_ends = [found.start() for found in re.finditer("\n", text)]
        self._lines: dict[Path, int] = {(): 1}
        self._elements: dict[Path, int] = {}

    def scan(self) -> dict[Path, int]:
        table: Path = ()
        while not self._is_at_end():
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> Path:
        start = self._position
        is_array = self._text.startswith("[[", start)
        self._position += 2 if is_array else 1
        names = self._key()
        self._position += 2 if is_array else 1
        path: Path = (*self._within_arrays(names[:-1]), names[-1])
        if is_array:
            index = self._elements.get(path, 0)
            self._elements[path] = index + 1
            self._note(path, start)
            path = (*path, index)
        elif path in self._elements:
            path = (*path, self._elements[path] - 1)
        self._note(path, start)
        return path

    def _within_arrays(self, names: list[str]) -> Path:
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self._elements:
                path = (*path, self._elements[path] - 1)
        return path

    def _pair(self, table: Path) -> None:
        start = self._position
        path = table
        for name in self._key():
            path = (*path, name)
            self._note(path, start)
        self._position += 1  # the equals sign
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip(_SPACE)
        if self._peek() == "[":
            self._array(path)
        elif self._peek() == "{":
            self._inline_table(path)
        elif string := _STRING.match(self._text, self._position):
            self._position = string.end()
        else:
            self._skip(_SCALAR)

    def _array(self, path: Path) -> None:
        self._position += 1
        index = 0
        while not self._closes("]"):
            self._note((*path, index), self._position)
            self._value((*path, index))
            index += 1

    def _inline_table(self, path: Path) -> None:
        self._position += 1
        while not self._closes("}"):
            self._pair(path)

    def _closes(self, bracket: str) -> bool:
        """Step over blanks and a comma; true, and past it, at the closing bracket."""
        self._skip(_BLANK)
        if self._peek() == ",":
            self._position += 1
            self._skip(_BLANK)
        if self._peek() != bracket:
            return False
        self._position += 1
        return True

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip(_SPACE)
            if string := _STRING.match(self._text, self._position):
                names.append(_unquoted(string.group()))
                self._position = string.end()
            elif bare := _BARE_KEY.match(self._text, self._position):
                names.append(bare.group())
                self._position = bare.end()
            self._skip(_SPACE)
            if self._peek() != ".":
                return names
            self._position += 1

    def _is_at_end(self) -> bool:
        self._skip(_BLANK)
        return self._position >= len(self._text)

    def _peek(self) -> str:
        return self._text[self._position : self._position + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if found := pattern.match(self._text, self._position):
            self._position = found.end()

    def _note(self, path: Path, position: int) -> None:
        self._lines.setdefault(path, bisect_left(self._line_ends, position) + 1)


def _unquoted(quoted: str) -> str:
    inner = quoted[1:-1]
    if quoted.startswith("'"):
        return inner

    def meant(escape: re.Match[str]) -> str:
        short, long, letter = escape.groups()
        return _SHORT_ESCAPES[letter] if letter else chr(int(short or long, 16))

    return _ESCAPE.sub(meant, inner)
