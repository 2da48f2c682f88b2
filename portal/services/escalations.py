"""Accesses that supervisors handed to the auditors: what they said of them, and what the auditor finds."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.purposes import OVERSIGHT
from portal.domain.reviews import ReviewState
from portal.services.accounts import Accounts
from portal.services.journal import Journal
from portal.services.reviews import HANDED_OVER, AlreadyDecided, Review, Reviews
from portal.services.sealing import References
from portal.services.team_accesses import SupervisedLook, TeamAccesses

__all__ = ["HANDED_OVER", "EscalatedAccess", "Escalations"]


@dataclass(frozen=True, slots=True)
class EscalatedAccess:
    """One handed-over access; each look with the reference by which this auditor opens its entry."""

    review: Review
    official_name: str = field(repr=False)
    supervisor_name: str = field(repr=False)
    looks: list[tuple[str, SupervisedLook]]


class Escalations:
    """The auditor's desk for what supervisors could not find in order."""

    def __init__(
        self, reviews: Reviews, accesses: TeamAccesses, accounts: Accounts, references: References, journal: Journal
    ):
        self._reviews = reviews
        self._accesses = accesses
        self._accounts = accounts
        self._references = references
        self._journal = journal

    def all(self) -> list[Review]:
        """What was handed over, what is unsettled first."""
        return self._reviews.handed_over()

    def one(self, actor: Actor, review_id: str, *, request_id: str) -> EscalatedAccess:
        """Raises NothingHere when no supervisor handed it over."""
        review = self._reviews.one_handed_over(review_id)
        self._journal.note(actor, Action.TRAIL_SEARCH, OVERSIGHT, request_id=request_id, details=_about(review))
        names = self._accounts.names([review.official, review.decided_by or ""])
        looks = [
            (self._references.to_entry(look.seq, actor.account_id), look) for look in self._accesses.of_review(review)
        ]
        return EscalatedAccess(review, names.get(review.official, ""), names.get(review.decided_by or "", ""), looks)

    def settle(self, actor: Actor, review_id: str, *, is_misuse: bool, finding: str, request_id: str) -> None:
        """Say whether it was misuse, and why.

        Raises:
            NothingHere: no supervisor handed it over.
            AlreadyDecided: it is settled; nothing was changed.
        """
        review = self._reviews.one_handed_over(review_id)
        if review.state is not ReviewState.ESCALATED:
            raise AlreadyDecided
        state = ReviewState.UPHELD if is_misuse else ReviewState.CLEARED
        said = {**_about(review), "verdict": state.value}

        def entry_made() -> None:
            self._journal.note(
                actor, Action.ESCALATION_VERDICT, OVERSIGHT, request_id=request_id, statement=finding, details=said
            )

        self._reviews.settle(review_id, state, by=actor.account_id, finding=finding, record=entry_made)


def _about(review: Review) -> dict[str, str | int]:
    """Which review it is about and where the log has the access."""
    about: dict[str, str | int] = {"review": review.review_id}
    return about if review.entries is None else about | {"refers-to": review.entries.start}
