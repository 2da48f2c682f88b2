"""Writing to the log, for services: durable or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from audit.entry import Access
from audit.errors import LogFrozen, LogOverloaded, LogUnavailable
from audit.log import Acknowledgement, AuditLog
from portal.domain.errors import DisclosureUnavailable


def record(log: AuditLog, accesses: Sequence[Access]) -> list[Acknowledgement]:
    """Append all entries in one transaction and wait until they are durable.

    Raises:
        DisclosureUnavailable: none of them was recorded; what they stand for must not happen.
    """
    try:
        return log.append_all(list(accesses))
    except (LogUnavailable, LogOverloaded, LogFrozen) as error:
        raise DisclosureUnavailable from error
