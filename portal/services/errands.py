"""Requests that wait until the person has proved again who they are, so that nothing they filled in is lost."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.assurance import Assurance, Demand
from portal.domain.errors import NothingHere
from portal.models.errands import HeldErrand
from portal.services.clock import Clock
from portal.services.sealing import Sealer

#: Long enough to find one's ID card and its PIN.
LIFETIME = timedelta(minutes=20)
#: Waiting requests of one session: as many as somebody may have open in tabs. The oldest gives way.
AT_MOST = 5


@dataclass(frozen=True, slots=True)
class Errand:
    """A request: where to, with which fields (None for a page that is only opened), and what it asks of the sign-in.

    `dropped_files` says that files had been chosen, which are not kept.
    """

    path: str
    fields: tuple[tuple[str, str], ...] | None
    level: str
    fresh_seconds: int | None
    dropped_files: bool = False

    def __repr__(self) -> str:
        return "Errand(hidden)"  # a field may hold a personal code

    @property
    def demand(self) -> Demand:
        fresh = None if self.fresh_seconds is None else timedelta(seconds=self.fresh_seconds)
        return Demand(Assurance(self.level), fresh)


class Errands:
    """The table of waiting requests. Each belongs to one session and opens for no other."""

    def __init__(self, sessions: sessionmaker[Session], sealer: Sealer, clock: Clock) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._clock = clock

    def keep(self, session_id: str, errand: Errand) -> str:
        """Keep `errand` for the session and give its id, which is no secret."""
        errand_id = str(uuid.uuid4())
        now = self._clock()
        row = HeldErrand(
            id=errand_id,
            session_id=session_id,
            sealed=self._sealer.seal(json.dumps(asdict(errand)), errand_id),
            kept_at=now,
            ends_at=now + LIFETIME,
        )
        newest = select(HeldErrand.id).where(HeldErrand.session_id == session_id).order_by(HeldErrand.kept_at.desc())
        with self._sessions.begin() as session:
            surplus = session.scalars(newest.offset(AT_MOST - 1)).all()
            session.execute(delete(HeldErrand).where((HeldErrand.ends_at <= now) | HeldErrand.id.in_(surplus)))
            session.add(row)
        return errand_id

    def get(self, session_id: str, errand_id: str) -> Errand:
        """Raises NothingHere when there is no such errand of this session, or it waited too long."""
        with self._sessions() as session:
            row = session.get(HeldErrand, errand_id)
            if row is None or row.session_id != session_id or row.ends_at <= self._clock():
                raise NothingHere
            kept = json.loads(self._sealer.unseal(row.sealed, errand_id))
        fields = kept["fields"]
        kept["fields"] = None if fields is None else tuple((name, value) for name, value in fields)
        return Errand(**kept)

    def forget(self, session_id: str, errand_id: str) -> None:
        """Delete the errand, if there is such a one of this session."""
        mine = delete(HeldErrand).where(HeldErrand.id == errand_id, HeldErrand.session_id == session_id)
        with self._sessions.begin() as session:
            session.execute(mine)
