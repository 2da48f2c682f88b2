"""What the security documents call a test is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("asvs.md", "attacks.md", "threat-model.md")
_NAMED = re.compile(r"`((?:architecture|faults|functional|unit)/[\w/]+\.py)(?:::(\w+))?`")
_DEFINED = re.compile(r"^ *def (test_\w+)\(", re.MULTILINE)


def _wrong_names(text: str) -> list[str]:
    wrong = []
    for file, test in _NAMED.findall(text):
        path = ROOT / "tests" / file
        if not path.exists() or (test and test not in _DEFINED.findall(path.read_text(encoding="utf-8"))):
            wrong.append(f"{file}::{test}" if test else file)
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_a_security_document_names_exists(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    assert len(_NAMED.findall(text)) > 20
    assert _wrong_names(text) == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_that_is_said_to_be_met_in_a_list_of_attacks_stands_without_a_test(document: str) -> None:
    if document == "asvs.md":
        pytest.skip("an empty cell there says that reading the code shows it")
    for line in (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith(("| do ", "| threat ", "| flow ")):
            assert _NAMED.search(line) or "not " in line.lower() or "operator" in line.lower(), line


def test_a_name_that_is_no_test_would_be_found() -> None:
    assert _wrong_names("`unit/portal/web/test_limits.py::test_that_is_not_there`") != []
    assert _wrong_names("`unit/nowhere/test_nothing.py`") != []
