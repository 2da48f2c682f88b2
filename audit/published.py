"""The public face of a log as files (C2SP tlog-tiles): writing them out, and checking them with the key alone.

`fsck` shares no code with the store: it reads what the world can read, so it finds what the store might hide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from audit.checkpoint import open_checkpoint, origin_of
from audit.entry import decode_leaf, leaf_hash
from audit.errors import EntryRefused, MalformedCheckpoint, MalformedNote, MalformedTile, VerificationFailed
from audit.merkle import CompactRange, root_of
from audit.note import Verifier
from audit.tiles import HASH_SIZE, TILE_WIDTH, decode_bundle, entries_path, tile_path, tiles_for_size
from audit.verify import VerificationReport

Progress = Callable[[int, int], None]


def fsck(folder: Path, verifiers: Sequence[Verifier], progress: Progress | None = None) -> VerificationReport:
    """Check a published log: every bundle, every tile, and the root that its checkpoint signs."""
    origin = origin_of(verifiers)
    try:
        note = (folder / "checkpoint").read_text(encoding="utf-8")
        checkpoint = open_checkpoint(note, origin, verifiers).checkpoint
    except (OSError, UnicodeDecodeError) as error:
        raise VerificationFailed(f"there is no checkpoint to read ({type(error).__name__})") from None
    except (MalformedNote, MalformedCheckpoint) as error:
        raise VerificationFailed(f"the checkpoint cannot be trusted: {error}") from error
    tree = CompactRange(0, [])
    try:
        for node in _leaf_hashes(folder, checkpoint.size, origin):
            tree.append(node)
            if progress is not None and tree.size % 10_000 == 0:
                progress(tree.size, checkpoint.size)
        _check_tiles(folder, checkpoint.size)
    except _Damaged as damage:
        return VerificationReport(False, tree.size, None, damage.first, str(damage))
    if tree.root() != checkpoint.root:
        return VerificationReport(False, tree.size, None, 0, "the entries do not make the tree that was signed for")
    return VerificationReport(True, tree.size, checkpoint.root)


class _Damaged(Exception):
    def __init__(self, first: int, problem: str) -> None:
        super().__init__(problem)
        self.first = first


def _leaf_hashes(folder: Path, size: int, origin: str) -> Iterator[bytes]:
    previous = bytes(HASH_SIZE)
    for level, index, width in tiles_for_size(size):
        if level != 0:
            continue
        first = index * TILE_WIDTH
        try:
            entries = decode_bundle(_read(folder, entries_path(index, width), first))
        except MalformedTile as error:
            raise _Damaged(first, f"{entries_path(index, width)}: {error}") from None
        hashes = _read(folder, tile_path(0, index, width), first)
        if len(entries) != width:
            raise _Damaged(first, f"{entries_path(index, width)}: not {width} entries")
        if len(hashes) != width * HASH_SIZE:
            raise _Damaged(first, f"{tile_path(0, index, width)}: not {width} hashes")
        for offset, entry in enumerate(entries):
            node = leaf_hash(entry)
            if node != hashes[offset * HASH_SIZE : (offset + 1) * HASH_SIZE]:
                raise _Damaged(first + offset, f"entry {first + offset} is not the one in its tile")
            previous = _linked(entry, first + offset, previous, origin, node)
            yield node


def _linked(entry: bytes, seq: int, previous: bytes, origin: str, node: bytes) -> bytes:
    try:
        leaf = decode_leaf(entry)
    except EntryRefused:
        raise _Damaged(seq, f"entry {seq} is not in the form in which it was written") from None
    if (leaf.seq, leaf.log, leaf.prev) != (seq, origin, previous):
        raise _Damaged(seq, f"entry {seq} does not follow the entry before it")
    return node


def _check_tiles(folder: Path, size: int) -> None:
    for level, index, width in tiles_for_size(size):
        if level == 0:
            continue
        span = TILE_WIDTH**level
        first = index * TILE_WIDTH * span
        hashes = _read(folder, tile_path(level, index, width), first)
        if len(hashes) != width * HASH_SIZE:
            raise _Damaged(first, f"{tile_path(level, index, width)}: not {width} hashes")
        for offset in range(width):
            child = index * TILE_WIDTH + offset
            below = _read(folder, tile_path(level - 1, child), child * span)
            nodes = [below[at : at + HASH_SIZE] for at in range(0, len(below), HASH_SIZE)]
            if hashes[offset * HASH_SIZE : (offset + 1) * HASH_SIZE] != root_of(nodes):
                raise _Damaged(child * span, f"{tile_path(level, index, width)} does not sum up the tile below it")


def _read(folder: Path, path: str, first: int) -> bytes:
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise _Damaged(first, f"{path} cannot be read ({type(error).__name__})") from None
