"""Why somebody was not let in through a provider."""

from __future__ import annotations

from enum import StrEnum

from portal.domain.errors import PortalError


class Refusal(StrEnum):
    """What the page says. What exactly failed is for the portal's own log, not for whoever may be attacking."""

    CANCELLED = "cancelled"
    #: The answer belongs to no sign-in that this browser began, or to one that took too long.
    UNKNOWN_ATTEMPT = "unknown-attempt"
    #: The answer, or what the provider vouched with, does not hold.
    NOT_TRUSTED = "not-trusted"
    #: The provider itself said that it could not.
    PROVIDER_REFUSED = "provider-refused"
    PROVIDER_SILENT = "provider-silent"
    ASSURANCE_MISSING = "assurance-missing"
    ASSURANCE_TOO_LOW = "assurance-too-low"
    #: A step-up: the provider vouched for somebody else than who is signed in, or for a proof that is not fresh.
    ANOTHER_PERSON = "another-person"
    PROOF_TOO_OLD = "proof-too-old"
    #: The provider vouched for a person whom the portal cannot name: no Estonian personal code.
    NOT_A_PERSON_WE_KNOW = "not-a-person-we-know"
    ACCOUNT_CLOSED = "account-closed"
    #: The employer's provider vouched for somebody and gave them no role here, or more than one.
    NO_ROLE = "no-role"


class SignInRefused(PortalError):
    """Nobody was let in. The caller shows `refusal` in words and logs `check`, which names what failed and nobody."""

    def __init__(self, refusal: Refusal, check: str) -> None:
        super().__init__(f"{refusal}: {check}")
        self.refusal = refusal
        self.check = check
