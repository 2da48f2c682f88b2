"""Proceedings as figures for an auditor, and the list behind each figure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from statistics import median_low

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.services.clock import Clock
from portal.services.oversight import Oversight
from portal.services.proceedings.kinds import STAGES, Kind, Proceeding, Stage
from portal.services.proceedings.ledger import Proceedings

#: Proceedings that one list shows.
LIST_LENGTH = 200


@dataclass(slots=True)
class Tally:
    """Proceedings of one kind: how many stand in which stage, and in how many days disputes were answered."""

    stages: Counter[Stage] = field(default_factory=Counter)
    days: list[int] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.stages.total()

    @property
    def half_within(self) -> int | None:
        """In so many whole days at least half of the decided disputes were answered; None where none was."""
        return median_low(self.days) if self.days else None

    def add(self, one: Proceeding) -> None:
        self.stages[one.stage] += 1
        if one.days_to_answer is not None:
            self.days.append(one.days_to_answer)


@dataclass(frozen=True, slots=True)
class KindFigures:
    """One kind of proceedings: the sum, and the organisations with the most of it first."""

    kind: Kind
    together: Tally
    by_organisation: Sequence[tuple[str, Tally]]

    @property
    def stages(self) -> tuple[Stage, ...]:
        return STAGES[self.kind]


@dataclass(frozen=True, slots=True)
class ListedProceeding:
    """A proceeding in a list, with the reference of its entry where the log's number is known."""

    proceeding: Proceeding
    reference: str | None


@dataclass(frozen=True, slots=True)
class ProceedingList:
    """What stands behind a figure, the oldest first, at most `LIST_LENGTH` of `total`."""

    since: date
    until: date
    listed: Sequence[ListedProceeding]
    total: int


class ProceedingFigures:
    """Counts proceedings that began in the last days (UTC, as all figures), and lists them."""

    def __init__(self, proceedings: Proceedings, oversight: Oversight, clock: Clock) -> None:
        self._proceedings = proceedings
        self._oversight = oversight
        self._clock = clock

    def of(self, span: int) -> Mapping[Kind, KindFigures]:
        """The figures of the last `span` days, the last of which is today."""
        since, until = self._days(span)
        return {kind: _counted(kind, self._proceedings.opened(kind, since, until)) for kind in Kind}

    def behind(
        self, actor: Actor, stage: Stage, span: int, organisation: str | None, *, request_id: str
    ) -> ProceedingList:
        """The proceedings behind one figure. The list shows single looks from afar, so it is an entry.

        Raises:
            DisclosureUnavailable: the list could not be recorded, so nothing is shown.
        """
        details: dict[str, str | int] = {"list": stage.value, "days": span}
        if organisation is not None:
            details["organisation"] = organisation
        self._oversight.note([self._oversight.event(actor, Action.TRAIL_SEARCH, request_id, None, details)])
        since, until = self._days(span)
        found = (
            one
            for one in self._proceedings.opened(stage.kind, since, until)
            if one.stage is stage and organisation in (None, one.organisation)
        )
        listed = [ListedProceeding(one, self._reference(actor, one)) for one in islice(found, LIST_LENGTH)]
        return ProceedingList(
            since.date(), self._clock().astimezone(UTC).date(), listed, len(listed) + sum(1 for _ in found)
        )

    def _reference(self, actor: Actor, one: Proceeding) -> str | None:
        return None if one.entry is None else self._oversight.reference(actor, one.entry)

    def _days(self, span: int) -> tuple[datetime, datetime]:
        until = datetime.combine(self._clock().astimezone(UTC).date() + timedelta(days=1), time.min, UTC)
        return until - timedelta(days=span), until


def _counted(kind: Kind, found: Iterable[Proceeding]) -> KindFigures:
    together = Tally()
    by_organisation: dict[str, Tally] = defaultdict(Tally)
    for one in found:
        together.add(one)
        by_organisation[one.organisation].add(one)
    ordered = sorted(by_organisation.items(), key=lambda pair: (-pair[1].total, pair[0]))
    return KindFigures(kind, together, ordered)
