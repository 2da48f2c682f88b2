"""The stored tiles as a verification reads them: the nodes that it begins from, and those that it recomputes."""

from __future__ import annotations

from audit.merkle import root_of
from audit.stored import Broken, LogSource
from audit.tiles import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, partial_width


def stored_node(source: LogSource, height: int, index: int) -> bytes:
    """The root of a complete subtree as the stored tiles give it. Raises Broken where they lack it."""
    level, within = divmod(height, TILE_HEIGHT)
    first = index << within
    tile_index, start = divmod(first, TILE_WIDTH)
    hashes = source.tile(level, tile_index)[start * HASH_SIZE : (start + (1 << within)) * HASH_SIZE]
    if len(hashes) != HASH_SIZE << within:
        raise Broken(index << height, f"a tile over entries from {index << height} on is missing or too short")
    return root_of([hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)])


def check_node(source: LogSource, height: int, index: int, node: bytes, size: int) -> None:
    """Compare a recomputed node with the stored one, where tiles above the leaves hold it. Raises Broken.

    `size` is how many entries have been replayed.
    """
    level, within = divmod(height, TILE_HEIGHT)
    if within or level == 0:
        return
    tile_index, start = divmod(index, TILE_WIDTH)
    if source.tile(level, tile_index)[start * HASH_SIZE : (start + 1) * HASH_SIZE] != node:
        first = index << height
        raise Broken(first, f"the tile over entries {first} to {size} was changed")


def check_edges(source: LogSource, size: int) -> None:
    """See that the tiles of a tree of this size are there, no longer than they may be, and no others. Raises Broken."""
    expected = 0
    level = 0
    while (nodes := size >> (TILE_HEIGHT * level)) > 0:
        expected += -(-nodes // TILE_WIDTH)
        width = partial_width(level, size)
        if width and len(source.tile(level, nodes // TILE_WIDTH)) != width * HASH_SIZE:
            first = (nodes // TILE_WIDTH * TILE_WIDTH) << (TILE_HEIGHT * level)
            raise Broken(first, f"the tile over entries {first} to {size - 1} has the wrong length")
        level += 1
    if source.tile_count() != expected:
        raise Broken(size, "there are tiles that belong to no entry, or tiles are missing")
