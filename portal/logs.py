"""How the portal logs: one line for each event, as JSON in production, without personal data.

Two streams, and the audit log is neither of them. The ordinary log is for the people who keep the portal running: it
holds no personal data, no address of a visitor and no account. The security stream (`portal/domain/security_events.py`)
is for those who watch over it: it names accounts by their ids, and network addresses.

Every library's lines go the same way, and what they say is cut: a trace becomes the error's type and place, since its
message may repeat what somebody typed; a query string is dropped; what looks like a personal code is hidden.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import MutableMapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.stdlib import ExtraAdder, ProcessorFormatter
from structlog.types import Processor

from config.operation import LogFormat, LogsSettings
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import SECURITY_LOGGER, announce

#: What the security stream knows of a request and the ordinary log must not.
IDENTIFYING = ("address", "account", "role", "organisation", "session")
#: Eleven digits that begin as a personal code does. None belongs into a log, whoever wrote the line. The ids of
#: accounts, requests and sessions are taken as a whole: in one of a hundred, some of the digits look like a code.
_PERSONAL_CODE = re.compile(
    r"(?P<id>\b(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{16,})\b)|(?<![0-9])[1-8][0-9]{10}(?![0-9])"
)
_QUERY = re.compile(r"(?<=\S)\?\S*")
HIDDEN = "[hidden]"
#: The log package knows no portal, so its alarm is heard here and told in the security stream.
WITNESS_LOGGER = "audit.cosigning"

Event = MutableMapping[str, Any]


def configure_logging(logs: LogsSettings) -> None:
    """Send every logger's lines the portal's way. Called once by whoever starts the process, never by a library."""
    is_json = logs.format is LogFormat.JSON
    ordinary = logging.StreamHandler(sys.stderr)
    ordinary.setFormatter(formatter(as_json=is_json))
    root = logging.getLogger()
    root.handlers[:] = [ordinary]
    root.setLevel(logs.level)
    for name in ("werkzeug", "gunicorn.error", "sqlalchemy.engine"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    witnesses = logging.getLogger(WITNESS_LOGGER)
    witnesses.handlers[:] = [WitnessAlarm()]
    stream = logging.getLogger(SECURITY_LOGGER)
    stream.handlers[:] = [_security_handler(logs.security or "stdout")]
    stream.propagate = False
    stream.setLevel(logging.INFO)


def formatter(*, as_json: bool, security: bool = False) -> logging.Formatter:
    """What turns a line into text. The security stream is JSON always: machines read it."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _without_trace,
        _without_personal_data,
    ]
    if security:
        return ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=True),
            ],
        )
    named: list[Processor] = [structlog.stdlib.add_log_level, structlog.stdlib.add_logger_name]
    renderer: Processor = structlog.dev.ConsoleRenderer(colors=False, timestamp_key="time")
    if as_json:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=True)
    return ProcessorFormatter(
        foreign_pre_chain=[*named, *shared, _without_identity],
        processors=[ProcessorFormatter.remove_processors_meta, renderer],
    )


class WitnessAlarm(logging.Handler):
    """Turns the log package's alarm about a witness that refuses into a security event."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        named = record.args[0] if isinstance(record.args, tuple) and record.args else "unknown"
        announce(SecurityEvent.WITNESS_REFUSED, witness=str(named))


def _security_handler(where: str) -> logging.Handler:
    streams: dict[str, TextIO] = {"stdout": sys.stdout, "stderr": sys.stderr}
    handler: logging.Handler
    if where in streams:
        handler = logging.StreamHandler(streams[where])
    else:
        path = Path(where)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))  # it names accounts and addresses
        handler = WatchedFileHandler(path, encoding="utf-8")
    handler.setFormatter(formatter(as_json=True, security=True))
    return handler


def _without_identity(_logger: Any, _method: str, event: Event) -> Event:
    for name in IDENTIFYING:
        event.pop(name, None)
    return event


def _without_trace(_logger: Any, _method: str, event: Event) -> Event:
    """A trace's last frame and the error's type, without its message."""
    caught = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if caught is True:
        caught = sys.exc_info()
    if isinstance(caught, BaseException):
        caught = (type(caught), caught, caught.__traceback__)
    if isinstance(caught, tuple) and caught[0] is not None:
        event["cause"] = caught[0].__name__
        frames = traceback.extract_tb(caught[2])
        if frames:
            event["place"] = f"{frames[-1].filename}:{frames[-1].lineno}"
    return event


def _without_personal_data(_logger: Any, _method: str, event: Event) -> Event:
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = cut(value)
        elif value is not None and not isinstance(value, bool | int | float) and not name.startswith("_"):
            event[name] = type(value).__name__
    return event


def _hidden(found: re.Match[str]) -> str:
    return found["id"] or HIDDEN


def cut(text: str) -> str:
    """The text without query strings and without what looks like a personal code, on one line."""
    return _PERSONAL_CODE.sub(_hidden, _QUERY.sub("", text)).replace("\r", " ").replace("\n", " ")
