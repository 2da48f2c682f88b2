"""Mistakes are named with the line on which they stand."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portal.registries.toml_lines import Path, line_of, lines_of

TEXT = '''\
# A comment with [brackets] and "quotes"
code = "land"
"quoted key" = 1
dotted.inner.key = true

[name]
en = """
two [not.a.table]
lines = "not a key"
"""
et = 'it''s'
[[fields]]
code = "a"
names = [
  # a comment in an array
  "one",
  { kind = "own", from = "x" }, "three",
]
[fields.values]
x = { en = "1", et = "2" }
[[fields]]
code = "b"
[fields.values]
y = 2026-01-01 10:00:00
'''.replace("'it''s'", "'its'")


def test_every_key_of_a_text_with_all_of_tomls_forms_has_its_line() -> None:
    lines = lines_of(TEXT)
    expected: dict[Path, int] = {
        ("code",): 2,
        ("quoted key",): 3,
        ("dotted", "inner", "key"): 4,
        ("name",): 6,
        ("name", "en"): 7,
        ("name", "et"): 11,
        ("fields", 0): 12,
        ("fields", 0, "code"): 13,
        ("fields", 0, "names"): 14,
        ("fields", 0, "names", 0): 16,
        ("fields", 0, "names", 1): 17,
        ("fields", 0, "names", 1, "from"): 17,
        ("fields", 0, "names", 2): 17,
        ("fields", 0, "values", "x", "et"): 20,
        ("fields", 1): 21,
        ("fields", 1, "code"): 22,
        ("fields", 1, "values", "y"): 24,
    }
    assert {path: lines.get(path) for path in expected} == expected


def test_a_missing_key_is_placed_at_the_table_that_lacks_it() -> None:
    lines = lines_of(TEXT)
    assert line_of(lines, ("fields", 1, "meaning", "ru")) == 21
    assert line_of(lines, ("nowhere",)) == 1


def test_windows_line_ends_count_as_one_line() -> None:
    assert lines_of("a = 1\r\nb = 2\r\n")[("b",)] == 2


_KEYS = st.from_regex(r"[a-z]{1,5}", fullmatch=True)
_SCALARS = st.one_of(
    st.integers(0, 999).map(str),
    st.sampled_from(
        ["true", "1979-05-27", "3.14", '"#no comment"', "'[x]'", '"a \\" b"', '"""m\n"q" l"""', "'''\n=\n'''"]
    ),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[\n" + ",\n".join(items) + "\n]"),
        st.dictionaries(_KEYS, _SCALARS.filter(lambda s: "\n" not in s), max_size=3).map(
            lambda pairs: "{ " + ", ".join(f"{key} = {value}" for key, value in pairs.items()) + " }"
        ),
    ),
    max_leaves=6,
)


def _paths(value: Any, path: Path = ()) -> list[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in inner for found in _paths(part, (*path, key)))]


@given(st.lists(st.tuples(_KEYS, st.dictionaries(_KEYS, _VALUES, max_size=3)), max_size=4))
def test_the_scanner_finds_exactly_the_keys_that_tomllib_reads_and_each_top_key_on_its_line(
    tables: list[tuple[str, dict[str, str]]],
) -> None:
    text, starts = "", {}
    for position, (name, pairs) in enumerate(tables):
        text += f"\n[[{name}]] # {name}\n"
        for key, value in pairs.items():
            starts[position, key] = text.count("\n") + 1
            text += f"{key} = {value}\n"
    values = tomllib.loads(text)
    lines = lines_of(text)
    assert sorted(map(str, lines)) == sorted(map(str, _paths(values)))
    seen: dict[str, int] = {}
    for position, (name, pairs) in enumerate(tables):
        index = seen.get(name, 0)
        seen[name] = index + 1
        for key in pairs:
            assert lines[name, index, key] == starts[position, key]
