"""Keys derived for the portal's own use: sealing columns at rest and making references that mean nothing to others."""

from __future__ import annotations

import base64
import binascii
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from portal.domain.errors import NothingHere

_NONCE = 12


def derived_key(secret: str, purpose: str, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869) of `secret` for one purpose: two purposes never share a key."""
    return HKDF(SHA256(), length, salt=None, info=b"glasshouse/portal/" + purpose.encode()).derive(secret.encode())


class Sealer:
    """AES-256-GCM under a key derived from the master key. The context binds a sealed value to the row it stands in.

    Equal values seal differently; where one has to be found again, a blind index stands beside it.
    """

    def __init__(self, master_key: str) -> None:
        self._cipher = AESGCM(derived_key(master_key, "columns/v1", 32))
        self._index_key = derived_key(master_key, "blind-index/v1", 32)

    def seal(self, plaintext: str, context: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plaintext.encode(), context.encode())

    def blind_index(self, value: str, purpose: str) -> bytes:
        """32 bytes by which a sealed value is found again, and which tell nothing without the key: HMAC-SHA-256."""
        return hmac.digest(self._index_key, purpose.encode() + b"\0" + value.encode(), "sha256")

    def unseal(self, sealed: bytes, context: str) -> str:
        """Raises cryptography.exceptions.InvalidTag when the value was changed or moved to another row."""
        return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context.encode()).decode()


class References:
    """What stands for an entry in a URL: opaque, the same each time, and of use to one account only.

    AES-SIV (RFC 5297) of the sequence number with the account as associated data: it tells nothing of the log's size,
    cannot be guessed, and another account's reference does not open.
    """

    def __init__(self, secret_key: str) -> None:
        self._cipher = AESSIV(derived_key(secret_key, "references/v1", 32))

    def to_entry(self, seq: int, account_id: str) -> str:
        sealed = self._cipher.encrypt(seq.to_bytes(8, "big"), [account_id.encode()])
        return base64.urlsafe_b64encode(sealed).decode()

    def entry(self, reference: str, account_id: str) -> int:
        """Raises NothingHere when `reference` was not made for this account."""
        try:
            sealed = base64.b64decode(reference.encode("ascii"), altchars=b"-_", validate=True)
            return int.from_bytes(self._cipher.decrypt(sealed, [account_id.encode()]), "big")
        except (InvalidTag, binascii.Error, ValueError):
            raise NothingHere from None
