"""A supervisor's work: the team's accesses, what to review, who is away. Nobody's data, and every look an entry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from portal.domain.actions import Action, Reason
from portal.domain.actors import Actor
from portal.domain.errors import AccessDenied, NothingHere
from portal.domain.purposes import SUPERVISION
from portal.domain.reviews import ReviewState
from portal.registries.catalogue import Catalogue
from portal.services.absences import AbsenceNoted, Absences
from portal.services.accounts import Accounts, TeamMember
from portal.services.journal import Journal
from portal.services.reviews import AlreadyDecided, Review, Reviews
from portal.services.team_accesses import Figures, LooksPage, SupervisedLook, TeamAccesses

#: Reviews that the supervisor decided lately are shown below the open ones.
DECIDED = (ReviewState.CONFIRMED, ReviewState.ESCALATED, ReviewState.UPHELD, ReviewState.CLEARED)


@dataclass(frozen=True, slots=True)
class MemberFigures:
    """One official of the team. `limit` is the organisation's own threshold of entries a day; None: there is none."""

    member: TeamMember
    figures: Figures
    limit: int | None
    is_away: bool

    @property
    def is_over_limit(self) -> bool:
        return self.limit is not None and self.figures.today > self.limit


@dataclass(frozen=True, slots=True)
class ReviewedAccess:
    """A review with the entries it is about. `official_name` is from the account, in case no entry is left."""

    review: Review
    official_name: str = field(repr=False)
    looks: list[SupervisedLook]


class Supervision:
    """What one supervisor may know and decide about their team; other teams' things are not here."""

    def __init__(
        self,
        accounts: Accounts,
        accesses: TeamAccesses,
        reviews: Reviews,
        absences: Absences,
        journal: Journal,
        catalogue: Catalogue,
    ) -> None:
        self._accounts = accounts
        self._accesses = accesses
        self._reviews = reviews
        self._absences = absences
        self._journal = journal
        self._catalogue = catalogue

    def team(self, actor: Actor, *, request_id: str) -> list[MemberFigures]:
        """The team with its figures, who stands out first."""
        self._look(actor, request_id, {"of": "team"})
        organisation = self._catalogue.organisations.get(actor.organisation or "")
        limit = None if organisation is None else organisation.daily_accesses
        members = [
            MemberFigures(
                member,
                self._accesses.figures(member.account_id),
                limit,
                self._absences.is_absent(member.account_id),
            )
            for member in self._accounts.team_of(actor)
        ]
        return sorted(members, key=lambda line: (not line.is_over_limit, -line.figures.during_absence))

    def accesses(
        self, actor: Actor, account_id: str, *, before: str | None = None, request_id: str
    ) -> tuple[TeamMember, LooksPage]:
        """What one official of the team opened. Raises NothingHere for anybody else."""
        member = self.member(actor, account_id)
        page = self._accesses.page(actor, account_id, before=before)
        self._look(actor, request_id, {"of": "official", "account": account_id})
        return member, page

    def open_reviews(self, actor: Actor) -> list[Review]:
        return self._reviews.of_team(actor, (ReviewState.OPEN,))

    def decided_reviews(self, actor: Actor) -> list[Review]:
        return self._reviews.of_team(actor, DECIDED)

    def names(self, reviews: list[Review]) -> dict[str, str]:
        """The names of the officials that these reviews are about."""
        return self._accounts.names(review.official for review in reviews)

    def review(self, actor: Actor, review_id: str, *, request_id: str) -> ReviewedAccess:
        """One access of the team to be looked at. Raises NothingHere for another team's."""
        review = self._reviews.one_of_team(actor, review_id)
        self._look(actor, request_id, {"of": "review", "review": review_id, **_entry_of(review)})
        name = self._accounts.names([review.official]).get(review.official, "")
        return ReviewedAccess(review, name, self._accesses.of_review(review))

    def confirm(self, actor: Actor, review_id: str, *, request_id: str) -> None:
        """Find an access in order.

        Raises:
            NothingHere: it is another team's, or decided already (AlreadyDecided).
            AccessDenied: it is the supervisor's own access; the attempt is an entry.
        """
        self._decide(actor, review_id, ReviewState.CONFIRMED, None, request_id)

    def escalate(self, actor: Actor, review_id: str, reason: str, *, request_id: str) -> None:
        """Hand an access to the auditors, with a reason. Raises as `confirm` does."""
        self._decide(actor, review_id, ReviewState.ESCALATED, reason, request_id)

    def absences(self, actor: Actor) -> list[AbsenceNoted]:
        return self._absences.of(member.account_id for member in self._accounts.team_of(actor))

    def note_absence(self, actor: Actor, account_id: str, first: date, last: date, *, request_id: str) -> None:
        """Raises NothingHere when the account is not of the team."""
        member = self.member(actor, account_id)
        days = f"{first.isoformat()}/{last.isoformat()}"
        self._note_change(actor, request_id, change="noted", account=member.account_id, days=days)
        self._absences.note(member.account_id, first, last, by=actor.account_id)

    def take_back_absence(self, actor: Actor, absence_id: str, *, request_id: str) -> None:
        """Raises NothingHere when there is no such absence in the team."""
        for absence in self.absences(actor):
            if absence.absence_id == absence_id:
                self._note_change(actor, request_id, change="taken-back", account=absence.account_id)
                self._absences.take_back(absence_id)
                return
        raise NothingHere

    def member(self, actor: Actor, account_id: str) -> TeamMember:
        """Raises NothingHere when nobody of the team has this account."""
        for member in self._accounts.team_of(actor):
            if member.account_id == account_id:
                return member
        raise NothingHere

    def _decide(self, actor: Actor, review_id: str, state: ReviewState, reason: str | None, request_id: str) -> None:
        review = self._reviews.one_of_team(actor, review_id)
        action = Action.REVIEW_CONFIRMATION if state is ReviewState.CONFIRMED else Action.REVIEW_ESCALATION
        about = {"review": review_id} | _entry_of(review)
        if self._is_own(actor, review):
            own = Reason.OWN_ACCESS
            entry = self._journal.note(actor, action, SUPERVISION, request_id=request_id, refusal=own, details=about)
            raise AccessDenied(own, entry)
        if review.state is not ReviewState.OPEN:
            raise AlreadyDecided

        def entry_made() -> None:
            self._journal.note(actor, action, SUPERVISION, request_id=request_id, statement=reason, details=about)

        self._reviews.decide(review_id, state, by=actor.account_id, reason=reason, record=entry_made)

    def _is_own(self, actor: Actor, review: Review) -> bool:
        """One person may have an account in each role: what counts is the person."""
        if review.official == actor.account_id:
            return True
        codes = {m.account_id: m.personal_code for m in self._accounts.team_of(actor)}
        return actor.personal_code is not None and codes.get(review.official) == actor.personal_code

    def _look(self, actor: Actor, request_id: str, details: dict[str, str | int]) -> None:
        self._journal.note(actor, Action.SUPERVISION_LOOK, SUPERVISION, request_id=request_id, details=details)

    def _note_change(self, actor: Actor, request_id: str, **details: str) -> None:
        self._journal.note(actor, Action.ABSENCE_CHANGE, SUPERVISION, request_id=request_id, details=details)


def _entry_of(review: Review) -> dict[str, str | int]:
    """Where the log has the access under review, as an entry refers to another."""
    return {} if review.entries is None else {"refers-to": review.entries.start}
