"""An export made by hand, part by part, so that a test can make each part lie."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.manifest import HEADER, SEAL, SEAL_LENGTH
from audit.note import Ed25519Signer, sign_note
from tests.factories.logs import ORIGIN

ROOT = bytes(range(32))
#: Two entries; the second's justification runs over lines and holds what CSV must quote.
ROWS = [
    ["seq", "justification"],
    ["0", "plain"],
    ["1", 'first line\nsecond line\r\n"quoted", and a comma'],
]


def a_csv(rows: list[list[str]] = ROWS) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


@dataclass
class Export:
    """The parts of an archive, which a test changes before they are packed."""

    log: Ed25519Signer
    signer: Ed25519Signer
    content: bytes = field(default_factory=a_csv)
    name: str = "trail.csv"
    manifest: dict[str, str] = field(default_factory=dict)
    header: str = HEADER
    checkpoint: str = ""
    others: dict[str, bytes] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.checkpoint = sign_checkpoint(Checkpoint(ORIGIN, 40, ROOT), [self.log]).text
        self.stated()

    def stated(self, **changes: str) -> Export:
        self.manifest = {
            "format": self.name.rpartition(".")[2],
            "entries": "2",
            "query-sha256": "0" * 64,
            "made-at": "2026-03-02T12:00:00Z",
            "made-by": "account-1 auditor inspectorate An Auditor",
            "log": ORIGIN,
            "size": "40",
            "root": ROOT.hex(),
        } | {name.replace("_", "-"): value for name, value in changes.items()}
        self.files = [self.listed(self.name, self.content), self.listed("checkpoint", self.checkpoint.encode())]
        return self

    def listed(self, name: str, content: bytes) -> str:
        return f"{hashlib.sha256(content).hexdigest()} {len(content)} {name}"

    def note(self) -> str:
        lines = [self.header, *(f"{name} {value}" for name, value in self.manifest.items())]
        return sign_note("\n".join([*lines, *(f"file {line}" for line in self.files), ""]), [self.signer])

    def write(self, path: Path) -> Path:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(self.name, self.content)
            archive.writestr("checkpoint", self.checkpoint)
            archive.writestr("manifest.txt", self.note())
            for name, content in self.others.items():
                archive.writestr(name, content)
            archive.comment = SEAL + bytes(64)
        path.write_bytes(sealed(packed.getvalue()))
        return path


def sealed(archive: bytes) -> bytes:
    """With the digest of all its other bytes for a comment, as anybody can compute it."""
    content = archive[:-SEAL_LENGTH]
    return content + SEAL + hashlib.sha256(content).hexdigest().encode()
