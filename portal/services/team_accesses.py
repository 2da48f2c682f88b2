"""What a team opened, as its supervisor may know it: who, when, why and which fields, and not whose."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from audit.entry import Access
from audit.errors import EntryNotFound
from audit.log import AuditLog, LoggedAccess, TrailQuery
from portal.domain.actions import Action, Outcome
from portal.domain.actors import Actor
from portal.services.absences import AbsenceNoted, Absences
from portal.services.clock import Clock
from portal.services.reviews import Review
from portal.services.sealing import References

PAGE_LENGTH = 50
RECENT_DAYS = 30
#: How many entries of one request a review shows at most: a list of thousands is judged by its beginning.
MOST_READ = 300
_READS = frozenset({Action.READ})


@dataclass(frozen=True, slots=True)
class SupervisedLook:
    """One entry without its subject: this type has no room for a person's code or for what a registry holds."""

    seq: int
    occurred_at: datetime
    registry: str | None
    fields: tuple[str, ...]
    purpose: str | None
    case: str | None
    justification: str | None = field(repr=False)
    outcome: str
    reason: str | None
    official_name: str | None = field(repr=False)
    is_during_absence: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How much one official opened: entries today and in the last days, and those on days of absence."""

    today: int
    recently: int
    refused: int
    during_absence: int


@dataclass(frozen=True, slots=True)
class LooksPage:
    """A page of one official's looks, newest first."""

    looks: list[SupervisedLook]
    older: str | None


class TeamAccesses:
    """Reads the log for supervisors and for the auditors to whom they hand over."""

    def __init__(self, log: AuditLog, absences: Absences, references: References, clock: Clock, zone: ZoneInfo) -> None:
        self._log = log
        self._absences = absences
        self._references = references
        self._clock = clock
        self._zone = zone

    def figures(self, account_id: str) -> Figures:
        now = self._clock()
        day = datetime.combine(self._absences.day_of(now), time.min, self._zone)
        recently = now - timedelta(days=RECENT_DAYS)
        return Figures(
            today=self._count(account_id, since=day),
            recently=self._count(account_id, since=recently),
            refused=self._count(account_id, since=recently, outcome=Outcome.DENIED),
            during_absence=sum(self._during(absence) for absence in self._absences.of([account_id])),
        )

    def page(self, viewer: Actor, account_id: str, *, before: str | None = None) -> LooksPage:
        """Raises NothingHere when `before` is no reference of this viewer's."""
        last = None if before is None else self._references.entry(before, viewer.account_id)
        query = TrailQuery(official=account_id, actions=_READS)
        page = self._log.read(query, before=last, limit=PAGE_LENGTH)
        absences = self._absences.of([account_id])
        looks = [self._look(logged, logged.access, absences) for logged in page.items if logged.access is not None]
        older = page.next_before
        return LooksPage(looks, None if older is None else self._references.to_entry(older, viewer.account_id))

    def of_review(self, review: Review) -> list[SupervisedLook]:
        """The entries of the access under review. Those of other requests between them are left out."""
        absences = self._absences.of([review.official])
        looks = []
        for seq in (review.entries or range(0))[:MOST_READ]:
            try:
                logged = self._log.entry(seq)
            except EntryNotFound:
                continue
            access = logged.access
            is_its = (
                access is not None and access.request_id == review.request_id and access.official == review.official
            )
            if access is not None and is_its:
                looks.append(self._look(logged, access, absences))
        return looks

    def _look(self, logged: LoggedAccess, access: Access, absences: list[AbsenceNoted]) -> SupervisedLook:
        day = self._absences.day_of(access.occurred_at)
        return SupervisedLook(
            logged.seq,
            access.occurred_at,
            access.registry,
            access.fields,
            access.purpose,
            access.case,
            access.justification,
            access.outcome,
            access.reason,
            access.official_name,
            any(absence.covers(day) for absence in absences),
        )

    def _count(
        self, account_id: str, *, since: datetime, until: datetime | None = None, outcome: str | None = None
    ) -> int:
        query = TrailQuery(official=account_id, actions=_READS, since=since, until=until, outcome=outcome)
        return self._log.count(query)

    def _during(self, absence: AbsenceNoted) -> int:
        since = datetime.combine(absence.first_day, time.min, self._zone)
        until = datetime.combine(absence.last_day + timedelta(days=1), time.min, self._zone)
        return self._count(absence.account_id, since=since, until=until)
