"""A witness (C2SP tlog-witness): it cosigns a log's checkpoint only where that follows from the last one it cosigned.

So whoever sees its cosignature knows that the log has shown the witness no other history. What it has cosigned is on
the disk before the cosignature leaves the house.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from audit.errors import (
    InvalidProof,
    MalformedCheckpoint,
    MalformedNote,
    VerificationFailed,
)
from audit.files import replace_durably
from audit.merkle import EMPTY_ROOT, HASH_SIZE, verify_consistency
from audit.note import MAX_NOTE, CosignatureSigner, Verifier, sign_text, split_note

ADD_CHECKPOINT: Final = "/add-checkpoint"
MAX_PROOF: Final = 63
#: Bytes of a request: the old size, 63 hashes in base64, and a note.
MAX_REQUEST: Final = MAX_NOTE + 64 * 64
SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered over HTTP."""

    status: int
    body: str
    content_type: str = TEXT_TYPE


@dataclass(frozen=True, slots=True)
class Submission:
    """The body of an add-checkpoint request: the size that the proof starts from, the proof, and the signed note."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    def encode(self) -> bytes:
        lines = (f"{base64.b64encode(node).decode()}\n" for node in self.proof)
        return f"old {self.old}\n{''.join(lines)}\n{self.note}".encode()

    @classmethod
    def parse(cls, body: bytes) -> Submission:
        """Raises MalformedNote for another form; of the note nothing is believed yet."""
        head, blank, note = body.partition(b"\n\n")
        if not blank or len(body) > MAX_REQUEST:
            raise MalformedNote("a request is an old size, a proof, a blank line and a checkpoint")
        try:
            first, *lines = head.decode("ascii").split("\n")
            text = note.decode()
        except UnicodeError:
            raise MalformedNote("the request is not text") from None
        old = _OLD.fullmatch(first)
        if old is None:
            raise MalformedNote("the first line is not `old` and a size")
        if len(lines) > MAX_PROOF:
            raise MalformedNote(f"the proof has more than {MAX_PROOF} hashes")
        return cls(int(old[1]), tuple(map(_hash, lines)), text)


def _hash(line: str) -> bytes:
    try:
        node = base64.b64decode(line, validate=True)
    except ValueError:
        raise MalformedNote("a hash of the proof is not base64") from None
    if len(node) != HASH_SIZE or base64.b64encode(node).decode() != line:
        raise MalformedNote("a hash of the proof is not 32 bytes in base64")
    return node


class Witness:
    """Knows some logs by their keys, and of each the last checkpoint that it cosigned, in a file of its own.

    Any number of threads and processes may share the folder.
    """

    def __init__(self, folder: Path, signer: CosignatureSigner, keys: Sequence[Verifier]) -> None:
        self._folder = folder
        self._signer = signer
        self._keys: Mapping[str, list[Verifier]] = {
            name: [key for key in keys if key.name == name] for name in {key.name for key in keys}
        }
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def origins(self) -> list[str]:
        """The logs that it knows."""
        return sorted(self._keys)

    def add_checkpoint(self, body: bytes) -> Reply:
        """Answer a request. Raises OSError where what is to be cosigned cannot be kept: then nothing is cosigned."""
        try:
            submission = Submission.parse(body)
            text, _ = split_note(submission.note)
        except MalformedNote as error:
            return Reply(400, f"{error}\n")
        origin = text.partition("\n")[0]
        keys = self._keys.get(origin)
        if keys is None:
            return Reply(404, "this witness does not know the log\n")
        try:
            checkpoint = open_checkpoint(submission.note, origin, keys).checkpoint
        except VerificationFailed as error:
            return Reply(403, f"{error}\n")
        except MalformedCheckpoint as error:
            return Reply(400, f"{error}\n")
        if submission.old > checkpoint.size:
            return Reply(400, "the old size is larger than the checkpoint's\n")
        with self._holding(origin) as file:
            last = self._last(file)
            refusal = _refusal(submission, checkpoint, last)
            if refusal is not None:
                return refusal
            cosignature = sign_text(text, self._signer).line()
            if last is None or last.size < checkpoint.size:
                replace_durably(file, submission.note.encode())
            return Reply(200, cosignature)

    @contextmanager
    def _holding(self, origin: str) -> Iterator[Path]:
        """Nobody else checks or keeps a checkpoint of this log meanwhile: two requests must not pass each other."""
        file = self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"
        with self._lock, file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield file

    @staticmethod
    def _last(file: Path) -> Checkpoint | None:
        try:
            note = file.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return parse_checkpoint(split_note(note)[0])
        except (MalformedNote, MalformedCheckpoint) as error:
            # To take it for an empty memory would be to forget what was cosigned.
            raise OSError(f"{file} is damaged: {error}") from error


def _refusal(submission: Submission, checkpoint: Checkpoint, last: Checkpoint | None) -> Reply | None:
    """Why this checkpoint is not cosigned after the last; None where nothing speaks against it."""
    size, root = (0, EMPTY_ROOT) if last is None else (last.size, last.root)
    if submission.old != size or (size == checkpoint.size and root != checkpoint.root):
        return Reply(409, f"{size}\n", SIZE_TYPE)
    try:
        if size == 0:
            _require(not submission.proof, "a proof from size 0 has no hashes")
        else:
            verify_consistency(size, checkpoint.size, submission.proof, root, checkpoint.root)
    except InvalidProof as error:
        return Reply(422, f"{error}\n")
    return None


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise InvalidProof(why)
