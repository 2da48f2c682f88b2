"""What the policy is told of an access and what it may ask in return. The rules in config/policy speak these words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Obligation(StrEnum):
    """What has to happen beside a permission: rules that forbid say what comes first, permits say what follows."""

    #: The purpose can only be stated with a case.
    NEEDS_CASE = "needs-case"
    #: A second person has to approve this very access before anything opens.
    NEEDS_SECOND_PERSON = "needs-second-person"
    #: The access opens, and goes to the supervisor's list of reviews.
    NEEDS_REVIEW = "needs-review"


class CaseStanding(StrEnum):
    """How the case that was named stands to whoever asks, to the person and to the purpose."""

    NONE = "none"
    #: A reference that is none of the asker's cases: the case system does not know it, or it is another official's.
    STATED = "stated"
    #: An open case, assigned to the asker, about this person and for this purpose.
    ASSIGNED = "assigned"
    CLOSED = "closed"
    #: The asker's own case, but about other people or for another purpose.
    MISFIT = "misfit"


class Relation(StrEnum):
    """How close the person is to the official who asks."""

    NONE = "none"
    OWN = "own"
    RELATIVE = "relative"
    HOUSEHOLD = "household"
    COLLEAGUE = "colleague"
    #: A registry did not answer, or the portal does not know who the official is as a person.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """The circumstances of one access, as far as rules depend on them. By default the best: a case, nobody close.

    `restricted` holds the fields under restriction of processing as "registry/field", `marked` those that a registry's
    mark on the person guards. `guarded` (a minor, or anybody so marked), `approved` and `emergency` are for rules on
    sensitive people, four eyes and break-glass.
    """

    case: CaseStanding = CaseStanding.ASSIGNED
    relation: Relation = Relation.NONE
    restricted: frozenset[str] = frozenset()
    guarded: bool = False
    marked: frozenset[str] = frozenset()
    approved: bool = False
    emergency: bool = False
