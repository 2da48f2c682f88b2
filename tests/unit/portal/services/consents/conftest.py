"""A hall of consents for each test, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories.houses import FakeHouse
from tests.factories.people import MARY
from tests.factories.recipients import Hall


@pytest.fixture
def hall(tmp_path: Path, database_url: str) -> Iterator[Hall]:
    yield from _hall(tmp_path, database_url)


@pytest.fixture
def quick_hall(tmp_path: Path) -> Iterator[Hall]:
    """Where the catalogue decides before any database is asked."""
    yield from _hall(tmp_path, f"sqlite:///{tmp_path / 'portal.db'}")


def _hall(folder: Path, url: str) -> Iterator[Hall]:
    house = FakeHouse.build(folder, f"sqlite:///{folder / 'log.db'}", url)
    house.registries["population"].holds(MARY, **{"given-names": "Mari", "address": "Pikk 1"})
    house.registries["tax-benefits"].holds(MARY, **{"declared-income": "1200.00"})
    yield Hall.of(house)
    house.close()
