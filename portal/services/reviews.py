"""Accesses that a supervisor has to look at. A review names the access and nobody whose data were opened."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.reviews import Ground, ReviewState
from portal.models.supervision import AccessReview
from portal.services.clock import Clock

PAGE_LENGTH = 50
#: Reviews that an auditor has, or had, on the desk.
HANDED_OVER = (ReviewState.ESCALATED, ReviewState.UPHELD, ReviewState.CLEARED)


class AlreadyDecided(NothingHere):
    """Somebody else decided meanwhile. The caller shows the review as it stands now; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Review:
    """One access to be looked at. `entries` is where the log has it; None when the portal stopped before it opened."""

    review_id: str
    organisation: str
    team: str | None
    official: str
    purpose: str
    case_reference: str | None
    grounds: tuple[Ground, ...]
    request_id: str
    entries: range | None
    filed_at: datetime
    state: ReviewState
    decided_by: str | None
    decided_at: datetime | None
    reason: str | None = field(repr=False)
    settled_at: datetime | None
    finding: str | None = field(repr=False)


class Reviews:
    """The list of reviews. It is filed before the record opens: a crash leaves a review too many, never one too few."""

    def __init__(self, sessions: sessionmaker[Session], clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    def file(
        self,
        actor: Actor,
        purpose: str,
        case: str | None,
        grounds: Iterable[Ground],
        *,
        request_id: str,
        filed_at: datetime | None = None,
    ) -> str:
        """File a review of an access that is about to happen, or happened at `filed_at`; gives its id.

        One request is one review: a list of people under one purpose is looked at as a whole.
        """
        review_id = str(uuid.uuid4())
        same = select(AccessReview.id).where(
            AccessReview.official == actor.account_id,
            AccessReview.request_id == request_id,
            AccessReview.state == ReviewState.OPEN,
        )
        with self._sessions.begin() as session:
            there = session.scalar(same)
            if there is not None:
                return there
            session.add(
                AccessReview(
                    id=review_id,
                    organisation=actor.organisation or "",
                    team=actor.team,
                    official=actor.account_id,
                    purpose=purpose,
                    case_reference=case,
                    grounds=" ".join(sorted(grounds)),
                    request_id=request_id,
                    filed_at=filed_at or self._clock(),
                    state=ReviewState.OPEN,
                )
            )
        return review_id

    def opened(self, review_id: str, entries: Sequence[int]) -> None:
        """Say where the log has the access that was filed, or one more of the same request."""
        with self._sessions.begin() as session:
            row = session.get(AccessReview, review_id)
            if row is not None:
                row.first_entry = min(entries) if row.first_entry is None else min(row.first_entry, *entries)
                row.last_entry = max(entries) if row.last_entry is None else max(row.last_entry, *entries)

    def withdraw(self, review_id: str) -> None:
        """Forget a review whose access did not happen."""
        with self._sessions.begin() as session:
            row = session.get(AccessReview, review_id)
            if row is not None and row.first_entry is None:
                session.delete(row)

    def of_team(self, actor: Actor, states: Sequence[ReviewState], *, limit: int = PAGE_LENGTH) -> list[Review]:
        """Reviews of the actor's team in one of `states`, the oldest first: it has waited longest."""
        return self._found(select(AccessReview).where(_of_team(actor), AccessReview.state.in_(states)), limit)

    def count_of_team(self, actor: Actor, state: ReviewState) -> int:
        wanted = select(func.count()).select_from(AccessReview).where(_of_team(actor), AccessReview.state == state)
        with self._sessions() as session:
            return int(session.scalar(wanted) or 0)

    def one_of_team(self, actor: Actor, review_id: str) -> Review:
        """Raises NothingHere when it is not there, or another team's."""
        return self._one(select(AccessReview).where(AccessReview.id == review_id, _of_team(actor)))

    def handed_over(self, *, limit: int = PAGE_LENGTH) -> list[Review]:
        """What supervisors handed to the auditors, what is unsettled first."""
        wanted = select(AccessReview).where(AccessReview.state.in_(HANDED_OVER))
        with self._sessions() as session:
            unsettled = AccessReview.state != ReviewState.ESCALATED
            rows = session.scalars(wanted.order_by(unsettled, AccessReview.decided_at.desc()).limit(limit))
            return [_review(row) for row in rows]

    def one_handed_over(self, review_id: str) -> Review:
        """Raises NothingHere when there is none, or no supervisor handed it over."""
        return self._one(select(AccessReview).where(AccessReview.id == review_id, AccessReview.state.in_(HANDED_OVER)))

    def decide(
        self, review_id: str, state: ReviewState, *, by: str, reason: str | None, record: Callable[[], object]
    ) -> None:
        """A supervisor's decision, which `record` enters in the log. Raises AlreadyDecided when it is not open."""
        values = {"decided_by": by, "decided_at": self._clock(), "reason": reason}
        self._move(review_id, ReviewState.OPEN, state, values, record)

    def settle(
        self, review_id: str, state: ReviewState, *, by: str, finding: str, record: Callable[[], object]
    ) -> None:
        """An auditor's word, which `record` enters in the log. Raises AlreadyDecided when it is settled already."""
        values = {"settled_by": by, "settled_at": self._clock(), "finding": finding}
        self._move(review_id, ReviewState.ESCALATED, state, values, record)

    def _move(
        self,
        review_id: str,
        from_: ReviewState,
        to: ReviewState,
        values: dict[str, object],
        record: Callable[[], object],
    ) -> None:
        """One statement with the state it must be in: of two who decide at once, one is told that it is decided.

        The entry is made while the row is held, so that only the decision that holds has one; without it, none holds.
        """
        change = update(AccessReview).where(AccessReview.id == review_id, AccessReview.state == from_)
        with self._sessions.begin() as session:
            done = session.execute(change.values(state=to, **values))
            if int(getattr(done, "rowcount", 0)) != 1:
                raise AlreadyDecided
            record()

    def _found(self, wanted: Select[AccessReview], limit: int) -> list[Review]:
        with self._sessions() as session:
            rows = session.scalars(wanted.order_by(AccessReview.filed_at, AccessReview.id).limit(limit))
            return [_review(row) for row in rows]

    def _one(self, wanted: Select[AccessReview]) -> Review:
        with self._sessions() as session:
            row = session.scalar(wanted)
            if row is None:
                raise NothingHere
            return _review(row)


def _of_team(actor: Actor) -> ColumnElement[bool]:
    team = AccessReview.team.is_(None) if actor.team is None else AccessReview.team == actor.team
    return and_(AccessReview.organisation == (actor.organisation or ""), team)


def _review(row: AccessReview) -> Review:
    has_entries = row.first_entry is not None and row.last_entry is not None
    return Review(
        row.id,
        row.organisation,
        row.team,
        row.official,
        row.purpose,
        row.case_reference,
        tuple(Ground(code) for code in row.grounds.split()),
        row.request_id,
        range(row.first_entry or 0, (row.last_entry or 0) + 1) if has_entries else None,
        row.filed_at,
        ReviewState(row.state),
        row.decided_by,
        row.decided_at,
        row.reason,
        row.settled_at,
        row.finding,
    )
