"""Asking other services over HTTP, without letting them keep us waiting or fill our memory."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

#: A discovery document, a key set or a token answer is a few kilobytes.
MAXIMUM_ANSWER = 256 * 1024


class AnswerRefused(httpx2.HTTPError):
    """The answer is too large, too slow, or compressed although we asked for it plain."""


class LimitedTransport(httpx2.BaseTransport):
    """Carries a request and reads the whole answer within a size and a time. Redirects are not followed (SSRF).

    A time-out of the library's own is per read, so that a server which sends a byte now and then could keep a thread
    for ever; here the whole exchange has one deadline.
    """

    def __init__(
        self, inner: httpx2.BaseTransport, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._seconds = seconds
        self._monotonic = monotonic

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raises httpx2.HTTPError when there is no usable answer."""
        deadline = self._monotonic() + self._seconds
        request.headers["Accept-Encoding"] = "identity"
        response = self._inner.handle_request(request)
        try:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise AnswerRefused("a compressed answer")  # a small one can unpack to any size
            body = self._read(response, deadline)
        finally:
            response.close()
        headers = [(name, value) for name, value in response.headers.multi_items() if name != "transfer-encoding"]
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)

    def close(self) -> None:
        self._inner.close()

    def _read(self, response: httpx2.Response, deadline: float) -> bytes:
        body = bytearray()
        assert isinstance(response.stream, httpx2.SyncByteStream)  # noqa: S101 - what a synchronous transport gives
        for chunk in response.stream:
            body += chunk
            if len(body) > MAXIMUM_ANSWER:
                raise AnswerRefused("an answer that is too large")
            if self._monotonic() > deadline:
                raise AnswerRefused("an answer that is too slow")
        return bytes(body)


def limited_transport(seconds: float, ca_file: Path | None) -> LimitedTransport:
    """A transport that trusts `ca_file` alone, or what the machine trusts when there is none.

    Each exchange has a connection of its own: they are few, and none is left open behind somebody's back.
    """
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    limits = httpx2.Limits(max_keepalive_connections=0)
    return LimitedTransport(httpx2.HTTPTransport(verify=context, limits=limits), seconds)
