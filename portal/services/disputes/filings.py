"""Sending the file of a dispute to the supervisory authority (GDPR Article 77), from the portal itself.

The file lies sealed here until an auditor of the authority, signed in as such, fetches it. The mail to the authority is
only a notice: the dispute's number and where to sign in. No link opens anything by itself, so a mail that is read by
somebody else, or goes astray, discloses nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, update

from portal.domain.actions import Action
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere, PortalError
from portal.models.disputes import Dispute, DisputeFiling
from portal.services.disputes.citizens import Disputes
from portal.services.disputes.ledger import DisputeLedger
from portal.services.mail.room import MailRoom
from portal.services.mail.smtp import AddressRefused, MailRefused, NotTakenNow
from portal.services.sealed_files import SealedFiles, new_key

#: Of one dispute: each shows how it stood on its day, and nobody needs more at once.
MOST_AT_ONCE = 5
#: How long after each failed attempt the notice is tried again.
_AGAIN = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 4 * 60, 24 * 60))
_A_ROUND = 50
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Authority:
    """The supervisory authority: its code in the catalogue, where notices go, and how long a file waits for it."""

    organisation: str
    mail: str | None
    keep: timedelta


class FiledTooOften(PortalError):
    """As many files of this dispute wait for the authority as may at once. Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Filing:
    """One sending. `notified_at` is when the authority's mail server took the notice."""

    filing_id: str
    number: str
    filed_at: datetime
    expires_at: datetime
    notified_at: datetime | None
    fetched_at: datetime | None
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class FiledArchive:
    """What the authority fetches; `size` in bytes."""

    number: str
    size: int
    content: Iterator[bytes] = field(repr=False)


class DisputeFilings:
    """Takes the file from the person, tells the authority, and hands it to the authority's auditors alone."""

    def __init__(self, ledger: DisputeLedger, own: Disputes, files: SealedFiles, authority: Authority) -> None:
        self._ledger = ledger
        self._own = own
        self._files = files
        self._authority = authority

    @property
    def authority(self) -> str:
        """The authority's code in the catalogue."""
        return self._authority.organisation

    def file(self, actor: Actor, dispute_id: str, archive: Iterable[bytes], *, request_id: str) -> None:
        """Send the archive of the actor's own dispute. The entry names the authority, not the organisation.

        Raises:
            NothingHere: there is no such dispute of the actor's.
            FiledTooOften: MOST_AT_ONCE of it wait already.
            DisclosureUnavailable: the log could not record it; nothing was sent.
        """
        self._own.one(actor, dispute_id)
        self._refuse_too_many(dispute_id)
        filing_id, key, now = str(uuid.uuid4()), new_key(), self._ledger.now()
        size = self._files.write(filing_id, key, archive)
        try:
            with self._ledger.step() as session:
                row = session.get_one(Dispute, dispute_id)
                entry = self._ledger.enter(
                    row, Action.DISPUTE_FILING, actor, request_id, {"bytes": size}, organisation=self.authority
                )
                session.add(
                    DisputeFiling(
                        id=filing_id,
                        dispute_id=dispute_id,
                        filed_at=now,
                        expires_at=now + self._authority.keep,
                        size=size,
                        sealed_key=self._ledger.seal_key(key, f"dispute-filing/{filing_id}"),
                        log_entry=entry,
                        next_try_at=None if self._authority.mail is None else now,
                    )
                )
        except BaseException:
            self._files.remove(filing_id)
            raise

    def of(self, dispute_id: str) -> list[Filing]:
        """What was sent of one dispute, the newest first. Whoever asks has seen to it that the dispute is theirs."""
        with self._ledger.reading() as session:
            rows = session.execute(self._known().where(Dispute.id == dispute_id)).all()
            return [self._filing(row, number) for row, number in rows]

    def waiting(self, actor: Actor) -> list[Filing]:
        """What the authority was sent, for its auditors; for every other auditor there is nothing."""
        if not self._is_of_authority(actor):
            return []
        with self._ledger.reading() as session:
            return [self._filing(row, number) for row, number in session.execute(self._known()).all()]

    def hand_over(self, actor: Actor, filing_id: str, *, request_id: str) -> FiledArchive:
        """The archive, once its fetching is an entry about the person. Raises NothingHere, DisclosureUnavailable."""
        if not self._is_of_authority(actor):
            raise NothingHere
        with self._ledger.step() as session:
            filing = session.get(DisputeFiling, filing_id)
            if filing is None or filing.sealed_key is None or filing.expires_at <= self._ledger.now():
                raise NothingHere
            key, size = self._ledger.open_key(filing.sealed_key, f"dispute-filing/{filing_id}"), filing.size
            row = session.get_one(Dispute, filing.dispute_id)
            number = row.number
            if filing.fetched_at is None:
                filing.fetched_at, filing.fetched_by = self._ledger.now(), actor.account_id
            self._ledger.enter(
                row, Action.DISPUTE_FILING_DOWNLOAD, actor, request_id, {"bytes": size}, organisation=self.authority
            )
        return FiledArchive(number, size, self._files.read(filing_id, key, size))

    def notify_due(self, mail: MailRoom) -> int:
        """Tell the authority by mail of each file that it was not told of yet; gives how many notices have gone."""
        address, now = self._authority.mail, self._ledger.now()
        if address is None or not mail.can_send:
            return 0
        with self._ledger.reading() as session:
            due = session.scalars(
                select(DisputeFiling.id).where(DisputeFiling.next_try_at <= now).limit(_A_ROUND)
            ).all()
        return sum(self._notify(filing_id, address, mail) for filing_id in due)

    def discard_old(self) -> int:
        """Delete the archives whose time is over, with their keys, and what a crash left; gives how many ended."""
        with self._ledger.step() as session:
            gone = session.scalars(
                update(DisputeFiling)
                .where(DisputeFiling.expires_at <= self._ledger.now(), DisputeFiling.sealed_key.is_not(None))
                .values(sealed_key=None, next_try_at=None)
                .returning(DisputeFiling.id)
            ).all()
        old = self._files.older_than(self._ledger.now() - timedelta(days=1))
        with self._ledger.reading() as session:
            is_kept = DisputeFiling.id.in_(old), DisputeFiling.sealed_key.is_not(None)
            kept = set(session.scalars(select(DisputeFiling.id).where(*is_kept)))
        for filing_id in {*gone, *old} - kept:
            self._files.remove(filing_id)
        return len(gone)

    def _notify(self, filing_id: str, address: str, mail: MailRoom) -> bool:
        """Claimed first, so that two processes do not both write; a claim that dies is tried again later."""
        with self._ledger.step() as session:
            now = self._ledger.now()
            claimed = session.scalars(
                update(DisputeFiling)
                .where(DisputeFiling.id == filing_id, DisputeFiling.next_try_at <= now)
                .values(next_try_at=now + _AGAIN[-1], attempts=DisputeFiling.attempts + 1)
                .returning(DisputeFiling)
            ).one_or_none()
            if claimed is None:
                return False
            number, expires_at, attempts = (
                session.get_one(Dispute, claimed.dispute_id).number,
                claimed.expires_at,
                claimed.attempts,
            )
        changes: dict[str, object] = {"next_try_at": None}
        try:
            mail.tell_of_complaint(filing_id, address, number, self._ledger.day_of(expires_at))
            changes["notified_at"] = self._ledger.now()
        except (NotTakenNow, MailRefused, AddressRefused):
            if attempts <= len(_AGAIN):
                changes["next_try_at"] = self._ledger.now() + _AGAIN[attempts - 1]
        with self._ledger.step() as session:
            session.execute(update(DisputeFiling).where(DisputeFiling.id == filing_id).values(**changes))
        return "notified_at" in changes

    def _refuse_too_many(self, dispute_id: str) -> None:
        waits = DisputeFiling.dispute_id == dispute_id, DisputeFiling.expires_at > self._ledger.now()
        with self._ledger.reading() as session:
            if (session.scalar(select(func.count()).where(*waits)) or 0) >= MOST_AT_ONCE:
                raise FiledTooOften

    def _is_of_authority(self, actor: Actor) -> bool:
        return actor.role is Role.AUDITOR and actor.organisation == self.authority

    def _known(self) -> Select[DisputeFiling, str]:
        wanted = select(DisputeFiling, Dispute.number).join(Dispute, Dispute.id == DisputeFiling.dispute_id)
        return wanted.order_by(DisputeFiling.filed_at.desc()).limit(_SHOWN)

    def _filing(self, row: DisputeFiling, number: str) -> Filing:
        is_waiting = row.sealed_key is not None and row.expires_at > self._ledger.now()
        return Filing(row.id, number, row.filed_at, row.expires_at, row.notified_at, row.fetched_at, is_waiting)
