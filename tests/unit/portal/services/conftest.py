"""A house for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.houses import FakeHouse


@pytest.fixture
def house(tmp_path: Path) -> Iterator[FakeHouse]:
    house = FakeHouse.build(tmp_path, f"sqlite:///{tmp_path / 'log.db'}", f"sqlite:///{tmp_path / 'portal.db'}")
    yield house
    house.close()
