"""C2SP signed-note: a text, a blank line, and lines of signatures by named keys; and C2SP tlog-cosignature.

Where the specification leaves room this follows golang.org/x/mod/sumdb/note, against which other logs are read.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, Self, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import KeyRefused, MalformedNote, VerificationFailed

MAX_NOTE: Final = 1_000_000
"""Bytes of a note that is read; a longer one is refused unread (the limit of golang.org/x/mod/sumdb/note)."""
MAX_SIGNATURES: Final = 100
"""Signature lines that are read; the specification asks for at least 16."""

_ED25519: Final = 0x01
_ED25519_COSIGNATURE: Final = 0x04
_KEY_ID_SIZE: Final = 4
_TIME_SIZE: Final = 8
_MAX_TIME: Final = 2**63 - 1
_PREFIX: Final = "\u2014 "  # an em dash and a space
_NOT_PLAIN = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff]")


class Verifier(Protocol):
    """A public key under a name."""

    @property
    def name(self) -> str:
        """The key's name, as it stands in a signature line."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before the signature."""

    @property
    def vkey(self) -> str:
        """The key as text, `name+keyid+key`."""

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Say whether this key made the signature (without the key id) over the note's text."""


class Signer(Protocol):
    """A private key under a name."""

    @property
    def name(self) -> str:
        """The key's name, as it stands in a signature line."""

    @property
    def key_id(self) -> bytes:
        """The four bytes that stand before the signature."""

    def sign(self, text: bytes) -> bytes:
        """The signature over a note's text, without the key id."""

    def verifier(self) -> Verifier:
        """The public half."""

    @property
    def vkey(self) -> str:
        """The public half as text, `name+keyid+key`."""


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line: the key's name, its id (4 bytes) and the signature after the id."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{_PREFIX}{self.name} {base64.b64encode(self.key_id + self.signature).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """An opened note: its text, the signatures that known keys made, and those by keys that are not known."""

    text: str
    verified: tuple[NoteSignature, ...]
    unverified: tuple[NoteSignature, ...]


def key_id(name: str, key_type: int, public_key: bytes) -> bytes:
    """SHA-256(name, newline, type, public key), cut to four bytes (signed-note, "Signatures")."""
    return hashlib.sha256(f"{name}\n".encode() + bytes([key_type]) + public_key).digest()[:_KEY_ID_SIZE]


def name_is_valid(name: str) -> bool:
    """A key's name is not empty, encodes as UTF-8, and has no Unicode space, no plus, no control character."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and _NOT_PLAIN.search(name) is None


def _require_name(name: str) -> str:
    if not name_is_valid(name):
        raise KeyRefused("a key's name must not be empty and must have no space, plus or control character")
    return name


class _NamedKey:
    """A public Ed25519 key under a name, as one of the types of signed-note."""

    key_type: int

    def __init__(self, name: str, public_key: bytes) -> None:
        self.name = _require_name(name)
        try:
            self._key = Ed25519PublicKey.from_public_bytes(public_key)
        except ValueError:
            raise KeyRefused("an Ed25519 public key has 32 bytes") from None
        self._public = public_key
        self.key_id = key_id(name, self.key_type, public_key)

    @property
    def vkey(self) -> str:
        """The key as text: `name+hex(key id)+base64(type, public key)`."""
        encoded = base64.b64encode(bytes([self.key_type]) + self._public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def from_vkey(cls, text: str) -> Self:
        """Read a key's text; raises KeyRefused unless it is well formed, of this type, and its key id is right."""
        name, key_type, public_key = _split_vkey(text)
        if key_type != cls.key_type:
            raise KeyRefused(f"the key is of type {key_type:#04x}, expected {cls.key_type:#04x}")
        return cls(name, public_key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.key_id.hex()}>"

    def _signed(self, message: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


_Public = TypeVar("_Public", bound=_NamedKey)


class Ed25519Verifier(_NamedKey):
    """A key of type 0x01: Ed25519 (RFC 8032) over the text."""

    key_type = _ED25519

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Say whether this key signed the text."""
        return self._signed(text, signature)


class CosignatureVerifier(_NamedKey):
    """A witness's key of type 0x04 (C2SP tlog-cosignature): Ed25519 over a time and the text."""

    key_type = _ED25519_COSIGNATURE

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Say whether this key cosigned the text at the time stated in the signature (`cosignature_time`)."""
        seconds = cosignature_time(signature)
        return seconds <= _MAX_TIME and self._signed(_cosigned_message(seconds, text), signature[_TIME_SIZE:])


def cosignature_time(signature: bytes) -> int:
    """When a cosignature says that it was made, in seconds since 1970 UTC; believe it only after `verify`."""
    return int.from_bytes(signature[:_TIME_SIZE], "big")


def _cosigned_message(seconds: int, text: bytes) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n".encode("ascii") + text


def verifier_from_vkey(text: str) -> Ed25519Verifier | CosignatureVerifier:
    """Read a key's text of any type known here; raises KeyRefused for another type or a malformed text."""
    name, key_type, public_key = _split_vkey(text)
    if key_type == _ED25519:
        return Ed25519Verifier(name, public_key)
    if key_type == _ED25519_COSIGNATURE:
        return CosignatureVerifier(name, public_key)
    raise KeyRefused(f"keys of type {key_type:#04x} are not supported")


def _split_vkey(text: str) -> tuple[str, int, bytes]:
    name, _, rest = text.partition("+")
    hex_id, _, encoded = rest.partition("+")
    try:
        stated_id = binascii.unhexlify(hex_id)
        typed_key = _decode_base64(encoded)
    except ValueError:
        raise KeyRefused("a key's text is name+hex(key id)+base64(type, public key)") from None
    if len(stated_id) != _KEY_ID_SIZE or not typed_key:
        raise KeyRefused("a key's text is name+hex(key id)+base64(type, public key)")
    if key_id(_require_name(name), typed_key[0], typed_key[1:]) != stated_id:
        raise KeyRefused("the key id does not belong to this name and key")
    return name, typed_key[0], typed_key[1:]


class _NamedSigner(Generic[_Public]):
    """A private Ed25519 key in memory, beside its public half."""

    def __init__(self, verifier: _Public, private_key: Ed25519PrivateKey) -> None:
        self._verifier = verifier
        self._private_key = private_key
        self.name = verifier.name
        self.key_id = verifier.key_id

    def verifier(self) -> _Public:
        """The public half."""
        return self._verifier

    @property
    def vkey(self) -> str:
        """The public half as text."""
        return self._verifier.vkey

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self.key_id.hex()}>"


class Ed25519Signer(_NamedSigner[Ed25519Verifier]):
    """Signs notes with a key of type 0x01."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey) -> None:
        super().__init__(Ed25519Verifier(name, private_key.public_key().public_bytes_raw()), private_key)

    def sign(self, text: bytes) -> bytes:
        """The Ed25519 signature over the text."""
        return self._private_key.sign(text)


class CosignatureSigner(_NamedSigner[CosignatureVerifier]):
    """A witness's signer (type 0x04); `clock` gives seconds since 1970 UTC, of which the whole seconds are signed."""

    def __init__(self, name: str, private_key: Ed25519PrivateKey, clock: Callable[[], float]) -> None:
        super().__init__(CosignatureVerifier(name, private_key.public_key().public_bytes_raw()), private_key)
        self._clock = clock

    def sign(self, text: bytes) -> bytes:
        """The time in 8 bytes, then the Ed25519 signature over that time and the text."""
        seconds = int(self._clock())
        return seconds.to_bytes(_TIME_SIZE, "big") + self._private_key.sign(_cosigned_message(seconds, text))


def cosigner_of(signer: Ed25519Signer, clock: Callable[[], float]) -> CosignatureSigner:
    """The same private key under the same name, for cosignatures."""
    return CosignatureSigner(signer.name, signer._private_key, clock)  # noqa: SLF001 - of this module's own class


def sign_text(text: str, signer: Signer) -> NoteSignature:
    """One signature over a note's text. Raises MalformedNote where the text cannot be a note's."""
    return NoteSignature(_require_name(signer.name), signer.key_id, signer.sign(_encode_text(text)))


def format_note(text: str, signatures: Iterable[NoteSignature]) -> str:
    """A note of a text and signatures made elsewhere (a witness's, read with `parse_signature`).

    Raises MalformedNote where there are none, too many, or the note would be longer than any that is read.
    """
    _encode_text(text)
    lines = [signature.line() for signature in signatures]
    if not 1 <= len(lines) <= MAX_SIGNATURES:
        raise MalformedNote(f"a note has 1 to {MAX_SIGNATURES} signatures")
    note = f"{text}\n{''.join(lines)}"
    if len(note.encode()) > MAX_NOTE:
        raise MalformedNote(f"a note of more than {MAX_NOTE} bytes")
    return note


def sign_note(text: str, signers: Iterable[Signer]) -> str:
    """Sign a text with every signer, in their order.

    Raises MalformedNote unless the text ends in a newline and has no control character besides, and KeyRefused for a
    name that cannot stand in a note.
    """
    return format_note(text, [sign_text(text, signer) for signer in signers])


def open_note(note: str | bytes, verifiers: Sequence[Verifier]) -> Note:
    """Check a note against the keys that the reader knows.

    Signatures by other keys are kept as unverified; a repeated signature of one key is ignored after the first.
    Raises MalformedNote for what is no note, VerificationFailed where a known key's signature is false or no known key
    has signed, and KeyRefused where a signature could be either of two of the reader's keys.
    """
    known = _by_identity(verifiers)
    text, signatures = split_note(note)
    encoded = text.encode()
    verified: dict[tuple[str, bytes], NoteSignature] = {}
    unverified: dict[NoteSignature, None] = {}
    for signature in signatures:
        identity = (signature.name, signature.key_id)
        candidates = known.get(identity)
        if candidates is None:
            unverified[signature] = None
        elif len(candidates) > 1:
            raise KeyRefused(f"two known keys have the name {signature.name} and one key id")
        elif identity not in verified:
            if not candidates[0].verify(encoded, signature.signature):
                raise VerificationFailed(f"the signature of the known key {signature.name} is false")
            verified[identity] = signature
    if not verified:
        raise VerificationFailed("no known key has signed the note")
    return Note(text, tuple(verified.values()), tuple(unverified))


def split_note(note: str | bytes) -> tuple[str, tuple[NoteSignature, ...]]:
    """Take a note apart and believe nothing of it: its text and its signature lines as they stand.

    Raises MalformedNote as `open_note` does.
    """
    decoded = _decode_note(note)
    text, blank_line, block = decoded.rpartition("\n\n")
    if not blank_line:
        raise MalformedNote("no blank line stands before the signatures")
    if not block.endswith("\n"):
        raise MalformedNote("the note does not end in a signature line and a newline")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise MalformedNote(f"more than {MAX_SIGNATURES} signatures")
    return f"{text}\n", tuple(parse_signature(line) for line in lines)


def parse_signature(line: str) -> NoteSignature:
    """Read one signature line, without newline, and believe nothing of it; raises MalformedNote for another form."""
    if not line.startswith(_PREFIX):
        raise MalformedNote("a signature line does not begin with an em dash and a space")
    name, _, encoded = line.removeprefix(_PREFIX).partition(" ")
    if not name_is_valid(name):
        raise MalformedNote("a signature line has no valid key name")
    try:
        signature = _decode_base64(encoded)
    except ValueError:
        raise MalformedNote("a signature is not in standard base64") from None
    if len(signature) <= _KEY_ID_SIZE:
        raise MalformedNote("a signature is shorter than five bytes")
    return NoteSignature(name, signature[:_KEY_ID_SIZE], signature[_KEY_ID_SIZE:])


def _decode_base64(text: str) -> bytes:
    decoded = base64.b64decode(text, validate=True)
    # The decoder lets surplus padding and stray low bits pass; one signature must have one spelling.
    if base64.b64encode(decoded).decode("ascii") != text:
        raise ValueError("not canonical")
    return decoded


def _by_identity(verifiers: Sequence[Verifier]) -> dict[tuple[str, bytes], list[Verifier]]:
    known: dict[tuple[str, bytes], list[Verifier]] = {}
    for verifier in verifiers:
        known.setdefault((verifier.name, verifier.key_id), []).append(verifier)
    return known


def _encode_text(text: str) -> bytes:
    if not text.endswith("\n"):
        raise MalformedNote("a note's text ends in a newline")
    _require_plain(text)
    return text.encode()


def _decode_note(note: str | bytes) -> str:
    try:
        encoded = note.encode() if isinstance(note, str) else note
        if len(encoded) > MAX_NOTE:
            raise MalformedNote(f"a note of more than {MAX_NOTE} bytes")
        decoded = encoded.decode()
    except UnicodeError:
        raise MalformedNote("the note is not in UTF-8") from None
    _require_plain(decoded)
    return decoded


def _require_plain(text: str) -> None:
    if _NOT_PLAIN.search(text) is not None:
        raise MalformedNote("a control character or half of a surrogate pair stands in the note")
