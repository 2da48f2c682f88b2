"""A finding: a case for review about somebody's looks at people's data, from the first doubt to its end."""

from __future__ import annotations

from enum import StrEnum


class FindingState(StrEnum):
    """`OPEN` until decided; `DECIDED` until whatever the verdict asks for is done; `CLOSED` for good."""

    OPEN = "open"
    DECIDED = "decided"
    CLOSED = "closed"


class Verdict(StrEnum):
    """What the review came to. Confirmed misuse has to be told to the people whose data it was (GDPR Article 34)."""

    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


class Sanction(StrEnum):
    """What the organisation was asked to do, or told to have done, after confirmed misuse."""

    NONE = "none"
    GUIDANCE = "guidance"
    WARNING = "warning"
    RIGHTS_WITHDRAWN = "rights-withdrawn"
    DISMISSAL = "dismissal"
    REPORTED_TO_POLICE = "reported-to-police"


class StepKind(StrEnum):
    """One step in a finding's history."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    EVIDENCE = "evidence"
    QUESTION = "question"
    STATEMENT = "statement"
    DECISION = "decision"
    NOTICE = "notice"
    CLOSED = "closed"


class FindingRefused(ValueError):
    """The step does not fit the finding's state. The page says which step comes first."""

    def __init__(self, why: Why) -> None:
        self.why = why
        super().__init__(why.value)


class Why(StrEnum):
    """What stands in the way of a step."""

    ALREADY_DECIDED = "already-decided"
    NOT_DECIDED = "not-decided"
    NOT_CONFIRMED = "not-confirmed"
    PEOPLE_NOT_TOLD = "people-not-told"
    NOBODY_TO_ASK = "nobody-to-ask"
    QUESTION_OPEN = "question-open"
    ANOTHER_OFFICIAL = "another-official"
    OWN_CASE = "own-case"
    ALREADY_CLOSED = "already-closed"
