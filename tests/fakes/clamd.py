"""ClamAV's daemon as far as INSTREAM goes: it speaks the protocol of clamd(8) and knows one signature, EICAR's."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What every scanner finds and nobody is harmed by (eicar.org), put together here so that this file is not found.
_PARTS = (b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE", b"!$H+H*")
EICAR = b"".join(_PARTS)
SIGNATURE = "Eicar-Test-Signature"


@dataclass
class Clamd:
    """What was scanned, and how the daemon behaves: `limit` is its StreamMaxLength, `answer` replaces its verdict."""

    address: str = ""
    scanned: list[bytes] = field(default_factory=list)
    limit: int = 25 * 1024 * 1024
    answer: bytes | None = None


@contextmanager
def scanning(socket_path: Path | None = None) -> Iterator[Clamd]:
    """A running daemon, on a UNIX socket or on a port of this machine."""
    clamd = Clamd()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            _serve(clamd, self.rfile, self.wfile)

    server: Any
    if socket_path is None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)
        clamd.address = f"127.0.0.1:{server.server_address[1]}"
    else:
        server = socketserver.ThreadingUnixStreamServer(str(socket_path), Session)
        clamd.address = f"unix:{socket_path}"
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield clamd
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _serve(clamd: Clamd, incoming: Any, outgoing: Any) -> None:
    if _until_zero(incoming) != b"zINSTREAM":
        outgoing.write(b"UNKNOWN COMMAND\0")
        return
    content = b""
    while length := struct.unpack(">I", incoming.read(4))[0]:
        content += incoming.read(length)
        if len(content) > clamd.limit:
            outgoing.write(b"INSTREAM size limit exceeded. ERROR\0")
            return
    clamd.scanned.append(content)
    verdict = f"stream: {SIGNATURE} FOUND" if EICAR in content else "stream: OK"
    outgoing.write(clamd.answer if clamd.answer is not None else verdict.encode() + b"\0")


def _until_zero(incoming: Any) -> bytes:
    command = b""
    while (byte := incoming.read(1)) not in {b"", b"\0"}:
        command += byte
    return command
