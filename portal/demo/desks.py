"""What lies on the desks of the demonstration's officials: cases to work on, looks to review, one handed over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from audit.entry import Access
from audit.log import LoggedAccess, TrailQuery
from portal.demo.officials import account_id_of
from portal.demo.personas import (
    BENEFIT_OFFICER,
    BENEFIT_SUPERVISOR,
    CONTRACTOR_AGENT,
    INSURANCE_CLERK,
    JOB_SEEKER,
    LAND_OWNER,
    NEWCOMER,
    PENSIONER,
    SINGLE_PARENT,
    STUDENT,
    TOWN_CLERK,
    TOWN_SUPERVISOR,
    code_of,
)
from portal.domain.actions import Action, Outcome
from portal.domain.reviews import Ground, ReviewState
from portal.services.case_files import CaseRow
from portal.services.house import House

_REQUEST = "demonstration"
#: How many of the town clerk's and the benefit officer's last looks wait for a review.
_WAITING = {TOWN_CLERK: 7, BENEFIT_OFFICER: 3}
_HANDED_OVER = "Four looks at one resident in two weeks, in the evening, and none of them belongs to a move or a case."


@dataclass(frozen=True, slots=True)
class _Case:
    reference: str
    kind: str
    purpose: str
    organisation: str
    official: str
    people: tuple[str, ...]
    opened: int
    closed: int | None = None


_CASES = (
    _Case("SKA-2026-10442", "Peretoetus: üksikvanema toetuse taastamine", "benefit-claim", "social-insurance-board",
          BENEFIT_OFFICER, (SINGLE_PARENT,), 21),
    _Case("SKA-2026-10391", "Vanaduspension: ümberarvutus", "benefit-claim", "social-insurance-board",
          BENEFIT_OFFICER, (PENSIONER,), 34),
    _Case("SKA-2026-10517", "Töövõimetoetuse taotlus", "benefit-claim", "social-insurance-board",
          BENEFIT_OFFICER, (JOB_SEEKER, STUDENT), 6),
    _Case("SKA-2025-09120", "Elatisabi taotlus", "benefit-claim", "social-insurance-board",
          BENEFIT_OFFICER, (LAND_OWNER,), 300, 240),
    _Case("CC-2026-00871", "Leibkonna kontroll", "household-check", "claimcheck",
          CONTRACTOR_AGENT, (SINGLE_PARENT,), 12),
    _Case("JL-2026-00212", "Eluasemekulude toetus", "social-assistance", "jarvelinn",
          TOWN_CLERK, (SINGLE_PARENT,), 9),
    _Case("RK-2026-03311", "Ravikindlustuse päring", "insurance-enquiry", "insurance-fund",
          INSURANCE_CLERK, (NEWCOMER,), 3),
)  # fmt: skip


def furnish_desks(house: House, today: date) -> None:
    """Put everything on the desks. Safe to repeat: what is there stays as it is."""
    room = house.casework_room
    room.case_import.take_over([_row(line, case, today) for line, case in enumerate(_CASES, 2)], request_id=_REQUEST)
    for official, supervisor in ((TOWN_CLERK, TOWN_SUPERVISOR), (BENEFIT_OFFICER, BENEFIT_SUPERVISOR)):
        _file_reviews(house, official, supervisor)


def _row(line: int, case: _Case, today: date) -> CaseRow:
    def day(days: int) -> str:
        return (today - timedelta(days=days)).isoformat()

    return CaseRow(
        line=line,
        reference=case.reference,
        kind=case.kind,
        purpose=case.purpose,
        organisation=case.organisation,
        team="",
        opened=day(case.opened),
        closed="" if case.closed is None else day(case.closed),
        subjects=tuple(code_of(person) for person in case.people),
        officials=(account_id_of(case.official),),
    )


def _file_reviews(house: House, official: str, supervisor: str) -> None:
    """The official's last looks, as if each had been filed when it happened."""
    room = house.casework_room
    judge = house.accounts.actor(account_id_of(supervisor))
    every = tuple(ReviewState)
    if room.reviews.of_team(judge, every):
        return
    actor = house.accounts.actor(account_id_of(official))
    looks = list(_last_looks(house, actor.account_id, _WAITING[official]))
    for place, entries in enumerate(reversed(looks)):
        first = entries[0][1]
        ground = Ground.CASE_UNKNOWN if first.case else Ground.OUTSIDE_CASE
        review = room.reviews.file(
            actor,
            first.purpose or "",
            first.case,
            {ground},
            request_id=first.request_id or "",
            filed_at=first.occurred_at,
        )
        room.reviews.opened(review, [logged.seq for logged, _ in entries])
        if official == TOWN_CLERK and place == 0:
            room.supervision.escalate(judge, review, _HANDED_OVER, request_id=_REQUEST)
    if official == TOWN_CLERK and looks:
        # On the day of one of his looks he was not at work.
        away = room.absences.day_of(looks[0][0][1].occurred_at)
        room.supervision.note_absence(judge, actor.account_id, away, away, request_id=_REQUEST)


def _last_looks(house: House, account_id: str, count: int) -> Iterator[list[tuple[LoggedAccess, Access]]]:
    """The official's last `count` requests that opened something, newest first, each with its entries."""
    query = TrailQuery(official=account_id, actions=frozenset({Action.READ}), outcome=Outcome.RELEASED)
    requests: dict[str, list[tuple[LoggedAccess, Access]]] = {}
    for logged in house.log.read(query, limit=count * 4).items:
        if logged.access is not None and logged.access.request_id is not None:
            requests.setdefault(logged.access.request_id, []).append((logged, logged.access))
    yield from list(requests.values())[:count]
