"""The passkeys of accounts: making one, proving one, listing, removing all but the last."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actions import Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere, PortalError
from portal.models.staff import Passkey, StaffCredentials
from portal.services.ceremonies import Asked, Ceremonies
from portal.services.clock import Clock
from portal.services.relying_party import (
    NewCredential,
    PasskeyRefused,
    RelyingParty,
    key_of_nobody,
    read_assertion,
)

NAME_LENGTH = 64
#: Nobody has more keys than this in use; a list that grows without end helps only somebody who took a session over.
MOST = 10


class LastPasskey(PortalError):
    """The only passkey of an account cannot be removed: its person could not sign in any more. The page says so."""


class TooManyPasskeys(PortalError):
    """The account has as many passkeys as it may have. The page says to remove one first."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a page needs to ask an authenticator: `options` as JSON, and the token by which the answer is matched."""

    token: str
    options: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a browser sent back: the prompt's token, the answer as JSON, and the browser's own secret."""

    token: str
    credential: str
    browser: str

    def __repr__(self) -> str:
        return "Answer(hidden)"


@dataclass(frozen=True, slots=True)
class Proven:
    """Whose passkey answered, and why it is not believed, if it is not. An unknown passkey is nobody's."""

    account_id: str | None
    passkey_id: str | None
    refusal: Reason | None = None


@dataclass(frozen=True, slots=True)
class PasskeyLine:
    """One passkey, as its owner sees it."""

    passkey_id: str
    name: str
    is_synced: bool
    added_at: datetime
    used_at: datetime | None


class Passkeys:
    """The table of passkeys. Whoever adds or removes one writes the entry."""

    def __init__(
        self, sessions: sessionmaker[Session], party: RelyingParty, ceremonies: Ceremonies, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._party = party
        self._ceremonies = ceremonies
        self._clock = clock

    @property
    def origin(self) -> str:
        """The only address at which passkeys work."""
        return self._party.origin

    def ask_for_new(self, actor: Actor, asked: Asked, browser: str) -> Prompt:
        """Ask for a passkey of the account. Raises NothingHere when it has no local credentials."""
        with self._sessions() as session:
            credentials = session.get(StaffCredentials, actor.account_id)
            if credentials is None:
                raise NothingHere
            known = session.scalars(select(Passkey.credential_id).where(Passkey.account_id == actor.account_id)).all()
        begun = self._ceremonies.begin(asked, browser, actor.account_id)
        options = self._party.registration_options(begun.challenge, credentials.user_handle, actor.name, list(known))
        return Prompt(begun.token, options)

    def made(self, actor: Actor, asked: Asked, answer: Answer) -> NewCredential:
        """The passkey that was asked for. Raises PasskeyRefused."""
        challenge = self._ceremonies.take(answer.token, asked, answer.browser, actor.account_id)
        if challenge is None:
            raise PasskeyRefused
        return self._party.registered(answer.credential, challenge)

    def keep(self, session: Session, account_id: str, credential: NewCredential, name: str) -> str:
        """Put a new passkey into the table, in the caller's transaction, and give its id.

        Raises:
            PasskeyRefused: the credential is registered already, for this account or another.
            TooManyPasskeys: the account has its ten.
        """
        if self._count(session, account_id) >= MOST:
            raise TooManyPasskeys
        row = Passkey(
            id=str(uuid.uuid4()),
            account_id=account_id,
            credential_id=credential.credential_id,
            public_key=credential.public_key,
            sign_count=credential.sign_count,
            name=name,
            is_synced=credential.is_synced,
            added_at=self._clock(),
        )
        session.add(row)
        try:
            session.flush()
        except IntegrityError as error:
            raise PasskeyRefused from error
        return row.id

    def drop(self, session: Session, account_id: str, passkey_id: str) -> str:
        """Remove one passkey, in the caller's transaction, and give its name. Raises NothingHere, LastPasskey."""
        # Locks the account's row first, so that two removals at once cannot take the last two.
        session.execute(select(StaffCredentials).where(StaffCredentials.account_id == account_id).with_for_update())
        row = session.get(Passkey, passkey_id)
        if row is None or row.account_id != account_id:
            raise NothingHere
        if self._count(session, account_id) == 1:
            raise LastPasskey
        session.delete(row)
        return row.name

    def ask(self, asked: Asked, browser: str, account_id: str | None = None) -> Prompt:
        """Ask for proof by a passkey: of whoever has one, or of one account's."""
        known = None
        if account_id is not None:
            with self._sessions() as session:
                known = list(session.scalars(select(Passkey.credential_id).where(Passkey.account_id == account_id)))
        begun = self._ceremonies.begin(asked, browser, account_id)
        return Prompt(begun.token, self._party.assertion_options(begun.challenge, known))

    def proved(self, asked: Asked, answer: Answer, account_id: str | None = None) -> Proven:
        """Whose passkey answered. With `account_id` only that account's will do; another's is as good as unknown.

        An unknown credential is checked as a known one is, so that the time it takes tells nothing.
        """
        challenge = self._ceremonies.take(answer.token, asked, answer.browser, account_id)
        try:
            credential = read_assertion(answer.credential)
        except PasskeyRefused as refused:
            return Proven(None, None, refused.reason)
        row = self._known(credential.raw_id, credential.response.user_handle, account_id)
        key, count = (key_of_nobody(), 0) if row is None else (row.public_key, row.sign_count)
        try:
            new_count = self._party.asserted(credential, challenge or secrets.token_bytes(32), key, count)
        except PasskeyRefused as refused:
            if row is None:
                return Proven(None, None, Reason.PASSKEY_UNKNOWN)
            return Proven(row.account_id, row.id, refused.reason)
        if row is None:  # nobody can sign with the key of nobody
            return Proven(None, None, Reason.PASSKEY_UNKNOWN)
        is_first = self._note_use(row.id, count, new_count)
        return Proven(row.account_id, row.id, None if is_first else Reason.PASSKEY_COUNTER)

    def of_account(self, account_id: str) -> list[PasskeyLine]:
        """The account's passkeys, the oldest first."""
        wanted = select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.added_at, Passkey.id)
        with self._sessions() as session:
            return [
                PasskeyLine(row.id, row.name, row.is_synced, row.added_at, row.used_at)
                for row in session.scalars(wanted)
            ]

    def _known(self, credential_id: bytes, user_handle: bytes | None, account_id: str | None) -> Passkey | None:
        """The passkey, unless it is somebody else's or says that it is (section 7.2, step 6)."""
        with self._sessions() as session:
            row = session.scalar(select(Passkey).where(Passkey.credential_id == credential_id))
            if row is None or (account_id is not None and row.account_id != account_id):
                return None
            credentials = session.get(StaffCredentials, row.account_id)
        if credentials is None or (user_handle is not None and user_handle != credentials.user_handle):
            return None
        return row

    def _note_use(self, passkey_id: str, count: int, new_count: int) -> bool:
        """Move the counter on; no when another answer of the same key was faster."""
        change = update(Passkey).where(Passkey.id == passkey_id, Passkey.sign_count == count)
        with self._sessions.begin() as session:
            done = session.execute(change.values(sign_count=new_count, used_at=self._clock()))
            return int(getattr(done, "rowcount", 0)) == 1

    def _count(self, session: Session, account_id: str) -> int:
        return session.scalar(select(func.count()).where(Passkey.account_id == account_id)) or 0
