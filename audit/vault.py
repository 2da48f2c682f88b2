"""Where bodies are sealed: a data key and a label key for each subject, wrapped by the master key.

Deleting one entry's sealed body, or one subject's keys, makes the plaintext unrecoverable, while the leaf, which only
commits to it, stays where it is and every proof stays valid (GDPR Article 17 against an append-only log).
"""

from __future__ import annotations

import hmac
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.errors import KeyRefused, VerificationFailed
from audit.keys import KEY_SIZE, MasterKey, wrapping_key_id

SECRET_SIZE = 32
INDEX_SIZE = 16
_NONCE_SIZE = 12
_COUNT_SIZE = 8
_INDEX_KEY_CONTEXT = b"index-key/v1"
_SUBJECT_CONTEXT = b"subject-keys/v1\n"


@dataclass(frozen=True, slots=True, repr=False)
class SubjectKeys:
    """One subject's keys: `data` seals their bodies, `label` makes their labels."""

    data: bytes
    label: bytes


@dataclass(frozen=True, slots=True)
class OpenedBody:
    """What a sealed body held: the secret of its commitment, the subject's count k of its label, the canonical body."""

    secret: bytes = field(repr=False)
    count: int
    body: bytes = field(repr=False)


class Vault:
    """Seals and opens under one master key, or two while one replaces the other.

    It holds no state of any subject and knows no database. Which of two master keys wraps what is new is not its own
    choice: it is the one that wraps the index key in the database (`wrapping_key`), so that all processes change over
    at one moment.
    """

    def __init__(self, master_key: MasterKey, wrapped_index_key: bytes, previous: MasterKey | None = None) -> None:
        self._master_keys = {key.key_id: key for key in (master_key, previous) if key is not None}
        self._index_key = self._unwrap(wrapped_index_key, _INDEX_KEY_CONTEXT)

    @staticmethod
    def new_index_key(master_key: MasterKey) -> bytes:
        """A fresh wrapped key for the blind indexes. It outlives master keys: a rotation only wraps it anew."""
        return master_key.wrap(os.urandom(KEY_SIZE), _INDEX_KEY_CONTEXT)

    def index(self, kind: str, value: str) -> bytes:
        """A blind index: the same for the same value, of no meaning without the key; 16 bytes of HMAC-SHA-256."""
        return hmac.digest(self._index_key, f"{kind}\n{value}".encode(), "sha256")[:INDEX_SIZE]

    def wrapping_key(self, wrapped_index_key: bytes) -> MasterKey:
        """The master key that is in use. Raises KeyRefused when this process does not hold it."""
        return self._master_key_of(wrapped_index_key)

    @staticmethod
    def new_subject_keys(wrapping_key: MasterKey, subject_index: bytes) -> tuple[SubjectKeys, bytes]:
        """Fresh keys, and the same wrapped for storing."""
        keys = SubjectKeys(os.urandom(KEY_SIZE), os.urandom(KEY_SIZE))
        return keys, wrapping_key.wrap(keys.data + keys.label, _SUBJECT_CONTEXT + subject_index)

    def subject_keys(self, wrapped: bytes, subject_index: bytes) -> SubjectKeys:
        """Raises KeyRefused when they were wrapped by another master key or for another subject."""
        both = self._unwrap(wrapped, _SUBJECT_CONTEXT + subject_index)
        return SubjectKeys(both[:KEY_SIZE], both[KEY_SIZE:])

    def rewrapped_index_key(self, wrapped: bytes, wrapping_key: MasterKey) -> bytes:
        return wrapping_key.wrap(self._unwrap(wrapped, _INDEX_KEY_CONTEXT), _INDEX_KEY_CONTEXT)

    def rewrapped_subject_keys(self, wrapped: bytes, subject_index: bytes, wrapping_key: MasterKey) -> bytes:
        context = _SUBJECT_CONTEXT + subject_index
        return wrapping_key.wrap(self._unwrap(wrapped, context), context)

    @staticmethod
    def seal(keys: SubjectKeys, seq: int, opened: OpenedBody) -> bytes:
        """AES-256-GCM of secret ‖ count ‖ body under the subject's data key, bound to the entry's number."""
        nonce = os.urandom(_NONCE_SIZE)
        plaintext = opened.secret + opened.count.to_bytes(_COUNT_SIZE, "big") + opened.body
        return nonce + AESGCM(keys.data).encrypt(nonce, plaintext, _context(seq))

    @staticmethod
    def open(keys: SubjectKeys, seq: int, sealed: bytes) -> OpenedBody:
        """Raises VerificationFailed when the sealed body was changed or belongs to another entry."""
        try:
            plaintext = AESGCM(keys.data).decrypt(sealed[:_NONCE_SIZE], sealed[_NONCE_SIZE:], _context(seq))
        except (InvalidTag, ValueError):
            raise VerificationFailed(f"the sealed body of entry {seq} was changed") from None
        count = int.from_bytes(plaintext[SECRET_SIZE : SECRET_SIZE + _COUNT_SIZE], "big")
        return OpenedBody(plaintext[:SECRET_SIZE], count, plaintext[SECRET_SIZE + _COUNT_SIZE :])

    def _unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        return self._master_key_of(wrapped).unwrap(wrapped, context)

    def _master_key_of(self, wrapped: bytes) -> MasterKey:
        found = self._master_keys.get(wrapping_key_id(wrapped))
        if found is None:
            raise KeyRefused("this was wrapped by another master key")
        return found


def _context(seq: int) -> bytes:
    return b"body/v1\n" + seq.to_bytes(8, "big")
