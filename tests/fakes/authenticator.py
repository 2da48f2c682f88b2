"""An authenticator in software (WebAuthn, ES256): honest by default, dishonest where a test wants it to be."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftAuthenticator:
    """Holds one credential. `sign_count` goes up by one with each use, unless the test says otherwise."""

    origin: str = "http://localhost:5000"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))
    sign_count: int = 0
    user_handle: bytes | None = None

    def make(self, options: str, *, flags: int = USER_PRESENT | USER_VERIFIED, **lies: Any) -> str:
        """The answer to `navigator.credentials.create`, as the page's script would send it."""
        asked = json.loads(options)
        self.user_handle = unb64(asked["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + cbor2.dumps(cose)
        authenticator_data = self._data(lies.get("rp_id", asked["rp"]["id"]), flags | ATTESTED) + attested
        client_data = self._client_data("webauthn.create", asked["challenge"], lies)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
        return self._answer({"clientDataJSON": b64(client_data), "attestationObject": b64(attestation)})

    def prove(self, options: str, *, flags: int = USER_PRESENT | USER_VERIFIED, **lies: Any) -> str:
        """The answer to `navigator.credentials.get`."""
        asked = json.loads(options)
        self.sign_count = lies.get("sign_count", self.sign_count + 1)
        authenticator_data = self._data(lies.get("rp_id", asked["rpId"]), flags)
        client_data = self._client_data(lies.get("type", "webauthn.get"), asked["challenge"], lies)
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        signature = lies.get("signature") or self.key.sign(signed, ec.ECDSA(SHA256()))
        handle = lies.get("user_handle", self.user_handle)
        return self._answer(
            {
                "clientDataJSON": b64(client_data),
                "authenticatorData": b64(authenticator_data),
                "signature": b64(signature),
                "userHandle": None if handle is None else b64(handle),
            }
        )

    def _data(self, rp_id: str, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str, lies: dict[str, Any]) -> bytes:
        origin = lies.get("origin", self.origin)
        return json.dumps({"type": kind, "challenge": lies.get("challenge", challenge), "origin": origin}).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        credential = {"id": b64(self.credential_id), "rawId": b64(self.credential_id), "type": "public-key"}
        return json.dumps({**credential, "response": response})
