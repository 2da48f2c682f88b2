"""What the portal asks of an authenticator, and whether its answer holds (Web Authentication Level 3, section 7).

py_webauthn does the checking; this module decides what is asked: user verification always, a key that is found without
a name, and no attestation, since which maker's authenticator somebody uses is nobody's business here.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import encode_cbor, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from portal.domain.actions import Reason
from portal.domain.errors import PortalError

NAME = "Glasshouse"
#: An answer has no use for more.
MAXIMUM_ANSWER = 16_384
_TIMEOUT_MILLISECONDS = 120_000
#: What py_webauthn raises on an answer that does not hold or cannot be read; deep JSON ends in a RecursionError.
_REFUSED = (WebAuthnException, ValueError, RecursionError)


class PasskeyRefused(PortalError):
    """The answer of an authenticator does not hold. The caller says only that it did not work; `reason` is logged."""

    def __init__(self, reason: Reason = Reason.PASSKEY_REFUSED) -> None:
        super().__init__(f"passkey refused: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential that an authenticator just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    is_synced: bool


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The portal as authenticators know it: they answer to no other origin, which is what makes phishing fail."""

    origin: str
    id: str

    @classmethod
    def of_url(cls, base_url: str) -> RelyingParty:
        """From the address that the operator set, never from a request.

        A name is needed: an authenticator answers no address of digits. This machine's own is known as "localhost".
        """
        parts = urlsplit(base_url)
        host = parts.hostname or ""
        if _is_loopback(host):
            host = "localhost"
        port = f":{parts.port}" if parts.port is not None else ""
        return cls(f"{parts.scheme}://{host}{port}", host)

    def registration_options(self, challenge: bytes, user_handle: bytes, name: str, known: list[bytes]) -> str:
        """Options for `navigator.credentials.create`, as JSON. `known` are credentials the account has already."""
        options = generate_registration_options(
            rp_id=self.id,
            rp_name=NAME,
            user_name=name,
            user_id=user_handle,
            challenge=challenge,
            timeout=_TIMEOUT_MILLISECONDS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known],
        )
        return options_to_json(options)

    def assertion_options(self, challenge: bytes, known: list[bytes] | None = None) -> str:
        """Options for `navigator.credentials.get`. Without `known` they name nobody: the authenticator says who."""
        options = generate_authentication_options(
            rp_id=self.id,
            challenge=challenge,
            timeout=_TIMEOUT_MILLISECONDS,
            allow_credentials=[PublicKeyCredentialDescriptor(id=credential) for credential in known or []],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json(options)

    def registered(self, answer: str, challenge: bytes) -> NewCredential:
        """The credential that `answer` brings. Raises PasskeyRefused."""
        _refuse_the_oversized(answer)
        try:
            verified = verify_registration_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                require_user_verification=True,
            )
        except _REFUSED as error:
            raise PasskeyRefused from error
        return NewCredential(
            verified.credential_id,
            verified.credential_public_key,
            verified.sign_count,
            verified.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        )

    def asserted(self, answer: AuthenticationCredential, challenge: bytes, public_key: bytes, count: int) -> int:
        """The signature counter of a sound answer, which has grown past `count` (or is zero, as is `count`).

        Raises PasskeyRefused, with the reason `PASSKEY_COUNTER` where all holds but the counter: two authenticators
        seem to hold one key (section 6.1.1).
        """
        try:
            verified = verify_authentication_response(
                credential=answer,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=public_key,
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        except _REFUSED as error:
            raise PasskeyRefused from error
        if verified.new_sign_count <= count and (verified.new_sign_count or count):
            raise PasskeyRefused(Reason.PASSKEY_COUNTER)
        return verified.new_sign_count


def read_assertion(answer: str) -> AuthenticationCredential:
    """What the browser sent. Raises PasskeyRefused when it cannot be read."""
    _refuse_the_oversized(answer)
    try:
        return parse_authentication_credential_json(answer)
    except _REFUSED as error:
        raise PasskeyRefused from error


@cache
def key_of_nobody() -> bytes:
    """A public key (COSE, ES256) whose private half nobody has: what an unknown credential is checked against, so that
    it takes as long as a known one."""
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})


def _refuse_the_oversized(answer: str) -> None:
    if len(answer) > MAXIMUM_ANSWER:
        raise PasskeyRefused


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
