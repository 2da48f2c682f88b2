"""Becoming able to sign in: somebody with a code sets a password and a first passkey, both or neither."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actions import Action
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere
from portal.domain.staff import Notice, Standing
from portal.models.accounts import Account
from portal.models.staff import StaffCredentials
from portal.services.ceremonies import Asked
from portal.services.enrolment_codes import EnrolmentCodes
from portal.services.notices import Notices
from portal.services.passkeys import Answer, Passkeys, Prompt
from portal.services.password_rules import PasswordRules
from portal.services.passwords import Passwords
from portal.services.staff_ledger import Deed, StaffLedger


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Somebody whose code opens: as whom they will sign in."""

    person: Actor
    needs_second: bool


@dataclass(frozen=True, slots=True)
class FirstCredentials:
    """What somebody sets: the code and its second half, the password, the passkey's name and the new passkey."""

    code: str
    second_half: str
    password: str
    passkey_name: str
    answer: Answer

    def __repr__(self) -> str:
        return "FirstCredentials(hidden)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The rooms that know how somebody proves who they are."""

    codes: EnrolmentCodes
    passkeys: Passkeys
    passwords: Passwords
    rules: PasswordRules


class Enrolment:
    """From a code to an account that signs in."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        credentials: Credentials,
        notices: Notices,
        ledger: StaffLedger,
    ) -> None:
        self._sessions = sessions
        self._credentials = credentials
        self._notices = notices
        self._ledger = ledger

    def open(self, code: str) -> Enrolling:
        """As whom somebody with this code will sign in. Raises CodeRefused."""
        opened = self._credentials.codes.opened(code)
        return Enrolling(self._person(opened.account_id), opened.needs_second)

    def ask(self, person: Actor, browser: str) -> Prompt:
        return self._credentials.passkeys.ask_for_new(person, Asked.ENROL, browser)

    def complete(self, given: FirstCredentials, request_id: str) -> Actor:
        """Set password and passkey; from here on the person signs in.

        Raises:
            CodeRefused: the code, or its second half, does not open.
            PasswordRefused: the password is too weak.
            PasskeyRefused: the authenticator's answer does not hold.
            DisclosureUnavailable: it could not be recorded; nothing was set.
        """
        codes, passkeys = self._credentials.codes, self._credentials.passkeys
        person = self.open(given.code).person
        codes.check_second(given.code, given.second_half)
        self._credentials.rules.refuse_weak(given.password, person)
        credential = passkeys.made(person, Asked.ENROL, given.answer)
        with self._sessions.begin() as session:
            codes.use_up(session, given.code)
            row = session.get_one(StaffCredentials, person.account_id)
            was_recovering = row.standing == Standing.RECOVERING
            row.standing = Standing.ACTIVE
            session.get_one(Account, person.account_id).is_active = True
            self._credentials.passwords.put(row, given.password)
            key = passkeys.keep(session, person.account_id, credential, given.passkey_name)
            if was_recovering:
                self._notices.tell(session, person.account_id, Notice.RECOVERY_COMPLETED)
            session.flush()
            details = {"account": person.account_id, "passkey": key}
            self._ledger.note(person, request_id, Deed(Action.STAFF_ENROLMENT, details))
        return person

    def _person(self, account_id: str) -> Actor:
        with self._sessions() as session:
            row = session.get(Account, account_id)
            if row is None:
                raise NothingHere
            return Actor(row.id, Role(row.role), row.name, row.organisation)
