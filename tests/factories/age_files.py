"""Opening an age file the way its specification says, written apart from what the portal encrypts with."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


class DoesNotOpen(Exception):
    """The passphrase is wrong, or the file was changed or cut."""


def opened(file: bytes, passphrase: str) -> bytes:
    """What an age file with one scrypt recipient holds (C2SP age, sections "Header", "scrypt recipient", "Payload").

    Raises DoesNotOpen.
    """
    head, mark, rest = file.partition(b"\n--- ")
    mac, newline, payload = rest.partition(b"\n")
    version, stanza, body = head.split(b"\n")
    arrow, kind, salt, work = stanza.split(b" ")
    if (version, arrow, kind, mark, newline) != (b"age-encryption.org/v1", b"->", b"scrypt", b"\n--- ", b"\n"):
        raise DoesNotOpen("not an age file under a passphrase")
    label = b"age-encryption.org/v1/scrypt" + _decoded(salt)
    cost = {"n": 1 << int(work), "r": 8, "p": 1, "maxmem": 1 << 30}
    wrapping = hashlib.scrypt(passphrase.encode(), salt=label, dklen=32, **cost)
    file_key = _unsealed(wrapping, bytes(12), _decoded(body))
    expected = hmac.digest(_hkdf(file_key, b"", b"header"), head + b"\n---", "sha256")
    if not hmac.compare_digest(expected, _decoded(mac)):
        raise DoesNotOpen("the header was changed")
    return _payload(_hkdf(file_key, payload[:16], b"payload"), payload[16:])


def _payload(key: bytes, sealed: bytes) -> bytes:
    size, pieces = 65536 + 16, []
    count = max(1, -(-len(sealed) // size))
    for number in range(count):
        nonce = b"\0\0\0" + struct.pack(">Q", number) + bytes([number == count - 1])
        pieces.append(_unsealed(key, nonce, sealed[number * size : (number + 1) * size]))
    if count > 1 and not pieces[-1]:
        raise DoesNotOpen("the last piece is empty")
    return b"".join(pieces)


def _unsealed(key: bytes, nonce: bytes, sealed: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(key).decrypt(nonce, sealed, None)
    except (InvalidTag, ValueError):
        raise DoesNotOpen("a piece does not open") from None


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """RFC 5869 for one block of output."""
    extracted = hmac.digest(salt or bytes(32), secret, "sha256")
    return hmac.digest(extracted, info + b"\1", "sha256")


def _decoded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
