"""Fixtures that every test may ask for. Nothing here is shared and mutable but the PostgreSQL server itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import database_url, postgres_server, postgres_url, sqlite_url
from tests.factories.apps import FakePortal

__all__ = ["database_url", "postgres_server", "postgres_url", "sqlite_url"]


@pytest.fixture
def portal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePortal]:
    """A whole portal of this test's own."""
    portal = FakePortal.build(tmp_path, monkeypatch)
    yield portal
    portal.close()
