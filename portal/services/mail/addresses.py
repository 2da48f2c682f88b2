"""Where a person is written to: given, confirmed by a link that only its reader has, stopped, or suspended."""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import select
from sqlalchemy.orm import Session

from audit.entry import Access
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere, PortalError
from portal.domain.mail import AddressState, Cadence, MailAddress, MailKind, MailState
from portal.models.mail import AlertSettings, Mail
from portal.services.accounts import Accounts
from portal.services.alerts import AlertKind, person_index
from portal.services.entries import record
from portal.services.mail.choices import Choice, Topic, choose, chosen
from portal.services.records import subject_of
from portal.services.safeguards import Foundations
from portal.services.sealing import derived_key

#: How long the link that confirms an address opens.
CONFIRM_WITHIN = timedelta(hours=24)
#: An address may be given so often in a day: a form must not write to strangers by the thousand.
CONFIRMATIONS_A_DAY = 5
#: After so many mails that came back for good the address is used no more.
BOUNCES_UNTIL_SUSPENDED = 3
SHOWN = 50


class TooManyConfirmations(PortalError):
    """An address was given too often today. The page says to wait until tomorrow."""


class LinkOver(PortalError):
    """The link to confirm an address is used, over, or was never this person's. The page says to ask for a new one."""


class StopLinks:
    """What stands in the link that stops all mail to one person: AES-SIV (RFC 5297) of the account, which tells nothing
    to its reader, cannot be made by anybody else, and does nothing but stop."""

    def __init__(self, master_key: str) -> None:
        self._cipher = AESSIV(derived_key(master_key, "mail/stop/v1", 32))

    def to(self, account_id: str) -> str:
        return base64.urlsafe_b64encode(self._cipher.encrypt(account_id.encode(), [b"stop"])).decode().rstrip("=")

    def account(self, token: str) -> str | None:
        try:
            sealed = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(sealed, [b"stop"]).decode()
        except (InvalidTag, binascii.Error, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class SentMail:
    """One line of the log of what was sent."""

    kind: str
    state: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Told:
    """How one person is told, as their page shows it."""

    address: MailAddress | None = field(repr=False)
    state: AddressState
    language: str
    zone: str
    choices: Mapping[str, Choice]
    mails: tuple[SentMail, ...]


class Addresses:
    """One person's address and choices. The subject is always the actor."""

    def __init__(self, on: Foundations, accounts: Accounts, links: StopLinks, topics: Mapping[str, Topic]) -> None:
        self._on = on
        self._accounts = accounts
        self._links = links
        self.topics = topics

    def told(self, actor: Actor, language: str) -> Told:
        """`language` is that of somebody who has not chosen yet."""
        subject_of(actor)
        with self._on.sessions() as session:
            row = session.get(AlertSettings, actor.account_id)
            mails = session.scalars(
                select(Mail).where(Mail.account_id == actor.account_id).order_by(Mail.created_at.desc()).limit(SHOWN)
            )
            sent = tuple(SentMail(mail.kind, mail.state, mail.created_at, mail.ended_at) for mail in mails)
            choices = chosen(session, actor.account_id, self.topics)
            if row is None:
                return Told(None, AddressState.NONE, language, self._on.zone.key, choices, sent)
            return Told(self._address(row), AddressState(row.address_state), row.language, row.zone, choices, sent)

    def choose(self, actor: Actor, wanted: Mapping[str, Choice], language: str, zone: str, request_id: str) -> None:
        """Keep what the person wants to be told of. A topic that is left out is as before.

        Raises:
            NothingHere: a topic that there is not.
            DisclosureUnavailable: it could not be recorded; nothing was changed.
        """
        if not wanted.keys() <= self.topics.keys():
            raise NothingHere
        with self._on.sessions.begin() as session:
            row = self._row(session, actor, language)
            before = chosen(session, actor.account_id, self.topics)
            row.language, row.zone = language, zone
            choose(session, actor.account_id, {**before, **wanted}, row.subject_index)
            session.flush()
            changed = sum(before[code] != choice for code, choice in wanted.items())
            self._note(actor, Action.ALERT_CHOICE, request_id, {"topics-changed": changed})

    def give(self, actor: Actor, address: MailAddress, language: str, base_url: str, request_id: str) -> None:
        """Write to the address with a link that confirms it. What was given before counts no more.

        Raises:
            TooManyConfirmations: no mail goes out.
            DisclosureUnavailable: as for `choose`.
        """
        token = secrets.token_urlsafe(32)
        now = self._on.clock()
        with self._on.sessions.begin() as session:
            row = self._row(session, actor, language)
            asked = select(Mail.id).where(
                Mail.account_id == actor.account_id,
                Mail.kind == MailKind.CONFIRMATION,
                Mail.created_at > now - timedelta(days=1),
            )
            if len(session.scalars(asked).all()) >= CONFIRMATIONS_A_DAY:
                raise TooManyConfirmations
            row.language = language
            row.sealed_address = self._on.sealer.seal(address.reveal(), _context(actor.account_id))
            row.address_state = AddressState.UNCONFIRMED
            row.confirm_digest, row.confirm_until = _digest(token), now + CONFIRM_WITHIN
            row.confirmed_at, row.bounces = None, 0
            session.flush()
            link = f"{base_url}/me/alerts/confirm/{token}"
            session.add(new_mail(self._on, row, MailKind.CONFIRMATION, address, now, link))
            self._note(actor, Action.MAIL_ADDRESS, request_id, {"step": "given"})

    def confirm(self, actor: Actor, token: str, request_id: str) -> None:
        """Raises LinkOver: the address stays as it is."""
        with self._on.sessions.begin() as session:
            row = session.get(AlertSettings, actor.account_id, with_for_update=True)
            if (
                row is None
                or row.confirm_digest is None
                or row.confirm_until is None
                or self._on.clock() >= row.confirm_until
                or not secrets.compare_digest(row.confirm_digest, _digest(token))
            ):
                raise LinkOver
            row.address_state, row.confirmed_at = AddressState.CONFIRMED, self._on.clock()
            row.confirm_digest = row.confirm_until = None
            session.flush()
            self._note(actor, Action.MAIL_ADDRESS, request_id, {"step": "confirmed"})

    def remove(self, actor: Actor, request_id: str) -> None:
        """Forget the address. Raises NothingHere when there is none."""
        with self._on.sessions.begin() as session:
            row = session.get(AlertSettings, actor.account_id, with_for_update=True)
            if row is None or row.sealed_address is None:
                raise NothingHere
            row.sealed_address = row.confirm_digest = row.confirm_until = row.confirmed_at = None
            row.address_state = AddressState.NONE
            session.flush()
            self._note(actor, Action.MAIL_ADDRESS, request_id, {"step": "removed"})

    def resume(self, actor: Actor, request_id: str) -> None:
        """Write again to an address whose reader had stopped it. Raises NothingHere when it was not stopped."""
        with self._on.sessions.begin() as session:
            row = session.get(AlertSettings, actor.account_id, with_for_update=True)
            if row is None or row.address_state != AddressState.STOPPED:
                raise NothingHere
            row.address_state, row.confirmed_at = AddressState.CONFIRMED, self._on.clock()
            session.flush()
            self._note(actor, Action.MAIL_ADDRESS, request_id, {"step": "resumed"})

    def stop(self, token: str, request_id: str) -> None:
        """Stop all mail to whom the link was sent. A link that is nobody's changes nothing, and nobody is told so."""
        account_id = self._links.account(token)
        if account_id is None:
            return
        with self._on.sessions.begin() as session:
            row = session.get(AlertSettings, account_id, with_for_update=True)
            if row is None or row.address_state != AddressState.CONFIRMED:
                return
            row.address_state = AddressState.STOPPED
            session.flush()
            self._note(self._accounts.actor(account_id), Action.MAIL_ADDRESS, request_id, {"step": "stopped"})

    def came_back(self, mail_id: str) -> bool:
        """A mail could not be delivered, for good. Says whether there was such a mail whose return was not known yet.

        From the third on the address is suspended, and the person is told in the portal.
        """
        with self._on.sessions.begin() as session:
            mail = session.get(Mail, mail_id, with_for_update=True)
            if mail is None or mail.state not in {MailState.SENT, MailState.SENDING}:
                return False
            mail.state, mail.ended_at, mail.worker = MailState.BOUNCED, self._on.clock(), None
            mail.next_try_at = mail.sealed_link = None
            account_id = mail.account_id
            row = session.get(AlertSettings, account_id, with_for_update=True)
            # What was sent to an address that was changed meanwhile says nothing about the new one.
            if row is None or row.sealed_address is None or self._address(row) != self._sent_to(mail):
                return True
            row.bounces += 1
            is_over = row.bounces >= BOUNCES_UNTIL_SUSPENDED and row.address_state == AddressState.CONFIRMED
            if is_over:
                row.address_state = AddressState.SUSPENDED
                session.flush()
                self._note(self._accounts.actor(account_id), Action.MAIL_ADDRESS, mail_id, {"step": "suspended"})
        if is_over:
            code = subject_of(self._accounts.actor(account_id))
            self._on.alerts().tell_person(code, AlertKind.MAIL_SUSPENDED)
        return True

    def _row(self, session: Session, actor: Actor, language: str) -> AlertSettings:
        row = session.get(AlertSettings, actor.account_id, with_for_update=True)
        if row is None:
            row = AlertSettings(
                account_id=actor.account_id,
                subject_index=person_index(self._on.sealer, subject_of(actor)),
                language=language,
                zone=self._on.zone.key,
                address_state=AddressState.NONE,
                bounces=0,
            )
            session.add(row)
            session.flush()
        return row

    def _address(self, row: AlertSettings) -> MailAddress | None:
        return address_of(self._on, row)

    def _sent_to(self, mail: Mail) -> MailAddress:
        return MailAddress(self._on.sealer.unseal(mail.sealed_address, mail.id))

    def _note(self, actor: Actor, action: Action, request_id: str, details: Mapping[str, str | int]) -> None:
        entry = Access(
            action=action,
            outcome=Outcome.DONE,
            source=PORTAL_SOURCE,
            occurred_at=self._on.clock(),
            subject=subject_of(actor).subject,
            role=Role.CITIZEN,
            request_id=request_id,
            details=details,
        )
        record(self._on.log, [entry])


def new_mail(
    on: Foundations, row: AlertSettings, kind: MailKind, address: MailAddress, now: datetime, link: str | None = None
) -> Mail:
    """A mail for the outbox. It goes out in the next round."""
    mail_id = str(uuid.uuid4())
    return Mail(
        id=mail_id,
        account_id=row.account_id,
        kind=kind,
        language=row.language,
        sealed_address=on.sealer.seal(address.reveal(), mail_id),
        sealed_link=None if link is None else on.sealer.seal(link, mail_id),
        state=MailState.WAITING,
        attempts=0,
        next_try_at=now,
        created_at=now,
    )


def default_choice(topics: Mapping[str, Topic], topic: str) -> Choice:
    """What the house chose for a topic; nothing by mail about what nobody can choose."""
    known = topics.get(topic)
    return Choice(Cadence.NEVER, in_portal=True) if known is None else known.default


def address_of(on: Foundations, row: AlertSettings) -> MailAddress | None:
    sealed = row.sealed_address
    return None if sealed is None else MailAddress(on.sealer.unseal(sealed, _context(row.account_id)))


def _context(account_id: str) -> str:
    return f"mail/{account_id}"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
