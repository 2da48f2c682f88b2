"""Proceedings are told apart by how they stand, and count where their time lies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.disputes import DisputeState, Ruling
from portal.domain.reviews import ReviewState
from portal.models.base import Base
from portal.services.proceedings.kinds import STAGES, Kind, Stage
from portal.services.proceedings.ledger import Proceedings
from tests.factories.proceedings import REVIEW_WITHIN, a_dispute, a_review, a_seal, an_account, an_emergency, keep

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
WITHIN = timedelta(days=7)
POLICE = "police"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(database_url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine)


@pytest.fixture
def official(sessions: sessionmaker[Session]) -> str:
    account = an_account(NOW)
    account_id = account.id
    keep(sessions, [account])
    return account_id


@pytest.fixture
def proceedings(sessions: sessionmaker[Session]) -> Proceedings:
    return Proceedings(sessions, WITHIN, lambda: NOW, ZoneInfo("Europe/Tallinn"))


def stages(proceedings: Proceedings, kind: Kind) -> list[Stage]:
    return [one.stage for one in proceedings.opened(kind, NOW - 100 * DAY, NOW)]


def test_a_review_of_an_emergency_is_in_time_only_before_it_is_due(
    proceedings: Proceedings, sessions: sessionmaker[Session], official: str
) -> None:
    starts = [NOW - days * DAY for days in (9, 8, 7, 1)]
    reviewed = [starts[0] + REVIEW_WITHIN - MINUTE, starts[1] + REVIEW_WITHIN, None, None]
    keep(
        sessions,
        [an_emergency(official, at, POLICE, reviewed_at=seen) for at, seen in zip(starts, reviewed, strict=True)],
    )
    assert stages(proceedings, Kind.EMERGENCY) == [
        Stage.EMERGENCY_IN_TIME,
        Stage.EMERGENCY_LATE,
        Stage.EMERGENCY_OVERDUE,
        Stage.EMERGENCY_WAITING,
    ]


def test_a_look_is_to_be_reviewed_within_the_time_that_is_set(
    proceedings: Proceedings, sessions: sessionmaker[Session], official: str
) -> None:
    starts = [NOW - days * DAY for days in (30, 29, 7, 6)]
    decided = [starts[0] + WITHIN - MINUTE, starts[1] + WITHIN, None, None]
    states = [ReviewState.CONFIRMED, ReviewState.ESCALATED, ReviewState.OPEN, ReviewState.OPEN]
    keep(
        sessions,
        [
            a_review(official, at, POLICE, state=state, decided_at=when, first_entry=7)
            for at, when, state in zip(starts, decided, states, strict=True)
        ],
    )
    found = list(proceedings.opened(Kind.REVIEW, NOW - 100 * DAY, NOW))
    assert [one.stage for one in found] == [
        Stage.REVIEW_IN_TIME,
        Stage.REVIEW_LATE,
        Stage.REVIEW_OVERDUE,
        Stage.REVIEW_WAITING,
    ]
    assert {one.entry for one in found} == {7}


def test_a_dispute_is_right_refused_withdrawn_open_or_overdue(
    proceedings: Proceedings, sessions: sessionmaker[Session]
) -> None:
    decided = {"state": DisputeState.DECIDED, "closed_at": NOW - DAY}
    keep(
        sessions,
        [
            a_dispute(NOW - 60 * DAY, POLICE, ruling=Ruling.UPHELD, **decided),
            a_dispute(NOW - 59 * DAY, POLICE, ruling=Ruling.PARTLY, **decided),
            a_dispute(NOW - 58 * DAY, POLICE, ruling=Ruling.REFUSED, **decided),
            a_dispute(NOW - 57 * DAY, POLICE, state=DisputeState.WITHDRAWN, closed_at=NOW - DAY),
            a_dispute(NOW - 56 * DAY, POLICE, due_on=(NOW - DAY).date()),
            a_dispute(NOW - 55 * DAY, POLICE, due_on=(NOW - DAY).date(), paused_on=(NOW - 2 * DAY).date()),
            a_dispute(NOW - 54 * DAY, POLICE, due_on=NOW.date()),
        ],
    )
    found = list(proceedings.opened(Kind.DISPUTE, NOW - 100 * DAY, NOW))
    assert [one.stage for one in found] == [
        Stage.DISPUTE_UPHELD,
        Stage.DISPUTE_UPHELD,
        Stage.DISPUTE_REFUSED,
        Stage.DISPUTE_WITHDRAWN,
        Stage.DISPUTE_OVERDUE,
        Stage.DISPUTE_WAITING,
        Stage.DISPUTE_WAITING,
    ]
    assert [one.days_to_answer for one in found] == [59, 58, 57, None, None, None, None]


def test_a_span_holds_its_first_moment_and_not_its_last(
    proceedings: Proceedings, sessions: sessionmaker[Session], official: str
) -> None:
    keep(sessions, [a_seal(official, NOW + shift, POLICE) for shift in (-DAY, -DAY - MINUTE, -MINUTE, timedelta())])
    found = list(proceedings.opened(Kind.SEAL, NOW - DAY, NOW))
    assert [one.opened_at for one in found] == [NOW - DAY, NOW - MINUTE]


def test_what_is_settled_never_changes_again_and_what_is_open_is_not_in_it(
    proceedings: Proceedings, sessions: sessionmaker[Session], official: str
) -> None:
    closed = {"state": DisputeState.DECIDED, "ruling": Ruling.REFUSED, "closed_at": NOW - 3 * DAY}
    keep(
        sessions,
        [
            an_emergency(official, NOW - 5 * DAY, POLICE),
            an_emergency(official, NOW - DAY, POLICE, reviewed_at=NOW),  # not due yet
            a_dispute(NOW - 9 * DAY, POLICE, **closed),
            a_dispute(NOW - 9 * DAY, POLICE),
            a_seal(official, NOW - 50 * DAY, POLICE, lifted_at=NOW - 2 * DAY),
            a_seal(official, NOW - 50 * DAY, POLICE),  # ended, and not everything is shown to the person yet
        ],
    )
    found = [(when, one.stage) for when, one in proceedings.settled(NOW - 100 * DAY, NOW + 100 * DAY)]
    assert found == [
        (NOW - 3 * DAY, Stage.EMERGENCY_OVERDUE),
        (NOW - 3 * DAY, Stage.DISPUTE_REFUSED),
        (NOW - 2 * DAY, Stage.SEAL_ENDED),
    ]


def test_every_stage_belongs_to_exactly_one_kind() -> None:
    assert sorted(stage for of_kind in STAGES.values() for stage in of_kind) == sorted(Stage)
