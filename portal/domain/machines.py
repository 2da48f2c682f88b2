"""Registries' own systems, which speak to the portal without a person: who they are and what they may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from portal.domain.errors import PortalError
from portal.domain.text import LocalizedText


class Operation(StrEnum):
    """What a client system may do, in one registry's name. With the registry's code it makes an OAuth scope."""

    REPORT_ACCESS = "accesses.report"
    READ_RECEIPT = "accesses.read"
    #: An organisation announces decisions that rest on data, in its own registry's name.
    ANNOUNCE_DECISION = "decisions.announce"
    #: A recipient asks people for consent to this registry's data, and uses what they gave.
    REQUEST_CONSENT = "consents.request"
    USE_CONSENT = "consents.use"
    #: A system that received this registry's data fetches what of it was found wrong, and says that it took it over.
    TAKE_CORRECTIONS = "corrections.take"

    def scope(self, registry: str) -> str:
        return f"{self}:{registry}"


#: What is not about the organisation's own registry but about what a purpose lets it have by consent.
BY_CONSENT = frozenset({Operation.REQUEST_CONSENT, Operation.USE_CONSENT})


@dataclass(frozen=True, slots=True)
class ClientSystem:
    """One registered system. Its public keys stand in a JWK Set (RFC 7517), in a file or at an https address.

    `certificates` are SHA-256 thumbprints (RFC 8705, section 3.1) of those it may come with; two while it changes them.
    """

    code: str
    name: LocalizedText
    organisation: str
    scopes: frozenset[str]
    certificates: frozenset[str]
    jwks_file: Path | None
    jwks_uri: str | None


class OAuthError(StrEnum):
    """What the client is told (RFC 6749, section 5.2; RFC 6750, section 3.1)."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_SCOPE = "invalid_scope"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - a word of the standard
    INSUFFICIENT_SCOPE = "insufficient_scope"


class ClientRefused(PortalError):
    """The client system gets nothing. The caller answers `error` and announces `check`, which names what failed."""

    def __init__(self, error: OAuthError, check: str, client: str | None = None) -> None:
        super().__init__(f"{error}: {check}")
        self.error = error
        self.check = check
        self.client = client
