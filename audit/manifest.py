"""Checking an export of the trail: the archive's file, its signed manifest, and the checkpoint it was made under.

An export is a ZIP of `trail.csv` or `trail.jsonl`, `checkpoint` (as the log signed it) and `manifest.txt`: a signed
note with the lines ``glasshouse trail export v1``, ``file``, ``sha256``, ``entries``, ``query-sha256``, ``made-at``,
``log``, ``size``, ``root``. Nothing of it is trusted before the keys of the log and of the export have vouched for it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.checkpoint import open_checkpoint, origin_of
from audit.errors import MalformedCheckpoint, MalformedNote, MalformedReceipt, VerificationFailed
from audit.note import Verifier, open_note

HEADER = "glasshouse trail export v1"
FIELDS = ("file", "sha256", "entries", "query-sha256", "made-at", "log", "size", "root")
_MAX_NOTE = 64 * 1024
_BLOCK = 1024 * 1024
#: All that `zipfile`, `zlib` and `csv` raise for an archive that is damaged, encrypted or packed in an unknown way.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
    KeyError,
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class ExportVerdict:
    """What a checked export vouches for. `entries` were counted in the file, `size` is the log's at the time."""

    file: str
    entries: int
    made_at: str
    origin: str
    size: int


def verify_export(path: Path, log_verifiers: Sequence[Verifier], export_verifiers: Sequence[Verifier]) -> ExportVerdict:
    """Check an export with no database.

    Raises:
        MalformedReceipt: this is no export.
        VerificationFailed: a signature, the digest, the count or the checkpoint does not hold.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            values = _manifest(_small(archive, "manifest.txt"), export_verifiers)
            _check_checkpoint(_small(archive, "checkpoint"), values, log_verifiers)
            _check_file(archive, values)
    except _UNREADABLE as error:
        raise MalformedReceipt(f"this is no whole export ({type(error).__name__})") from None
    return ExportVerdict(values["file"], int(values["entries"]), values["made-at"], values["log"], int(values["size"]))


def _small(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        content = file.read(_MAX_NOTE + 1)
    if len(content) > _MAX_NOTE:
        raise MalformedReceipt(f"{name} is too long")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedReceipt(f"{name} is not text") from None


def _manifest(note: str, verifiers: Sequence[Verifier]) -> dict[str, str]:
    try:
        text = open_note(note, verifiers).text
    except MalformedNote as error:
        raise VerificationFailed(f"the manifest cannot be trusted: {error}") from error
    header, *lines = text.removesuffix("\n").split("\n")
    pairs = [line.partition(" ") for line in lines]
    values = {name: value for name, _, value in pairs}
    if header != HEADER or tuple(name for name, _, _ in pairs) != FIELDS:
        raise MalformedReceipt("the manifest is of another kind or version")
    return values


def _check_checkpoint(note: str, values: dict[str, str], verifiers: Sequence[Verifier]) -> None:
    try:
        checkpoint = open_checkpoint(note, origin_of(verifiers), verifiers).checkpoint
    except (MalformedNote, MalformedCheckpoint) as error:
        raise VerificationFailed(f"the checkpoint cannot be trusted: {error}") from error
    named = (values["log"], values["size"], values["root"])
    if named != (checkpoint.origin, str(checkpoint.size), checkpoint.root.hex()):
        raise VerificationFailed("the manifest names another checkpoint than the one in the archive")


def _check_file(archive: zipfile.ZipFile, values: dict[str, str]) -> None:
    name = values["file"]
    if sorted(archive.namelist()) != sorted(["checkpoint", "manifest.txt", name]):
        raise VerificationFailed("the archive holds other files than its manifest names")
    digest = hashlib.sha256()
    with archive.open(name) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != values["sha256"]:
        raise VerificationFailed("the file is not the one that was exported: its digest differs")
    with archive.open(name) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        counted = sum(1 for _ in _entries(name, text))
    if str(counted) != values["entries"]:
        raise VerificationFailed(f"the file holds {counted} entries, its manifest names {values['entries']}")


def _entries(name: str, text: io.TextIOWrapper) -> Iterator[object]:
    if name.endswith(".csv"):
        rows = csv.reader(text)
        next(rows, None)  # the names of the columns
        return rows
    return iter(text)
