"""Coming in and going out. Each leaves an entry, which for a citizen stands in their own history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from audit.entry import Access
from audit.log import AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor, Role
from portal.domain.assurance import Demand
from portal.domain.devices import Device
from portal.domain.errors import NothingHere
from portal.domain.identifiers import PersonalCode
from portal.domain.security_events import SecurityEvent
from portal.domain.staff import is_powerful
from portal.services.accounts import Accounts
from portal.services.clock import Clock
from portal.services.entries import record
from portal.services.security_log import announce
from portal.services.sessions import Method, OpenSession, Proof, Sessions


@dataclass(frozen=True, slots=True)
class Visit:
    """A request: from which device and network, and with which session's token, if it had one."""

    request_id: str
    device: Device
    token: str | None = None
    network: str = ""

    def __repr__(self) -> str:
        return f"Visit({self.request_id})"


@dataclass(frozen=True, slots=True)
class Present:
    """Somebody who is signed in: the actor, as the accounts know them now, and the session they came by.

    `network` is where they come from now, and `has_moved` says that their last proof came from another one.
    """

    actor: Actor
    session: OpenSession
    network: str = field(default="", repr=False)
    has_moved: bool = False


class NoticesDevices(Protocol):
    """What is told of each sign-in and the device it came from."""

    def came_in(self, actor: Actor, device: Device) -> None: ...


class Entrance:
    """Lets people in and out. Nobody comes in unless the entry is durable; going out never waits for it."""

    def __init__(
        self,
        accounts: Accounts,
        sessions: Sessions,
        log: AuditLog,
        clock: Clock,
        devices: NoticesDevices | None = None,
    ) -> None:
        self._devices = devices
        self._accounts = accounts
        self._sessions = sessions
        self._log = log
        self._clock = clock

    def let_in(self, actor: Actor, proof: Proof, visit: Visit) -> str:
        """Sign `actor` in and give the token of a new session; the session the visitor had before is over (fixation).

        Raises DisclosureUnavailable when the entry could not be made: nobody is signed in.
        """
        session_id = str(uuid.uuid4())
        details = {"session": session_id, "method": str(proof.method), "assurance": str(proof.assurance)}
        record(self._log, [self._entry(actor, Action.SIGN_IN, visit.request_id, details)])
        if visit.token is not None and (before := self._sessions.resume(visit.token)) is not None:
            self._sessions.end(before.session_id)
        announce(SecurityEvent.SIGNED_IN, method=str(proof.method), assurance=str(proof.assurance))
        if self._devices is not None:
            self._devices.came_in(actor, visit.device)
        return self._sessions.begin(session_id, actor, proof, visit.device, visit.network)

    def step_up(self, present: Present, proof: Proof, request_id: str) -> str:
        """Put the session on a new proof of the same person, and give its new token; the old one opens nothing.

        Raises:
            DisclosureUnavailable: the entry could not be made; the session is as it was.
            NothingHere: the session ended meanwhile.
        """
        session_id = present.session.session_id
        details = {"session": session_id, "method": str(proof.method), "assurance": str(proof.assurance)}
        record(self._log, [self._entry(present.actor, Action.STEP_UP, request_id, details)])
        token = self._sessions.rotate(session_id, proof, present.network)
        if token is None:
            raise NothingHere
        announce(SecurityEvent.STEPPED_UP, method=str(proof.method), assurance=str(proof.assurance))
        return token

    def refuse_step_up(self, present: Present, reason: Reason, request_id: str) -> None:
        """Record that somebody who is signed in did not prove again who they are. The session stays as it was."""
        details = {"session": present.session.session_id}
        announce(SecurityEvent.STEP_UP_REFUSED, reason=reason)
        entry = self._entry(present.actor, Action.STEP_UP, request_id, details, reason, Outcome.DENIED)
        record(self._log, [entry])

    def meets(self, present: Present, demand: Demand) -> bool:
        """Whether the proof behind the session is sure and fresh enough.

        One that was given in another network is fresh no longer, and does not do at all for a role that takes two
        administrators to give (ASVS 5.0, 8.2.4; docs/security-policy.md).
        """
        session = present.session
        role = present.actor.role
        if present.has_moved and (demand.fresh is not None or (role is not Role.CITIZEN and is_powerful(role))):
            return False
        return demand.is_met_by(session.assurance, session.proved_at, self._clock())

    def refuse(self, code: PersonalCode, reason: Reason, request_id: str) -> None:
        """Record in the history of a person whom a provider vouched for that they were not let in."""
        announce(SecurityEvent.SIGN_IN_REFUSED, method=Method.OPENID, reason=reason)
        record(
            self._log,
            [
                Access(
                    action=Action.SIGN_IN,
                    outcome=Outcome.DENIED,
                    source=PORTAL_SOURCE,
                    occurred_at=self._clock(),
                    subject=code.subject,
                    role=Role.CITIZEN,
                    request_id=request_id,
                    reason=reason,
                )
            ],
        )

    def refuse_staff(self, account_id: str | None, reason: Reason, request_id: str) -> None:
        """Record that somebody was not let in with the passkey of this account, or with one that is nobody's."""
        announce(SecurityEvent.SIGN_IN_REFUSED, method=Method.PASSKEY, reason=reason)
        self._note_refusal(account_id, Action.SIGN_IN, reason, request_id)

    def note_lockout(self, account_id: str, request_id: str) -> None:
        """Record that no further password is tried for this account for a while."""
        announce(SecurityEvent.SIGN_IN_LOCKED, locked=account_id)
        self._note_refusal(account_id, Action.SIGN_IN_LOCKOUT, Reason.PASSWORD_WRONG, request_id)

    def _note_refusal(self, account_id: str | None, action: Action, reason: Reason, request_id: str) -> None:
        entry = Access(
            action=action,
            outcome=Outcome.DENIED,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            official=account_id,
            request_id=request_id,
            reason=reason,
        )
        record(self._log, [entry])

    def who(self, visit: Visit) -> Present | None:
        """Who comes with the visit's token. Nobody, and the session is over, when the account was closed or has another
        role, or when the token comes from another kind of device than it was given to: it was copied.

        Raises DisclosureUnavailable when such an end could not be made an entry; the session is over all the same.
        """
        session = None if visit.token is None else self._sessions.resume(visit.token)
        if session is None:
            return None
        try:
            actor = self._accounts.actor(session.account_id)
        except NothingHere:
            actor = None
        if actor is None or actor.role != session.role:
            self._sessions.end(session.session_id)
            announce(SecurityEvent.SESSION_ENDED, reason="account-closed" if actor is None else "role-changed")
            return None
        if session.device != visit.device:
            self._end(actor, [session], Reason.DEVICE_CHANGED, visit.request_id)
            return None
        return Present(actor, session, visit.network, not self._sessions.is_from(session, visit.network))

    def sign_out(self, present: Present, request_id: str) -> str | None:
        """End the session, then record it. Gives the ID token with which to sign out at the provider, if there is one.

        Raises DisclosureUnavailable when the entry could not be made; the session is over all the same.
        """
        id_token = self._sessions.id_token(present.session.session_id)
        self._sessions.end(present.session.session_id)
        details = {"session": present.session.session_id}
        record(self._log, [self._entry(present.actor, Action.SIGN_OUT, request_id, details)])
        announce(SecurityEvent.SIGNED_OUT)
        return id_token

    def sessions_of(self, present: Present) -> list[OpenSession]:
        """Where the person is signed in, this session among them."""
        return self._sessions.of_account(present.actor.account_id)

    def end_one(self, present: Present, session_id: str, request_id: str) -> None:
        """End another session of the same account. Raises NothingHere when `session_id` is no such session."""
        chosen = [one for one in self._others(present) if one.session_id == session_id]
        if not chosen:
            raise NothingHere
        self._end(present.actor, chosen, Reason.ENDED_ELSEWHERE, request_id)

    def end_others(self, present: Present, request_id: str, reason: Reason = Reason.ENDED_ELSEWHERE) -> int:
        """End all sessions of the account but this one, and say how many those were."""
        return self._end(present.actor, self._others(present), reason, request_id)

    def end_by_provider(
        self, sid: str | None, code: PersonalCode | None, *, began_before: datetime, request_id: str
    ) -> int:
        """End what stands on the provider's session `sid`, or without one all that the provider let this person into.

        Gives the number of sessions that ended; what began after `began_before` stays.
        """
        sessions = self._sessions.of_provider_session(sid) if sid is not None else self._through_provider(code)
        ended = 0
        for session in sessions:
            if session.started_at > began_before:
                continue
            try:
                actor = self._accounts.actor(session.account_id)
            except NothingHere:
                self._sessions.end(session.session_id)  # a closed account: over in any case, and nobody to tell
                continue
            if code is None or actor.personal_code == code:
                ended += self._end(actor, [session], Reason.ENDED_BY_PROVIDER, request_id)
        return ended

    def _through_provider(self, code: PersonalCode | None) -> list[OpenSession]:
        account_id = None if code is None else self._accounts.citizen_id(code)
        if account_id is None:
            return []
        return [one for one in self._sessions.of_account(account_id) if one.method is Method.OPENID]

    def end_all(self, actor: Actor, reason: Reason, request_id: str) -> int:
        """End every session of an account whose rights or credentials changed, and say how many those were."""
        return self._end(actor, self._sessions.of_account(actor.account_id), reason, request_id)

    def _others(self, present: Present) -> list[OpenSession]:
        return [one for one in self.sessions_of(present) if one.session_id != present.session.session_id]

    def _end(self, actor: Actor, sessions: Iterable[OpenSession], reason: Reason, request_id: str) -> int:
        ended = [one.session_id for one in sessions if self._sessions.end(one.session_id)]
        entries = [
            self._entry(actor, Action.SESSION_END, request_id, {"session": session_id}, reason) for session_id in ended
        ]
        if entries:
            record(self._log, entries)
            announce(SecurityEvent.SESSION_ENDED, reason=reason)
        return len(ended)

    def _entry(
        self,
        actor: Actor,
        action: Action,
        request_id: str,
        details: dict[str, str],
        reason: Reason | None = None,
        outcome: Outcome = Outcome.DONE,
    ) -> Access:
        """About the person themselves for a citizen, and about an official's doing for everybody else."""
        is_citizen = actor.role is Role.CITIZEN and actor.personal_code is not None
        return Access(
            action=action,
            outcome=outcome,
            source=PORTAL_SOURCE,
            occurred_at=self._clock(),
            subject=actor.personal_code.subject if is_citizen and actor.personal_code else None,
            organisation=actor.organisation,
            role=actor.role,
            official=None if is_citizen else actor.account_id,
            official_name=None if is_citizen else actor.name,
            request_id=request_id,
            reason=reason,
            details=details,
        )
