"""The files of a dispute, fetched by its two sides and erased when their time is over."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sqlalchemy import delete, select, update

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.attachments import AttachmentKind
from portal.domain.disputes import DisputeState
from portal.domain.errors import NothingHere
from portal.domain.redaction import parts_of
from portal.models.disputes import Dispute, DisputeAttachment, DisputeMessage
from portal.services.attachments.intake import AttachmentIntake
from portal.services.disputes.citizens import Disputes
from portal.services.disputes.desk import DisputeDesk
from portal.services.disputes.ledger import Attachment, DisputeLedger, ShownDispute

#: A file that no row knows of is what a crash left, once it is older than any request can be.
_STRAY = timedelta(days=1)
_ERASED_A_ROUND = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """A file on its way out, as it was taken in and cleaned; `size` in bytes."""

    name: str = field(repr=False)
    kind: AttachmentKind
    size: int
    content: Iterator[bytes] = field(repr=False)


class DisputeAttachments:
    """Hands files to whoever may follow the dispute, and to nobody else. Each fetching is an entry."""

    def __init__(self, ledger: DisputeLedger, own: Disputes, desk: DisputeDesk, intake: AttachmentIntake) -> None:
        self._ledger = ledger
        self._own = own
        self._desk = desk
        self._intake = intake

    @property
    def are_taken(self) -> bool:
        return self._intake.are_taken

    def for_person(self, actor: Actor, dispute_id: str, attachment_id: str, *, request_id: str) -> FetchedFile:
        """Raises NothingHere, DisclosureUnavailable."""
        shown = self._own.one(actor, dispute_id)
        file = self._fetched(shown, attachment_id, actor, Action.DISPUTE_ATTACHMENT_DOWNLOAD, request_id)
        return self._lessened(file, shown, attachment_id)

    def contents_for_person(self, shown: ShownDispute) -> list[FetchedFile]:
        """Every file that the person may have, as they may have it, for the file of their dispute."""
        return [
            self._lessened(self._opened(one), shown, one.attachment_id)
            for message in shown.messages
            for one in message.attachments
            if one.withheld is None
        ]

    def for_officer(self, actor: Actor, dispute_id: str, attachment_id: str, *, request_id: str) -> FetchedFile:
        """Raises NothingHere, DisclosureUnavailable."""
        shown = self._desk.one(actor, dispute_id)
        return self._fetched(shown, attachment_id, actor, Action.DISPUTE_OFFICE_ATTACHMENT_DOWNLOAD, request_id)

    def _fetched(
        self, shown: ShownDispute, attachment_id: str, actor: Actor, action: Action, request_id: str
    ) -> FetchedFile:
        beside = (one for message in shown.messages for one in message.attachments)
        attachment = next((one for one in beside if one.attachment_id == attachment_id), None)
        is_withheld = attachment is not None and attachment.withheld is not None
        if attachment is None or (is_withheld and action is Action.DISPUTE_ATTACHMENT_DOWNLOAD):
            raise NothingHere
        with self._ledger.reading() as session:
            row = session.get_one(Dispute, shown.dispute_id)
            self._ledger.enter(row, action, actor, request_id, {"file": attachment.kind, "bytes": attachment.size})
        return self._opened(attachment)

    def _lessened(self, file: FetchedFile, shown: ShownDispute, attachment_id: str) -> FetchedFile:
        """The file without the passages that are withheld from the person."""
        beside = (one for message in shown.messages for one in message.attachments)
        spans = next(one.spans for one in beside if one.attachment_id == attachment_id)
        if not spans:
            return file
        text = b"".join(file.content).decode()
        lessened = "".join(part.text for part in parts_of(text, spans, whole=False)).encode()
        return replace(file, size=len(lessened), content=iter((lessened,)))

    def _opened(self, attachment: Attachment) -> FetchedFile:
        attachment_id = attachment.attachment_id
        with self._ledger.reading() as session:
            key = self._ledger.key_of(session.get_one(DisputeAttachment, attachment_id))
        return FetchedFile(
            name=attachment.name,
            kind=attachment.kind,
            size=attachment.size,
            content=self._intake.read(attachment_id, key, attachment.size),
        )


class DisputeRetention:
    """Erases what was written and attached some time after a dispute's end. That there was one, and how it ended, stays
    with its entries in the log; so does a restriction that was granted, which follows from it."""

    def __init__(self, ledger: DisputeLedger, intake: AttachmentIntake, keep: timedelta) -> None:
        self._ledger = ledger
        self._intake = intake
        self._keep = keep

    def erase_due(self) -> int:
        """Erase what is due, and files that a crash left behind; gives how many disputes. Safe to repeat."""
        is_due = (
            Dispute.state != DisputeState.OPEN,
            Dispute.erased_at.is_(None),
            Dispute.closed_at <= self._ledger.now() - self._keep,
        )
        with self._ledger.reading() as session:
            due = session.scalars(select(Dispute.id).where(*is_due).limit(_ERASED_A_ROUND)).all()
        erased = sum(self._erase(dispute_id) for dispute_id in due)
        self._remove_strays()
        return erased

    def _erase(self, dispute_id: str) -> bool:
        """Raises DisclosureUnavailable: the log could not record it; nothing was erased."""
        with self._ledger.step() as session:
            changed = session.scalars(
                update(Dispute)
                .where(Dispute.id == dispute_id, Dispute.erased_at.is_(None))
                .values(erased_at=self._ledger.now())
                .returning(Dispute)
            ).one_or_none()
            if changed is None:
                return False
            of_dispute = DisputeAttachment.dispute_id == dispute_id
            files = session.scalars(select(DisputeAttachment.id).where(of_dispute)).all()
            session.execute(delete(DisputeAttachment).where(of_dispute))
            session.execute(delete(DisputeMessage).where(DisputeMessage.dispute_id == dispute_id))
            self._ledger.enter_by_portal(changed, Action.DISPUTE_ERASURE, secrets.token_hex(8), {"files": len(files)})
        for file_id in files:
            self._intake.remove(file_id)
        return True

    def _remove_strays(self) -> None:
        found = self._intake.older_than(self._ledger.now() - _STRAY)
        with self._ledger.reading() as session:
            known = set(session.scalars(select(DisputeAttachment.id).where(DisputeAttachment.id.in_(found))))
        for file_id in set(found) - known:
            self._intake.remove(file_id)
