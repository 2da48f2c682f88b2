"""A small country in files of a test's own, and its registry in a database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

SHIPPED = Path(__file__).parents[4] / "config"


@pytest.fixture
def shipped_copy(tmp_path: Path) -> Path:
    """The shipped catalogue, to be spoiled."""
    directory = tmp_path / "catalogue"
    (directory / "registries").mkdir(parents=True)
    shutil.copytree(SHIPPED / "policy", directory / "policy")
    for name in ("organisations.toml", "purposes.toml"):
        shutil.copy(SHIPPED / name, directory / name)
    for file in sorted((SHIPPED / "registries").glob("*.toml")):
        shutil.copy(file, directory / "registries" / file.name)
    return directory


@pytest.fixture
def spoil(shipped_copy: Path) -> Callable[[str, str, str], int]:
    """Replace the first occurrence of a text in a file; gives the line on which the new text begins."""

    def replace(file: str, old: str, new: str) -> int:
        path = shipped_copy / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        before, _, after = text.partition(old)
        path.write_text(before + new + after, encoding="utf-8")
        return before.count("\n") + 1

    return replace
