"""The room of decisions: both sides, and the figures, put together in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, exists, func, or_, select

from portal.domain.actors import Actor
from portal.domain.disputes import Ruling
from portal.domain.errors import NothingHere
from portal.domain.intended_decisions import DecisionRules, DecisionState
from portal.models.decisions import AnnouncedDecision
from portal.models.disputes import Dispute
from portal.services.decisions.announcing import Announcing
from portal.services.decisions.own import SHOWN, OwnDecisions
from portal.services.decisions.register import DecisionRegister, ShownDecision
from portal.services.decisions.standing import Standings
from portal.services.disputes.room import DisputeRoom
from portal.services.safeguards import Foundations
from portal.services.transparency import published


class OfficeDecisions:
    """An organisation's decisions as its officials see them: by the organisation's own reference, and no person."""

    def __init__(self, on: Foundations, register: DecisionRegister) -> None:
        self._on = on
        self._register = register

    def of_actor(self, actor: Actor) -> Sequence[ShownDecision]:
        """Those that are still intended come first, and of these the one that takes effect next."""
        first = case((AnnouncedDecision.state == DecisionState.INTENDED, 0), else_=1)
        with self._on.sessions() as session:
            found = (
                select(AnnouncedDecision)
                .where(AnnouncedDecision.organisation == (actor.organisation or "\0"))
                .order_by(first, AnnouncedDecision.effect_on)
                .limit(SHOWN)
            )
            rows = list(session.scalars(found))
        return [self._register.shown(row) for row in rows]

    def one(self, actor: Actor, decision_id: str) -> ShownDecision:
        """Raises NothingHere where the actor's organisation announced no such decision."""
        with self._on.sessions() as session:
            row = self._register.of_organisation(session, actor.organisation or "\0", decision_id)
        if row is None:
            raise NothingHere
        return self._register.shown(row)

    def contested(self, decision_id: str | None) -> ShownDecision | None:
        """The decision that a dispute names. Whoever asks has seen to it that the dispute is theirs to handle."""
        if decision_id is None:
            return None
        with self._on.sessions() as session:
            row = session.get(AnnouncedDecision, decision_id)
        return None if row is None else self._register.shown(row)


@dataclass(frozen=True, slots=True)
class DecisionFigures:
    """What became of one organisation's decisions; None for a count too small to tell."""

    organisation: str
    announced: int | None
    contested: int | None
    upheld: int | None
    withdrawn: int | None
    final: int | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """The services of this room."""

    announcing: Announcing
    own: OwnDecisions
    office: OfficeDecisions
    rules: DecisionRules
    on: Foundations

    @classmethod
    def furnish(cls, on: Foundations, rules: DecisionRules, disputes: DisputeRoom) -> Decisions:
        standings = Standings(disputes.marks, disputes.ledger)
        register = DecisionRegister(on.sealer, standings)
        return cls(
            Announcing(on, register, rules),
            OwnDecisions(on, register, disputes.own),
            OfficeDecisions(on, register),
            rules,
            on,
        )

    def figures(self) -> list[DecisionFigures]:
        """By organisation. Small counts are hidden as in the public figures (`portal.services.transparency`).

        A dispute that was opened from the record rather than from the decision counts once the decision is settled.
        """
        row = AnnouncedDecision
        named = select(Dispute.id).where(Dispute.decision == row.id).correlate(row)
        right = named.where(Dispute.ruling.in_([Ruling.UPHELD, Ruling.PARTLY]))
        counts = [
            func.count(),
            *(
                func.sum(case((condition, 1), else_=0))
                for condition in (
                    or_(row.was_contested, exists(named)),
                    or_(row.was_upheld, exists(right)),
                    row.state == DecisionState.WITHDRAWN,
                    row.state == DecisionState.FINAL,
                )
            ),
        ]
        counted = select(row.organisation, *counts).group_by(row.organisation).order_by(row.organisation)
        with self.on.sessions() as session:
            found = session.execute(counted).all()
        return [DecisionFigures(code, *(published(int(count)) for count in numbers)) for code, *numbers in found]
