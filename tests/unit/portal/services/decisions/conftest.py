"""A desk that announces decisions for each test, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.deciding import DecisionDesk


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[DecisionDesk]:
    yield from DecisionDesk.open(tmp_path, database_url)


@pytest.fixture
def quick_desk(tmp_path: Path) -> Iterator[DecisionDesk]:
    """Where the rules decide before any database is asked."""
    yield from DecisionDesk.open(tmp_path, f"sqlite:///{tmp_path / 'portal.db'}")
