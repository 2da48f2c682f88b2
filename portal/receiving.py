"""A gunicorn worker that gives a request to a thread only once all of it has arrived.

gunicorn's threaded worker hands a connection to a thread with its first byte, and the thread then waits for the rest:
as many slow clients as there are threads, each sending a byte a minute, would stop the portal (Slowloris, slow POST).
Here the worker's one event loop collects head and body, for no longer and no more than stated below; threads only work.
"""

from __future__ import annotations

import re
import selectors
import struct
import time
from dataclasses import dataclass, field
from functools import partial
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET
from typing import Any

from gunicorn import util
from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from portal.domain.security_events import SecurityEvent
from portal.services.security_log import announce

#: From its first byte to its last a request may take so long; a form of 1 MB then needs half a megabit a second.
ARRIVAL_SECONDS = 20
#: An answer that its reader does not take on for so long is given up, and its thread is free.
SEND_SECONDS = 30
#: Should a thread wait for a request all the same, since gunicorn read its head differently, it waits no longer.
READ_SECONDS = 5
#: Request line and all headers together.
HEAD_BYTES = 32 * 1024
#: A body up to the largest that the portal reads is collected; of a larger one the head alone goes on, to be refused.
BODY_BYTES = 1024 * 1024
#: All that has arrived of requests that are not complete yet, in one worker.
ARRIVING_BYTES = 64 * 1024 * 1024
_READ_BYTES = 64 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH_REQUIRED = b"HTTP/1.1 411 Length Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


@dataclass(slots=True)
class Arriving:
    """What has come of one request. `refusal` is the answer to one that no thread shall see."""

    data: bytearray = field(default_factory=bytearray)
    refusal: bytes | None = None
    _needed: int | None = None

    def add(self, data: bytes) -> None:
        self.data += data
        if self._needed is None:
            self._read_head()

    @property
    def is_complete(self) -> bool:
        return self._needed is not None and len(self.data) >= self._needed

    def _read_head(self) -> None:
        while self.data[:2] == b"\r\n":
            del self.data[:2]  # empty lines before a request mean nothing (RFC 9112, section 2.2)
        end = self.data.find(_END_OF_HEAD)
        if end < 0 or end > HEAD_BYTES:
            if len(self.data) > HEAD_BYTES:
                self.refusal = _HEAD_TOO_LARGE
            return
        end += len(_END_OF_HEAD)
        head = bytes(self.data[:end])
        if _CHUNKED.search(head):
            self.refusal = _LENGTH_REQUIRED  # no browser sends a form so, and its end cannot be told beforehand
            return
        lengths = _LENGTH.findall(head)
        # Several lengths, or one that is no number, are gunicorn's to refuse: it parses, this only waits.
        body = int(lengths[0]) if len(lengths) == 1 else 0
        self._needed = end + (body if body <= BODY_BYTES else 0)


class PatientWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gunicorn's threaded worker, with every request collected before a thread gets it. No TLS: a proxy speaks it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arriving: dict[Any, Arriving] = {}

    def enqueue_req(self, conn: Any) -> None:
        """A connection is new, or its last request was answered: collect the next one."""
        if not conn.initialized:
            for option, seconds in ((SO_SNDTIMEO, SEND_SECONDS), (SO_RCVTIMEO, READ_SECONDS)):
                conn.sock.setsockopt(SOL_SOCKET, option, struct.pack("ll", seconds, 0))
            conn.init()
        arriving = Arriving()
        if read_ahead := conn.parser.unreader.take_buffered():
            arriving.add(read_ahead)
        self._arriving[conn] = arriving
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + ARRIVAL_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_more, conn))
        self._go_on(conn, arriving)

    def murder_pending(self) -> None:
        super().murder_pending()
        late = self._arriving.keys() - set(self.pending_conns)
        for conn in late:
            del self._arriving[conn]
        if late:
            announce(SecurityEvent.REQUEST_REFUSED, status=408, reason="too-slow")

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """A request that cannot be parsed: gunicorn would quote it, and the address, in the log and in the answer."""
        if not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        announce(SecurityEvent.REQUEST_REFUSED, status=400, reason=type(exc).__name__)
        try:
            util.write_error(client, 400, "Bad Request", "")
        except OSError:
            self.log.debug("the client did not wait for its refusal")

    def _on_more(self, conn: Any, _socket: Any) -> None:
        try:
            data = conn.sock.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        arriving = self._arriving[conn]
        arriving.add(data)
        self._go_on(conn, arriving)

    def _go_on(self, conn: Any, arriving: Arriving) -> None:
        if arriving.refusal is not None:
            announce(SecurityEvent.REQUEST_REFUSED, status=int(arriving.refusal[9:12]), reason="form-of-request")
            self._drop(conn, arriving.refusal)
        elif arriving.is_complete:
            self._release(conn)
            conn.parser.unreader.unread(bytes(arriving.data))
            conn.data_ready = True
            super().enqueue_req(conn)
        elif sum(len(one.data) for one in self._arriving.values()) > ARRIVING_BYTES:
            self._drop(conn)

    def _drop(self, conn: Any, answer: bytes = b"") -> None:
        self._release(conn)
        if answer:
            try:
                conn.sock.send(answer)
            except OSError:
                self.log.debug("the client did not wait for its refusal")
        self.nr_conns -= 1
        conn.close()

    def _release(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        del self._arriving[conn]
