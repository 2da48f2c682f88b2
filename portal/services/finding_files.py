"""Findings as pages show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from audit.trail import LoggedAccess
from portal.domain.findings import FindingState, Sanction, StepKind, Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the history, with what its author wrote."""

    kind: StepKind
    by: str
    is_by_official: bool
    at: datetime
    entry: int
    text: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """One line of the list."""

    finding_id: str
    number: int
    organisation: str | None
    official: str | None
    official_name: str | None = field(repr=False)
    opened_at: datetime
    assigned_to: str
    state: FindingState
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class FindingFile:
    """A finding whole: its line, its evidence with the references that open it, its history, and what may come next."""

    row: FindingRow
    evidence: tuple[tuple[str, LoggedAccess], ...]
    steps: tuple[Step, ...]
    sanction: Sanction | None
    told_at: datetime | None
    can_be_asked: bool
    is_waiting_for_statement: bool

    @property
    def must_tell(self) -> bool:
        return self.row.verdict is Verdict.CONFIRMED and self.told_at is None


@dataclass(frozen=True, slots=True)
class Question:
    """What an official is asked about looks of their own. Whose data it was is not repeated."""

    finding_id: str
    number: int
    asked_at: datetime
    text: str = field(repr=False)
    looks: tuple[LoggedAccess, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The findings of one organisation."""

    organisation: str | None
    opened: int
    confirmed: int
    dismissed: int
