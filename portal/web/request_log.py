"""A name for each request, under which it stands in every log, and one line in the ordinary log when it is over.

The line says which route was asked for, not which address: what stands in an address is the reader's own affair.
"""

from __future__ import annotations

import logging
import secrets
import time

from flask import Flask, Response, g, request
from structlog.contextvars import bind_contextvars, clear_contextvars

from portal.services.entrance import Present

logger = logging.getLogger("glasshouse.requests")


def init_request_log(app: Flask) -> None:
    """Before everything else that looks at a request, so that nothing that is logged lacks the request's name."""
    app.before_request(_name_the_request)
    app.after_request(_note_the_answer)
    app.teardown_request(_forget)


def name_who_asks(present: Present) -> None:
    """From here on the security stream knows for whom the request speaks: ids only, never a name."""
    actor = present.actor
    bind_contextvars(
        account=actor.account_id,
        role=actor.role.value,
        organisation=actor.organisation,
        session=present.session.session_id,
    )


def _name_the_request() -> None:
    clear_contextvars()  # of an earlier request of this thread
    g.request_id = secrets.token_hex(8)
    g.started = time.monotonic()
    bind_contextvars(request_id=g.request_id, address=request.remote_addr)


def _note_the_answer(response: Response) -> Response:
    logger.info(
        "request",
        extra={
            "method": request.method if request.method in _METHODS else "other",
            "route": None if request.url_rule is None else request.url_rule.rule,
            "status": response.status_code,
            "milliseconds": round((time.monotonic() - g.started) * 1000) if "started" in g else None,
        },
    )
    return response


def _forget(_error: BaseException | None) -> None:
    clear_contextvars()


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
