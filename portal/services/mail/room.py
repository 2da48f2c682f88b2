"""Everything about telling people by mail, put together in one place."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date

from config.mail import MailSettings
from portal.services.accounts import Accounts
from portal.services.clock import Clock
from portal.services.mail.addresses import Addresses, StopLinks
from portal.services.mail.bounces import BounceIntake
from portal.services.mail.choices import topics_of
from portal.services.mail.outbox import Outbox
from portal.services.mail.smtp import Connection, SmtpConnection
from portal.services.mail.watching import LogWatch
from portal.services.mail.wording import Letterhead
from portal.services.safeguards import Foundations


@dataclass(frozen=True, slots=True)
class Round:
    """What one round did: entries of the log read, mails written, sent, and found to have come back."""

    read: int = 0
    written: int = 0
    sent: int = 0
    came_back: int = 0


@dataclass(frozen=True, slots=True)
class MailRoom:
    """The services of one portal that tell people. Without a mail server they are told in the portal alone."""

    addresses: Addresses
    watch: LogWatch
    outbox: Outbox | None
    intake: BounceIntake | None
    base_url: str
    settings: MailSettings | None
    clock: Clock

    @classmethod
    def furnish(
        cls, on: Foundations, accounts: Accounts, master_key: str, base_url: str, settings: MailSettings | None
    ) -> MailRoom:
        topics = topics_of(on.catalogue.purposes)
        links = StopLinks(master_key)
        addresses = Addresses(on, accounts, links, topics)
        outbox = intake = None
        if settings is not None:
            letterhead = Letterhead(settings.sender, base_url)
            outbox = Outbox(on, addresses, links, letterhead, settings.bounce_address)
            if settings.bounce_address is not None:
                intake = BounceIntake(addresses, settings.bounce_address)
        return cls(addresses, LogWatch(on, on.alerts(), topics), outbox, intake, base_url, settings, on.clock)

    @property
    def can_send(self) -> bool:
        return self.outbox is not None

    def round(self) -> Round:
        """Everything once: read the log, plan, write, send, and take in what came back."""
        read = self.watch.read_on()
        if self.outbox is None or self.settings is None:
            return Round(read=read)
        came_back = 0
        if self.intake is not None and self.settings.bounce_maildir is not None:
            came_back = self.intake.read_maildir(self.settings.bounce_maildir)
        self.outbox.plan()
        written = self.outbox.write()
        sent = self.outbox.send(self._connection)
        self.outbox.discard_old()
        return Round(read, written, sent, came_back)

    def tell_of_complaint(self, mail_id: str, address: str, number: str, until: date) -> None:
        """Tell the supervisory authority that the file of a dispute waits for it until this day.

        Raises NotTakenNow, AddressRefused, MailRefused. Only where mail can be sent.
        """
        assert self.settings is not None  # noqa: S101 - `can_send` was asked
        letterhead = Letterhead(self.settings.sender, self.base_url)
        message = letterhead.complaint(mail_id, address, number, until, self.clock())
        with self._connection() as connection:
            connection.deliver(message, self.settings.sender, address)

    def _connection(self) -> AbstractContextManager[Connection]:
        assert self.settings is not None  # noqa: S101 - `round` sends nothing without
        return SmtpConnection(self.settings)
