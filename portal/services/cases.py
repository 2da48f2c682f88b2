"""The cases an official works from: assigned by the case system, and nobody else's business."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from portal.domain.actors import Actor
from portal.domain.decisions import CaseStanding
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.cases import Case, CaseOfficial
from portal.services.sealing import Sealer

#: The blind index by which a case finds a person, apart from every other index of the same person.
SUBJECT_INDEX = "case-subject"
#: How many of an official's cases the list shows; the newest first.
LISTED = 200


@dataclass(frozen=True, slots=True)
class CasePerson:
    """One person of a case. `person_id` stands for them in a form; it means nothing outside the case."""

    person_id: str
    code: PersonalCode = field(repr=False)


@dataclass(frozen=True, slots=True)
class AssignedCase:
    """A case as the official sees it to whom it is assigned."""

    case_id: str
    reference: str
    kind: str
    purpose: str
    opened_at: datetime
    closed_at: datetime | None
    people: tuple[CasePerson, ...] = field(repr=False)

    def person(self, person_id: str) -> CasePerson:
        """Raises NothingHere when nobody of this case stands behind `person_id`."""
        for person in self.people:
            if person.person_id == person_id:
                return person
        raise NothingHere

    def standing(self, subject: PersonalCode, purpose: str) -> CaseStanding:
        """How this case stands to an access to `subject` for `purpose`."""
        if self.closed_at is not None:
            return CaseStanding.CLOSED
        fits = self.purpose == purpose and any(person.code == subject for person in self.people)
        return CaseStanding.ASSIGNED if fits else CaseStanding.MISFIT


class Cases:
    """Answers from the assignments alone. An official sees a case only while it is theirs and of their organisation."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer) -> None:
        self._sessions = sessions
        self._sealer = sealer

    def open_cases(self, actor: Actor) -> list[AssignedCase]:
        """The actor's cases that are not closed, the newest first."""
        wanted = _assigned_to(actor).where(Case.closed_at.is_(None))
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(Case.opened_at.desc(), Case.reference).limit(LISTED))
            return [self._opened(row) for row in rows]

    def assigned(self, actor: Actor, case_id: str) -> AssignedCase:
        """One of the actor's cases, open or closed. Raises NothingHere when it is not theirs or not there."""
        with self._sessions() as session:
            row = session.scalar(_assigned_to(actor).where(Case.id == case_id))
            if row is None:
                raise NothingHere
            return self._opened(row)

    def named(self, actor: Actor, reference: str) -> AssignedCase | None:
        """The actor's case with this reference, if they have one."""
        with self._sessions() as session:
            row = session.scalar(_assigned_to(actor).where(Case.reference == reference))
            return None if row is None else self._opened(row)

    def knows(self, organisation: str, reference: str) -> bool:
        """Whether the case system of `organisation` has handed over a case with this reference, whosever it is."""
        wanted = select(Case.id).where(Case.organisation == organisation, Case.reference == reference)
        with self._sessions() as session:
            return session.scalar(wanted) is not None

    def _opened(self, row: Case) -> AssignedCase:
        people = tuple(
            CasePerson(person.id, PersonalCode.parse(self._sealer.unseal(person.sealed_personal_code, person.id)))
            for person in row.subjects
        )
        return AssignedCase(row.id, row.reference, row.kind, row.purpose, row.opened_at, row.closed_at, people)


def _assigned_to(actor: Actor) -> Select[Case]:
    return (
        select(Case)
        .join(CaseOfficial, CaseOfficial.case_id == Case.id)
        .where(CaseOfficial.account_id == actor.account_id, Case.organisation == (actor.organisation or ""))
        .options(selectinload(Case.subjects))
    )
