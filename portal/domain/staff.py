"""Accounts of staff: how they stand, what needs two administrators, and what can be asked for."""

from __future__ import annotations

from enum import StrEnum

from portal.domain.actors import Role

#: Every role that is not a citizen's.
STAFF_ROLES = tuple(role for role in Role if role is not Role.CITIZEN)
#: Roles that one administrator gives alone. Every other one takes two: a role that is new here is powerful by default.
GIVEN_BY_ONE = frozenset({Role.CASEWORKER})


def is_powerful(role: Role) -> bool:
    """Whether it takes two administrators to give this role."""
    return role not in GIVEN_BY_ONE


class Standing(StrEnum):
    """How an account of staff stands. Only an active one signs in."""

    ACTIVE = "active"
    #: Invited with a powerful role; a second administrator has not approved it yet.
    AWAITING_APPROVAL = "awaiting-approval"
    #: There is, or was, an enrolment link; no password and no passkey yet.
    INVITED = "invited"
    #: Password and passkeys are void; new ones are set with the two halves of a recovery's code.
    RECOVERING = "recovering"
    CLOSED = "closed"


class RequestKind(StrEnum):
    """What one administrator asks for and another decides."""

    INVITATION = "invitation"
    ROLE_CHANGE = "role-change"
    REOPENING = "reopening"
    RECOVERY = "recovery"


class RequestState(StrEnum):
    """How a request ended. One that nobody decided in time is open in the table and expired by the clock."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Notice(StrEnum):
    """What a person is told about their own account, whoever did it."""

    RECOVERY_OPENED = "recovery-opened"
    RECOVERY_APPROVED = "recovery-approved"
    RECOVERY_STOPPED = "recovery-stopped"
    RECOVERY_COMPLETED = "recovery-completed"
    PASSKEY_ADDED = "passkey-added"
    PASSKEY_REMOVED = "passkey-removed"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - an event, not a password
    LOCKED_OUT = "locked-out"
    ROLE_CHANGED = "role-changed"
    SIGNED_OUT = "signed-out"
    NEW_DEVICE = "new-device"
