"""Keys at rest: the log's signing key in a file of its own, and the master key that wraps the keys of the vault.

A signing key is one line in the form of Go's sumdb/note: ``PRIVATE+KEY+<name>+<key id in hex>+<base64(type ‖ seed)>``;
its public half, the verifier key of C2SP signed-note, lies beside it with the ending ``.vkey``.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from audit.errors import KeyRefused
from audit.note import CosignatureSigner, Ed25519Signer, Signer, cosigner_of
from audit.pkcs11 import PKCS11, token_signer
from audit.private import read_private_file

KEY_SIZE = 32
_NONCE_SIZE = 12
_KEY_ID_SIZE = 4
_DEMO_PREFIX = "demo:"
_SIGNING_KEY_PREFIX = "PRIVATE+KEY+"
_PUBLIC_SUFFIX = ".vkey"
_ED25519 = b"\x01"


class MasterKey:
    """The key that wraps every other key of the vault: 32 bytes that never stand in the database.

    `key_id` names it in what it wrapped, so that a rotation can tell old from new. A key made for a demonstration says
    so (`is_demo`), and production refuses it.
    """

    __slots__ = ("_key", "_wrapping", "is_demo", "key_id")

    def __init__(self, key: bytes, *, is_demo: bool = False) -> None:
        if len(key) != KEY_SIZE:
            raise KeyRefused(f"a master key has {KEY_SIZE} bytes")
        self._key = key
        self.is_demo = is_demo
        self.key_id = self.derived("key-id", _KEY_ID_SIZE)
        self._wrapping = AESGCM(self.derived("wrapping", KEY_SIZE))

    @classmethod
    def generate(cls, *, is_demo: bool = False) -> MasterKey:
        return cls(os.urandom(KEY_SIZE), is_demo=is_demo)

    @classmethod
    def from_text(cls, text: str) -> MasterKey:
        """Read the base64url text of 32 bytes, after "demo:" for a demonstration's. Raises KeyRefused."""
        is_demo = text.startswith(_DEMO_PREFIX)
        try:
            encoded = text.removeprefix(_DEMO_PREFIX).strip().encode("ascii")
            key = base64.b64decode(encoded + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            raise KeyRefused("the master key is not base64url text") from None
        return cls(key, is_demo=is_demo)

    def to_text(self) -> str:
        encoded = base64.urlsafe_b64encode(self._key).decode().rstrip("=")
        return f"{_DEMO_PREFIX}{encoded}" if self.is_demo else encoded

    def derived(self, purpose: str, length: int) -> bytes:
        """HKDF-SHA-256 (RFC 5869) for one purpose: no two purposes share a key."""
        return HKDF(SHA256(), length, salt=None, info=b"glasshouse/audit/" + purpose.encode()).derive(self._key)

    def wrap(self, secret: bytes, context: bytes) -> bytes:
        """AES-256-GCM of `secret`, bound to `context`, preceded by this key's id."""
        nonce = os.urandom(_NONCE_SIZE)
        return self.key_id + nonce + self._wrapping.encrypt(nonce, secret, self.key_id + context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Raises KeyRefused when another master key wrapped it, or it was changed or moved."""
        key_id, nonce = wrapped[:_KEY_ID_SIZE], wrapped[_KEY_ID_SIZE : _KEY_ID_SIZE + _NONCE_SIZE]
        if key_id != self.key_id:
            raise KeyRefused("this was wrapped by another master key")
        try:
            return self._wrapping.decrypt(nonce, wrapped[_KEY_ID_SIZE + _NONCE_SIZE :], key_id + context)
        except (InvalidTag, ValueError):
            raise KeyRefused("a wrapped key was changed or moved") from None

    def __repr__(self) -> str:
        return "MasterKey(hidden)"


def wrapping_key_id(wrapped: bytes) -> bytes:
    """The `key_id` of the master key that wrapped this."""
    return wrapped[:_KEY_ID_SIZE]


def generate_signing_key(path: Path, name: str, *, for_witness: bool = False) -> Ed25519Signer:
    """Make an Ed25519 key for `name` in a new file that only its owner may read, and its public half beside it.

    `for_witness`: the public half is that of a witness (type 0x04), which signs nothing but cosignatures.

    Raises:
        KeyRefused: one of the files exists (a key is never replaced), or the name is no key name.
    """
    public = path.with_suffix(_PUBLIC_SUFFIX)
    if public == path:
        raise KeyRefused(f"{path} is where the public half belongs; give the signing key another ending")
    if public.exists():
        raise KeyRefused(f"{public} exists; the key it belongs to is not replaced")
    private = Ed25519PrivateKey.generate()
    signer = Ed25519Signer(name, private)
    encoded = base64.b64encode(_ED25519 + private.private_bytes_raw()).decode()
    text = f"{_SIGNING_KEY_PREFIX}{name}+{signer.key_id.hex()}+{encoded}\n"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise KeyRefused(f"{path} exists; a signing key is never replaced") from None
    vkey = cosigner_of(signer, time.time).vkey if for_witness else signer.vkey
    public.write_text(vkey + "\n", encoding="utf-8")
    return signer


def load_cosigner(path: Path, clock: Callable[[], float] = time.time) -> CosignatureSigner:
    """Read a witness's key from a file that `generate_signing_key` made. Raises KeyRefused as `load_signer` does."""
    signer = _signer_of(read_private_file(path, "signing key"))
    if signer is None:
        raise KeyRefused(f"{path} holds no Ed25519 signing key")
    return cosigner_of(signer, clock)


def load_signer(reference: Path | str) -> Signer:
    """Read a signing key: from a file, or by a `pkcs11:` reference (RFC 7512) from the token that holds it.

    Raises:
        KeyRefused: the file is missing, readable by others than its owner, or no signing key; or the token does not
            give it.
    """
    if str(reference).startswith(PKCS11):
        return token_signer(str(reference))
    path = Path(reference)
    text = read_private_file(path, "signing key")
    signer = _signer_of(text)
    if signer is None:
        raise KeyRefused(f"{path} holds no Ed25519 signing key")
    return signer


def _signer_of(text: str) -> Ed25519Signer | None:
    if not text.startswith(_SIGNING_KEY_PREFIX):
        return None
    # The base64 at the end may itself hold a plus sign; the name and the id may not.
    name, _, rest = text.removeprefix(_SIGNING_KEY_PREFIX).partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    if len(key) != 1 + KEY_SIZE or key[:1] != _ED25519:
        return None
    signer = Ed25519Signer(name, Ed25519PrivateKey.from_private_bytes(key[1:]))
    return signer if signer.key_id.hex() == key_id else None
