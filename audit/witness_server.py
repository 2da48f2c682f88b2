"""A witness behind HTTP, with the standard library alone: small, since what it guards is one key and one file a log."""

from __future__ import annotations

import logging
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from audit.witness import ADD_CHECKPOINT, MAX_REQUEST, TEXT_TYPE, Reply, Witness

logger = logging.getLogger(__name__)

#: A client that is slower than this is not waited for.
SECONDS = 10


class WitnessServer(ThreadingHTTPServer):
    """Answers `POST /add-checkpoint`; whatever else is asked for does not exist."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, host: str, port: int, witness: Witness) -> None:
        self.witness = witness
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"  # keeps connections alive
    server_version = "glasshouse-witness"
    sys_version = ""
    timeout = SECONDS

    def do_POST(self) -> None:
        if urlsplit(self.path).path != ADD_CHECKPOINT:
            self.close_connection = True  # its body is not read
            self._send(Reply(HTTPStatus.NOT_FOUND, "not found\n"))
            return
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            self.close_connection = True
            self._send(Reply(HTTPStatus.LENGTH_REQUIRED, "the request does not say how long it is\n"))
            return
        if int(length) > MAX_REQUEST:
            self.close_connection = True
            self._send(Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "longer than any request\n"))
            return
        self._send(self._answer(self.rfile.read(int(length))))

    def do_GET(self) -> None:
        known = urlsplit(self.path).path == ADD_CHECKPOINT
        status = HTTPStatus.METHOD_NOT_ALLOWED if known else HTTPStatus.NOT_FOUND
        self._send(Reply(status, f"{status.phrase.lower()}\n"))

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, body: bytes) -> Reply:
        try:
            reply = self.server.witness.add_checkpoint(body)
        except OSError:
            logger.exception("the checkpoint could not be kept; it was not cosigned")
            return Reply(HTTPStatus.INTERNAL_SERVER_ERROR, "the witness cannot keep the checkpoint\n")
        if reply.status in {HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}:
            logger.warning("refused with %d: %s", reply.status, reply.body.strip())
        return reply

    def _send(self, reply: Reply) -> None:
        body = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type or TEXT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        logger.info(format, *args)
