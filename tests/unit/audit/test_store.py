"""`Store.settle`: what another process committed before it died is on the disk before anybody is told that it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from audit.errors import LogUnavailable
from audit.store import Store
from tests.factories.logs import LogHome, an_access


@pytest.fixture
def store(tmp_path: Path, sqlite_url: str) -> Iterator[Store]:
    """A log on SQLite of which one entry is in the journal alone, as another process left it."""
    home = LogHome.make(tmp_path, sqlite_url)
    with closing(home.open()) as log:
        log.append(an_access())
        store = Store(sqlite_url)
        yield store
        store.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The database's files that this process asked the disk to keep."""
    files: list[str] = []
    real = os.fsync

    def fsync(file: int) -> None:
        name = Path(f"/proc/self/fd/{file}").readlink().name
        if name.startswith("test.db"):  # not what another thread remembers of the log meanwhile
            files.append(name)
        real(file)

    monkeypatch.setattr("audit.store.os.fsync", fsync)
    return files


def test_the_journal_is_made_durable(store: Store, synced: list[str]) -> None:
    store.settle()
    assert synced == ["test.db-wal"]


def test_a_journal_that_is_gone_was_copied_into_the_database_and_is_durable(tmp_path: Path, synced: list[str]) -> None:
    store = Store(f"sqlite:///{tmp_path / 'none.db'}")
    store.settle()
    store.close()
    assert synced == []
    assert not list(tmp_path.iterdir()), "and none is made"


@pytest.mark.parametrize("refused", ["fsync", "open"])
def test_a_disk_that_refuses_is_no_success(store: Store, monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    def refuse(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("audit.store.os.fsync" if refused == "fsync" else "pathlib.Path.open", refuse)
    with pytest.raises(LogUnavailable, match="cannot be written") as caught:
        store.settle()
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.postgres
def test_on_postgresql_nothing_is_seen_before_it_is_durable(postgres_url: str, synced: list[str]) -> None:
    store = Store(postgres_url)
    store.settle()
    store.close()
    assert synced == []
