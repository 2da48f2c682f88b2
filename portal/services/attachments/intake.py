"""Taking files in: each judged, scanned, cleaned and sealed, all of a step or none."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from portal.domain.attachments import (
    MOST_FILES,
    AttachmentKind,
    FileFault,
    FileRefused,
    FilesNotTakenNow,
    FilesRefused,
    Upload,
    tidy_name,
    told_apart,
)
from portal.domain.security_events import SecurityEvent
from portal.services.attachments.judging import judged, pieces
from portal.services.attachments.pictures import jpeg_without_metadata, png_without_metadata
from portal.services.attachments.scanning import Scanner, ScannerSilent
from portal.services.sealed_files import SealedFiles, new_key
from portal.services.security_log import announce


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file that lies sealed. `scanner` is what looked for malware in it, None where nothing did."""

    file_id: str
    kind: AttachmentKind
    name: str = field(repr=False)
    size: int
    key: bytes = field(repr=False)
    scanner: str | None


class AttachmentIntake:
    """The door for files. Without a scanner they are taken only where the settings say so (`are_taken`)."""

    def __init__(self, files: SealedFiles, scanner: Scanner | None, *, are_taken: bool) -> None:
        self._files = files
        self._scanner = scanner
        self.are_taken = are_taken

    def take(self, uploads: Sequence[Upload]) -> list[KeptFile]:
        """Seal all of them, in their order.

        Raises:
            FilesRefused: some are not taken; none was kept.
            FilesNotTakenNow: the scanner does not answer, or no files are taken here; none was kept.
        """
        if not uploads:
            return []
        if not self.are_taken:
            raise FilesNotTakenNow
        if len(uploads) > MOST_FILES:
            raise FilesRefused(dict.fromkeys(range(MOST_FILES, len(uploads)), FileFault.TOO_MANY))
        kept: list[KeptFile] = []
        try:
            faults = self._take_each(uploads, kept)
        except BaseException:
            self.discard(kept)
            raise
        if faults:
            self.discard(kept)
            raise FilesRefused(faults)
        apart = told_apart(one.name for one in kept)
        return [replace(one, name=name) for one, name in zip(kept, apart, strict=True)]

    def _take_each(self, uploads: Sequence[Upload], kept: list[KeptFile]) -> dict[int, FileFault]:
        """Put what is taken into `kept`; gives what is wrong with the others, so that all is told at once."""
        faults: dict[int, FileFault] = {}
        for position, upload in enumerate(uploads):
            try:
                kept.append(self._take(upload))
            except FileRefused as refused:
                faults[position] = refused.fault
        return faults

    def read(self, file_id: str, key: bytes, size: int) -> Iterator[bytes]:
        """Raises FileNotFoundError, FileDamaged."""
        return self._files.read(file_id, key, size)

    def discard(self, kept: Sequence[KeptFile]) -> None:
        """Safe to repeat."""
        for one in kept:
            self._files.remove(one.file_id)

    def remove(self, file_id: str) -> None:
        """Safe to repeat."""
        self._files.remove(file_id)

    def older_than(self, moment: datetime) -> list[str]:
        """The ids of files that were written before, whether or not anything still knows of them."""
        return self._files.older_than(moment)

    def _take(self, upload: Upload) -> KeptFile:
        kind = judged(upload.name, upload.stream)
        scanner = self._scanned(upload)
        file_id, key = str(uuid.uuid4()), new_key()
        size = self._files.write(file_id, key, _cleaned(kind, upload))
        name = tidy_name(upload.name, kind)
        return KeptFile(file_id=file_id, kind=kind, name=name, size=size, key=key, scanner=scanner)

    def _scanned(self, upload: Upload) -> str | None:
        if self._scanner is None:
            return None
        try:
            found = self._scanner.scan(pieces(upload.stream))
        except ScannerSilent as silent:
            announce(SecurityEvent.SCANNER_SILENT, cause=str(silent))
            raise FilesNotTakenNow from None
        if found is not None:
            announce(SecurityEvent.MALWARE_FOUND, malware=found)
            raise FileRefused(FileFault.MALWARE)
        return self._scanner.name


def _cleaned(kind: AttachmentKind, upload: Upload) -> Iterator[bytes]:
    if kind is AttachmentKind.PNG:
        return png_without_metadata(upload.stream)
    return jpeg_without_metadata(upload.stream) if kind is AttachmentKind.JPEG else pieces(upload.stream)
