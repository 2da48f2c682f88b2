"""What everybody may read of a log (C2SP tlog-tiles): the checkpoint, hash tiles and entry bundles.

Leaves hold commitments and labels only, so nothing here tells anything about a person. No key is needed to serve it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, select

from audit import schema, store
from audit.errors import EntryNotFound, LogUnavailable
from audit.store import Store
from audit.tiles import (
    HASH_SIZE,
    TILE_HEIGHT,
    TILE_WIDTH,
    TileCoordinates,
    encode_bundle,
    entries_path,
    tile_path,
    tiles_for_size,
)


class PublicLog:
    """Reads the public files of a log out of its store."""

    def __init__(self, log: Store) -> None:
        self._store = log

    def checkpoint(self) -> str:
        """The newest signed checkpoint. Raises LogUnavailable where there is no log."""
        with self._store.reading() as connection:
            return _head(connection).checkpoint

    def file(self, coordinates: TileCoordinates) -> bytes:
        """A hash tile or an entry bundle, exactly as wide as asked for.

        Raises:
            EntryNotFound: the log has not grown so far.
        """
        with self._store.reading() as connection:
            return _file(connection, coordinates)

    def write_to(self, folder: Path, progress: Callable[[int, int], None] | None = None) -> int:
        """Write the whole public log as files and give its size. Files of an earlier, smaller log are kept."""
        with self._store.reading() as connection:
            head = _head(connection)
            tiles = list(tiles_for_size(head.size))
            for done, (level, index, width) in enumerate(tiles, 1):
                _write(folder / tile_path(level, index, width), _file(connection, TileCoordinates(level, index, width)))
                if level == 0:
                    bundle = _file(connection, TileCoordinates("entries", index, width))
                    _write(folder / entries_path(index, width), bundle)
                if progress is not None:
                    progress(done, len(tiles))
            # Last, so that a checkpoint never stands over tiles that are not there yet.
            _write(folder / "checkpoint", head.checkpoint.encode())
        return head.size


def _head(connection: Connection) -> store.Head:
    head = store.read_head(connection)
    if head is None:
        raise LogUnavailable("the database holds no log")
    return head


def _file(connection: Connection, coordinates: TileCoordinates) -> bytes:
    level, index, width = coordinates.level, coordinates.index, coordinates.width
    height = 0 if level == "entries" else TILE_HEIGHT * level
    if index * TILE_WIDTH + width > _head(connection).size >> height:
        raise EntryNotFound("the log has not grown so far")
    if level != "entries":
        return store.read_tile(connection, level, index)[: width * HASH_SIZE]
    columns, first = schema.entries.c, index * TILE_WIDTH
    statement = select(columns.leaf).where(columns.seq >= first, columns.seq < first + width).order_by(columns.seq)
    return encode_bundle(bytes(leaf) for leaf in connection.execute(statement).scalars())


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    fresh.replace(path)
