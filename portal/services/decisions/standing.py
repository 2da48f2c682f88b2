"""How an announced decision stands: what of it the person contests, and what was found wrong since.

It follows from the disputes and the marks each time it is asked, so a dispute opened from the record, and not from the
decision, holds the decision back as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select

from portal.domain.disputes import DisputeKind, Ruling
from portal.domain.identifiers import PersonalCode
from portal.domain.intended_decisions import Ground
from portal.domain.marks import Marks
from portal.models.disputes import Dispute
from portal.services.disputes.ledger import DisputeLedger

_RIGHT = {Ruling.UPHELD, Ruling.PARTLY}


@dataclass(frozen=True, slots=True)
class Contest:
    """A dispute that bears on a decision. `names_it` when it was opened from the decision."""

    dispute_id: str
    number: str
    kind: DisputeKind
    registry: str | None
    field: str | None
    names_it: bool
    is_open: bool
    opened_at: datetime
    ruling: Ruling | None
    closed_at: datetime | None
    closed_on: date | None

    @property
    def person_was_right(self) -> bool:
        return self.ruling in _RIGHT

    def is_on(self, ground: Ground) -> bool:
        return self.registry == ground.registry and self.field in {None, ground.field}


@dataclass(frozen=True, slots=True)
class ShownGround:
    """A ground; since when the person contests it or its use is restricted; and the day it was found wrong.

    `wrong_since` is None where the value is as of that day or later: then it is the corrected one.
    """

    ground: Ground
    contested_since: datetime | None
    wrong_since: date | None


class Standings:
    """Asks the disputes and the marks of one person."""

    def __init__(self, marks: Marks, ledger: DisputeLedger) -> None:
        self._marks = marks
        self._ledger = ledger

    def contests(
        self, subject: PersonalCode, decision_id: str | None, grounds: Sequence[Ground]
    ) -> tuple[Contest, ...]:
        """Every dispute of the person about one of the grounds, or about the decision itself, the oldest first."""
        registries = {ground.registry for ground in grounds}
        wanted = select(Dispute).where(
            Dispute.subject_index == self._ledger.index_of(subject),
            Dispute.kind != DisputeKind.ACCESS,
            or_(Dispute.registry_code.in_(registries), Dispute.decision == decision_id),
        )
        with self._ledger.reading() as session:
            found = [self._contest(row, decision_id) for row in session.scalars(wanted.order_by(Dispute.opened_at))]
        return tuple(one for one in found if one.names_it or any(one.is_on(ground) for ground in grounds))

    def of(
        self, subject: PersonalCode, grounds: Sequence[Ground], contests: Sequence[Contest], *, is_intended: bool
    ) -> tuple[ShownGround, ...]:
        """The grounds as they stand now; a settled decision carries no flag any more."""
        if not is_intended:
            return tuple(ShownGround(ground, None, None) for ground in grounds)
        marks = self._marks.of(subject)
        return tuple(
            ShownGround(
                ground,
                min((mark.since for mark in marks if mark.is_on(ground.registry, ground.field)), default=None),
                found_wrong(ground, contests),
            )
            for ground in grounds
        )

    def _contest(self, row: Dispute, decision_id: str | None) -> Contest:
        return Contest(
            dispute_id=row.id,
            number=row.number,
            kind=DisputeKind(row.kind),
            registry=row.registry_code,
            field=row.field_code or None,
            names_it=decision_id is not None and row.decision == decision_id,
            is_open=row.closed_at is None,
            opened_at=row.opened_at,
            ruling=None if row.ruling is None else Ruling(row.ruling),
            closed_at=row.closed_at,
            closed_on=None if row.closed_at is None else self._ledger.day_of(row.closed_at),
        )


def found_wrong(ground: Ground, contests: Sequence[Contest]) -> date | None:
    """The day on which the person was found right about this value, unless what is used is as of that day or later."""
    days = [one.closed_on for one in contests if one.person_was_right and one.closed_on and one.is_on(ground)]
    last = max(days, default=None)
    return None if last is None or (ground.as_of is not None and ground.as_of >= last) else last
