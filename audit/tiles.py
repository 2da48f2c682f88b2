"""C2SP tlog-tiles: the addresses of tiles, and what the bytes of a hash tile and of an entry bundle mean. Pure.

A tile of level L holds up to 256 hashes, each the root of a complete subtree of 256^L leaves.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from audit.errors import MalformedTile

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
"""How many levels of the binary tree one tile spans."""
HASH_SIZE: Final = 32
MAX_ENTRY: Final = 65_535
"""Bytes of one entry: a bundle states the length in 16 bits."""
MAX_LEVEL: Final = 63
"""The highest level that the specification lets a path name."""

_PATH = re.compile(r"tile/(entries|[1-9]?[0-9])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


@dataclass(frozen=True, slots=True)
class TileCoordinates:
    """Where a tile is: its level ("entries" for an entry bundle), its index in that level, how many hashes it holds."""

    level: int | Literal["entries"]
    index: int
    width: int


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a hash tile relative to the log's address, as in `tile/0/x001/x234/067.p/5`.

    Raises MalformedTile where no such tile exists.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise MalformedTile(f"a tile's level is 0 to {MAX_LEVEL}")
    return f"tile/{level}/{_index_and_width(index, width)}"


def entries_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of an entry bundle relative to the log's address. Raises MalformedTile where no such bundle exists."""
    return f"tile/entries/{_index_and_width(index, width)}"


def _index_and_width(index: int, width: int) -> str:
    if not 0 <= index < 1 << (64 - TILE_HEIGHT):
        raise MalformedTile("a tile's index is a whole number below 2^56")
    if not 1 <= width <= TILE_WIDTH:
        raise MalformedTile(f"a tile's width is 1 to {TILE_WIDTH}")
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def parse_tile_path(path: str) -> TileCoordinates:
    """Read a path that `tile_path` or `entries_path` wrote; raises MalformedTile for any other spelling."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise MalformedTile("not the path of a tile")
    kind, groups, partial = match.groups()
    index = int(groups.replace("x", "").replace("/", ""))
    width = TILE_WIDTH if partial is None else int(partial)
    if kind == "entries":
        coordinates, canonical = TileCoordinates("entries", index, width), entries_path(index, width)
    else:
        coordinates, canonical = TileCoordinates(int(kind), index, width), tile_path(int(kind), index, width)
    if canonical != path:  # x000/ in front, or .p/256: one tile has one address, or caches hold it twice
        raise MalformedTile("not the path of a tile as the format spells it")
    return coordinates


def partial_width(level: int, size: int) -> int:
    """How many hashes the partial tile of a level has in a tree of `size` leaves; 0: there is no partial tile."""
    return (size >> (TILE_HEIGHT * level)) % TILE_WIDTH


def tiles_for_size(size: int) -> Iterator[tuple[int, int, int]]:
    """Every hash tile (level, index, width) of a tree of `size` leaves, level by level, from the left."""
    level = 0
    while hashes := size >> (TILE_HEIGHT * level):
        for index in range(hashes // TILE_WIDTH):
            yield level, index, TILE_WIDTH
        if width := hashes % TILE_WIDTH:
            yield level, hashes // TILE_WIDTH, width
        level += 1


def encode_tile(hashes: Sequence[bytes]) -> bytes:
    """The bytes of a hash tile. Raises MalformedTile unless there are 1 to 256 hashes of 32 bytes."""
    if not 1 <= len(hashes) <= TILE_WIDTH:
        raise MalformedTile(f"a tile holds 1 to {TILE_WIDTH} hashes")
    if any(len(value) != HASH_SIZE for value in hashes):
        raise MalformedTile(f"a hash in a tile has {HASH_SIZE} bytes")
    return b"".join(hashes)


def decode_tile(tile: bytes) -> list[bytes]:
    """The hashes of a tile. Raises MalformedTile unless there are 1 to 256, all whole."""
    width, rest = divmod(len(tile), HASH_SIZE)
    if rest or not 1 <= width <= TILE_WIDTH:
        raise MalformedTile(f"a tile is 1 to {TILE_WIDTH} hashes of {HASH_SIZE} bytes")
    return [tile[start : start + HASH_SIZE] for start in range(0, len(tile), HASH_SIZE)]


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of an entry bundle: each entry after its length, 16 bits, big-endian.

    Raises MalformedTile unless there are 1 to 256 entries of at most 65,535 bytes.
    """
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > MAX_ENTRY:
            raise MalformedTile(f"an entry in a bundle has at most {MAX_ENTRY} bytes")
        parts += (len(entry).to_bytes(2, "big"), entry)
    if not 1 <= len(parts) // 2 <= TILE_WIDTH:
        raise MalformedTile(f"a bundle holds 1 to {TILE_WIDTH} entries")
    return b"".join(parts)


def decode_bundle(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. Raises MalformedTile unless there are 1 to 256, all whole, and nothing after them."""
    entries: list[bytes] = []
    position = 0
    while position < len(bundle):
        start = position + 2
        position = start + int.from_bytes(bundle[position:start], "big")
        if position > len(bundle):
            raise MalformedTile("the entry bundle breaks off within an entry")
        entries.append(bundle[start:position])
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise MalformedTile(f"a bundle holds 1 to {TILE_WIDTH} entries")
    return entries
