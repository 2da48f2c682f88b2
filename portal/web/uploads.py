"""Files on their way in and out: a body larger than a form's, for those alone who may send one, and not for long.

The server's event loop collects an ordinary form before a thread sees it (`portal/receiving.py`). Files are too large
for its memory, so a thread reads them; a few at a time, within a time, so that slow senders cannot hold every thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import chain
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, BinaryIO

from flask import Flask, Request, Response
from werkzeug.exceptions import RequestTimeout, ServiceUnavailable
from werkzeug.http import dump_options_header
from wtforms import MultipleFileField

from portal.domain.attachments import (
    LARGEST_FILE,
    LONGEST_NAME,
    MEDIA_TYPES,
    MOST_FILES,
    FilesNotTakenNow,
    FilesRefused,
    Upload,
)
from portal.services.disputes.attachments import FetchedFile
from portal.web.house import house, present_or_none
from portal.web.security_headers import under_policy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: All files of a step, and what else its form holds; a little more, so that a file too large is told in words.
LARGEST_BODY = MOST_FILES * LARGEST_FILE + 4 * 1024 * 1024
#: How long one may arrive: files of 50 MB then need four megabits a second.
ARRIVAL_SECONDS = 110.0
#: How many one process reads at once.
AT_ONCE = 2
_TAKING = frozenset(
    {
        "disputes.submit_contest",
        "disputes.submit",
        "disputes.write",
        "decisions.submit_contest",
        "dpo.take_step",
        "dpo.decide",
    }
)
_CROWDED = "glasshouse.too-many-uploads"
#: What is fetched runs nothing, loads nothing and is in no frame, should a browser open it all the same.
_SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class PatientRequest(Request):
    """A request whose body may be large where files are taken, from somebody who is signed in."""

    @property
    def max_content_length(self) -> int | None:
        """Raises ServiceUnavailable: others send files just now."""
        if self.endpoint not in _TAKING or present_or_none() is None:
            return super().max_content_length
        if self.environ.get(_CROWDED):
            raise ServiceUnavailable
        return LARGEST_BODY

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        raise NotImplementedError  # the limit is the route's


class UploadQueue:
    """WSGI: lets a few large bodies in at a time and gives each its time to arrive."""

    def __init__(self, app: WSGIApplication, usual: int) -> None:
        self._app = app
        self._usual = usual
        self._places = BoundedSemaphore(AT_ONCE)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH", "")
        if not (length.isdecimal() and int(length) > self._usual):
            return self._app(environ, start_response)
        if not self._places.acquire(blocking=False):
            environ[_CROWDED] = True
            return self._app(environ, start_response)
        try:
            environ["wsgi.input"] = _InTime(environ["wsgi.input"], time.monotonic() + ARRIVAL_SECONDS)
            return self._app(environ, start_response)
        finally:
            self._places.release()


class _InTime:
    """A body that has to have arrived by `end` (of the monotonic clock)."""

    def __init__(self, body: Any, end: float) -> None:
        self._body = body
        self._end = end

    def read(self, size: int = -1) -> bytes:
        return self._checked(self._body.read(size))

    def readline(self, size: int = -1) -> bytes:
        return self._checked(self._body.readline(size))

    def _checked(self, data: bytes) -> bytes:
        """Raises RequestTimeout."""
        if time.monotonic() > self._end:
            raise RequestTimeout
        return data


def init_uploads(app: Flask) -> None:
    """To be called when MAX_CONTENT_LENGTH is set."""
    app.request_class = PatientRequest
    app.context_processor(lambda: {"files_are_taken": house().disputes.attachments.are_taken})
    app.wsgi_app = UploadQueue(app.wsgi_app, app.config["MAX_CONTENT_LENGTH"])  # type: ignore[method-assign]


def uploads_of(field: MultipleFileField) -> list[Upload]:
    """What was chosen; a box that was left empty is no file."""
    return [Upload(one.filename, _stream(one)) for one in field.data or () if getattr(one, "filename", None)]


def refused_status(refusal: FilesRefused | FilesNotTakenNow) -> int:
    return 503 if isinstance(refusal, FilesNotTakenNow) else 400


def shown_name(name: str) -> str:
    """A name as it may be repeated to whoever sent it: short, and nothing that turns the line round."""
    return "".join(character for character in name if character.isprintable())[-LONGEST_NAME:] or "?"


def begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same, its first chunk read: a file that is gone or damaged is an error page, not half an answer."""
    first = next(chunks, b"")
    return chain([first], chunks)


def sent(file: FetchedFile) -> Response:
    """For saving, never for showing: whatever it is, it does not run as a page of this portal."""
    headers = {"Content-Disposition": dump_options_header("attachment", {"filename": file.name})}
    response = Response(begun(file.content), mimetype=None, content_type=MEDIA_TYPES[file.kind], headers=headers)
    response.content_length = file.size
    return under_policy(response, _SANDBOX)


def _stream(one: Any) -> BinaryIO:
    stream: BinaryIO = one.stream
    return stream
