"""The store's dealings with a disk that refuses and a server that fails: what is settled, and what is left open."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

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


def _backend(connection: Connection) -> int:
    return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def _cut(store: Store, *others: int) -> None:
    """Write on a connection that the server ends, with these others."""

    def write() -> None:
        with store.writing() as connection:
            for other in others:
                connection.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": other})
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(LogUnavailable):
        write()


@pytest.mark.postgres
def test_a_write_that_fails_leaves_nobody_elses_connection_open_for_ever(postgres_url: str) -> None:
    """A pool that is thrown away takes none of them back; they would stay open until the collector comes by."""
    gc.collect()
    store = Store(postgres_url)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with store.reading() as connection:
            used = _backend(connection)
            _cut(store)
            assert _backend(connection) == used, "whoever is reading reads on"
        store.close()
        del store, connection
        gc.collect()
    assert [str(warning.message) for warning in seen if warning.category is ResourceWarning] == []


@pytest.mark.postgres
def test_after_a_write_that_failed_no_connection_is_used_that_the_server_has_ended(postgres_url: str) -> None:
    store = Store(postgres_url)
    with store.reading() as one, store.reading() as other:
        idle = [_backend(one), _backend(other)]
    _cut(store, *idle)
    with store.reading() as one, store.reading() as other, store.writing() as third:
        assert not {_backend(one), _backend(other), _backend(third)} & set(idle)
    store.close()
