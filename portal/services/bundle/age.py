"""Encrypting a file under a passphrase in the age format (https://age-encryption.org/v1, C2SP `age`).

Anybody opens such a file with the programs `age` or `rage`, without this portal. The work with the passphrase is done
once, when it is given: it ends in a header and a file key, with which the content is encrypted later, in constant
memory, by a process that never saw the passphrase.
"""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from threading import Lock

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

VERSION = b"age-encryption.org/v1"
#: log2 of scrypt's cost: 128 MiB of memory and some tenths of a second for each guess (OWASP's recommendation).
WORK_FACTOR = 17
_SCRYPT_LABEL = b"age-encryption.org/v1/scrypt"
_PIECE = 64 * 1024
_KEY, _SALT, _PAYLOAD_NONCE, _COUNTER = 16, 16, 16, 11
_LAST, _NOT_LAST = b"\1", b"\0"
#: Each takes much memory: of several at once the others wait.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True, slots=True)
class FileLock:
    """The beginning of an encrypted file, which is no secret, and the file key, which is."""

    header: bytes
    file_key: bytes = field(repr=False)


def lock_with(passphrase: str, *, work_factor: int = WORK_FACTOR) -> FileLock:
    """A new file key, wrapped under `passphrase` alone. Takes some tenths of a second, on purpose."""
    file_key, salt = os.urandom(_KEY), os.urandom(_SALT)
    with _ONE_AT_A_TIME:
        wrapping_key = Scrypt(_SCRYPT_LABEL + salt, 32, 2**work_factor, 8, 1).derive(passphrase.encode())
    wrapped = ChaCha20Poly1305(wrapping_key).encrypt(bytes(12), file_key, None)
    stanza = b"-> scrypt %b %d\n%b\n" % (_base64(salt), work_factor, _base64(wrapped))
    head = VERSION + b"\n" + stanza + b"---"
    mac = hmac.digest(_derived(file_key, b"", b"header"), head, "sha256")
    return FileLock(head + b" " + _base64(mac) + b"\n", file_key)


def encrypted(lock: FileLock, content: Iterable[bytes]) -> Iterator[bytes]:
    """The whole file. Each call is under a key of its own, so one lock may serve a file that has to be made again."""
    nonce = os.urandom(_PAYLOAD_NONCE)
    yield lock.header + nonce
    cipher = ChaCha20Poly1305(_derived(lock.file_key, nonce, b"payload"))
    held, number = bytearray(), 0
    for block in content:
        held += block
        while len(held) > _PIECE:  # the last piece is marked as such, so one is always kept back
            yield cipher.encrypt(number.to_bytes(_COUNTER, "big") + _NOT_LAST, bytes(held[:_PIECE]), None)
            del held[:_PIECE]
            number += 1
    yield cipher.encrypt(number.to_bytes(_COUNTER, "big") + _LAST, bytes(held), None)


def _derived(file_key: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt or None, info=purpose).derive(file_key)


def _base64(value: bytes) -> bytes:
    """Without padding, as age has it."""
    return base64.b64encode(value).rstrip(b"=")
