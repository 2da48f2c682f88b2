"""Lifting seals whose time is over: every entry that a seal withheld is shown to its subject, who is told of it.

A reveal entry stands under the subject's own keys, repeats what the withheld entry says and points to it; the withheld
entry stays where it is. Lifting is safe to repeat, to interrupt, and to do in two places at once: the log takes each
reveal once. It is done by a job, and before anybody reads a history, so that a seal ends by itself.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.errors import AuditError, IdempotencyConflict
from audit.log import AuditLog, TrailQuery
from portal.domain.actions import PORTAL_SOURCE, Action
from portal.domain.errors import PortalError
from portal.domain.identifiers import PersonalCode
from portal.models.seals import Seal
from portal.services.alerts import AlertKind, Alerts
from portal.services.clock import Clock
from portal.services.sealing import Sealer

logger = logging.getLogger(__name__)

#: Seals lifted in one go; what is left is lifted by the next.
BATCH = 20


class LiftsSeals(Protocol):
    """What a reading of somebody's history does first."""

    def lift_due(self) -> int: ...


class Lifting:
    """Looks for seals that are over at one fixed cost, whoever asks, and reveals what they withheld."""

    def __init__(
        self, sessions: sessionmaker[Session], sealer: Sealer, log: AuditLog, alerts: Alerts, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._sealer = sealer
        self._log = log
        self._alerts = alerts
        self._clock = clock

    def lift_due(self) -> int:
        """Lift what is due; gives how many seals were. One that cannot be lifted now is tried again at the next call.

        What is asked of the database names no person: a seal in force costs its subject's page nothing.
        """
        with self._sessions() as session:
            due = session.scalars(
                select(Seal)
                .where(Seal.lifted_at.is_(None), Seal.ends_at <= self._clock())
                .order_by(Seal.ends_at)
                .limit(BATCH)
            ).all()
        return sum(self._was_lifted(seal) for seal in due)

    def _was_lifted(self, seal: Seal) -> bool:
        try:
            self._lift(seal)
        except (AuditError, PortalError) as error:
            # The reader's own page must not fail with it: that would tell whose seal it is.
            logger.error("a seal could not be lifted", extra={"cause": type(error).__name__})  # noqa: TRY400 - no data
            return False
        return True

    def _lift(self, seal: Seal) -> None:
        code = PersonalCode.parse(self._sealer.unseal(seal.sealed_subject, seal.id))
        for logged in self._log.stream(TrailQuery(subject=code.subject, seal=seal.id)):
            if logged.access is not None:
                self._reveal(seal, logged.seq, logged.access)
        self._alerts.tell_person(code, AlertKind.SEAL_ENDED, seal.id)
        with self._sessions.begin() as session:
            session.execute(
                update(Seal).where(Seal.id == seal.id, Seal.lifted_at.is_(None)).values(lifted_at=self._clock())
            )

    def _reveal(self, seal: Seal, entry: int, withheld: Access) -> None:
        """Everything in it comes from what is stored, so that whoever reveals the same entry writes the same."""
        reveal = replace(
            withheld,
            action=Action.SEAL_REVEAL,
            source=PORTAL_SOURCE,
            seal=None,
            details={
                "refers-to": entry,
                "revealed-action": str(withheld.action),
                "authority": seal.authority,
                "order": seal.order,
                "sealed-from": seal.registered_at.isoformat(),
                "first-end": seal.first_end.isoformat(),
                "sealed-until": seal.ends_at.isoformat(),
            },
        )
        try:
            self._log.append(reveal, idempotency_key=f"reveal/{entry}")
        except IdempotencyConflict:
            logger.warning("an entry was revealed before, and what it said was erased since", extra={"entry": entry})
