"""The archive of an export: its files while they are made, then the signed manifest that names them, then a seal.

What it holds and how it is checked stands in `audit.manifest`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from audit.checkpoint import SignedCheckpoint
from audit.manifest import CHECKPOINT, HEADER, MANIFEST, SEAL, SEAL_LENGTH, STAMP
from audit.note import Signer, sign_note
from portal.domain.actors import Actor
from portal.services.exporting.formats import ExportFormat

Entry = TypeVar("Entry")
#: Gives the RFC 3161 time stamp over some bytes.
Stamping = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Origin:
    """What the manifest says of an export beside its files."""

    form: ExportFormat
    query_digest: str
    made_at: datetime
    made_by: Actor
    checkpoint: SignedCheckpoint


class Archive:
    """An archive in the making. Files are read in the order in which they were added, once, while it is read itself."""

    def __init__(self, origin: Origin, signer: Signer, stamping: Stamping | None = None) -> None:
        self._origin = origin
        self._signer = signer
        self._stamping = stamping
        self._zip = ZipStream(compress_type=ZIP_DEFLATED)
        self._lines: list[str] = []
        self._entries = 0
        self._manifest = b""

    def counted(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """The entries themselves, of which the manifest will tell how many went by."""
        for entry in entries:
            self._entries += 1
            yield entry

    def add(self, name: str, content: Iterable[bytes]) -> None:
        self._zip.add(self._measured(name, content), name)

    def chunks(self) -> Iterator[bytes]:
        """The archive's bytes. The time stamp is asked for when all else is made; its errors end the archive."""
        self.add(CHECKPOINT, [self._origin.checkpoint.text.encode()])
        self._zip.add(self._signed(), MANIFEST)
        if self._stamping is not None:
            stamping = self._stamping
            self._zip.add((stamping(self._manifest) for _ in range(1)), STAMP, compress_type=ZIP_STORED)
        self._zip.comment = SEAL + bytes(SEAL_LENGTH - len(SEAL))
        return _sealed(self._zip)

    def _measured(self, name: str, content: Iterable[bytes]) -> Iterator[bytes]:
        digest, size = hashlib.sha256(), 0
        for block in content:
            digest.update(block)
            size += len(block)
            yield block
        self._lines.append(f"file {digest.hexdigest()} {size} {name}")

    def _signed(self) -> Iterator[bytes]:
        """Read last but for the stamp, so every file has been measured by then."""
        origin, checkpoint = self._origin, self._origin.checkpoint.checkpoint
        who = origin.made_by
        text = "\n".join(
            (
                HEADER,
                f"format {origin.form}",
                f"entries {self._entries}",
                f"query-sha256 {origin.query_digest}",
                f"made-at {origin.made_at:%Y-%m-%dT%H:%M:%SZ}",
                f"made-by {who.account_id} {who.role} {who.organisation or '-'} {who.name}",
                f"log {checkpoint.origin}",
                f"size {checkpoint.size}",
                f"root {checkpoint.root.hex()}",
                *self._lines,
                "",
            )
        )
        self._manifest = sign_note(text, [self._signer]).encode()
        yield self._manifest


def _sealed(archive: Iterable[bytes]) -> Iterator[bytes]:
    """The archive with the digest of all its other bytes in its comment, which is its end."""
    digest, held = hashlib.sha256(), b""
    for chunk in archive:
        held += chunk
        if len(held) > SEAL_LENGTH:
            known, held = held[:-SEAL_LENGTH], held[-SEAL_LENGTH:]
            digest.update(known)
            yield known
    yield SEAL + digest.hexdigest().encode()
