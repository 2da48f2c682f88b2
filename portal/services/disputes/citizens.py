"""The person's side: open a dispute from the line or the datum it is about, follow it, write, withdraw."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Select, select

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.attachments import Upload
from portal.domain.deadlines import FIRST_ANSWER_MONTHS, deadline
from portal.domain.disputes import ABOUT_A_DATUM, DisputeKind, DisputeState
from portal.domain.errors import NothingHere
from portal.domain.marks import Mark
from portal.models.disputes import Dispute
from portal.registries.catalogue import Catalogue
from portal.services.disputes.ledger import DisputeLedger, ShownDispute, Written
from portal.services.disputes.marking import Marking
from portal.services.records import subject_of
from portal.services.trail import Trail, TrailLine

#: Said and written without being misheard: no 0 and O, 1 and I, and no vowels that would make words.
_SIGNS = "23456789BCDFGHJKLMNPQRSTVWXZ"
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Contested:
    """An announced decision about the person, and who announced it. Whoever names it has seen to whose it is."""

    decision_id: str
    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a person asks: about one line of their history (`reference`), or about what a registry holds on them.

    `decision` is the one against which they ask it; with the kind DECISION the dispute is about nothing else.
    """

    kind: DisputeKind
    text: str = field(repr=False)
    reference: str | None = None
    registry: str | None = None
    field: str | None = None
    decision: Contested | None = None


class Disputes:
    """A citizen's own disputes. The subject is always the actor."""

    def __init__(self, ledger: DisputeLedger, trail: Trail, catalogue: Catalogue, marking: Marking) -> None:
        self._ledger = ledger
        self._trail = trail
        self._catalogue = catalogue
        self._marking = marking

    def line(self, actor: Actor, reference: str) -> TrailLine:
        """The line that a dispute is to be about. Raises NothingHere where it is not this person's to contest."""
        line = self._trail.line(actor, reference)
        if line.organisation is None:
            raise NothingHere
        return line

    def open(self, actor: Actor, complaint: Complaint, *, request_id: str, files: Sequence[Upload] = ()) -> str:
        """Open a dispute with whoever is responsible; gives its id. The month runs from today.

        Raises:
            NothingHere: the line is not this person's, or there is no such registry or field.
            FilesRefused, FilesNotTakenNow: the files are not taken; nothing was opened.
            DisclosureUnavailable: the log could not record it; nothing was opened.
        """
        row = self._row(actor, complaint)
        dispute_id, registry = row.id, row.registry_code
        with self._ledger.receiving(row, files, actor, request_id) as kept, self._ledger.step() as session:
            session.add(row)
            self._ledger.write(session, row, Action.DISPUTE_OPENING, actor, Written(complaint.text, kept), request_id)
        self._marking.note(subject_of(actor), registry, complaint.field)
        return dispute_id

    def mine(self, actor: Actor) -> list[ShownDispute]:
        """All of the actor's disputes, the newest first."""
        with self._ledger.reading() as session:
            rows = session.scalars(self._own(actor).order_by(Dispute.opened_at.desc()).limit(_SHOWN)).all()
            return [self._ledger.shown(session, row, with_messages=False) for row in rows]

    def everything(self, actor: Actor) -> list[ShownDispute]:
        """Really all of the actor's disputes, with what was written in them and is not withheld; the oldest first."""
        with self._ledger.reading() as session:
            rows = session.scalars(self._own(actor).order_by(Dispute.opened_at)).all()
            return [self._ledger.shown(session, row, with_messages=True) for row in rows]

    def one(self, actor: Actor, dispute_id: str) -> ShownDispute:
        """Raises NothingHere where there is none, or where it is somebody else's."""
        with self._ledger.reading() as session:
            row = session.scalar(self._own(actor).where(Dispute.id == dispute_id))
            if row is None:
                raise NothingHere
            return self._ledger.shown(session, row, with_messages=True)

    def taken(self, actor: Actor, dispute_id: str, *, request_id: str) -> ShownDispute:
        """The dispute, to be carried away whole: an entry of its own, of which the organisation is not told.

        Raises NothingHere, DisclosureUnavailable.
        """
        with self._ledger.reading() as session:
            row = session.scalar(self._own(actor).where(Dispute.id == dispute_id))
            if row is None:
                raise NothingHere
            self._ledger.enter(row, Action.DISPUTE_FILE, actor, request_id)
            return self._ledger.shown(session, row, with_messages=True)

    def write(self, actor: Actor, dispute_id: str, text: str, *, request_id: str, files: Sequence[Upload] = ()) -> None:
        """Add a message. Raises NothingHere, StepRefused, FilesRefused, FilesNotTakenNow, DisclosureUnavailable."""
        wanted = self._own(actor).where(Dispute.id == dispute_id)
        with self._ledger.reading() as session:
            found = self._ledger.unlocked_row(session.scalar(wanted))
        with self._ledger.receiving(found, files, actor, request_id) as kept, self._ledger.step() as session:
            row = self._ledger.open_row(session, session.scalar(wanted))
            self._ledger.write(session, row, Action.DISPUTE_MESSAGE, actor, Written(text, kept), request_id)

    def withdraw(self, actor: Actor, dispute_id: str, *, request_id: str) -> None:
        """End the dispute without a decision. Raises NothingHere, StepRefused, DisclosureUnavailable."""
        with self._ledger.step() as session:
            row = self._ledger.open_row(session, session.scalar(self._own(actor).where(Dispute.id == dispute_id)))
            row.state, row.closed_at = DisputeState.WITHDRAWN, self._ledger.now()
            self._ledger.write(session, row, Action.DISPUTE_WITHDRAWAL, actor, Written(""), request_id)
            registry, field_code = row.registry_code, row.field_code or None
        self._marking.note(subject_of(actor), registry, field_code)

    def marks(self, actor: Actor, registry: str | None = None) -> list[Mark]:
        """What stands beside the actor's data, in one registry or in all: contested, or not to be used."""
        return self._marking.on(subject_of(actor), registry)

    def _own(self, actor: Actor) -> Select[Dispute]:
        return select(Dispute).where(Dispute.subject_index == self._ledger.index_of(subject_of(actor)))

    def _row(self, actor: Actor, complaint: Complaint) -> Dispute:
        subject, dispute_id = subject_of(actor), str(uuid.uuid4())
        organisation, registry, entry = self._about(actor, complaint)
        today = self._ledger.today()
        return Dispute(
            id=dispute_id,
            number=f"{today.year}-" + "".join(secrets.choice(_SIGNS) for _ in range(6)),
            subject_index=self._ledger.index_of(subject),
            sealed_subject=self._ledger.seal_subject(subject, dispute_id),
            organisation=organisation,
            kind=complaint.kind,
            registry_code=registry,
            field_code=complaint.field or "",
            entry=entry,
            decision=None if complaint.decision is None else complaint.decision.decision_id,
            state=DisputeState.OPEN,
            opened_at=self._ledger.now(),
            due_on=deadline(today, FIRST_ANSWER_MONTHS),
        )

    def _about(self, actor: Actor, complaint: Complaint) -> tuple[str, str | None, int | None]:
        """Who is responsible, which registry it concerns, and the contested entry."""
        if complaint.reference is not None and complaint.kind is DisputeKind.ACCESS:
            line = self.line(actor, complaint.reference)
            assert line.organisation is not None  # noqa: S101 - `line` has seen to it
            return line.organisation.code, None if line.registry is None else line.registry.code, line.seq
        if complaint.kind is DisputeKind.DECISION and complaint.decision is not None:
            return complaint.decision.organisation, None, None
        registry = self._catalogue.registries.get(complaint.registry or "")
        is_known = registry is not None and (complaint.field is None or complaint.field in registry.fields)
        if registry is None or not is_known or complaint.kind not in ABOUT_A_DATUM:
            raise NothingHere
        return registry.controller, registry.code, None
