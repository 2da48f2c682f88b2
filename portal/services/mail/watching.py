"""Reading the log as it grows, and telling each person of what they want to be told of.

What a seal withholds is passed over: it is told when the seal ends (`portal.services.lifting`), and never before. Only
people who chose something are told of ordinary looks; of a finding everybody is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from audit.entry import Access
from audit.log import TrailQuery
from portal.domain.actions import NOTICES, OWN_DEEDS, OWN_LOOKS, PORTAL_CHECKS, SESSION_EVENTS, Action, Outcome
from portal.domain.identifiers import InvalidPersonalCode, PersonalCode
from portal.domain.mail import Cadence
from portal.models.mail import AlertSettings, LogCursor
from portal.services.alerts import AlertKind, Alerts, person_index
from portal.services.mail.choices import Choice, Topic, chosen, topic_of_look
from portal.services.safeguards import Foundations

CURSOR = "alerts"
#: Entries read in one go, and in one round; what is left is read in the next.
BATCH = 200
BATCHES_A_ROUND = 50
_NO_LOOKS = OWN_LOOKS | SESSION_EVENTS | PORTAL_CHECKS | OWN_DEEDS | {Action.SEAL_REVEAL}


class LogWatch:
    """Reads on from where it stopped. Two processes that read the same stretch raise the same alerts once."""

    def __init__(self, on: Foundations, alerts: Alerts, topics: Mapping[str, Topic]) -> None:
        self._on = on
        self._alerts = alerts
        self._topics = topics

    def read_on(self) -> int:
        """Tell of what is new; gives how many entries were read. What happened before the first reading is not told."""
        read = 0
        for _batch in range(BATCHES_A_ROUND):
            position, size = self._position(), self._on.log.checkpoint().checkpoint.size
            until = min(size, position + BATCH)
            if until <= position:
                break
            for entry, access in self._entries(position, until):
                self._tell(entry, access)
            # Only now: a process that dies in between tells of the same again, which changes nothing.
            self._advance(position, until)
            read += until - position
        return read

    def _entries(self, position: int, until: int) -> Iterator[tuple[int, Access]]:
        page = self._on.log.read(TrailQuery(), before=until, limit=until - position)
        for logged in reversed(page.items):
            if logged.seq >= position and logged.access is not None:
                yield logged.seq, logged.access

    def _tell(self, entry: int, access: Access) -> None:
        if access.subject is None or access.seal is not None:
            return
        try:
            code = PersonalCode.of_subject(access.subject)
        except InvalidPersonalCode:
            return  # a registry's system reported about somebody who cannot sign in here
        if access.action in NOTICES:
            self._alerts.tell_person(code, AlertKind.FINDING_ON_YOU, f"entry/{entry}")
        elif access.outcome == Outcome.RELEASED and access.action not in _NO_LOOKS and access.purpose is not None:
            self._tell_of_look(person_index(self._on.sealer, code), access.purpose, entry)

    def _tell_of_look(self, index: bytes, purpose: str, entry: int) -> None:
        with self._on.sessions() as session:
            choice = self._choice(session, index, topic_of_look(purpose))
        if choice is not None and (choice.in_portal or choice.cadence is not Cadence.NEVER):
            self._alerts.tell_again(index, AlertKind.LOOK, purpose, entry=entry, in_portal=choice.in_portal)

    def _choice(self, session: Session, index: bytes, topic: str) -> Choice | None:
        account_id = session.scalar(select(AlertSettings.account_id).where(AlertSettings.subject_index == index))
        return None if account_id is None else chosen(session, account_id, self._topics).get(topic)

    def _position(self) -> int:
        with self._on.sessions.begin() as session:
            row = session.get(LogCursor, CURSOR)
            if row is None:
                row = LogCursor(name=CURSOR, position=self._on.log.checkpoint().checkpoint.size)
                session.add(row)
            return row.position

    def _advance(self, position: int, until: int) -> None:
        with self._on.sessions.begin() as session:
            session.execute(
                update(LogCursor).where(LogCursor.name == CURSOR, LogCursor.position == position).values(position=until)
            )
