"""The file of a dispute: what a supervisory authority needs to judge it (GDPR Article 77)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audit.log import AuditLog
from audit.receipt import Receipt
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.services.clock import Clock
from portal.services.disputes.attachments import DisputeAttachments, FetchedFile
from portal.services.disputes.citizens import Disputes
from portal.services.disputes.ledger import ShownDispute
from portal.services.trail import Trail, TrailLine


@dataclass(frozen=True, slots=True)
class DisputeFile:
    """A dispute whole. `contested` is the look it is about, as the person may read it.

    `receipts` prove the contested look and each step, in the log's order; `keys` are those by which they are checked.
    """

    dispute: ShownDispute
    contested: TrailLine | None
    attachments: tuple[FetchedFile, ...]
    receipts: tuple[Receipt, ...]
    keys: str
    made_at: datetime


class DisputeFiles:
    """Puts together what a person takes to the supervisory authority: nothing in it that they may not see anyway."""

    def __init__(
        self, disputes: Disputes, attachments: DisputeAttachments, trail: Trail, log: AuditLog, clock: Clock
    ) -> None:
        self._disputes = disputes
        self._attachments = attachments
        self._trail = trail
        self._log = log
        self._clock = clock

    def of(self, actor: Actor, dispute_id: str, *, request_id: str) -> DisputeFile:
        """Raises NothingHere where it is not this person's, DisclosureUnavailable when it could not be recorded."""
        return self._put_together(actor, self._disputes.taken(actor, dispute_id, request_id=request_id))

    def for_authority(self, actor: Actor, dispute_id: str) -> DisputeFile:
        """The same, to be sent; the sending is the entry. Raises NothingHere."""
        return self._put_together(actor, self._disputes.one(actor, dispute_id))

    def _put_together(self, actor: Actor, dispute: ShownDispute) -> DisputeFile:
        contested = None if dispute.entry is None else self._line(actor, dispute.entry)
        entries = {message.entry for message in dispute.messages} | ({contested.seq} if contested else set())
        receipts = tuple(receipt for seq in sorted(entries) if (receipt := self._receipt(actor, seq)))
        attachments = tuple(self._attachments.contents_for_person(dispute))
        return DisputeFile(dispute, contested, attachments, receipts, self._log.published_keys(), self._clock())

    def _line(self, actor: Actor, seq: int) -> TrailLine | None:
        """The contested look; None where its content has been erased since (the dispute then stands without it)."""
        try:
            return self._trail.line(actor, self._trail.reference(actor, seq))
        except NothingHere:
            return None

    def _receipt(self, actor: Actor, seq: int) -> Receipt | None:
        """None where the entry's content has been erased since: there is nothing left to prove to anybody."""
        try:
            return self._trail.receipt(actor, self._trail.reference(actor, seq))
        except NothingHere:
            return None
