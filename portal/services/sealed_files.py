"""Large files at rest, sealed piece by piece, so that any part of one can be read without the rest.

Each file has a key of its own, which its row in the portal's database keeps sealed. The pieces are AES-256-GCM with the
piece's number as nonce, under that one key never used twice, and with the file's id as associated data: a piece that is
changed, moved or taken from another file does not open. How long the file is stands in its row, so a cut is found too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PIECE = 64 * 1024
_TAG = 16
_NONCE = 12


class FileDamaged(RuntimeError):
    """What lies on the disk is not what was written. Nothing of the damaged piece was given out."""


def new_key() -> bytes:
    return AESGCM.generate_key(256)


class SealedFiles:
    """A folder of sealed files, readable by this user alone. Ids are the caller's, of letters, digits and dashes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, file_id: str, key: bytes, content: Iterable[bytes]) -> int:
        """Write a file whole, or leave nothing; gives the length of its content. An older file of the id goes."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        cipher, held, number, size = AESGCM(key), bytearray(), 0, 0
        unfinished = self._path(file_id).with_suffix(".part")
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                for block in content:
                    held += block
                    size += len(block)
                    while len(held) >= PIECE:
                        file.write(_sealed(cipher, file_id, number, bytes(held[:PIECE])))
                        del held[:PIECE]
                        number += 1
                if held:
                    file.write(_sealed(cipher, file_id, number, bytes(held)))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._path(file_id))
        finally:
            unfinished.unlink(missing_ok=True)
        return size

    def read(self, file_id: str, key: bytes, size: int, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive) of a content of `size` bytes.

        Raises:
            FileNotFoundError: there is no such file.
            FileDamaged: a piece was changed or is missing.
        """
        end = size if end is None else min(end, size)
        cipher = AESGCM(key)
        with self._path(file_id).open("rb") as file:
            number = start // PIECE
            file.seek(number * (PIECE + _TAG))
            while number * PIECE < end:
                length = min(PIECE, size - number * PIECE)
                piece = _unsealed(cipher, file_id, number, file.read(length + _TAG))
                yield piece[max(0, start - number * PIECE) : end - number * PIECE]
                number += 1

    def remove(self, file_id: str) -> None:
        """Safe to repeat."""
        self._path(file_id).unlink(missing_ok=True)
        self._path(file_id).with_suffix(".part").unlink(missing_ok=True)

    def older_than(self, moment: datetime) -> list[str]:
        """The ids of files that were finished before `moment`, and of what a crash left unfinished before it."""
        found = (path for ending in ("sealed", "part") for path in self._folder.glob(f"*.{ending}"))
        return sorted({path.stem for path in found if path.stat().st_mtime < moment.timestamp()})

    def _path(self, file_id: str) -> Path:
        if not file_id.replace("-", "").isalnum():
            raise ValueError("an id is of letters, digits and dashes")
        return self._folder / f"{file_id}.sealed"


def _sealed(cipher: AESGCM, file_id: str, number: int, piece: bytes) -> bytes:
    return cipher.encrypt(number.to_bytes(_NONCE, "big"), piece, file_id.encode())


def _unsealed(cipher: AESGCM, file_id: str, number: int, piece: bytes) -> bytes:
    try:
        return cipher.decrypt(number.to_bytes(_NONCE, "big"), piece, file_id.encode())
    except (InvalidTag, ValueError):
        raise FileDamaged(file_id) from None
