"""What a person is told in the portal about their own account, until they say that they have read it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.staff import Notice
from portal.models.staff import AccountNotice
from portal.services.clock import Clock


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One thing told, and when it happened."""

    kind: Notice
    made_at: datetime


class Notices:
    """The table of notices."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def tell(self, session: Session, account_id: str, kind: Notice) -> None:
        """Leave a notice, in the caller's transaction."""
        session.add(AccountNotice(id=str(uuid.uuid4()), account_id=account_id, kind=kind, made_at=self._clock()))

    def tell_now(self, account_id: str, kind: Notice) -> None:
        with self._sessions.begin() as session:
            self.tell(session, account_id, kind)

    def unread(self, account_id: str) -> list[NoticeLine]:
        """What the person has not read yet, the newest first."""
        wanted = select(AccountNotice).where(AccountNotice.account_id == account_id, AccountNotice.read_at.is_(None))
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(AccountNotice.made_at.desc(), AccountNotice.id))
            return [NoticeLine(Notice(row.kind), row.made_at) for row in rows]

    def has_unread(self, account_id: str) -> bool:
        return bool(self.unread(account_id))

    def mark_read(self, account_id: str) -> None:
        unread = update(AccountNotice).where(AccountNotice.account_id == account_id, AccountNotice.read_at.is_(None))
        with self._sessions.begin() as session:
            session.execute(unread.values(read_at=self._clock()))
