"""What a page says when something did not work: what happened, whether anything was lost, what to do next.

These pages must also work when the database or the log does not, so those for failures ask neither who is signed in.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from audit.errors import AuditError, LogFrozen, LogOverloaded
from portal.domain.errors import DisclosureUnavailable, NothingHere
from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce
from portal.web.house import actor_or_none
from portal.web.i18n import gettext as _
from portal.web.i18n import lazy_gettext as _l

logger = logging.getLogger(__name__)

#: After how many seconds a client may ask again when the log cannot write.
RETRY_SECONDS = 30
#: Statuses that say that a request was not of a form that any page of ours sends.
_UNREADABLE = frozenset({400, 405, 411, 413, 414, 415, 431})


@dataclass(frozen=True)
class Message:
    """One error page's words."""

    title: str
    happened: str
    lost: str
    next_step: str


@dataclass(frozen=True)
class Link:
    """Where to go from an error page."""

    href: str
    text: str


_NOTHING_CHANGED = _l("Nothing was changed, shown or sent.")
MESSAGES = {
    400: Message(
        _l("We could not read that request"),
        _l("What your browser sent was not what this page expects."),
        _NOTHING_CHANGED,
        _l("Go back, reload the page and try again."),
    ),
    401: Message(
        _l("You have been signed out"),
        _l("You were not signed in any more when the form arrived. That happens after a time without activity."),
        _l("What you typed was not sent on. No data was shown to anybody."),
        _l("Sign in again and repeat the last step."),
    ),
    403: Message(
        _l("That form could not be trusted"),
        _l("The form did not carry this session's mark. It may have been open since before you last signed in."),
        _NOTHING_CHANGED,
        _l("Open the page again and fill in the form once more."),
    ),
    404: Message(
        _l("There is nothing here"),
        _l("The page does not exist, or it is not yours to see. We answer the same in both cases."),
        _l("Nothing was lost."),
        _l("Check the address, or start again from the first page."),
    ),
    405: Message(
        _l("This page cannot be opened that way"),
        _l("The address is right, but it only takes a form that was sent to it."),
        _l("Nothing was lost."),
        _l("Start again from the form that leads here."),
    ),
    413: Message(
        _l("That was too much at once"),
        _l("What was sent is larger than any form of this portal."),
        _NOTHING_CHANGED,
        _l("Shorten what you entered and try again."),
    ),
    429: Message(
        _l("Too many requests"),
        _l("More requests came from you than a person would make, so we paused."),
        _NOTHING_CHANGED,
        _l("Wait a minute and try again."),
    ),
    500: Message(
        _l("Something went wrong on our side"),
        _l("The portal met an error that it did not expect. It has been noted for the people who run it."),
        _l("Records are never changed here. If a look at data was logged before the error, the log still shows it."),
        _l("Try again in a few minutes. If it happens again, tell the people who run this portal."),
    ),
    503: Message(
        _l("Not available at the moment"),
        _l("A part that the portal needs does not answer."),
        _l("Nothing was shown and nothing was lost."),
        _l("Try again in a few minutes."),
    ),
}
STRONGER_SIGN_IN_NEEDED = Message(
    _l("This page needs a more secure sign-in"),
    _l("You are signed in, but in a way that is not sure enough for what this page shows."),
    _NOTHING_CHANGED,
    _l("Sign out, and sign in again with a more secure means."),
)
UNRECORDED = Message(
    _l("Nothing was shown, because the access could not be recorded"),
    _l("Every look at data is written to the audit log first. The log could not be written just now."),
    _l("No data left any registry, and nothing was lost."),
    _l("Try again in a few minutes."),
)
LOG_SILENT = Message(
    _l("The audit log does not answer at the moment"),
    _l("This page is read from the audit log, and the log could not be reached or is not trusted just now."),
    _l("Nothing was lost. What the log holds stays as it is."),
    _l("Try again in a few minutes."),
)


def init_error_pages(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(CSRFError, _untrusted_form)
    app.register_error_handler(NothingHere, _nothing_here)
    app.register_error_handler(DisclosureUnavailable, _unrecorded)
    app.register_error_handler(AuditError, _log_silent)
    app.register_error_handler(Exception, _unexpected)


def page(status: int, message: Message, *, link: Link | None = None) -> Response:
    """The error page; one for a failure (5xx) is rendered without asking who is signed in."""
    if status >= 500:
        g.without_viewer = True
    reference = g.get("request_id")
    body = render_template("errors/error.html", message=message, status=status, reference=reference, link=link)
    return make_response(body, status)


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return make_response(error.get_response())  # a redirect that Werkzeug raised
    if error.code in _UNREADABLE:
        announce(SecurityEvent.REQUEST_REFUSED, status=error.code, reason=type(error).__name__)
    if isinstance(error, SecurityError):
        # For another host than ours: no page, since its links would be built for that host.
        return make_response(
            _("This portal is not served under that name.") + "\n", 400, {"Content-Type": "text/plain"}
        )
    known = MESSAGES.get(error.code)
    response = page(error.code, known or MESSAGES[500 if error.code >= 500 else 400])
    if "retry_after" in g:
        response.headers["Retry-After"] = str(g.retry_after)
    for name, header in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = header
    return response


def _untrusted_form(_error: CSRFError) -> Response:
    announce(SecurityEvent.FORM_NOT_TRUSTED, endpoint=request.endpoint)
    status = 403 if actor_or_none() is not None else 401
    if status == 401:
        return page(401, MESSAGES[401])
    return page(403, MESSAGES[403])


def _nothing_here(_error: NothingHere) -> Response:
    announce(SecurityEvent.NOTHING_THERE, endpoint=request.endpoint)
    return page(404, MESSAGES[404])


def _unrecorded(error: DisclosureUnavailable) -> Response:
    return _try_later(page(503, UNRECORDED), error.__cause__)


def _log_silent(error: AuditError) -> Response:
    event = SecurityEvent.LOG_FROZEN if isinstance(error, LogFrozen) else SecurityEvent.LOG_SILENT
    announce(event, cause=type(error).__name__)
    return _try_later(page(503, LOG_SILENT), error)


def _unexpected(error: Exception) -> Response:
    # The type and place only: a message or a trace could carry what somebody typed.
    cause, place = type(error).__name__, _place(error)
    logger.error("unexpected error", extra={"cause": cause, "place": place})
    announce(SecurityEvent.UNEXPECTED_ERROR, cause=cause, place=place)
    return page(InternalServerError.code, MESSAGES[500])


def _try_later(response: Response, cause: BaseException | None) -> Response:
    seconds = cause.retry_after if isinstance(cause, LogOverloaded) else RETRY_SECONDS
    response.headers["Retry-After"] = str(max(1, round(seconds)))
    return response


def _place(error: BaseException) -> str:
    """File and line of the innermost frame."""
    trace = error.__traceback__
    if trace is None:
        return "unknown"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
