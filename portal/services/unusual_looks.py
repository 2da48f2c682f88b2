"""The looks that an auditor should read first, found in the background and kept as entry numbers.

Two passes: the rules first judge by what the log and the portal know. Only about the looks that then stand in front,
and that nothing explains, are the registries asked who the official and the person are to each other.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.errors import AuditError
from audit.trail import LoggedAccess
from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.identifiers import PersonalCode
from portal.models.unusual import UnusualRun
from portal.services.oversight import Oversight
from portal.services.relations import Relations
from portal.services.unusual.explanations import Explanation
from portal.services.unusual.facts import Facts, Look, Trail
from portal.services.unusual.flags import Flag
from portal.services.unusual.limits import Limits
from portal.services.unusual.ranking import Suspicion, ranked
from portal.services.unusual_facts import UnusualFacts

#: How many days back a run may look.
SPANS = (30, 90, 365)
#: A run whose worker has not been heard of for so long has died with its process.
SILENCE = timedelta(minutes=5)
#: How many looks are kept for reading, and about how many of the first the registries are asked.
KEPT = 50
ASKED_ABOUT = 25
HISTORY_LENGTH = 10


class UnusualState(StrEnum):
    """From request to result. `INTERRUPTED` says nothing about anybody: the run must be repeated."""

    RUNNING = "running"
    DONE = "done"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class UnusualLook:
    """One look to read: its entry, what the rules say of it, and what explains it, if anything does."""

    reference: str
    logged: LoggedAccess
    flags: tuple[Flag, ...]
    explanation: Explanation | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """One run as the page shows it. `asked` counts the people about whom registries were asked."""

    run_id: str
    requested_at: datetime
    days: int
    state: UnusualState
    looks: int
    asked: int
    found: tuple[UnusualLook, ...]

    @property
    def is_over(self) -> bool:
        return self.state is not UnusualState.RUNNING


class UnusualLooks:
    """Requests runs, performs them, and shows what they found."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        oversight: Oversight,
        facts: UnusualFacts,
        relations: Relations,
        limits: Limits,
    ) -> None:
        self._sessions = sessions
        self._oversight = oversight
        self._facts = facts
        self._relations = relations
        self._limits = limits

    def request(self, actor: Actor, days: int, *, request_id: str) -> str:
        """Record the request in the log and give the id of a run, which a job then performs.

        Raises:
            DisclosureUnavailable: it could not be recorded.
        """
        self._oversight.note([self._oversight.event(actor, Action.UNUSUAL_SEARCH, request_id, None, {"days": days})])
        now, run_id = self._oversight.now(), str(uuid.uuid4())
        with self._sessions.begin() as session:
            session.add(
                UnusualRun(
                    id=run_id,
                    requested_by=actor.account_id,
                    requested_at=now,
                    request_id=request_id,
                    days=days,
                    state=UnusualState.RUNNING,
                    heartbeat_at=now,
                )
            )
        return run_id

    def perform(self, actor: Actor, run_id: str) -> None:
        """Rank the looks and keep the first. What cannot be finished is kept as interrupted, never as nothing found."""
        with self._sessions() as session:
            row = session.get_one(UnusualRun, run_id)
            since, request_id = row.requested_at - timedelta(days=row.days), row.request_id
        try:
            found, looks, asked = self._ranked(actor, since, request_id)
        except (AuditError, DisclosureUnavailable):
            self._keep(run_id, state=UnusualState.INTERRUPTED)
            return
        result = json.dumps([_written(one) for one in found])
        self._keep(run_id, state=UnusualState.DONE, looks=looks, asked=asked, result=result)

    def run(self, actor: Actor, run_id: str) -> Ranking:
        """Raises NothingHere for a run that does not exist or that somebody else asked for."""
        with self._sessions() as session:
            row = session.get(UnusualRun, run_id)
            if row is None or row.requested_by != actor.account_id:
                raise NothingHere
            return self._shown(actor, row, with_looks=True)

    def recent(self, actor: Actor) -> list[Ranking]:
        """The actor's last runs, without what they found."""
        mine = select(UnusualRun).where(UnusualRun.requested_by == actor.account_id)
        with self._sessions() as session:
            rows = session.scalars(mine.order_by(UnusualRun.requested_at.desc()).limit(HISTORY_LENGTH))
            return [self._shown(actor, row, with_looks=False) for row in rows]

    def _ranked(self, actor: Actor, since: datetime, request_id: str) -> tuple[list[Suspicion], int, int]:
        looks = [
            look
            for logged in self._oversight.looks_since(since)
            if logged.access is not None and (look := self._facts.look(logged.seq, logged.access)) is not None
            # Nobody ranks their own looks, and a sealed one is no subject of questions to registries.
            if look.official != actor.account_id and logged.access.seal is None
        ]
        trail, facts = Trail(looks), self._facts.of(looks)
        # Whom the registries are asked about, and who sees that, must not depend on whether a seal is in force.
        first = ranked(trail, replace(facts, seals={}), self._limits)
        questionable = [one.look for one in first if one.explanation is None][:ASKED_ABOUT]
        codes = _codes(questionable, facts)
        today = self._oversight.now().date()
        people = self._relations.people(actor, codes, today, request_id=request_id)
        second = ranked(trail, replace(facts, people=people), self._limits)
        return second[:KEPT], len(looks), len(people)

    def _shown(self, actor: Actor, row: UnusualRun, *, with_looks: bool) -> Ranking:
        state = UnusualState(row.state)
        if state is UnusualState.RUNNING and self._oversight.now() - row.heartbeat_at > SILENCE:
            state = UnusualState.INTERRUPTED
        kept = json.loads(row.result) if row.result and with_looks else []
        return Ranking(
            row.id,
            row.requested_at,
            row.days,
            state,
            row.looks,
            row.asked,
            tuple(self._look(actor, one) for one in kept),
        )

    def _look(self, actor: Actor, kept: dict[str, object]) -> UnusualLook:
        seq, flags, explanation = int(str(kept["seq"])), kept["flags"], kept["explanation"]
        assert isinstance(flags, list)  # noqa: S101 - as `_written` wrote it
        return UnusualLook(
            self._oversight.reference(actor, seq),
            self._oversight.numbered(seq),
            tuple(Flag(seq, rule, said) for rule, said in flags),
            None if explanation is None else Explanation(str(explanation)),
        )

    def _keep(self, run_id: str, **changes: object) -> None:
        now = self._oversight.now()
        with self._sessions.begin() as session:
            session.execute(
                update(UnusualRun).where(UnusualRun.id == run_id).values(heartbeat_at=now, finished_at=now, **changes)
            )


def _codes(looks: Sequence[Look], facts: Facts) -> list[PersonalCode]:
    """The people of these looks and the officials who looked, each once, where their code is known."""
    subjects = [one for look in looks for one in (look.subject, facts.persons_of.get(look.official)) if one]
    return [PersonalCode.parse(subject.removeprefix("EE")) for subject in dict.fromkeys(subjects)]


def _written(one: Suspicion) -> dict[str, object]:
    flags = [(flag.rule, dict(flag.said)) for flag in one.flags]
    return {"seq": one.look.seq, "flags": flags, "explanation": one.explanation and one.explanation.value}
