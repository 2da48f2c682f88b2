"""From alerts to mails, and from mails to the mail server.

An alert is planned by its reader's choices; when it is due, it and all others of the same reader become one mail, in
one transaction. The mail stands in the outbox until a server has taken it, through restarts and failures; whoever sends
it has claimed it, so two processes never send the same at once. A process that dies between the server's answer and its
own note sends once more: at least once, with the same Message-ID.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select, update

from portal.domain.mail import AddressState, MailKind, MailState
from portal.models.alerts import Alert
from portal.models.mail import AlertSettings, Mail
from portal.services.mail.addresses import Addresses, StopLinks, address_of, default_choice, new_mail
from portal.services.mail.choices import chosen, due, topic_of
from portal.services.mail.smtp import AddressRefused, Connection, MailRefused, NotTakenNow
from portal.services.mail.wording import Letterhead
from portal.services.safeguards import Foundations

logger = logging.getLogger(__name__)

#: How long after each failed attempt the next one is made; after the last the mail is given up.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 4 * 60, 8 * 60, 12 * 60, 24 * 60))
#: A sender that has not been heard of for so long has died with its process.
SILENCE = timedelta(minutes=10)
#: How long the log of what was sent goes back.
KEPT = timedelta(days=180)
PLANNED_A_ROUND = 1000
READERS_A_ROUND = 500
MAILS_A_ROUND = 200

Connecting = Callable[[], AbstractContextManager[Connection]]


class Outbox:
    """Plans, writes and sends. Each step may be repeated, interrupted, and done in two places at once."""

    def __init__(
        self,
        on: Foundations,
        addresses: Addresses,
        links: StopLinks,
        letterhead: Letterhead,
        bounce_address: str | None,
    ) -> None:
        self._on = on
        self._addresses = addresses
        self._links = links
        self._letterhead = letterhead
        self._bounce_address = bounce_address

    def plan(self) -> int:
        """Say when each new alert goes out, by what its reader chose; gives how many were planned."""
        wanted = (
            select(Alert, AlertSettings)
            .join(AlertSettings, AlertSettings.subject_index == Alert.subject_index)
            .where(
                Alert.mail_due_at.is_(None),
                Alert.mailed_at.is_(None),
                Alert.seen_at.is_(None),
                AlertSettings.address_state == AddressState.CONFIRMED,
            )
            .order_by(Alert.raised_at)
            .limit(PLANNED_A_ROUND)
        )
        with self._on.sessions.begin() as session:
            rows = session.execute(wanted).all()
            for alert, settings in rows:
                choices = chosen(session, settings.account_id, self._addresses.topics)
                topic = topic_of(alert.kind, alert.place)
                choice = choices.get(topic) or default_choice(self._addresses.topics, topic)
                alert.mail_due_at = due(alert.raised_at, choice.cadence, ZoneInfo(settings.zone))
        return len(rows)

    def write(self) -> int:
        """One mail for each reader for whom something is due; gives how many. What the reader has read is not due."""
        now = self._on.clock()
        readers = (
            select(AlertSettings.account_id)
            .join(Alert, Alert.subject_index == AlertSettings.subject_index)
            .where(Alert.mail_due_at <= now, Alert.mailed_at.is_(None), Alert.seen_at.is_(None))
            .where(AlertSettings.address_state == AddressState.CONFIRMED)
            .distinct()
            .limit(READERS_A_ROUND)
        )
        with self._on.sessions() as session:
            due_readers = session.scalars(readers).all()
        return sum(self._write_to(account_id, now) for account_id in due_readers)

    def _write_to(self, account_id: str, now: datetime) -> bool:
        with self._on.sessions.begin() as session:
            row = session.get(AlertSettings, account_id, with_for_update=True)
            if row is None or row.address_state != AddressState.CONFIRMED:
                return False
            address = address_of(self._on, row)
            taken = session.execute(
                update(Alert)
                .where(
                    Alert.subject_index == row.subject_index,
                    Alert.mail_due_at <= now,
                    Alert.mailed_at.is_(None),
                    Alert.seen_at.is_(None),
                )
                .values(mailed_at=now)
                .returning(Alert.id)
            ).all()
            if not taken or address is None:
                return False
            session.add(new_mail(self._on, row, MailKind.SOMETHING_NEW, address, now))
        return True

    def send(self, connecting: Connecting) -> int:
        """Hand over what waits; gives how many mails a server has taken."""
        sent = 0
        worker = str(uuid.uuid4())
        with connecting() as connection:
            for _turn in range(MAILS_A_ROUND):
                mail = self._claimed(worker)
                if mail is None:
                    break
                sent += self._hand_over(connection, mail, worker)
        return sent

    def discard_old(self) -> None:
        with self._on.sessions.begin() as session:
            session.execute(delete(Mail).where(Mail.next_try_at.is_(None), Mail.created_at < self._on.clock() - KEPT))

    def _claimed(self, worker: str) -> Mail | None:
        """The mail that waits longest, now this worker's. `next_try_at` is meanwhile when the claim runs out."""
        now = self._on.clock()
        waits = (Mail.next_try_at <= now) & or_(Mail.state == MailState.WAITING, Mail.state == MailState.SENDING)
        with self._on.sessions.begin() as session:
            first = session.scalar(select(Mail.id).where(waits).order_by(Mail.next_try_at, Mail.id).limit(1))
            if first is None:
                return None
            claimed = session.scalars(
                update(Mail)
                .where(Mail.id == first, waits)
                .values(state=MailState.SENDING, worker=worker, next_try_at=now + SILENCE, attempts=Mail.attempts + 1)
                .returning(Mail)
            ).one_or_none()
            session.expunge_all()
        return claimed or self._claimed(worker)

    def _hand_over(self, connection: Connection, mail: Mail, worker: str) -> bool:
        if not self._may_still_go(mail):
            self._end(mail, worker, MailState.FAILED)
            return False
        address = self._on.sealer.unseal(mail.sealed_address, mail.id)
        try:
            connection.deliver(self._message(mail, address), self._return_address(mail.id), address)
        except NotTakenNow:
            self._put_off(mail, worker)
            return False
        except MailRefused:
            logger.error("the mail server refused a mail", extra={"mail": mail.id})  # noqa: TRY400 - no data
            self._end(mail, worker, MailState.FAILED)
            return False
        except AddressRefused:
            self._addresses.came_back(mail.id)
            return False
        self._end(mail, worker, MailState.SENT)
        return True

    def _may_still_go(self, mail: Mail) -> bool:
        """Whoever stopped mail, or took the address back, gets not even what waited already."""
        with self._on.sessions() as session:
            row = session.get(AlertSettings, mail.account_id)
            given = None if row is None else address_of(self._on, row)
        if row is None or given is None:
            return False
        wanted = AddressState.UNCONFIRMED if mail.kind == MailKind.CONFIRMATION else AddressState.CONFIRMED
        return row.address_state == wanted and given.reveal() == self._on.sealer.unseal(mail.sealed_address, mail.id)

    def _message(self, mail: Mail, address: str) -> EmailMessage:
        if mail.kind == MailKind.CONFIRMATION:
            assert mail.sealed_link is not None  # noqa: S101 - it goes only with what is sent
            link = self._on.sealer.unseal(mail.sealed_link, mail.id)
            return self._letterhead.confirmation(mail.id, address, mail.language, link, mail.created_at)
        stop = f"{self._letterhead.portal}/mail/stop/{self._links.to(mail.account_id)}"
        return self._letterhead.something_new(mail.id, address, mail.language, stop, mail.created_at)

    def _return_address(self, mail_id: str) -> str:
        """The mail's number in the return address says which mail it is that comes back (VERP)."""
        if self._bounce_address is None:
            return self._letterhead.sender
        local, _, domain = self._bounce_address.rpartition("@")
        return f"{local}+{mail_id}@{domain}"

    def _put_off(self, mail: Mail, worker: str) -> None:
        if mail.attempts > len(BACK_OFF):
            self._end(mail, worker, MailState.FAILED)
            return
        self._change(
            mail, worker, state=MailState.WAITING, worker=None,
            next_try_at=self._on.clock() + BACK_OFF[mail.attempts - 1],
        )  # fmt: skip

    def _end(self, mail: Mail, worker: str, state: MailState) -> None:
        self._change(
            mail, worker, state=state, worker=None, next_try_at=None, sealed_link=None, ended_at=self._on.clock()
        )

    def _change(self, mail: Mail, claimed_by: str, **values: object) -> None:
        """Only while the mail is this worker's: what another took over is not touched."""
        with self._on.sessions.begin() as session:
            session.execute(update(Mail).where(Mail.id == mail.id, Mail.worker == claimed_by).values(**values))
