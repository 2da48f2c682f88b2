"""What both sides of a dispute share: its rows, its steps, and the entry in the log that each step is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor, Role
from portal.domain.disputes import ARTICLES, DisputeKind, DisputeState, Ruling
from portal.domain.errors import NothingHere, PortalError
from portal.domain.identifiers import PersonalCode
from portal.models.disputes import Dispute, DisputeMessage
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.safeguards import Foundations
from portal.services.sealing import Sealer

#: Characters of one message, and of the first.
LONGEST_TEXT = 3000
SHORTEST_TEXT = 10
_SUBJECTS = "disputes/subject"


class StepRefused(PortalError):
    """The dispute does not stand as the step needs it: it is closed, or the time for it is over. The page says so."""


@dataclass(frozen=True, slots=True)
class Message:
    """What was written in one step. `by_person` says who wrote it; `entry` is the step's entry in the log."""

    step: Action
    by_person: bool
    written_at: datetime
    entry: int
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDispute:
    """One dispute as its parties see it. `days_left` is negative when overdue, None when closed or paused."""

    dispute_id: str
    number: str
    kind: DisputeKind
    organisation: str
    registry: str | None
    field: str | None
    entry: int | None
    state: DisputeState
    opened_at: datetime
    due_on: date
    days_left: int | None
    is_extended: bool
    is_paused: bool
    closed_at: datetime | None
    ruling: Ruling | None
    messages: tuple[Message, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state is DisputeState.OPEN

    @property
    def is_overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0


class DisputeLedger:
    """Reads disputes and writes steps: each in one transaction with its entry, so that none is without the other."""

    def __init__(self, on: Foundations) -> None:
        self._sessions: sessionmaker[Session] = on.sessions
        self._sealer: Sealer = on.sealer
        self._log: AuditLog = on.log
        self._clock: Clock = on.clock
        self._zone: ZoneInfo = on.zone

    def now(self) -> datetime:
        return self._clock()

    def today(self) -> date:
        return self._clock().astimezone(self._zone).date()

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self._zone).date()

    def index_of(self, code: PersonalCode) -> bytes:
        return self._sealer.blind_index(code.subject, _SUBJECTS)

    def seal_subject(self, code: PersonalCode, dispute_id: str) -> bytes:
        return self._sealer.seal(code.subject, f"dispute/{dispute_id}")

    def subject_of(self, row: Dispute) -> PersonalCode:
        return PersonalCode.of_subject(self._sealer.unseal(row.sealed_subject, f"dispute/{row.id}"))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._sessions() as session:
            yield session

    @contextmanager
    def step(self) -> Iterator[Session]:
        """One transaction. What is raised in it, also by the log, leaves the dispute as it was."""
        with self._sessions.begin() as session:
            yield session

    def write(self, session: Session, row: Dispute, action: Action, actor: Actor, text: str, request_id: str) -> int:
        """Enter one step, with what was written in it, in the log and in the dispute; gives the entry's number.

        The log holds that there was a step and never its text.

        Raises DisclosureUnavailable: the log could not record it, so the step must not happen.
        """
        session.flush()
        is_person = actor.role is Role.CITIZEN
        entry = self.enter(row, action, actor, request_id)
        message_id = str(uuid.uuid4())
        session.add(
            DisputeMessage(
                id=message_id,
                dispute_id=row.id,
                position=len(self._messages(session, row.id)),
                step=action,
                author=None if is_person else actor.account_id,
                written_at=self._clock(),
                log_entry=entry,
                sealed_text=self._sealer.seal(text, f"dispute-message/{message_id}"),
            )
        )
        return entry

    def enter(self, row: Dispute, action: Action, actor: Actor, request_id: str) -> int:
        """Enter in the log alone; gives the entry's number. Raises DisclosureUnavailable."""
        return record(self._log, [self._event(row, action, actor, request_id)])[0].seq

    def shown(self, session: Session, row: Dispute, *, with_messages: bool) -> ShownDispute:
        is_open = row.state == DisputeState.OPEN
        return ShownDispute(
            dispute_id=row.id,
            number=row.number,
            kind=DisputeKind(row.kind),
            organisation=row.organisation,
            registry=row.registry_code,
            field=row.field_code or None,
            entry=row.entry,
            state=DisputeState(row.state),
            opened_at=row.opened_at,
            due_on=row.due_on,
            days_left=(row.due_on - self.today()).days if is_open and row.paused_on is None else None,
            is_extended=row.extended_at is not None,
            is_paused=row.paused_on is not None,
            closed_at=row.closed_at,
            ruling=None if row.ruling is None else Ruling(row.ruling),
            messages=tuple(map(self._message, self._messages(session, row.id))) if with_messages else (),
        )

    def open_row(self, session: Session, row: Dispute | None) -> Dispute:
        """The row, locked for a step. Raises NothingHere where there is none, StepRefused where it is closed."""
        if row is None:
            raise NothingHere
        is_open = Dispute.id == row.id, Dispute.state == DisputeState.OPEN
        # Writing first takes the database's lock: of two steps at once the second sees what the first made of it.
        locked = session.execute(update(Dispute).where(*is_open).values(state=DisputeState.OPEN).returning(Dispute.id))
        if not locked.all():
            raise StepRefused("the dispute is closed")
        session.refresh(row)
        return row

    def _messages(self, session: Session, dispute_id: str) -> list[DisputeMessage]:
        wanted = select(DisputeMessage).where(DisputeMessage.dispute_id == dispute_id)
        return list(session.scalars(wanted.order_by(DisputeMessage.position)))

    def _message(self, row: DisputeMessage) -> Message:
        text = self._sealer.unseal(row.sealed_text, f"dispute-message/{row.id}")
        return Message(Action(row.step), row.author is None, row.written_at, row.log_entry, text)

    def _event(self, row: Dispute, action: Action, actor: Actor, request_id: str) -> Access:
        details: dict[str, str | int] = {"dispute": row.number, "kind": row.kind}
        if row.entry is not None:
            details["refers-to"] = row.entry
        if row.ruling is not None:
            details["ruling"] = row.ruling
        is_person = actor.role is Role.CITIZEN
        return Access(
            action=action,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            subject=self.subject_of(row).subject,
            # A complaint to the authority is between the person and the authority: no list of the organisation has it.
            organisation=None if action is Action.DISPUTE_FILE else row.organisation,
            role=actor.role,
            official=None if is_person else actor.account_id,
            official_name=None if is_person else actor.name,
            registry=row.registry_code,
            fields=(row.field_code,) if row.field_code else (),
            lawful_basis=ARTICLES[DisputeKind(row.kind)],
            request_id=request_id,
            details=details,
        )
