"""What auditors did with the trail, listed for the other auditors: nobody watches only themselves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from audit.log import AuditLog, LoggedAccess, TrailQuery
from portal.domain.actions import Action
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere
from portal.models.independence import AuditorReview
from portal.services.accounts import Accounts
from portal.services.oversight import Oversight, TrailSearch

ACTS = frozenset(
    {
        Action.TRAIL_SEARCH, Action.TRAIL_EXPORT, Action.EXPORT_DOWNLOAD, Action.IDENTITY_REVEAL, Action.SEARCH_SAVING,
        Action.SEARCH_RENAMING, Action.SEARCH_DELETION, Action.SEARCH_SHARING, Action.SEARCH_WITHDRAWAL,
        Action.UNUSUAL_SEARCH, Action.NEWS_PEG, Action.NEWS_PEG_WITHDRAWAL, Action.AUDITOR_REVIEW,
    }
)  # fmt: skip
PAGE_LENGTH = 50
#: How many pages of the log are read for one page of the list, where many acts are the reader's own.
_MOST_READS = 20


@dataclass(frozen=True, slots=True)
class Act:
    """One act of another auditor; `reviewed_by` and `reviewed_at` say who found it in order, if anybody did."""

    reference: str
    logged: LoggedAccess
    reviewed_by: str | None
    reviewed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ActPage:
    """Acts, newest first; `older` leads on."""

    acts: list[Act]
    older: str | None


class AuditorActs:
    """Lists what other auditors did, and takes their colleagues' word on it. Nobody sees or reviews their own."""

    def __init__(
        self, sessions: sessionmaker[Session], log: AuditLog, oversight: Oversight, accounts: Accounts
    ) -> None:
        self._sessions = sessions
        self._log = log
        self._oversight = oversight
        self._accounts = accounts

    def page(self, actor: Actor, before: str | None, *, request_id: str) -> ActPage:
        """What the others did, below the act with this reference. The look is an entry too.

        Raises:
            NothingHere: `before` is no reference of this actor's.
            DisclosureUnavailable: the look could not be recorded.
        """
        last = None if before is None else self._oversight.shown(actor, before).seq
        self._oversight.record(
            actor, Action.TRAIL_SEARCH, TrailSearch(role=Role.AUDITOR), request_id=request_id, of="auditors"
        )
        found, older = self._others(actor, last)
        reviews = self._reviews([logged.seq for logged in found])
        acts = [
            Act(self._oversight.reference(actor, logged.seq), logged, *reviews.get(logged.seq, (None, None)))
            for logged in found
        ]
        return ActPage(acts, None if older is None else self._oversight.reference(actor, older))

    def confirm(self, actor: Actor, reference: str, *, request_id: str) -> None:
        """Say that another auditor's act is in order. The first word on it stands.

        Raises:
            NothingHere: the entry is none of another auditor's acts; one's own among them.
            DisclosureUnavailable: the review could not be recorded.
        """
        logged = self._oversight.shown(actor, reference)
        access = logged.access
        if (
            access is None
            or access.action not in ACTS
            or access.role != Role.AUDITOR
            or access.official == actor.account_id
        ):
            raise NothingHere
        try:
            with self._sessions.begin() as session:
                row = AuditorReview(
                    id=str(uuid.uuid4()), seq=logged.seq, account_id=actor.account_id, at=self._oversight.now(), entry=0
                )
                session.add(row)
                session.flush()  # a second review is refused before anything is written to the log
                details: dict[str, str | int] = {"entry": logged.seq, "verdict": "in-order"}
                event = self._oversight.event(actor, Action.AUDITOR_REVIEW, request_id, None, details)
                (row.entry,) = self._oversight.note([event])
        except IntegrityError:
            return

    def _others(self, actor: Actor, before: int | None) -> tuple[list[LoggedAccess], int | None]:
        query = TrailQuery(role=Role.AUDITOR, actions=ACTS)
        found: list[LoggedAccess] = []
        for _ in range(_MOST_READS):
            page = self._log.read(query, before=before, limit=PAGE_LENGTH)
            for logged in page.items:
                if logged.access is not None and logged.access.official != actor.account_id:
                    found.append(logged)
                    if len(found) == PAGE_LENGTH:
                        return found, logged.seq
            before = page.next_before
            if before is None:
                return found, None
        return found, before

    def _reviews(self, seqs: list[int]) -> dict[int, tuple[str | None, datetime | None]]:
        with self._sessions() as session:
            rows = session.scalars(select(AuditorReview).where(AuditorReview.seq.in_(seqs))).all()
        names = self._accounts.names(row.account_id for row in rows)
        return {row.seq: (names.get(row.account_id), row.at) for row in rows}
