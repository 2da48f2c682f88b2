"""Days on which officials are away: an access on one of them is conspicuous, whoever made it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from portal.models.supervision import Absence
from portal.services.clock import Clock


@dataclass(frozen=True, slots=True)
class AbsenceNoted:
    """One absence, both days included, in the reader's zone."""

    absence_id: str
    account_id: str
    first_day: date
    last_day: date

    def covers(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


class Absences:
    """Notes absences and answers whether somebody is away. Who may note one is the supervisor's service's to say."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock, zone: ZoneInfo) -> None:
        self._sessions = sessions
        self._clock = clock
        self._zone = zone

    def is_absent(self, account_id: str) -> bool:
        """Whether the account's official is away today."""
        today = self.day_of(self._clock())
        return any(absence.covers(today) for absence in self.of([account_id]))

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def of(self, accounts: Iterable[str]) -> list[AbsenceNoted]:
        """The absences of these accounts, the latest first."""
        wanted = select(Absence).where(Absence.account_id.in_(list(accounts)))
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(Absence.first_day.desc(), Absence.id))
            return [AbsenceNoted(row.id, row.account_id, row.first_day, row.last_day) for row in rows]

    def note(self, account_id: str, first_day: date, last_day: date, *, by: str) -> None:
        with self._sessions.begin() as session:
            session.add(
                Absence(
                    id=str(uuid.uuid4()),
                    account_id=account_id,
                    first_day=first_day,
                    last_day=last_day,
                    noted_by=by,
                    noted_at=self._clock(),
                )
            )

    def take_back(self, absence_id: str) -> None:
        with self._sessions.begin() as session:
            session.execute(delete(Absence).where(Absence.id == absence_id))
