"""What takes two administrators: one asks, another decides, in time, and never about themselves.

Giving a powerful role, reopening an account, recovering lost credentials. Where an enrolment code comes of it, it has
two halves: who asks is shown the first, who approves the second, and neither can enrol in the person's place.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from config.staff import StaffSettings
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.errors import NothingHere, PortalError
from portal.domain.staff import Notice, RequestKind, RequestState, Standing
from portal.models.accounts import Account
from portal.models.staff import StaffCredentials, StaffRequest
from portal.services.enrolment_codes import EnrolmentCodes, digest_of, new_second_half
from portal.services.notices import Notices
from portal.services.rights import NotInThatState, OwnAccount, Rights, details_of
from portal.services.safeguards import Foundations
from portal.services.staff_accounts import AccountLine, line_in, void_credentials
from portal.services.staff_ledger import Deed

_ASKED = {RequestKind.RECOVERY: Action.RECOVERY_REQUEST}
_APPROVED = {RequestKind.RECOVERY: Action.RECOVERY_APPROVAL}
_REFUSED = {RequestKind.RECOVERY: Action.RECOVERY_REFUSAL}
_EFFECTS = {
    RequestKind.INVITATION: Action.STAFF_INVITATION,
    RequestKind.ROLE_CHANGE: Action.RIGHTS_CHANGE,
    RequestKind.REOPENING: Action.ACCOUNT_REOPENING,
    RequestKind.RECOVERY: Action.RECOVERY_NOTICE,
}
#: How many requests that are over the page still shows.
_RECENT = 50


class AlreadyAsked(PortalError):
    """There is an open request about this account. The page says so and leads to it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What one administrator asks for. `code` is the half of an enrolment code they are shown, where there is one."""

    kind: RequestKind
    account_id: str
    role: Role
    organisation: str | None
    reason: str
    code: str | None = None

    def __repr__(self) -> str:
        return f"Asking({self.kind})"


@dataclass(frozen=True, slots=True)
class RequestLine:
    """One request, with the account as it stands now and the names of who asked and who decided."""

    request_id: str
    kind: RequestKind
    account: AccountLine
    role: Role
    organisation: str | None
    reason: str
    requested_by: str
    is_own: bool
    requested_at: datetime
    ends_at: datetime
    state: RequestState
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Approved:
    """What came of an approval. `second_half` is shown this once; it opens something from `opens_at` on."""

    line: RequestLine
    second_half: str | None
    opens_at: datetime | None

    def __repr__(self) -> str:
        return "Approved(hidden)"


class StaffRequests:
    """Requests of administrators to each other."""

    def __init__(
        self,
        on: Foundations,
        rights: Rights,
        codes: EnrolmentCodes,
        notices: Notices,
        limits: StaffSettings,
    ) -> None:
        self._sessions = on.sessions
        self._sealer = on.sealer
        self._rights = rights
        self._codes = codes
        self._notices = notices
        self._limits = limits

    def ask(self, session: Session, actor: Actor, asking: Asking, request_id: str) -> str:
        """Put the request, in a transaction of `Rights.changing`, and give its id. Raises AlreadyAsked."""
        now = self._rights.now()
        if session.scalar(select(StaffRequest.id).where(StaffRequest.account_id == asking.account_id, _is_open(now))):
            raise AlreadyAsked
        reference = str(uuid.uuid4())
        row = StaffRequest(
            id=reference,
            kind=asking.kind,
            account_id=asking.account_id,
            role=asking.role,
            organisation=asking.organisation,
            sealed_reason=self._sealer.seal(asking.reason, _context(reference)),
            code_digest=None if asking.code is None else digest_of(asking.code),
            requested_by=actor.account_id,
            requested_at=now,
            ends_at=now + timedelta(hours=self._limits.request_hours),
            state=RequestState.OPEN,
        )
        session.add(row)
        if asking.kind is RequestKind.RECOVERY:
            self._notices.tell(session, asking.account_id, Notice.RECOVERY_OPENED)
        action, details = _ASKED.get(asking.kind, Action.RIGHTS_REQUEST), _details(row)
        told = [Deed(Action.RECOVERY_NOTICE, details)] if asking.kind is RequestKind.RECOVERY else []
        self._rights.note(session, actor, request_id, Deed(action, details, justification=asking.reason), *told)
        return row.id

    def waiting(self, actor: Actor) -> list[RequestLine]:
        """Open requests, the one that ends first on top."""
        with self._sessions() as session:
            wanted = select(StaffRequest).where(_is_open(self._rights.now())).order_by(StaffRequest.ends_at)
            return [self._line(session, row, actor) for row in session.scalars(wanted).all()]

    def over(self, actor: Actor) -> list[RequestLine]:
        """The newest requests that were decided or ran out."""
        with self._sessions() as session:
            wanted = select(StaffRequest).where(~_is_open(self._rights.now()))
            rows = session.scalars(wanted.order_by(StaffRequest.requested_at.desc()).limit(_RECENT)).all()
            return [self._line(session, row, actor) for row in rows]

    def open_about(self, account_id: str, actor: Actor) -> RequestLine | None:
        """The open request about this account, if there is one."""
        with self._sessions() as session:
            row = self._open_row(session, account_id)
            return None if row is None else self._line(session, row, actor)

    def recovery_of(self, actor: Actor) -> RequestLine | None:
        """The open request to recover the actor's own credentials, if somebody made one."""
        line = self.open_about(actor.account_id, actor)
        return line if line is not None and line.kind is RequestKind.RECOVERY else None

    def approve(self, actor: Actor, request_reference: str, request_id: str) -> Approved:
        """Have it done, as the second administrator.

        Raises:
            OwnAccount: the actor asked for it, or it is about them.
            NotInThatState: it is over, or the account stands otherwise by now.
            NothingHere: no such request.
            DisclosureUnavailable: it could not be recorded; nothing changed.
        """
        asked = self._row(request_reference)
        if asked.requested_by == actor.account_id:
            raise OwnAccount
        kind = RequestKind(asked.kind)
        second_half = None if asked.code_digest is None else new_second_half()
        with self._rights.changing(actor, asked.account_id) as session:
            row = self._decide(session, asked.id, RequestState.APPROVED, actor)
            person = line_in(session, row.account_id).person
            opens_at = self._carry_out(session, row, second_half)
            action = _APPROVED.get(kind, Action.RIGHTS_APPROVAL)
            self._rights.note(session, actor, request_id, Deed(action, _details(row)), _effect(row, person))
            line = self._line(session, row, actor)
        if kind in {RequestKind.ROLE_CHANGE, RequestKind.RECOVERY}:
            reason = Reason.RECOVERY if kind is RequestKind.RECOVERY else Reason.RIGHTS_CHANGED
            self._rights.end_sessions(person, reason, request_id)
        return Approved(line, second_half, opens_at)

    def refuse(self, actor: Actor, request_reference: str, request_id: str) -> None:
        """Let it come to nothing; by whoever asked for it, this is a withdrawal.

        Raises OwnAccount (it is about the actor), NotInThatState, NothingHere, DisclosureUnavailable.
        """
        asked = self._row(request_reference)
        is_own = asked.requested_by == actor.account_id
        with self._rights.changing(actor, asked.account_id) as session:
            row = self._decide(session, asked.id, RequestState.WITHDRAWN if is_own else RequestState.REFUSED, actor)
            self._undo(session, row)
            action = _REFUSED.get(RequestKind(row.kind), Action.RIGHTS_REFUSAL)
            deed = Deed(action, _details(row), Outcome.DENIED, Reason.WITHDRAWN if is_own else None)
            self._rights.note(session, actor, request_id, deed)

    def stop_own_recovery(self, actor: Actor, request_id: str) -> bool:
        """The person whose credentials are to be recovered says that they did not ask for it, while it is open."""
        with self._sessions.begin() as session:
            row = self._open_row(session, actor.account_id)
            if row is None or row.kind != RequestKind.RECOVERY:
                return False
            self._decide(session, row.id, RequestState.REFUSED, actor)
            self._notices.tell(session, actor.account_id, Notice.RECOVERY_STOPPED)
            deed = Deed(Action.RECOVERY_REFUSAL, _details(row), Outcome.DENIED, Reason.STOPPED_BY_PERSON)
            self._rights.note(session, actor, request_id, deed)
        return True

    def drop_all_of(self, session: Session, account_id: str) -> None:
        """Somebody leaves or moves: what they asked for, and what was asked about them, is over with it."""
        theirs = or_(StaffRequest.requested_by == account_id, StaffRequest.account_id == account_id)
        rows = session.scalars(select(StaffRequest).where(theirs, _is_open(self._rights.now()))).all()
        for row in rows:
            row.state, row.decided_at = RequestState.WITHDRAWN, self._rights.now()
            self._undo(session, row)

    def _carry_out(self, session: Session, row: StaffRequest, second_half: str | None) -> datetime | None:
        """Raises NotInThatState."""
        account = session.get_one(Account, row.account_id)
        credentials = session.get(StaffCredentials, row.account_id)
        now = self._rights.now()
        kind = RequestKind(row.kind)
        if kind is RequestKind.ROLE_CHANGE:
            _need(account.is_active)
            account.role, account.organisation = row.role, row.organisation
            self._notices.tell(session, account.id, Notice.ROLE_CHANGED)
            return None
        if kind is RequestKind.RECOVERY:
            _need(credentials is not None and credentials.standing in {Standing.ACTIVE, Standing.RECOVERING})
            account.is_active = False
            void_credentials(session, account.id, Standing.RECOVERING)
            self._notices.tell(session, account.id, Notice.RECOVERY_APPROVED)
            opens_at = now + timedelta(hours=self._limits.recovery_wait_hours)
            return self._put_code(session, row, second_half, opens_at, self._limits.recovery_hours)
        if credentials is None:
            _need(kind is RequestKind.REOPENING and not account.is_active)
            account.is_active = True
            return None
        _need(credentials.standing in {Standing.AWAITING_APPROVAL, Standing.INVITED, Standing.CLOSED})
        credentials.standing = Standing.INVITED
        return self._put_code(session, row, second_half, now, self._limits.invitation_hours)

    def _put_code(
        self, session: Session, row: StaffRequest, second_half: str | None, opens_at: datetime, hours: int
    ) -> datetime:
        _need(row.code_digest is not None)
        assert row.code_digest is not None  # noqa: S101 - see the line above
        ends_at = opens_at + timedelta(hours=hours)
        self._codes.put(
            session, row.account_id, row.code_digest, opens_at=opens_at, ends_at=ends_at, second_half=second_half
        )
        return opens_at

    def _decide(self, session: Session, request_reference: str, state: RequestState, actor: Actor) -> StaffRequest:
        """Of two decisions at once, one finds the request decided. Raises NotInThatState."""
        now = self._rights.now()
        change = update(StaffRequest).where(StaffRequest.id == request_reference, _is_open(now))
        done = session.execute(change.values(state=state, decided_by=actor.account_id, decided_at=now))
        _need(int(getattr(done, "rowcount", 0)) == 1)
        return session.get_one(StaffRequest, request_reference, populate_existing=True)

    def _undo(self, session: Session, row: StaffRequest) -> None:
        """An account that was opened for this request alone is closed again."""
        credentials = session.get(StaffCredentials, row.account_id)
        if credentials is not None and credentials.standing == Standing.AWAITING_APPROVAL:
            credentials.standing = Standing.CLOSED

    def _row(self, request_reference: str) -> StaffRequest:
        with self._sessions() as session:
            row = session.get(StaffRequest, request_reference)
        if row is None:
            raise NothingHere
        return row

    def _open_row(self, session: Session, account_id: str) -> StaffRequest | None:
        return session.scalar(
            select(StaffRequest).where(StaffRequest.account_id == account_id, _is_open(self._rights.now()))
        )

    def _line(self, session: Session, row: StaffRequest, actor: Actor) -> RequestLine:
        decider = None if row.decided_by is None else session.get(Account, row.decided_by)
        is_late = row.state == RequestState.OPEN and self._rights.now() >= row.ends_at
        return RequestLine(
            request_id=row.id,
            kind=RequestKind(row.kind),
            account=line_in(session, row.account_id),
            role=Role(row.role),
            organisation=row.organisation,
            reason="" if row.sealed_reason is None else self._sealer.unseal(row.sealed_reason, _context(row.id)),
            requested_by=session.get_one(Account, row.requested_by).name,
            is_own=actor.account_id in {row.requested_by, row.account_id},
            requested_at=row.requested_at,
            ends_at=row.ends_at,
            state=RequestState.EXPIRED if is_late else RequestState(row.state),
            decided_by=None if decider is None else decider.name,
            decided_at=row.decided_at,
        )


def _context(reference: str) -> str:
    return f"{reference}/reason"


def _is_open(now: datetime) -> ColumnElement[bool]:
    return and_(StaffRequest.state == RequestState.OPEN, StaffRequest.ends_at > now)


def _details(row: StaffRequest) -> dict[str, str]:
    return details_of(row.account_id, Role(row.role), row.organisation, request=row.id, kind=row.kind)


def _need(holds: bool) -> None:
    if not holds:
        raise NotInThatState


def _effect(row: StaffRequest, before: Actor) -> Deed:
    kind = RequestKind(row.kind)
    more = {"role_before": str(before.role)} if kind is RequestKind.ROLE_CHANGE else {}
    return Deed(_EFFECTS[kind], details_of(row.account_id, Role(row.role), row.organisation, request=row.id, **more))
