"""The four kinds of proceedings, and how each may stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What is counted. A proceeding belongs to the span or month that its `Proceeding.opened_at` lies in."""

    EMERGENCY = "emergency"
    REVIEW = "review"
    DISPUTE = "dispute"
    SEAL = "seal"


class Stage(StrEnum):
    """How a proceeding stands; each stands in exactly one way."""

    EMERGENCY_IN_TIME = "emergency-reviewed-in-time"
    EMERGENCY_LATE = "emergency-reviewed-late"
    EMERGENCY_WAITING = "emergency-waiting"
    EMERGENCY_OVERDUE = "emergency-overdue"
    REVIEW_IN_TIME = "review-in-time"
    REVIEW_LATE = "review-late"
    REVIEW_WAITING = "review-waiting"
    REVIEW_OVERDUE = "review-overdue"
    DISPUTE_UPHELD = "dispute-upheld"
    DISPUTE_REFUSED = "dispute-refused"
    DISPUTE_WITHDRAWN = "dispute-withdrawn"
    DISPUTE_WAITING = "dispute-waiting"
    DISPUTE_OVERDUE = "dispute-overdue"
    SEAL_IN_FORCE = "seal-in-force"
    SEAL_ENDED = "seal-ended"

    @property
    def kind(self) -> Kind:
        return Kind(self.value.partition("-")[0])


STAGES: Mapping[Kind, tuple[Stage, ...]] = {
    kind: tuple(stage for stage in Stage if stage.kind is kind) for kind in Kind
}


@dataclass(frozen=True, slots=True)
class Proceeding:
    """One proceeding: no person, no official, no reason.

    `about` are codes: an emergency's registries, a review's purpose, a dispute's number, a seal's purpose. `entry` is
    where the log has it, as far as the portal's database says. `due_at` is None where nothing has to happen.
    """

    stage: Stage
    organisation: str
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    about: tuple[str, ...]
    entry: int | None = None

    @property
    def kind(self) -> Kind:
        return self.stage.kind

    @property
    def days_to_answer(self) -> int | None:
        """Whole days from a dispute's receipt to the controller's decision; None without one."""
        if self.stage not in ANSWERED or self.ended_at is None:
            return None
        return (self.ended_at - self.opened_at).days


#: Disputes that the controller has decided.
ANSWERED = (Stage.DISPUTE_UPHELD, Stage.DISPUTE_REFUSED)
