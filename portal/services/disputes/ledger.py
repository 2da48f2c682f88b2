"""What both sides of a dispute share: its rows, its steps, and the entry in the log that each step is."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.attachments import MOST_IN_A_DISPUTE, AttachmentKind, FileFault, FilesRefused, Upload
from portal.domain.disputes import ARTICLES, DisputeKind, DisputeState, Ground, Ruling, WithholdingReason
from portal.domain.errors import NothingHere, PortalError
from portal.domain.identifiers import PersonalCode
from portal.domain.redaction import Part, Span, parts_of
from portal.models.disputes import Dispute, DisputeAttachment, DisputeMessage, DisputeRedaction
from portal.services.attachments.intake import AttachmentIntake, KeptFile
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file beside a message, under the name that it goes out with; `size` in bytes.

    `withheld` says why all of it is withheld; `spans` are the passages of a text that are.
    """

    attachment_id: str
    kind: AttachmentKind
    name: str = field(repr=False)
    size: int
    is_scanned: bool
    withheld: WithholdingReason | None = None
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What was written in one step, as far as its reader is shown it.

    `by_person` says who wrote it; `entry` is the step's entry in the log.
    """

    message_id: str
    step: Action
    by_person: bool
    written_at: datetime
    entry: int
    parts: tuple[Part, ...] = field(repr=False)
    attachments: tuple[Attachment, ...] = ()

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)


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
    decision: str | None
    state: DisputeState
    opened_at: datetime
    due_on: date
    days_left: int | None
    is_extended: bool
    is_paused: bool
    closed_at: datetime | None
    ruling: Ruling | None
    ground: Ground | None
    erased_at: datetime | None
    messages: tuple[Message, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state is DisputeState.OPEN

    @property
    def is_overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0


@dataclass(frozen=True, slots=True)
class Written:
    """What is written in a step: the text, the files beside it, and what of both is withheld from the person."""

    text: str = field(repr=False)
    files: Sequence[KeptFile] = ()
    spans: Sequence[Span] = ()
    files_withheld: WithholdingReason | None = None


@dataclass(frozen=True, slots=True)
class Withheld:
    """A passage of a message or of a text file, or (without a `span`) a whole file."""

    reason: WithholdingReason
    message_id: str | None = None
    attachment_id: str | None = None
    span: Span | None = None


class DisputeLedger:
    """Reads disputes and writes steps: each in one transaction with its entry, so that none is without the other."""

    def __init__(self, on: Foundations, intake: AttachmentIntake) -> None:
        self._sessions: sessionmaker[Session] = on.sessions
        self._sealer: Sealer = on.sealer
        self._log: AuditLog = on.log
        self._clock: Clock = on.clock
        self._zone: ZoneInfo = on.zone
        self._intake = intake

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

    @contextmanager
    def receiving(
        self, row: Dispute, uploads: Sequence[Upload], actor: Actor, request_id: str
    ) -> Iterator[list[KeptFile]]:
        """The files of a step, sealed. What is raised inside leaves none of them; each refusal is an entry.

        Raises FilesRefused, FilesNotTakenNow, DisclosureUnavailable.
        """
        try:
            self._refuse_too_many(row, uploads, actor)
            kept = self._intake.take(uploads)
        except FilesRefused as refused:
            action = (
                Action.DISPUTE_ATTACHMENT_REFUSAL if _is_person(actor) else Action.DISPUTE_OFFICE_ATTACHMENT_REFUSAL
            )
            refusals = [
                replace(
                    self._event(row, action, actor, request_id, {"fault": fault}),
                    outcome=Outcome.DENIED,
                    reason=Reason.FILE_REFUSED,
                )
                for fault in refused.faults.values()
            ]
            record(self._log, refusals)
            raise
        try:
            yield kept
        except BaseException:
            self._intake.discard(kept)
            raise

    def write(
        self,
        session: Session,
        row: Dispute,
        action: Action,
        actor: Actor,
        written: Written,
        request_id: str,
    ) -> int:
        """Enter one step, with what was written in it and its files, in the log and in the dispute; gives the entry's
        number.

        The log holds that there was a step, and of each file its kind and length; never a text or a name.

        Raises DisclosureUnavailable: the log could not record it, so the step must not happen.
        """
        session.flush()
        is_person = _is_person(actor)
        attaching = Action.DISPUTE_ATTACHMENT if is_person else Action.DISPUTE_OFFICE_ATTACHMENT
        events = [self._event(row, action, actor, request_id)] + [
            self._event(row, attaching, actor, request_id, {"file": one.kind, "bytes": one.size})
            for one in written.files
        ]
        reasons = [span.reason for span in written.spans]
        if written.files_withheld is not None:
            reasons += [written.files_withheld] * len(written.files)
        events += [
            self._event(row, Action.DISPUTE_REDACTION, actor, request_id, {"withheld": reason}) for reason in reasons
        ]
        entry, *others = (made.seq for made in record(self._log, events))
        file_entries, withheld = others[: len(written.files)], iter(others[len(written.files) :])
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
                sealed_text=self._sealer.seal(written.text, f"dispute-message/{message_id}"),
            )
        )
        session.flush()
        session.add_all(
            self._attachment_row(row, message_id, position, one, file_entry)
            for position, (one, file_entry) in enumerate(zip(written.files, file_entries, strict=True))
        )
        session.flush()
        for span in written.spans:
            self.withhold(session, row, actor, Withheld(span.reason, message_id=message_id, span=span), next(withheld))
        if written.files_withheld is not None:
            for one in written.files:
                whole = Withheld(written.files_withheld, attachment_id=one.file_id)
                self.withhold(session, row, actor, whole, next(withheld))
        return entry

    def withhold(self, session: Session, row: Dispute, actor: Actor, what: Withheld, entry: int) -> None:
        """Note what is withheld from here on, under the entry of the log that says so."""
        session.add(
            DisputeRedaction(
                id=str(uuid.uuid4()),
                dispute_id=row.id,
                message_id=what.message_id,
                attachment_id=what.attachment_id,
                start=None if what.span is None else what.span.start,
                end=None if what.span is None else what.span.end,
                reason=what.reason,
                made_by=actor.account_id,
                made_at=self._clock(),
                log_entry=entry,
            )
        )

    def enter(
        self,
        row: Dispute,
        action: Action,
        actor: Actor,
        request_id: str,
        details: Mapping[str, str | int] | None = None,
        *,
        organisation: str | None = None,
    ) -> int:
        """Enter in the log alone; gives the entry's number. `organisation` stands there instead of the disputed one.

        Raises DisclosureUnavailable.
        """
        event = self._event(row, action, actor, request_id, details)
        return record(self._log, [event if organisation is None else replace(event, organisation=organisation)])[0].seq

    def enter_by_portal(self, row: Dispute, action: Action, request_id: str, details: Mapping[str, str | int]) -> None:
        """What the portal does by itself. Raises DisclosureUnavailable."""
        event = self._event(row, action, None, request_id, details)
        record(self._log, [replace(event, automatic=True)])

    def key_of(self, row: DisputeAttachment) -> bytes:
        return self.open_key(row.sealed_key, f"dispute-attachment/{row.id}/key")

    def seal_key(self, key: bytes, context: str) -> bytes:
        return self._sealer.seal(key.hex(), context)

    def open_key(self, sealed: bytes, context: str) -> bytes:
        return bytes.fromhex(self._sealer.unseal(sealed, context))

    def shown(self, session: Session, row: Dispute, *, with_messages: bool, whole: bool = False) -> ShownDispute:
        """`whole` shows what is withheld as well: to the officers of the side that withheld it."""
        is_open = row.state == DisputeState.OPEN
        return ShownDispute(
            dispute_id=row.id,
            number=row.number,
            kind=DisputeKind(row.kind),
            organisation=row.organisation,
            registry=row.registry_code,
            field=row.field_code or None,
            entry=row.entry,
            decision=row.decision,
            state=DisputeState(row.state),
            opened_at=row.opened_at,
            due_on=row.due_on,
            days_left=(row.due_on - self.today()).days if is_open and row.paused_on is None else None,
            is_extended=row.extended_at is not None,
            is_paused=row.paused_on is not None,
            closed_at=row.closed_at,
            ruling=None if row.ruling is None else Ruling(row.ruling),
            ground=None if row.ground is None else Ground(row.ground),
            erased_at=row.erased_at,
            messages=self._shown_messages(session, row.id, whole=whole) if with_messages else (),
        )

    def unlocked_row(self, row: Dispute | None) -> Dispute:
        """The row as it stands, to look before work is done for a step. Raises as `open_row`."""
        if row is None:
            raise NothingHere
        if row.state != DisputeState.OPEN:
            raise StepRefused("the dispute is closed")
        return row

    def open_row(self, session: Session, row: Dispute | None) -> Dispute:
        """The row, locked for a step. Raises NothingHere where there is none, StepRefused where it is closed."""
        row = self.unlocked_row(row)
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

    def _refuse_too_many(self, row: Dispute, uploads: Sequence[Upload], actor: Actor) -> None:
        """Each side has room of its own, so that neither can fill the other's."""
        is_of_side = DisputeMessage.author.is_(None) if _is_person(actor) else DisputeMessage.author.is_not(None)
        held = (
            select(func.count())
            .select_from(DisputeAttachment)
            .join(DisputeMessage, DisputeMessage.id == DisputeAttachment.message_id)
            .where(DisputeAttachment.dispute_id == row.id, is_of_side)
        )
        if not uploads:
            return
        with self._sessions() as session:
            room = MOST_IN_A_DISPUTE - (session.scalar(held) or 0)
        if len(uploads) > room:
            raise FilesRefused(dict.fromkeys(range(max(0, room), len(uploads)), FileFault.TOO_MANY))

    def _shown_messages(self, session: Session, dispute_id: str, *, whole: bool) -> tuple[Message, ...]:
        withheld = session.scalars(select(DisputeRedaction).where(DisputeRedaction.dispute_id == dispute_id)).all()
        wanted = select(DisputeAttachment).where(DisputeAttachment.dispute_id == dispute_id)
        beside: dict[str, list[Attachment]] = {}
        for one in session.scalars(wanted.order_by(DisputeAttachment.position)):
            beside.setdefault(one.message_id, []).append(self._attachment(one, withheld, whole=whole))
        return tuple(
            self._message(row, withheld, tuple(beside.get(row.id, ())), whole=whole)
            for row in self._messages(session, dispute_id)
        )

    def _message(
        self,
        row: DisputeMessage,
        withheld: Sequence[DisputeRedaction],
        attachments: tuple[Attachment, ...],
        *,
        whole: bool,
    ) -> Message:
        text = self._sealer.unseal(row.sealed_text, f"dispute-message/{row.id}")
        parts = parts_of(text, spans_of(one for one in withheld if one.message_id == row.id), whole=whole)
        by_person = row.author is None
        return Message(row.id, Action(row.step), by_person, row.written_at, row.log_entry, parts, attachments)

    def _attachment(self, row: DisputeAttachment, withheld: Sequence[DisputeRedaction], *, whole: bool) -> Attachment:
        """Of a file that is withheld the name is withheld too: it may say what the file does."""
        of_file = [one for one in withheld if one.attachment_id == row.id]
        reason = next((WithholdingReason(one.reason) for one in of_file if one.start is None), None)
        is_named = whole or reason is None
        return Attachment(
            attachment_id=row.id,
            kind=AttachmentKind(row.kind),
            name=self._sealer.unseal(row.sealed_name, f"dispute-attachment/{row.id}/name") if is_named else "",
            withheld=reason,
            spans=spans_of(of_file),
            size=row.size,
            is_scanned=row.scanner is not None,
        )

    def _attachment_row(
        self, row: Dispute, message_id: str, position: int, file: KeptFile, entry: int
    ) -> DisputeAttachment:
        return DisputeAttachment(
            id=file.file_id,
            dispute_id=row.id,
            message_id=message_id,
            position=position,
            kind=file.kind,
            size=file.size,
            sealed_name=self._sealer.seal(file.name, f"dispute-attachment/{file.file_id}/name"),
            sealed_key=self.seal_key(file.key, f"dispute-attachment/{file.file_id}/key"),
            scanner=file.scanner,
            log_entry=entry,
        )

    def _event(
        self,
        row: Dispute,
        action: Action,
        actor: Actor | None,
        request_id: str,
        more: Mapping[str, str | int] | None = None,
    ) -> Access:
        details: dict[str, str | int] = {"dispute": row.number, "kind": row.kind}
        if row.entry is not None:
            details["refers-to"] = row.entry
        if row.decision is not None:
            details["decision"] = row.decision
        if row.ruling is not None:
            details["ruling"] = row.ruling
        if row.ground is not None:
            details["ground"] = row.ground
        official = None if actor is None or _is_person(actor) else actor
        return Access(
            action=action,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            subject=self.subject_of(row).subject,
            # A complaint to the authority is between the person and the authority: no list of the organisation has it.
            organisation=None if action is Action.DISPUTE_FILE else row.organisation,
            role=None if actor is None else actor.role,
            official=None if official is None else official.account_id,
            official_name=None if official is None else official.name,
            registry=row.registry_code,
            fields=(row.field_code,) if row.field_code else (),
            lawful_basis=ARTICLES[DisputeKind(row.kind)],
            request_id=request_id,
            details=details | dict(more or {}),
        )


def spans_of(withheld: Iterable[DisputeRedaction]) -> tuple[Span, ...]:
    return tuple(
        Span(one.start, one.end, WithholdingReason(one.reason))
        for one in withheld
        if one.start is not None and one.end is not None
    )


def _is_person(actor: Actor) -> bool:
    return actor.role is Role.CITIZEN
