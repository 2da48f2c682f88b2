"""Looking for malware: what a scanner is, and ClamAV's daemon, which is one (clamd(8), command INSTREAM)."""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Iterable
from typing import Protocol

_LONGEST_ANSWER = 4096
_FOUND = re.compile(r"^stream: (.{1,200}) FOUND$")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._/-]")


class ScannerSilent(Exception):
    """The scanner did not answer, or could not scan: what was to be scanned counts as not scanned."""


class Scanner(Protocol):
    """Whatever can tell whether a file is known to do harm."""

    name: str

    def scan(self, content: Iterable[bytes]) -> str | None:
        """The name of the malware that was found, None where none was. Raises ScannerSilent."""
        ...


class ClamdScanner:
    """One connection for each file; the daemon gets the bytes, no name and no path. Times are in seconds."""

    name = "clamd"

    def __init__(self, address: str, timeout: float) -> None:
        """`address` is `unix:` and the path of a socket, or a host and a port with a colon between."""
        self._address = address
        self._timeout = timeout

    def scan(self, content: Iterable[bytes]) -> str | None:
        """The daemon may answer before it has all: then it has found something, or takes no more."""
        try:
            with self._connected() as connection:
                try:
                    connection.sendall(b"zINSTREAM\0")
                    for piece in content:
                        if piece:
                            connection.sendall(struct.pack(">I", len(piece)) + piece)
                    connection.sendall(struct.pack(">I", 0))
                except (BrokenPipeError, ConnectionResetError):
                    return _verdict(_answer(connection))
                return _verdict(_answer(connection))
        except OSError as error:
            raise ScannerSilent(type(error).__name__) from None

    def _connected(self) -> socket.socket:
        kind, _, path = self._address.partition(":")
        if kind == "unix":
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(self._timeout)
                connection.connect(path)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), self._timeout)


def _answer(connection: socket.socket) -> str:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        more = connection.recv(_LONGEST_ANSWER)
        if not more:
            break
        answer += more
    return answer.rstrip(b"\0").decode("utf-8", "replace").strip()


def _verdict(answer: str) -> str | None:
    if answer == "stream: OK":
        return None
    if found := _FOUND.match(answer):
        return _NOT_PLAIN.sub("_", found[1])
    raise ScannerSilent("no verdict")
