"""Entries about accounts of staff: what their people and administrators did, in the log and the security stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from audit.log import AuditLog
from portal.domain.actions import Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.security_events import SecurityEvent
from portal.services.clock import Clock
from portal.services.entries import by_official, record
from portal.services.security_log import announce

#: What people do with what they sign in with; everything else changes somebody's rights.
_CREDENTIALS = frozenset(
    {Action.STAFF_ENROLMENT, Action.PASSKEY_ADDITION, Action.PASSKEY_REMOVAL, Action.PASSWORD_CHANGE}
)


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, with the ids it was done to, and why."""

    action: Action
    details: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = Outcome.DONE
    reason: Reason | None = None
    justification: str | None = None


class StaffLedger:
    """Writes such entries. Nothing is committed unless they are durable."""

    def __init__(self, log: AuditLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()

    def note(self, actor: Actor, request_id: str, *deeds: Deed) -> None:
        """All of them in one transaction of the log. Raises DisclosureUnavailable: the caller undoes what it began."""
        record(
            self._log,
            [
                by_official(
                    actor,
                    deed.action,
                    self._clock(),
                    request_id,
                    deed.details,
                    outcome=deed.outcome,
                    reason=deed.reason,
                    justification=deed.justification,
                )
                for deed in deeds
            ],
        )
        for deed in deeds:
            is_own = deed.action in _CREDENTIALS
            event = SecurityEvent.CREDENTIALS_CHANGED if is_own else SecurityEvent.RIGHTS_CHANGED
            announce(event, action=deed.action, of=actor.account_id if is_own else deed.details.get("account"))
