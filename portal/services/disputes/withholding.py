"""What an officer withholds of their own side's messages and files: other people's data above all (Article 15(4)).

The original stays sealed; whoever is shown the rest sees that something is missing, and why. What the person wrote
cannot be withheld: it is theirs, and no organisation shortens what is laid before the authority against it.
"""

from __future__ import annotations

from sqlalchemy import delete

from portal.domain.actions import Action
from portal.domain.actors import Actor
from portal.domain.attachments import AttachmentKind
from portal.domain.disputes import WithholdingReason
from portal.domain.errors import NothingHere, PortalError
from portal.domain.redaction import Span, found
from portal.models.disputes import Dispute, DisputeAttachment, DisputeRedaction
from portal.services.attachments.intake import AttachmentIntake
from portal.services.disputes.desk import DisputeDesk
from portal.services.disputes.ledger import Attachment, DisputeLedger, Message, ShownDispute, Withheld


class PassageNotFound(PortalError):
    """The passage does not stand there, is withheld already, or the file is none of which a passage can be withheld."""


class Withholding:
    """Marks passages and files as withheld, at any time after they were written, and gives files free again."""

    def __init__(self, ledger: DisputeLedger, desk: DisputeDesk, intake: AttachmentIntake) -> None:
        self._ledger = ledger
        self._desk = desk
        self._intake = intake

    def withhold(
        self, actor: Actor, dispute_id: str, place: str, passage: str, reason: WithholdingReason, *, request_id: str
    ) -> int:
        """Withhold a passage wherever it stands in a message or a text file, or (without one) a whole file.

        `place` is the id of the message or of the file. Gives at how many places something is withheld.

        Raises:
            NothingHere: the officer's side has written no such message or file in a dispute that they handle.
            PassageNotFound: nothing was withheld.
            DisclosureUnavailable: the log could not record it; nothing was withheld.
        """
        message, file = _of_own_side(self._desk.one(actor, dispute_id), place)
        spans = self._spans(message, file, passage, reason)
        message_id, file_id = (message.message_id, None) if file is None else (None, file.attachment_id)
        with self._ledger.step() as session:
            row = session.get_one(Dispute, dispute_id)
            for span in spans:
                entry = self._ledger.enter(row, Action.DISPUTE_REDACTION, actor, request_id, {"withheld": reason})
                self._ledger.withhold(session, row, actor, Withheld(reason, message_id, file_id, span), entry)
        return len(spans)

    def release(self, actor: Actor, dispute_id: str, attachment_id: str, *, request_id: str) -> None:
        """Let the person have a file that was withheld whole; its withheld passages stay so. Safe to repeat.

        Raises NothingHere, DisclosureUnavailable.
        """
        _, file = _of_own_side(self._desk.one(actor, dispute_id), attachment_id)
        if file is None:
            raise NothingHere
        if file.withheld is None:
            return
        with self._ledger.step() as session:
            row = session.get_one(Dispute, dispute_id)
            whole = DisputeRedaction.attachment_id == attachment_id, DisputeRedaction.start.is_(None)
            session.execute(delete(DisputeRedaction).where(*whole))
            self._ledger.enter(row, Action.DISPUTE_REDACTION, actor, request_id, {"given-free": file.kind})

    def _spans(
        self, message: Message, file: Attachment | None, passage: str, reason: WithholdingReason
    ) -> list[Span] | list[None]:
        """Where something is withheld from now on; one None for a whole file. Raises PassageNotFound."""
        if file is not None and not passage:
            if file.withheld is not None:
                raise PassageNotFound
            return [None]
        if file is not None and file.kind is not AttachmentKind.TEXT:
            raise PassageNotFound
        text, withheld = (message.text, _withheld_in(message)) if file is None else (self._text_of(file), file.spans)
        spans = found(text, passage, reason, withheld)
        if not spans:
            raise PassageNotFound
        return spans

    def _text_of(self, file: Attachment) -> str:
        with self._ledger.reading() as session:
            key = self._ledger.key_of(session.get_one(DisputeAttachment, file.attachment_id))
        return b"".join(self._intake.read(file.attachment_id, key, file.size)).decode()


def _of_own_side(shown: ShownDispute, place: str) -> tuple[Message, Attachment | None]:
    """The message of this id, or that beside which the file of this id is. Raises NothingHere."""
    for message in shown.messages:
        if message.by_person:
            continue
        if message.message_id == place:
            return message, None
        for file in message.attachments:
            if file.attachment_id == place:
                return message, file
    raise NothingHere


def _withheld_in(message: Message) -> list[Span]:
    """The spans of a message that is shown whole."""
    spans, position = [], 0
    for part in message.parts:
        if part.reason is not None:
            spans.append(Span(position, position + len(part.text), part.reason))
        position += len(part.text)
    return spans
