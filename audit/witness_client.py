"""Asking a witness for a cosignature (C2SP tlog-witness, the client's side), and what its answers mean."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from audit.errors import AuditError, KeyRefused, MalformedNote, VerificationFailed
from audit.note import CosignatureVerifier, NoteSignature, Verifier, open_note, verifier_from_vkey
from audit.witness import ADD_CHECKPOINT, SIZE_TYPE, Submission

#: Seconds that a witness may take for one answer.
SECONDS: Final = 5.0
_MAX_ANSWER: Final = 64 * 1024
_ROUNDS: Final = 3
_OK, _FORBIDDEN, _NOT_FOUND, _CONFLICT, _UNPROCESSABLE = 200, 403, 404, 409, 422


class WitnessState(StrEnum):
    """How a witness stands to the log."""

    #: It was never asked.
    NEW = "new"
    #: It cosigned the last checkpoint that it was shown.
    COSIGNED = "cosigned"
    #: It has cosigned another history of this log, or a longer one than there is: a fork or a rollback. The alarm.
    REFUSED = "refused"
    #: It does not know the log, or not the key that signs.
    STRANGER = "stranger"
    #: It did not answer, or not as a witness does.
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """A witness that the log asks: where it listens, and the key by which its cosignatures are known."""

    url: str
    verifier: CosignatureVerifier

    @classmethod
    def parse(cls, text: str) -> WitnessAddress:
        """Read ``URL VKEY``. Raises KeyRefused for anything else."""
        url, _, vkey = text.strip().partition(" ")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise KeyRefused("a witness is given as its http(s) address and, after a space, its verifier key")
        verifier = verifier_from_vkey(vkey.strip())
        if not isinstance(verifier, CosignatureVerifier):
            raise KeyRefused(f"the key of {verifier.name} is not a witness's (type 0x04)")
        return cls(url.rstrip("/"), verifier)

    @property
    def key(self) -> str:
        """By which the witness is known in the log's tables."""
        return key_of(self.verifier)


def key_of(signed: Verifier | NoteSignature) -> str:
    """Name and key id of whoever signs, or signed."""
    return f"{signed.name}+{signed.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """What came of asking: a state, the cosignature where there is one, else what the matter is."""

    state: WitnessState
    cosignature: NoteSignature | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    content_type: str
    body: bytes


Post = Callable[[str, bytes], Response]


def post(url: str, body: bytes) -> Response:
    """One request over HTTP(S); no redirect is followed. Raises OSError or HTTPException where no answer comes."""
    parts = urlsplit(url)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.netloc, timeout=SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
    try:
        connection.request("POST", parts.path, body, {"Content-Type": "text/plain; charset=utf-8"})
        answer = connection.getresponse()
        return Response(answer.status, answer.headers.get_content_type(), answer.read(_MAX_ANSWER))
    finally:
        connection.close()


def ask_witness(
    witness: WitnessAddress,
    note: str,
    size: int,
    last: int,
    proof: Callable[[int, int], tuple[bytes, ...]],
    *,
    send: Post = post,
) -> WitnessAnswer:
    """Ask for a cosignature on the checkpoint `note` of `size` entries, where the witness cosigned `last` before.

    What it says of its own memory (409) is followed: `proof` gives the consistency proof from there. It never raises
    for what a witness does: every way in which one can fail is an answer.
    """
    old = last
    for _ in range(_ROUNDS):
        if old > size:
            return WitnessAnswer(
                WitnessState.REFUSED, problem=f"it has cosigned {old} entries, and the log holds {size}: a rollback"
            )
        try:
            hashes = proof(old, size) if 0 < old < size else ()
            response = send(witness.url + ADD_CHECKPOINT, Submission(old, hashes, note).encode())
        except (OSError, http.client.HTTPException) as error:
            return WitnessAnswer(WitnessState.UNAVAILABLE, problem=f"no answer ({type(error).__name__})")
        if response.status != _CONFLICT:
            return _understood(witness, note, response)
        remembered = _size(response)
        if remembered is None:
            return WitnessAnswer(WitnessState.UNAVAILABLE, problem="its answer about its memory is no size")
        if remembered == old:
            return WitnessAnswer(WitnessState.REFUSED, problem=f"it has cosigned another tree of {old} entries: a fork")
        old = remembered
    return WitnessAnswer(WitnessState.UNAVAILABLE, problem="its memory changes while it is asked")


def _size(response: Response) -> int | None:
    text = response.body.removesuffix(b"\n")
    if response.content_type != SIZE_TYPE or not text.isdigit() or len(text) > len(str(2**63)):
        return None
    return int(text)


def _understood(witness: WitnessAddress, note: str, response: Response) -> WitnessAnswer:
    if response.status == _OK:
        return _cosigned(witness, note, response.body)
    if response.status == _UNPROCESSABLE:
        return WitnessAnswer(WitnessState.REFUSED, problem="the log does not go on from what it has cosigned: a fork")
    if response.status in {_FORBIDDEN, _NOT_FOUND}:
        what = "the log" if response.status == _NOT_FOUND else "the key that signs the log"
        return WitnessAnswer(WitnessState.STRANGER, problem=f"it does not know {what} (status {response.status})")
    return WitnessAnswer(WitnessState.UNAVAILABLE, problem=f"it answered with status {response.status}")


def _cosigned(witness: WitnessAddress, note: str, lines: bytes) -> WitnessAnswer:
    """Believe only a cosignature that holds: it is served to others under the witness's name."""
    text = note.rpartition("\n\n")[0]
    try:
        opened = open_note(f"{text}\n\n".encode() + lines, [witness.verifier])
    except (MalformedNote, VerificationFailed) as error:
        return WitnessAnswer(WitnessState.UNAVAILABLE, problem=f"its cosignature does not hold ({_in_short(error)})")
    return WitnessAnswer(WitnessState.COSIGNED, opened.verified[0])


def _in_short(error: AuditError) -> str:
    return type(error).__name__
