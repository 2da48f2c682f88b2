"""Emergencies, reviews, disputes and seals as rows of the portal's database, each at the times a test gives."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actors import Role
from portal.domain.disputes import DisputeState
from portal.domain.reviews import ReviewState
from portal.models.accounts import Account
from portal.models.base import Base
from portal.models.disputes import Dispute
from portal.models.emergencies import Emergency
from portal.models.seals import Seal
from portal.models.supervision import AccessReview

REVIEW_WITHIN = timedelta(hours=48)


def an_account(opened_at: datetime) -> Account:
    return Account(id=str(uuid.uuid4()), role=Role.CASEWORKER, name="-", created_at=opened_at)


def an_emergency(by: str, opened_at: datetime, organisation: str, **changes: Any) -> Emergency:
    return Emergency(
        **{
            "id": str(uuid.uuid4()),
            "sealed_subject": b"-",
            "sealed_reason": b"-",
            "registries": "population,land",
            "requested_by": by,
            "requester_name": "-",
            "organisation": organisation,
            "opened_at": opened_at,
            "ends_at": opened_at + timedelta(minutes=15),
            "review_due_at": opened_at + REVIEW_WITHIN,
            **changes,
        }
    )


def a_review(by: str, filed_at: datetime, organisation: str, **changes: Any) -> AccessReview:
    return AccessReview(
        **{
            "id": str(uuid.uuid4()),
            "organisation": organisation,
            "official": by,
            "purpose": "benefit-decision",
            "grounds": "outside-case",
            "request_id": str(uuid.uuid4()),
            "filed_at": filed_at,
            "state": ReviewState.OPEN,
            **changes,
        }
    )


def a_dispute(opened_at: datetime, organisation: str, **changes: Any) -> Dispute:
    dispute_id = str(uuid.uuid4())
    return Dispute(
        **{
            "id": dispute_id,
            "number": dispute_id[:12],
            "subject_index": b"-",
            "sealed_subject": b"-",
            "organisation": organisation,
            "kind": "access",
            "state": DisputeState.OPEN,
            "opened_at": opened_at,
            "due_on": opened_at.date() + timedelta(days=31),
            **changes,
        }
    )


def a_seal(by: str, registered_at: datetime, organisation: str, **changes: Any) -> Seal:
    return Seal(
        **{
            "id": str(uuid.uuid4()),
            "sealed_subject": b"-",
            "requested_by": by,
            "organisation": organisation,
            "purpose": "criminal-investigation",
            "lawful_basis": "-",
            "case": "-",
            "authority": "-",
            "ordered_by": "-",
            "order": "-",
            "registered_at": registered_at,
            "first_end": registered_at + timedelta(days=30),
            "ends_at": registered_at + timedelta(days=30),
            **changes,
        }
    )


def keep(sessions: sessionmaker[Session], rows: list[Base]) -> None:
    with sessions.begin() as session:
        session.add_all(rows)
