"""Why an access is reviewed, and how a review stands."""

from __future__ import annotations

from enum import StrEnum


class Ground(StrEnum):
    """What makes an access one for the supervisor."""

    #: No case at all, for a purpose that needs none.
    OUTSIDE_CASE = "outside-case"
    #: A case reference that no case system has handed over.
    CASE_UNKNOWN = "case-unknown"
    CASE_OF_ANOTHER = "case-of-another"
    CASE_CLOSED = "case-closed"
    CASE_DOES_NOT_FIT = "case-does-not-fit"
    CLOSENESS_UNKNOWN = "closeness-unknown"
    ABSENT = "absent"


class ReviewState(StrEnum):
    """Where a review stands. `UPHELD` and `CLEARED` are the auditor's word on what was handed over."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    ESCALATED = "escalated"
    UPHELD = "upheld"
    CLEARED = "cleared"
