"""Joiners, movers and leavers: what administrators do with the accounts of staff.

What takes rights away is done by one administrator, at once. What gives a powerful role, or credentials to somebody who
has them already, is asked for here and decided by another (`services/staff_requests.py`).
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from config.staff import StaffSettings
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.staff import Notice, RequestKind, Standing, is_powerful
from portal.models.accounts import Account
from portal.models.staff import StaffCredentials
from portal.services.enrolment_codes import EnrolmentCodes, digest_of, new_code
from portal.services.notices import Notices
from portal.services.rights import NotInThatState, Rights, details_of
from portal.services.staff_accounts import AccountLine, line_in, void_credentials
from portal.services.staff_ledger import Deed
from portal.services.staff_requests import Asking, StaffRequests

NAME_LENGTH = 200
REASON_LENGTH = 500
#: As whom the command line works: whoever can run it holds the machine and its keys.
OPERATOR = "command-line"


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody who is to work with the portal."""

    name: str
    role: Role
    organisation: str
    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it. `code` is shown this once; `waits` says that a second administrator decides."""

    account_id: str
    waits: bool = False
    code: str | None = None

    def __repr__(self) -> str:
        return "Done(hidden)"


class Administration:
    """Changes the accounts of staff. Every method but the first raises OwnAccount for the actor's own account,
    NothingHere for none or a citizen's, NotInThatState for one that stands otherwise, and DisclosureUnavailable when
    the entry could not be made; nothing has changed then."""

    def __init__(
        self,
        rights: Rights,
        requests: StaffRequests,
        codes: EnrolmentCodes,
        notices: Notices,
        limits: StaffSettings,
    ) -> None:
        self._rights = rights
        self._requests = requests
        self._codes = codes
        self._notices = notices
        self._limits = limits

    def takes_two(self, role: Role) -> bool:
        """Whether inviting somebody with this role, or reopening such an account, takes two administrators."""
        return self._limits.two_people_for_every_role or is_powerful(role)

    def invite(self, actor: Actor, invitation: Invitation, request_id: str) -> Done:
        """Open an account that nobody can sign in to until its person has set a password and a passkey."""
        account_id = str(uuid.uuid4())
        with self._rights.changing(actor, account_id) as session:
            self._open(session, account_id, invitation)
            return self._let_enrol(session, actor, account_id, RequestKind.INVITATION, invitation.reason, request_id)

    def invite_from_the_machine(self, invitation: Invitation, request_id: str) -> Done:
        """The first administrators, by whoever holds the machine: `python -m portal create-administrator`."""
        account_id, code = str(uuid.uuid4()), new_code()
        operator = Actor(OPERATOR, Role.ADMINISTRATOR, OPERATOR)
        with self._rights.opening() as session:
            self._open(session, account_id, invitation)
            self._put_code(session, account_id, code)
            details = details_of(account_id, invitation.role, invitation.organisation)
            deed = Deed(Action.STAFF_INVITATION, details, justification=invitation.reason)
            self._rights.note(session, operator, request_id, deed)
        return Done(account_id, code=code)

    def renew_code(self, actor: Actor, account_id: str, reason: str, request_id: str) -> Done:
        """A new code for somebody whose invitation ran out, was lost, or was refused."""
        with self._rights.changing(actor, account_id) as session:
            line = _standing_in(session, account_id, Standing.INVITED, Standing.AWAITING_APPROVAL)
            if line.standing is Standing.AWAITING_APPROVAL and not self.takes_two(line.role):
                raise NotInThatState
            return self._let_enrol(session, actor, account_id, RequestKind.INVITATION, reason, request_id)

    def change(
        self, actor: Actor, account_id: str, role: Role, organisation: str, reason: str, request_id: str
    ) -> Done:
        """A mover. The old rights are gone at once, sessions included; a powerful role waits for a second person, and
        until then all stays as it was."""
        with self._rights.changing(actor, account_id) as session:
            line = _standing_in(session, account_id, Standing.ACTIVE)
            if (line.role, line.organisation) == (role, organisation):
                raise NotInThatState
            if is_powerful(role):
                asking = Asking(RequestKind.ROLE_CHANGE, account_id, role, organisation, reason)
                self._requests.ask(session, actor, asking, request_id)
                return Done(account_id, waits=True)
            self._requests.drop_all_of(session, account_id)
            account = session.get_one(Account, account_id)
            account.role, account.organisation = role, organisation
            self._notices.tell(session, account_id, Notice.ROLE_CHANGED)
            before = {"role_before": str(line.role), "organisation_before": line.organisation or "none"}
            details = details_of(account_id, role, organisation, **before)
            self._rights.note(session, actor, request_id, Deed(Action.RIGHTS_CHANGE, details, justification=reason))
        self._rights.end_sessions(line.person, Reason.RIGHTS_CHANGED, request_id)
        return Done(account_id)

    def close(self, actor: Actor, account_id: str, reason: str, request_id: str) -> Done:
        """A leaver: out at once, with no credentials left, whatever the role. What they asked for lapses."""
        with self._rights.changing(actor, account_id) as session:
            line = line_in(session, account_id)
            if line.standing is Standing.CLOSED:
                raise NotInThatState
            self._requests.drop_all_of(session, account_id)
            session.get_one(Account, account_id).is_active = False
            void_credentials(session, account_id, Standing.CLOSED)
            details = details_of(account_id, line.role, line.organisation)
            self._rights.note(session, actor, request_id, Deed(Action.ACCOUNT_CLOSURE, details, justification=reason))
        self._rights.end_sessions(line.person, Reason.ACCOUNT_CLOSED, request_id)
        return Done(account_id)

    def sign_out(self, actor: Actor, account_id: str, reason: str, request_id: str) -> Done:
        """Somebody left a machine signed in, or a session is suspected: every session ends, the rights stay."""
        with self._rights.changing(actor, account_id) as session:
            line = _standing_in(session, account_id, Standing.ACTIVE)
            self._notices.tell(session, account_id, Notice.SIGNED_OUT)
            details = details_of(account_id, line.role, line.organisation)
            deed = Deed(Action.SIGN_OUT_BY_ADMINISTRATOR, details, justification=reason)
            self._rights.note(session, actor, request_id, deed)
        self._rights.end_sessions(line.person, Reason.ENDED_BY_ADMINISTRATOR, request_id)
        return Done(account_id)

    def reopen(self, actor: Actor, account_id: str, reason: str, request_id: str) -> Done:
        """Somebody comes back. Credentials are set anew; those of before are gone."""
        with self._rights.changing(actor, account_id) as session:
            _standing_in(session, account_id, Standing.CLOSED)
            return self._let_enrol(session, actor, account_id, RequestKind.REOPENING, reason, request_id)

    def ask_recovery(self, actor: Actor, account_id: str, reason: str, request_id: str) -> Done:
        """Somebody lost what they sign in with. Always takes two; the person is told at once."""
        with self._rights.changing(actor, account_id) as session:
            line = _standing_in(session, account_id, Standing.ACTIVE, Standing.RECOVERING)
            if not line.has_local_credentials:
                raise NotInThatState
            code = new_code()
            asking = Asking(RequestKind.RECOVERY, account_id, line.role, line.organisation, reason, code)
            self._requests.ask(session, actor, asking, request_id)
        return Done(account_id, waits=True, code=code)

    def stop_recovery(self, actor: Actor, account_id: str, reason: str, request_id: str) -> Done:
        """The code of an approved recovery opens nothing any more. The account waits for another recovery."""
        with self._rights.changing(actor, account_id) as session:
            line = _standing_in(session, account_id, Standing.RECOVERING)
            self._codes.void(session, account_id)
            self._notices.tell(session, account_id, Notice.RECOVERY_STOPPED)
            details = details_of(account_id, line.role, line.organisation)
            deed = Deed(Action.RECOVERY_REFUSAL, details, Outcome.DENIED, Reason.WITHDRAWN, reason)
            self._rights.note(session, actor, request_id, deed)
        return Done(account_id)

    def _open(self, session: Session, account_id: str, invitation: Invitation) -> None:
        session.add(
            Account(
                id=account_id,
                role=invitation.role,
                name=invitation.name,
                organisation=invitation.organisation,
                is_active=False,
                is_demonstration=False,
                position=0,
                created_at=self._rights.now(),
            )
        )
        session.flush()
        session.add(
            StaffCredentials(
                account_id=account_id,
                standing=Standing.INVITED,
                user_handle=secrets.token_bytes(32),
                wrong_passwords=0,
            )
        )
        session.flush()

    def _let_enrol(
        self, session: Session, actor: Actor, account_id: str, kind: RequestKind, reason: str, request_id: str
    ) -> Done:
        """Give the code, or its first half and a request for the second."""
        line = line_in(session, account_id)
        credentials = session.get(StaffCredentials, account_id)
        code = None if credentials is None else new_code()
        if self.takes_two(line.role):
            if credentials is not None and kind is RequestKind.INVITATION:
                credentials.standing = Standing.AWAITING_APPROVAL
                self._codes.void(session, account_id)
            self._requests.ask(
                session, actor, Asking(kind, account_id, line.role, line.organisation, reason, code), request_id
            )
            return Done(account_id, waits=True, code=code)
        if credentials is None or code is None:
            session.get_one(Account, account_id).is_active = True
        else:
            credentials.standing = Standing.INVITED
            self._put_code(session, account_id, code)
        action = Action.STAFF_INVITATION if kind is RequestKind.INVITATION else Action.ACCOUNT_REOPENING
        details = details_of(account_id, line.role, line.organisation)
        self._rights.note(session, actor, request_id, Deed(action, details, justification=reason))
        return Done(account_id, code=code)

    def _put_code(self, session: Session, account_id: str, code: str) -> None:
        now = self._rights.now()
        ends_at = now + timedelta(hours=self._limits.invitation_hours)
        self._codes.put(session, account_id, digest_of(code), opens_at=now, ends_at=ends_at)


def _standing_in(session: Session, account_id: str, *standings: Standing) -> AccountLine:
    """Raises NothingHere, NotInThatState."""
    line = line_in(session, account_id)
    if line.standing not in standings:
        raise NotInThatState
    return line
