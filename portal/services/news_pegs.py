"""News pegs: an auditor notes that a person was in the news from a day on; looks at them soon after are flagged.

Each note, and each that is taken back, is an entry about that person: they see what was noted of them, and by whom.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.news import NewsPeg as Row
from portal.services.justification import tidied
from portal.services.oversight import Oversight
from portal.services.sealing import Sealer
from portal.services.unusual.facts import NewsPeg

#: Notes that one list shows.
LIST_LENGTH = 100


class DayToCome(Exception):
    """What is not in the news yet cannot be noted; nothing was kept."""


@dataclass(frozen=True, slots=True)
class ShownPeg:
    """A note as auditors see it: not whom it is about."""

    peg_id: str
    words: str = field(repr=False)
    day: date
    set_by: str
    set_at: datetime


class NewsPegs:
    """Keeps the notes, and tells the rules of those that stand."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, oversight: Oversight) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._oversight = oversight

    def set(self, actor: Actor, subject: PersonalCode, day: date, words: str, *, request_id: str) -> str:
        """Note that a person is in the news from `day` on; gives the note's id.

        Raises:
            DayToCome: the day is later than today.
            DisclosureUnavailable: the log could not record it; nothing was kept.
        """
        now, peg_id = self._oversight.now(), str(uuid.uuid4())
        if day > self._oversight.day_of(now):
            raise DayToCome
        with self._sessions.begin() as session:
            session.add(
                Row(
                    id=peg_id,
                    sealed_subject=self._sealer.seal(subject.reveal(), f"news-peg/{peg_id}"),
                    sealed_words=self._sealer.seal(tidied(words), f"news-peg/{peg_id}/words"),
                    day=day,
                    set_by=actor.account_id,
                    set_at=now,
                )
            )
            session.flush()
            self._enter(actor, Action.NEWS_PEG, subject, peg_id, day, tidied(words), request_id)
        return peg_id

    def withdraw(self, actor: Actor, peg_id: str, *, request_id: str) -> None:
        """Take a note back, also a colleague's: it flags nothing any more.

        Raises:
            NothingHere: there is none, or it was taken back before.
            DisclosureUnavailable: the log could not record it; the note stands.
        """
        stands = (Row.id == peg_id) & Row.withdrawn_at.is_(None)
        values = {"withdrawn_at": self._oversight.now(), "withdrawn_by": actor.account_id}
        with self._sessions.begin() as session:
            if not session.execute(update(Row).where(stands).values(**values).returning(Row.id)).all():
                raise NothingHere
            row = session.get_one(Row, peg_id)
            self._enter(actor, Action.NEWS_PEG_WITHDRAWAL, self._subject(row), peg_id, row.day, None, request_id)

    def standing(self) -> Sequence[ShownPeg]:
        """The notes that have effect, the newest day first."""
        with self._sessions() as session:
            rows = session.scalars(_standing().limit(LIST_LENGTH))
            return [ShownPeg(row.id, self._words(row), row.day, row.set_by, row.set_at) for row in rows]

    def pegs(self) -> Sequence[NewsPeg]:
        """What the rules may know of them."""
        with self._sessions() as session:
            return [NewsPeg(subject=self._subject(row).subject, day=row.day) for row in session.scalars(_standing())]

    def now(self) -> datetime:
        return self._oversight.now()

    def _subject(self, row: Row) -> PersonalCode:
        return PersonalCode.parse(self._sealer.unseal(row.sealed_subject, f"news-peg/{row.id}"))

    def _words(self, row: Row) -> str:
        return self._sealer.unseal(row.sealed_words, f"news-peg/{row.id}/words")

    def _enter(
        self,
        actor: Actor,
        action: Action,
        subject: PersonalCode,
        peg_id: str,
        day: date,
        words: str | None,
        request_id: str,
    ) -> None:
        details: dict[str, str | int] = {"peg": peg_id, "day": day.isoformat()}
        event = self._oversight.event(actor, action, request_id, subject.subject, details)
        self._oversight.note([replace(event, justification=words)])


def _standing() -> Select[Row]:
    return select(Row).where(Row.withdrawn_at.is_(None)).order_by(Row.day.desc(), Row.set_at.desc())
