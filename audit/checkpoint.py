"""C2SP tlog-checkpoint: the size and root of a log at a moment, as the text of a signed note."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from audit.errors import KeyRefused, MalformedCheckpoint, VerificationFailed
from audit.note import NoteSignature, Signer, Verifier, format_note, open_note, sign_text, verifier_from_vkey

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
class LogKey:
    """A verifier key of a log that was retired: it vouches for checkpoints of at most `until` entries.

    Whoever steals a retired key can sign with it for ever; beyond that size nobody believes it. A key that is in use
    needs no such bound and stands as it is.
    """

    verifier: Verifier
    until: int

    @property
    def name(self) -> str:
        return self.verifier.name

    @property
    def key_id(self) -> bytes:
        return self.verifier.key_id

    @property
    def vkey(self) -> str:
        return self.verifier.vkey

    def verify(self, text: bytes, signature: bytes) -> bool:
        return self.verifier.verify(text, signature)


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
    false, no known key bearing the origin's name has signed, all that did were retired before the log had this size, or
    the checkpoint is another log's.
    """
    note = open_note(text, verifiers)
    if all(signature.name != origin for signature in note.verified):
        raise VerificationFailed(f"no known key of the log {origin} has signed the checkpoint")
    checkpoint = parse_checkpoint(note.text)
    if checkpoint.origin != origin:
        raise VerificationFailed(f"the checkpoint is of another log than {origin}")
    retired = {key.key_id for key in verifiers if isinstance(key, LogKey) and checkpoint.size > key.until}
    verified = tuple(one for one in note.verified if one.name != origin or one.key_id not in retired)
    if all(signature.name != origin for signature in verified):
        raise VerificationFailed(
            "the checkpoint is signed by a key alone that was retired before the log had this size"
        )
    return SignedCheckpoint(text, checkpoint, verified)


def origin_of(verifiers: Sequence[Verifier]) -> str:
    """The name that all keys of one log have. Raises KeyRefused where there are none, or keys of several logs."""
    names = {verifier.name for verifier in verifiers}
    if len(names) != 1:
        raise KeyRefused("the keys must be those of one log")
    return names.pop()


def parse_log_keys(text: str) -> list[Verifier]:
    """Read a file of verifier keys, one on each line: a vkey, and behind a retired one ``until <size>``.

    Raises KeyRefused for anything else, and for a file without a key.
    """
    keys = [_log_key(line) for line in text.splitlines() if line.strip()]
    if not keys:
        raise KeyRefused("there is no verifier key in it")
    return keys


def format_log_keys(keys: Iterable[Verifier]) -> str:
    """What `parse_log_keys` reads."""
    return "".join(f"{key.vkey} until {key.until}\n" if isinstance(key, LogKey) else f"{key.vkey}\n" for key in keys)


def _log_key(line: str) -> Verifier:
    vkey, *rest = line.split()
    verifier = verifier_from_vkey(vkey)
    if not rest:
        return verifier
    if len(rest) != 2 or rest[0] != "until" or _SIZE.fullmatch(rest[1]) is None:
        raise KeyRefused("behind a verifier key there may stand `until` and the size at which it was retired")
    return LogKey(verifier, int(rest[1]))
