"""What a verification reads at one go is what is there: never more, and nothing that has to be looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from audit import schema
from audit.blocks import Blocks
from audit.store import Store
from tests.factories.logs import LogHome, an_access

SIZE = 5_000
"""More than is read at once."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    """A log of SIZE entries, of which number 300 is erased."""
    folder: Path = tmp_path_factory.mktemp("blocks")
    home = LogHome.make(folder, f"sqlite:///{folder / 'log.db'}")
    with closing(home.open()) as log:
        log.append_all([an_access() for _ in range(SIZE - 1)])
        log.erase_entries([300], basis="GDPR Article 17(1)(d)")
    return home


@pytest.fixture
def connection(home: LogHome) -> Iterator[Connection]:
    """A view of the log; what is changed in it is never committed."""
    store = Store(home.settings.database_url)
    with store.engine.connect() as connection:
        for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
        connection.rollback()
    store.close()


def _tiles(blocks: Blocks) -> list[list[bytes] | None]:
    return [blocks.leaves(first, min(first + 256, SIZE), SIZE) for first in range(0, SIZE, 256)]


def test_every_leaf_is_given_once_and_in_its_place(connection: Connection) -> None:
    stored = list(connection.execute(select(schema.entries.c.leaf).order_by(schema.entries.c.seq)).scalars())
    for place, leaves in enumerate(_tiles(Blocks(connection))):
        if place != 1:
            assert leaves == stored[place * 256 : (place + 1) * 256]


def test_only_the_tile_in_which_an_entry_is_erased_has_to_be_read_by_itself(connection: Connection) -> None:
    assert [place for place, leaves in enumerate(_tiles(Blocks(connection))) if leaves is None] == [1]


def test_only_the_tile_in_which_a_body_is_missing_has_to_be_read_by_itself(connection: Connection) -> None:
    connection.execute(text("DELETE FROM bodies WHERE seq = 4500"))
    assert [place for place, leaves in enumerate(_tiles(Blocks(connection))) if leaves is None] == [1, 4500 // 256]


def test_nothing_is_given_where_an_entry_is_missing_and_the_places_are_no_numbers(connection: Connection) -> None:
    connection.execute(text("DELETE FROM entries WHERE seq = 10"))
    given = _tiles(Blocks(connection))
    assert given[:16] == [None] * 16
    assert None not in given[16:]


def test_entries_behind_the_claimed_size_are_not_given(connection: Connection) -> None:
    leaves = Blocks(connection).leaves(4_864, 4_900, 4_900)
    assert leaves is not None
    assert len(leaves) == 36


def test_a_tile_is_given_as_it_is_stored_and_one_that_is_missing_as_nothing(connection: Connection) -> None:
    blocks = Blocks(connection)
    tiles = connection.execute(select(schema.tiles)).all()
    assert len(tiles) == 21
    for tile in tiles:
        assert blocks.tile(tile.level, tile.tile_index) == tile.hashes
    assert blocks.tile(0, 20) == blocks.tile(1, 1) == blocks.tile(40, 0) == b""
