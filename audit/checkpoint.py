"""C2SP tlog-checkpoint: the size and root of a log at a moment, as the text of a signed note."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.errors import KeyRefused, MalformedCheckpoint, VerificationFailed
from audit.note import NoteSignature, Signer, Verifier, format_note, open_note, sign_text

ROOT_SIZE: Final = 32
MAX_SIZE: Final = 2**63 - 1
"""The largest tree: sizes are signed 64-bit integers in most readers."""

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's name, its number of entries and its RFC 6962 root; extension lines stand as they came.

    Raises MalformedCheckpoint where a value has no place in the format.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MAX_SIZE:
            raise MalformedCheckpoint(f"a checkpoint's size is 0 to {MAX_SIZE}")
        if len(self.root) != ROOT_SIZE:
            raise MalformedCheckpoint(f"a checkpoint's root has {ROOT_SIZE} bytes")
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise MalformedCheckpoint("a checkpoint's origin and extensions are lines with something in them")

    def text(self) -> str:
        """The text of the note: origin, size, base64 of the root, extensions, each on its line."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode("ascii"), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with the note it stands in, byte for byte, and the signatures on it that were made or verified."""

    text: str
    checkpoint: Checkpoint
    verified: tuple[NoteSignature, ...] = ()


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint, without signatures; raises MalformedCheckpoint for what has another form."""
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() != "":
        raise MalformedCheckpoint("a checkpoint has three lines at least, each with its newline")
    origin, size, encoded_root, *extensions = lines
    if _SIZE.fullmatch(size) is None:
        raise MalformedCheckpoint("a checkpoint's size is a decimal number without leading zeros")
    try:
        root = base64.b64decode(encoded_root, validate=True)
    except ValueError:
        raise MalformedCheckpoint("a checkpoint's root is not in base64") from None
    checkpoint = Checkpoint(origin, int(size), root, tuple(extensions))
    if checkpoint.text() != text:  # base64 with surplus padding or stray low bits
        raise MalformedCheckpoint("a checkpoint's root is not in canonical base64")
    return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[Signer]) -> SignedCheckpoint:
    """Sign a checkpoint, which the caller has found consistent with the last one signed.

    Raises KeyRefused unless one of the signers bears the log's origin as its name.
    """
    text = checkpoint.text()
    signatures = tuple(sign_text(text, signer) for signer in signers)
    if all(signature.name != checkpoint.origin for signature in signatures):
        raise KeyRefused("a checkpoint is signed by a key whose name is the log's origin")
    return SignedCheckpoint(format_note(text, signatures), checkpoint, signatures)


def open_checkpoint(text: str, origin: str, verifiers: Sequence[Verifier]) -> SignedCheckpoint:
    """Check a signed checkpoint of the log `origin` against the keys that the reader knows.

    Raises MalformedNote or MalformedCheckpoint for another form; VerificationFailed where a known key's signature is
    false, no known key bearing the origin's name has signed, or the checkpoint is another log's.
    """
    note = open_note(text, verifiers)
    if all(signature.name != origin for signature in note.verified):
        raise VerificationFailed(f"no known key of the log {origin} has signed the checkpoint")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise VerificationFailed(f"the checkpoint is of another log than {origin}")
    return SignedCheckpoint(text, checkpoint, note.verified)
