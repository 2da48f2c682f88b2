"""Leaves and tiles of a stored log, many read at once and few kept, as a verification walks over them."""

from __future__ import annotations

from sqlalchemy import Connection, select, text

from audit import schema
from audit.rows import hand_of
from audit.tiles import TILE_WIDTH

#: Entries read at once. A statement for each tile took a quarter of a verification.
_ENTRIES = TILE_WIDTH * 16
#: Tiles of one level read at once, and how many such reads are kept: a place at each level, and the last one's.
_TILES = 16
_KEPT = 8
_BODIES_AND_ERASED = text(
    "SELECT (SELECT count(*) FROM bodies WHERE seq >= :first AND seq < :end),"
    " (SELECT count(*) FROM erasures WHERE seq >= :first AND seq < :end)"
)


class Blocks:
    """Reads within one transaction of the caller, whose view of the log does not change."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._first = self._end = 0
        self._leaves: list[bytes] = []
        self._is_plain = False
        self._tiles: dict[tuple[int, int], dict[int, bytes]] = {}

    def leaves(self, first: int, end: int, size: int) -> list[bytes] | None:
        """The leaves of these entries of a log of `size`, where all are there, each with a body and none erased."""
        if not self._first <= first <= end <= self._end:
            self._read(first, max(end, min(first + _ENTRIES, size)))
        if len(self._leaves) != self._end - self._first:  # then an entry's place here would not be its number
            return None
        if not self._is_plain and not self._are_plain(first, end):
            return None
        return self._leaves[first - self._first : end - self._first]

    def tile(self, level: int, index: int) -> bytes:
        """The stored hashes of a tile; empty when there is none."""
        key = (level, index // _TILES)
        if key not in self._tiles:
            if len(self._tiles) >= _KEPT:
                self._tiles.pop(next(iter(self._tiles)))
            self._tiles[key] = self._read_tiles(level, index // _TILES * _TILES)
        return self._tiles[key].get(index, b"")

    def _read(self, first: int, end: int) -> None:
        self._first, self._end = first, end
        self._leaves = hand_of(self._connection).leaves(first, end)
        self._is_plain = self._are_plain(first, end)

    def _are_plain(self, first: int, end: int) -> bool:
        bodies, erased = self._connection.execute(_BODIES_AND_ERASED, {"first": first, "end": end}).one()
        return bodies == end - first and not erased

    def _read_tiles(self, level: int, first: int) -> dict[int, bytes]:
        columns = schema.tiles.c
        wanted = (columns.level == level, columns.tile_index >= first, columns.tile_index < first + _TILES)
        found = self._connection.execute(select(columns.tile_index, columns.hashes).where(*wanted))
        return {index: bytes(hashes or b"") for index, hashes in found}
