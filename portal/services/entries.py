"""Writing to the log, for services: durable or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from audit.entry import Access
from audit.errors import LogFrozen, LogOverloaded, LogUnavailable
from audit.log import Acknowledgement, AuditLog
from portal.domain.errors import DisclosureUnavailable
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce


def record(log: AuditLog, accesses: Sequence[Access]) -> list[Acknowledgement]:
    """Append all entries in one transaction and wait until they are durable.

    Raises:
        DisclosureUnavailable: none of them was recorded; what they stand for must not happen.
    """
    try:
        return log.append_all(list(accesses))
    except LogFrozen as error:
        announce(SecurityEvent.LOG_FROZEN, cause=type(error).__name__)
        raise DisclosureUnavailable from error
    except (LogUnavailable, LogOverloaded) as error:
        announce(SecurityEvent.NOT_RECORDED, cause=type(error).__name__)
        raise DisclosureUnavailable from error
