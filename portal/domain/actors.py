"""Who acts: a signed-in person in one role."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from portal.domain.identifiers import PersonalCode


class Role(StrEnum):
    """What a signed-in account may be. One account has one role; a person who is both citizen and official has two."""

    CITIZEN = "citizen"
    CASEWORKER = "caseworker"
    AUDITOR = "auditor"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"


class Duty(StrEnum):
    """What some accounts may or must do beside their role."""

    #: May open in an emergency what the policy would refuse.
    BREAK_GLASS = "break-glass"
    #: Is told at once of every emergency access of the organisation (GDPR Articles 37 to 39).
    DATA_PROTECTION = "data-protection"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person on whose behalf a service works, as the log will name them.

    `personal_code` is known for citizens, and for officials so that they can be kept from their own record. `team` is
    the part of the organisation in which caseworkers have their supervisor; None is a team of its own.
    """

    account_id: str
    role: Role
    name: str = field(repr=False)
    organisation: str | None = None
    personal_code: PersonalCode | None = None
    team: str | None = None
    duties: frozenset[Duty] = frozenset()
