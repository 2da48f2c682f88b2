"""Settings of staff's own accounts. Times are in hours."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, FilePath

from config.identity import OidcSettings


class StaffSettings(BaseModel):
    """How long links, requests and recoveries wait, and what takes two administrators."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    #: For how long an invitation's link opens.
    invitation_hours: int = Field(default=72, ge=1, le=720)
    #: For how long a second administrator may decide.
    request_hours: int = Field(default=72, ge=1, le=720)
    #: How long a recovery waits after its approval, so that a person who did not ask for it can object.
    recovery_wait_hours: int = Field(default=24, ge=1, le=720)
    #: For how long a recovery's code opens once it has waited.
    recovery_hours: int = Field(default=72, ge=1, le=720)
    #: Whether inviting and reopening take two for every role, not for the powerful ones only.
    two_people_for_every_role: bool = False
    #: Sorted SHA-1 digests of breached passwords, as the downloader of Have I Been Pwned writes them into one file.
    breached_passwords: FilePath | None = None


class StaffOidcSettings(OidcSettings):
    """The provider through which staff sign in: their employer's, which also says what they are.

    `roles` and `organisations` translate the words of its claims; a word that is not in `roles` gives no role, and
    without `organisations` the claim holds the catalogue's own code.
    """

    roles_claim: str = Field(default="roles", min_length=1, max_length=100)
    roles: Mapping[str, str] = Field(min_length=1)
    organisation_claim: str = Field(default="organisation", min_length=1, max_length=100)
    organisations: Mapping[str, str] = Field(default_factory=dict)
