"""What a bundle tells, and who puts it into words: services know the facts, the floor of the pages the languages."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from audit.checkpoint import SignedCheckpoint
from portal.services.consents.register import ShownConsent
from portal.services.disputes.ledger import ShownDispute
from portal.services.records import OwnRecords
from portal.services.trail import TrailLine
from portal.services.understanding.kinds import Kind

#: The report is for reading, and nobody reads more; all entries stand in the files beside it.
LINES_IN_REPORT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """All that a bundle tells, but for the single entries, of which there may be very many.

    `witnesses` are the keys of the witnesses that the log is shown to.
    """

    person: str
    made_at: datetime
    checkpoint: SignedCheckpoint
    records: Sequence[OwnRecords] = field(repr=False)
    consents: Sequence[ShownConsent] = field(repr=False)
    disputes: Sequence[ShownDispute] = field(repr=False)
    witnesses: tuple[str, ...]


@dataclass(slots=True)
class History:
    """What a reading of the entries amounts to: how many there are, and the last of those that are not one's own."""

    accesses: int = 0
    by_others: int = 0
    last: deque[TrailLine] = field(default_factory=lambda: deque(maxlen=LINES_IN_REPORT), repr=False)

    def note(self, line: TrailLine) -> None:
        self.accesses += 1
        if line.kind not in {Kind.OWN, Kind.CHECK}:
            self.by_others += 1
            self.last.append(line)

    @property
    def newest(self) -> list[TrailLine]:
        """The newest first."""
        return list(reversed(self.last))


class Speaker(Protocol):
    """Says it in one language."""

    def sentence(self, line: TrailLine) -> str:
        """One entry as a sentence to the person."""

    def read_me(self, told: Told) -> str:
        """What lies in the bundle, and how to check it without trusting anybody."""

    def report(self, told: Told, history: History) -> Mapping[str, Any]:
        """What `report.typ` sets: all texts, headings and facts of the readable report."""

    def checking_page(self) -> str:
        """The page that checks receipts with no network, whole in itself."""


class Telling(Protocol):
    """Finds a speaker of a language (ISO 639-1); for as long as the context lasts, in this thread."""

    def speaking(self, language: str) -> AbstractContextManager[Speaker]: ...
