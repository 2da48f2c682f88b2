"""Where security events are announced: a stream of their own beside the ordinary log."""

from __future__ import annotations

import logging

from portal.domain.security_events import DESCRIPTIONS, SecurityEvent, Severity

#: The stream's logger. What leaves it, and where to, is decided in portal/logs.py.
SECURITY_LOGGER = "glasshouse.security"
_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.LOW: logging.INFO,
    Severity.MEDIUM: logging.WARNING,
    Severity.HIGH: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}

_logger = logging.getLogger(SECURITY_LOGGER)


def announce(event: SecurityEvent, **fields: str | int | None) -> None:
    """Put an event into the stream, with who and where as the request has told (`portal/web/request_log.py`).

    A field is never personal data: an account's id, a code of the catalogue, a number. Raises ValueError for a field
    that the event's description does not name: whoever reads the stream relies on it.
    """
    described = DESCRIPTIONS[event]
    if unknown := fields.keys() - set(described.fields):
        raise ValueError(f"{event} has no field {', '.join(sorted(unknown))}")
    given = {name: value for name, value in fields.items() if value is not None}
    _logger.log(_LEVELS[described.severity], event.value, extra={"severity": described.severity.value, **given})
