"""Settings of staff's own accounts. Times are in hours."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


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
