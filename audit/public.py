"""What everybody may read of a log (C2SP tlog-tiles): the checkpoint, hash tiles and entry bundles.

Leaves hold commitments and labels only, so nothing here tells anything about a person. No key is needed to serve it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from audit import schema, store
from audit.errors import EntryNotFound, LogUnavailable, MalformedNote, VerificationFailed
from audit.note import NoteSignature, Verifier, open_note, split_note
from audit.rows import Head
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

#: How many sizes back a cosigned checkpoint is looked for.
_NEWEST = 4


class PublicLog:
    """Reads the public files of a log out of its store. `witnesses` are those whose cosignatures it hands out."""

    def __init__(self, log: Store, witnesses: Sequence[Verifier] = ()) -> None:
        self._store = log
        self._witnesses = witnesses

    def checkpoint(self) -> str:
        """The newest checkpoint that a witness cosigned, with the cosignatures; the newest of all where none did.

        Raises LogUnavailable where there is no log.
        """
        with self._store.reading() as connection:
            return newest_cosigned(connection, self._witnesses) or _head(connection).checkpoint

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
            cosigned = newest_cosigned(connection, self._witnesses, at=head.size)
            _write(folder / "checkpoint", (cosigned or head.checkpoint).encode())
        return head.size


def newest_cosigned(connection: Connection, witnesses: Sequence[Verifier], *, at: int | None = None) -> str | None:
    """The newest checkpoint (or the one `at` a size) with the cosignatures of these witnesses; None without any.

    Each cosignature is verified again: one that was damaged in the database would have readers reject the checkpoint.
    """
    if not witnesses:
        return None
    found: dict[int, tuple[str, list[NoteSignature]]] = {}
    for size, note, line in store.read_cosignatures(connection, _NEWEST * len(witnesses)):
        if at in {None, size} and (signature := _holding(note, line, witnesses)) is not None:
            found.setdefault(size, (note, []))[1].append(signature)
    if not found:
        return None
    note, signatures = found[max(found)]
    return note + "".join(signature.line() for signature in signatures)


def _holding(note: str, line: str, witnesses: Sequence[Verifier]) -> NoteSignature | None:
    try:
        return open_note(f"{split_note(note)[0]}\n{line}", witnesses).verified[0]
    except (MalformedNote, VerificationFailed):
        return None


def _head(connection: Connection) -> Head:
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
