"""Writing to the log, for services: durable or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from audit.entry import Access
from audit.errors import LogFrozen, LogOverloaded, LogUnavailable
from audit.log import Acknowledgement, AuditLog
from portal.domain.actions import PORTAL_SOURCE, Action, Outcome, Reason
from portal.domain.actors import Actor
from portal.domain.errors import DisclosureUnavailable
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce


@dataclass(frozen=True, slots=True)
class Once:
    """What keeps an entry that may be asked for again one entry: a key of its own, and when it was first begun."""

    key: str
    occurred_at: datetime


def record_once(log: AuditLog, access: Access, key: str) -> Acknowledgement:
    """Append the entry, or find that it was appended under this key before.

    Raises:
        DisclosureUnavailable: it is not recorded; what it stands for must not happen.
        IdempotencyConflict: the key stands for another entry.
    """
    with _told_plainly():
        return log.append(access, idempotency_key=key)


def record(log: AuditLog, accesses: Sequence[Access]) -> list[Acknowledgement]:
    """Append all entries in one transaction and wait until they are durable.

    Raises:
        DisclosureUnavailable: none of them was recorded; what they stand for must not happen.
    """
    with _told_plainly():
        return log.append_all(list(accesses))


@contextmanager
def _told_plainly() -> Iterator[None]:
    try:
        yield
    except LogFrozen as error:
        announce(SecurityEvent.LOG_FROZEN, cause=type(error).__name__)
        raise DisclosureUnavailable from error
    except (LogUnavailable, LogOverloaded) as error:
        announce(SecurityEvent.NOT_RECORDED, cause=type(error).__name__)
        raise DisclosureUnavailable from error


def by_official(
    actor: Actor,
    action: Action,
    occurred_at: datetime,
    request_id: str,
    details: Mapping[str, str | int] | None = None,
    *,
    outcome: Outcome = Outcome.DONE,
    reason: Reason | None = None,
    justification: str | None = None,
) -> Access:
    """What an official did with accounts: about the official, and about no data subject."""
    return Access(
        action=action,
        outcome=outcome,
        source=PORTAL_SOURCE,
        occurred_at=occurred_at,
        organisation=actor.organisation,
        role=actor.role,
        official=actor.account_id,
        official_name=actor.name,
        request_id=request_id,
        reason=reason,
        justification=justification,
        details=details or {},
    )
