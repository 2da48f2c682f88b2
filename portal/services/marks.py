"""Marks in the portal's own database. Whoever decides on a dispute puts and lifts them; casework reads them."""

from __future__ import annotations

import uuid

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.identifiers import PersonalCode
from portal.domain.marks import Mark, MarkKind
from portal.models.marks import RecordMark
from portal.services.clock import Clock
from portal.services.sealing import Sealer

_INDEX = "record-mark"


class RecordMarks:
    """Marks by person. The table finds a person by a blind index and never holds a code."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, clock: Clock) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._clock = clock

    def of(self, subject: PersonalCode) -> tuple[Mark, ...]:
        wanted = select(RecordMark).where(RecordMark.subject_index == self._index(subject))
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(RecordMark.since.desc(), RecordMark.id))
            return tuple(Mark(row.registry_code, row.field_code or None, MarkKind(row.kind), row.since) for row in rows)

    def put(self, subject: PersonalCode, kind: MarkKind, registry: str, field: str | None = None) -> None:
        """Mark a field, or with None the whole record. Safe to repeat."""
        with self._sessions.begin() as session:
            if session.scalar(self._one(subject, kind, registry, field)) is None:
                mark = RecordMark(
                    id=str(uuid.uuid4()),
                    subject_index=self._index(subject),
                    registry_code=registry,
                    field_code=field or "",
                    kind=kind,
                    since=self._clock(),
                )
                session.add(mark)

    def lift(self, subject: PersonalCode, kind: MarkKind, registry: str, field: str | None = None) -> None:
        """Take a mark away. Safe to repeat."""
        found = self._one(subject, kind, registry, field)
        with self._sessions.begin() as session:
            session.execute(delete(RecordMark).where(RecordMark.id.in_(found.with_only_columns(RecordMark.id))))

    def _one(self, subject: PersonalCode, kind: MarkKind, registry: str, field: str | None) -> Select[RecordMark]:
        return select(RecordMark).where(
            RecordMark.subject_index == self._index(subject),
            RecordMark.kind == kind,
            RecordMark.registry_code == registry,
            RecordMark.field_code == (field or ""),
        )

    def _index(self, subject: PersonalCode) -> bytes:
        return self._sealer.blind_index(subject.subject, _INDEX)
