"""Staff come in with a passkey and a password, in one step and in this order.

Nobody types a name: the passkey says who it is. Whoever has none of ours cannot try a password, so that nobody can be
locked out, or found to be known here, by a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.domain.actions import Reason
from portal.domain.actors import Actor
from portal.domain.assurance import Assurance
from portal.domain.errors import NothingHere, PortalError
from portal.domain.staff import Notice
from portal.services.accounts import Accounts
from portal.services.ceremonies import Asked
from portal.services.entrance import Entrance, Visit
from portal.services.notices import Notices
from portal.services.passkeys import Answer, Passkeys, Prompt
from portal.services.passwords import Check, Passwords
from portal.services.sessions import Method, Proof

#: Two factors, one of them bound to hardware and to this origin, with the person verified by the authenticator.
WITH_PASSKEY = Proof(Method.PASSKEY, Assurance.HIGH)


class StaffRefused(PortalError):
    """Nobody was let in, and the log says why. The page does not, but for the time when a locked account opens."""

    def __init__(self, locked_until: datetime | None = None) -> None:
        super().__init__("not let in")
        self.locked_until = locked_until


@dataclass(frozen=True, slots=True)
class LetIn:
    """Who came in, and the token of their session."""

    actor: Actor
    token: str

    def __repr__(self) -> str:
        return "LetIn(hidden)"


class StaffSignIn:
    """Lets staff in."""

    def __init__(
        self, passkeys: Passkeys, passwords: Passwords, accounts: Accounts, entrance: Entrance, notices: Notices
    ) -> None:
        self._passkeys = passkeys
        self._passwords = passwords
        self._accounts = accounts
        self._entrance = entrance
        self._notices = notices

    def ask(self, browser: str) -> Prompt:
        return self._passkeys.ask(Asked.SIGN_IN, browser)

    def let_in(self, answer: Answer, password: str, visit: Visit) -> LetIn:
        """Raises StaffRefused; and DisclosureUnavailable when the entry could not be made: nobody is signed in."""
        proven = self._passkeys.proved(Asked.SIGN_IN, answer)
        whose = proven.account_id if proven.refusal is None else None
        check = self._passwords.check(whose, password)
        if whose is None:
            raise self._refused(proven.account_id, proven.refusal or Reason.PASSKEY_UNKNOWN, visit)
        if check is not Check.RIGHT:
            raise self._password_refused(whose, check, visit)
        try:
            actor = self._accounts.actor(whose)
        except NothingHere:
            raise self._refused(whose, Reason.ACCOUNT_CLOSED, visit) from None
        return LetIn(actor, self._entrance.let_in(actor, WITH_PASSKEY, visit))

    def _password_refused(self, account_id: str, check: Check, visit: Visit) -> StaffRefused:
        reason = Reason.LOCKED_OUT if check is Check.LOCKED else Reason.PASSWORD_WRONG
        refused = self._refused(account_id, reason, visit)
        if check is Check.LOCKS:
            self._entrance.note_lockout(account_id, visit.request_id)
            self._notices.tell_now(account_id, Notice.LOCKED_OUT)
        if check in {Check.LOCKED, Check.LOCKS}:
            # Told only to somebody whose passkey held: it is the owner, or somebody who has their key and its PIN.
            refused.locked_until = self._passwords.locked_until(account_id)
        return refused

    def _refused(self, account_id: str | None, reason: Reason, visit: Visit) -> StaffRefused:
        self._entrance.refuse_staff(account_id, reason, visit.request_id)
        return StaffRefused()

    def ask_again(self, actor: Actor, browser: str) -> Prompt:
        """Ask somebody who is signed in to prove again that it is them."""
        return self._passkeys.ask(Asked.CONFIRM, browser, actor.account_id)

    def confirm(self, actor: Actor, answer: Answer) -> bool:
        """Whether a passkey of this very account answered."""
        proven = self._passkeys.proved(Asked.CONFIRM, answer, actor.account_id)
        return proven.refusal is None and proven.account_id == actor.account_id
