"""What stands beside a datum for everybody who opens it: that it is contested, or that it may not be used for now.

A mark follows from the disputes and is made anew from them, so a step that is repeated, or crossed by another, leaves
it right.
"""

from __future__ import annotations

from sqlalchemy import select

from portal.domain.disputes import DisputeKind, DisputeState, Ruling
from portal.domain.identifiers import PersonalCode
from portal.domain.marks import Mark, MarkKind
from portal.models.disputes import Dispute
from portal.services.disputes.ledger import DisputeLedger
from portal.services.marks import RecordMarks

#: A dispute about these says that the datum may be wrong or may not be used.
_CONTEST = (DisputeKind.RECTIFICATION, DisputeKind.ERASURE, DisputeKind.RESTRICTION, DisputeKind.OBJECTION)
_RESTRICTED_BY = (Ruling.UPHELD, Ruling.PARTLY)


class Marking:
    """Brings the marks on one datum in line with the disputes about it."""

    def __init__(self, ledger: DisputeLedger, marks: RecordMarks) -> None:
        self._ledger = ledger
        self._marks = marks

    def note(self, subject: PersonalCode, registry: str | None, field: str | None) -> None:
        """After a step of a dispute about this datum; without a registry there is nothing to mark."""
        if registry is None:
            return
        about = select(Dispute.id).where(
            Dispute.subject_index == self._ledger.index_of(subject),
            Dispute.registry_code == registry,
            Dispute.field_code == (field or ""),
        )
        is_open = about.where(Dispute.state == DisputeState.OPEN, Dispute.kind.in_(_CONTEST))
        is_restricted = about.where(Dispute.kind == DisputeKind.RESTRICTION, Dispute.ruling.in_(_RESTRICTED_BY))
        with self._ledger.reading() as session:
            wanted = {
                MarkKind.CONTESTED: session.scalar(is_open.limit(1)) is not None,
                MarkKind.RESTRICTED: session.scalar(is_restricted.limit(1)) is not None,
            }
        for kind, is_wanted in wanted.items():
            change = self._marks.put if is_wanted else self._marks.lift
            change(subject, kind, registry, field)

    def on(self, subject: PersonalCode, registry: str | None) -> list[Mark]:
        """The marks on one registry's record of a person, or on all records, the newest first."""
        return [mark for mark in self._marks.of(subject) if registry in {None, mark.registry}]
