"""Writing to the log, for services: durable or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from audit.entry import Access
from audit.errors import LogFrozen, LogOverloaded, LogUnavailable
from audit.log import Acknowledgement, AuditLog
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
