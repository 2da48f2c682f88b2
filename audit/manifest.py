"""Checking an export of the trail: the archive's files, its signed manifest, and the checkpoint it was made under.

An export is a ZIP of its files (`trail.csv`, or for a court `entries.jsonl`, a receipt of each entry, a report…),
`checkpoint` (as the log signed it and witnesses cosigned it) and `manifest.txt`: a signed note (C2SP signed-note) with
the lines of `FIELDS` and one ``file <sha256> <bytes> <name>`` for every other file. The archive ends in the comment
``sha256 <hex>`` over all its bytes before: so a byte changed in the packing, which says nothing, is found as well.
Nothing of an export is trusted before the keys of the log and of the export have vouched for it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from audit.checkpoint import open_checkpoint, origin_of
from audit.errors import MalformedCheckpoint, MalformedNote, MalformedReceipt, VerificationFailed
from audit.note import CosignatureVerifier, Verifier, open_note
from audit.portable import row_of
from audit.receipt import MAX_RECEIPT
from audit.stamp import verify_stamp
from audit.verify import verify_receipt

HEADER = "glasshouse trail export v2"
FIELDS = ("format", "entries", "query-sha256", "made-at", "made-by", "log", "size", "root")
CHECKPOINT, MANIFEST, STAMP = "checkpoint", "manifest.txt", "manifest.tsr"
COURT = "court"
#: The file of each format in which entries can be counted again.
COUNTED = {"csv": "trail.csv", "jsonl": "trail.jsonl", "fhir": "trail.fhir.json", COURT: "entries.jsonl"}
SEAL = b"sha256 "
SEAL_LENGTH = len(SEAL) + 64
#: A court's bundle has two lines for each of some thousand entries.
_MAX_NOTE = 1024 * 1024
_BLOCK = 1024 * 1024
_FILE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,17}) ([a-z0-9][a-z0-9./-]{0,99})")
#: All that `zipfile`, `zlib`, `csv` and `json` raise for an archive that is damaged, encrypted or packed unknowably.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    csv.Error,
    json.JSONDecodeError,
    KeyError,
    OSError,
    EOFError,
    RuntimeError,
    UnicodeDecodeError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file as the manifest names it."""

    sha256: str
    size: int
    name: str


@dataclass(frozen=True, slots=True)
class ExportVerdict:
    """What a checked export vouches for. `entries` is the manifest's number, `size` the log's at the time.

    `file` is the one that holds the entries. `proved` says that every entry has a receipt of its own that says the
    same; `stamped_at` is when an authority that the reader trusts saw the manifest, `has_stamp` whether the archive
    holds a time stamp at all.
    """

    form: str
    file: str
    entries: int
    made_at: str
    made_by: str
    origin: str
    size: int
    proved: bool
    witnesses: tuple[str, ...]
    has_stamp: bool
    stamped_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Manifest:
    values: dict[str, str]
    files: dict[str, NamedFile]


def verify_export(
    path: Path,
    log_verifiers: Sequence[Verifier],
    export_verifiers: Sequence[Verifier],
    *,
    authorities: Sequence[x509.Certificate] = (),
) -> ExportVerdict:
    """Check an export with no database. Keys of witnesses may stand among `log_verifiers`.

    Raises:
        MalformedReceipt: this is no export.
        VerificationFailed: a signature, a digest, the count, a receipt, the time stamp or the checkpoint does not hold.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            note = _small(archive, MANIFEST)
            manifest = _manifest(note, export_verifiers)
            witnesses = _check_checkpoint(_small(archive, CHECKPOINT), manifest.values, log_verifiers)
            _check_files(archive, manifest)
            _check_count(archive, manifest)
            if proved := manifest.values["format"] == COURT:
                _check_receipts(archive, manifest, log_verifiers)
            stamp = archive.read(STAMP) if STAMP in archive.namelist() else None
        _check_seal(path)
    except _UNREADABLE as error:
        raise MalformedReceipt(f"this is no whole export ({type(error).__name__})") from None
    stamped_at = verify_stamp(stamp, note.encode(), authorities) if stamp is not None and authorities else None
    values = manifest.values
    return ExportVerdict(
        values["format"],
        next(iter(manifest.files)),
        int(values["entries"]),
        values["made-at"],
        values["made-by"],
        values["log"],
        int(values["size"]),
        proved,
        witnesses,
        stamp is not None,
        stamped_at,
    )


def _small(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        content = file.read(_MAX_NOTE + 1)
    if len(content) > _MAX_NOTE:
        raise MalformedReceipt(f"{name} is too long")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedReceipt(f"{name} is not text") from None


def _manifest(note: str, verifiers: Sequence[Verifier]) -> _Manifest:
    try:
        text = open_note(note, verifiers).text
    except MalformedNote as error:
        raise VerificationFailed(f"the manifest cannot be trusted: {error}") from error
    header, *lines = text.removesuffix("\n").split("\n")
    pairs = [line.partition(" ") for line in lines]
    named = [_FILE.fullmatch(value) for name, _, value in pairs[len(FIELDS) :] if name == "file"]
    files = {match[3]: NamedFile(match[1], int(match[2]), match[3]) for match in named if match is not None}
    are_fields = tuple(name for name, _, _ in pairs[: len(FIELDS)]) == FIELDS
    if header != HEADER or not are_fields or len(files) != len(pairs) - len(FIELDS):
        raise MalformedReceipt("the manifest is of another kind or version")
    return _Manifest({name: value for name, _, value in pairs[: len(FIELDS)]}, files)


def _check_checkpoint(note: str, values: dict[str, str], verifiers: Sequence[Verifier]) -> tuple[str, ...]:
    """Names of the witnesses that cosigned it."""
    log = [one for one in verifiers if not isinstance(one, CosignatureVerifier)]
    try:
        opened = open_checkpoint(note, origin_of(log), verifiers)
    except (MalformedNote, MalformedCheckpoint) as error:
        raise VerificationFailed(f"the checkpoint cannot be trusted: {error}") from error
    checkpoint = opened.checkpoint
    named = (values["log"], values["size"], values["root"])
    if named != (checkpoint.origin, str(checkpoint.size), checkpoint.root.hex()):
        raise VerificationFailed("the manifest names another checkpoint than the one in the archive")
    return tuple(one.name for one in opened.verified if one.name != checkpoint.origin)


def _check_files(archive: zipfile.ZipFile, manifest: _Manifest) -> None:
    present = archive.namelist()
    expected = sorted([MANIFEST, *manifest.files])
    if sorted(present) != expected and sorted(present) != sorted([STAMP, *expected]):
        raise VerificationFailed("the archive holds other files than its manifest names")
    for named in manifest.files.values():
        digest, size = hashlib.sha256(), 0
        with archive.open(named.name) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
        if (digest.hexdigest(), size) != (named.sha256, named.size):
            raise VerificationFailed(f"{named.name} is not the one that was exported: its digest differs")


def _check_count(archive: zipfile.ZipFile, manifest: _Manifest) -> None:
    name = COUNTED.get(manifest.values["format"])
    if name is None:
        return
    if name not in manifest.files:
        raise VerificationFailed(f"the manifest names no {name}, which its format has")
    with archive.open(name) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
        counted = sum(1 for _ in _entries(name, text))
    if str(counted) != manifest.values["entries"]:
        raise VerificationFailed(f"the file holds {counted} entries, its manifest names {manifest.values['entries']}")


def _entries(name: str, text: io.TextIOWrapper) -> Iterator[object]:
    if name.endswith(".csv"):
        rows = csv.reader(text)
        next(rows, None)  # the names of the columns
        return rows
    if name.endswith(".fhir.json"):
        return (line for line in text if line.startswith('{"fullUrl"'))
    return iter(text)


def _check_receipts(archive: zipfile.ZipFile, manifest: _Manifest, verifiers: Sequence[Verifier]) -> None:
    """Every entry has a receipt that the log signed and that says what its line says; none is left over."""
    receipts = {name for name in manifest.files if name.startswith("receipts/")}
    with archive.open(COUNTED[COURT]) as file, io.TextIOWrapper(file, encoding="utf-8", newline="") as lines:
        for line in lines:
            row = json.loads(line)
            name = f"receipts/{row['seq']}.txt"
            if name not in receipts:
                raise VerificationFailed(f"entry {row['seq']} has no receipt")
            if manifest.files[name].size > MAX_RECEIPT:
                raise MalformedReceipt(f"{name} is too long")
            verdict = verify_receipt(archive.read(name), verifiers)
            if row_of(verdict.index, verdict.logged_at, verdict.access) != row:
                raise VerificationFailed(f"what is told of entry {row['seq']} is not what its receipt proves")
            receipts.remove(name)
    if receipts:
        raise VerificationFailed("the archive holds receipts of entries that it does not tell of")


def _check_seal(path: Path) -> None:
    """The archive's comment against all its other bytes: an archive has parts that no file's digest covers."""
    left = path.stat().st_size - SEAL_LENGTH
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while left > 0 and (block := file.read(min(_BLOCK, left))):
            digest.update(block)
            left -= len(block)
        seal = file.read()
    if seal != SEAL + digest.hexdigest().encode():
        raise VerificationFailed("the archive itself was changed after it was made, though not what its files say")
