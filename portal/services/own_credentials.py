"""A member of staff looks after their own password and passkeys.

Each change is an entry and a notice, and ends the account's other sessions: whoever is in one of them by what was lost
or guessed is out (ASVS 5.0, 7.4.3).
"""

from __future__ import annotations

from sqlalchemy.orm import Session, sessionmaker

from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.errors import NothingHere
from portal.domain.staff import Notice
from portal.models.staff import StaffCredentials
from portal.services.ceremonies import Asked
from portal.services.enrolment import Credentials
from portal.services.entrance import Entrance, Present
from portal.services.notices import Notices
from portal.services.passkeys import Answer, PasskeyLine, Prompt
from portal.services.passwords import Check
from portal.services.staff_ledger import Deed, StaffLedger


class OwnCredentials:
    """Passkeys and password of the account that asks."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        credentials: Credentials,
        notices: Notices,
        ledger: StaffLedger,
        entrance: Entrance,
    ) -> None:
        self._sessions = sessions
        self._entrance = entrance
        self._credentials = credentials
        self._notices = notices
        self._ledger = ledger

    def passkeys(self, actor: Actor) -> list[PasskeyLine]:
        """Raises NothingHere for an account that signs in some other way."""
        with self._sessions() as session:
            self._row(session, actor)
        return self._credentials.passkeys.of_account(actor.account_id)

    def has_local_credentials(self, actor: Actor) -> bool:
        with self._sessions() as session:
            return session.get(StaffCredentials, actor.account_id) is not None

    def ask_for_new(self, actor: Actor, browser: str) -> Prompt:
        return self._credentials.passkeys.ask_for_new(actor, Asked.ADD, browser)

    def add_passkey(self, present: Present, name: str, answer: Answer, request_id: str) -> None:
        """Raises PasskeyRefused, TooManyPasskeys, DisclosureUnavailable: nothing was added."""
        actor = present.actor
        credential = self._credentials.passkeys.made(actor, Asked.ADD, answer)
        with self._sessions.begin() as session:
            key = self._credentials.passkeys.keep(session, actor.account_id, credential, name)
            self._notices.tell(session, actor.account_id, Notice.PASSKEY_ADDED)
            session.flush()
            self._note(actor, Action.PASSKEY_ADDITION, request_id, key)
        self._end_others(present, request_id)

    def remove_passkey(self, present: Present, passkey_id: str, request_id: str) -> None:
        """Raises NothingHere, LastPasskey, DisclosureUnavailable: nothing was removed."""
        actor = present.actor
        with self._sessions.begin() as session:
            self._credentials.passkeys.drop(session, actor.account_id, passkey_id)
            self._notices.tell(session, actor.account_id, Notice.PASSKEY_REMOVED)
            session.flush()
            self._note(actor, Action.PASSKEY_REMOVAL, request_id, passkey_id)
        self._end_others(present, request_id)

    def change_password(self, present: Present, current: str, new: str, request_id: str) -> Check:
        """Set a new password if `current` is the one. Wrong ones count as they do at sign-in.

        Raises PasswordRefused, NothingHere, DisclosureUnavailable: the old one stays.
        """
        actor = present.actor
        with self._sessions() as session:
            self._row(session, actor)
        self._credentials.rules.refuse_weak(new, actor)
        check = self._credentials.passwords.check(actor.account_id, current)
        if check is not Check.RIGHT:
            self._note_wrong(actor, check, request_id)
            return check
        with self._sessions.begin() as session:
            self._credentials.passwords.put(self._row(session, actor), new)
            self._notices.tell(session, actor.account_id, Notice.PASSWORD_CHANGED)
            session.flush()
            self._note(actor, Action.PASSWORD_CHANGE, request_id)
        self._end_others(present, request_id)
        return Check.RIGHT

    def _end_others(self, present: Present, request_id: str) -> None:
        """Once the change is committed: sessions end in a transaction of their own."""
        self._entrance.end_others(present, request_id, Reason.CREDENTIALS_CHANGED)

    def _row(self, session: Session, actor: Actor) -> StaffCredentials:
        row = session.get(StaffCredentials, actor.account_id)
        if row is None:
            raise NothingHere
        return row

    def _note(self, actor: Actor, action: Action, request_id: str, passkey_id: str | None = None) -> None:
        details = {} if passkey_id is None else {"passkey": passkey_id}
        self._ledger.note(actor, request_id, Deed(action, details))

    def _note_wrong(self, actor: Actor, check: Check, request_id: str) -> None:
        reason = Reason.LOCKED_OUT if check is Check.LOCKED else Reason.PASSWORD_WRONG
        actions = (Action.PASSWORD_CHANGE, *([Action.SIGN_IN_LOCKOUT] if check is Check.LOCKS else []))
        deeds = [Deed(action, outcome=Outcome.DENIED, reason=reason) for action in actions]
        self._ledger.note(actor, request_id, *deeds)
        if check is Check.LOCKS:
            self._notices.tell_now(actor.account_id, Notice.LOCKED_OUT)
