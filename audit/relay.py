"""Entries of several processes of one host, written by one of them.

Processes that take turns with the head bring one fsync for each turn, and each its own callers alone. So one of them
leads, and the others hand their entries to it over a socket beside the log: one commit then serves the callers of all.
Who leads is who holds a file's lock; whoever finds nobody there leads next. The head's own lock stays the only truth: a
process that cannot reach the leader, for whatever reason, takes the head itself.

A leader may die with what was handed to it written or not. Its entries were to be committed to with secrets that the
caller chose, so the caller takes the head and looks: it finds them, or writes them. And a leader writes nothing whose
caller has hung up, which it asks while it holds the head. So nothing is lost, written twice, or acknowledged falsely.

Whoever can speak to the socket can append. It stands in a folder that only its owner can enter, and each end asks the
kernel who is at the other (SO_PEERCRED).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import logging
import os
import selectors
import socket
import stat
import struct
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audit.batch import Acknowledgement
from audit.criteria import milliseconds, moment
from audit.entry import MAX_BODY, Access, decode_body
from audit.errors import AuditError, EntryRefused, IdempotencyConflict, LogOverloaded, LogUnavailable
from audit.store import LOCK_SECONDS
from audit.tiles import HASH_SIZE
from audit.vault import SECRET_SIZE
from audit.writer import RETRY_AFTER_SECONDS, Request, Writer

logger = logging.getLogger(__name__)

#: More than these in one request fill a transaction by themselves, and are not handed over.
MAX_HANDED_OVER = 64
#: Seconds after which a leader that says nothing is left: longer than it may wait for the head.
_PATIENCE = 2 * LOCK_SECONDS
_MAX_FRAME = MAX_HANDED_OVER * (MAX_BODY + SECRET_SIZE + 4) + 4096
#: What fits a socket's address on every system.
_MAX_PATH = 100
_BACKLOG = 256
_LENGTH = struct.Struct("!I")
_TOLD = struct.Struct("!QqQ")
_WRITTEN, _YOURS, _CONFLICT, _OVERLOADED, _UNAVAILABLE = (bytes([number]) for number in range(5))

_relays: weakref.WeakSet[Relay] = weakref.WeakSet()


class Relay:
    """One process's end: it hands entries over, or leads and takes them."""

    def __init__(self, folder: Path, log_name: str, writer: Writer) -> None:
        """`log_name` tells logs apart that share a folder. Raises LogUnavailable for a folder that is not private."""
        _require_private(folder)
        self._writer = writer
        name = hashlib.sha256(log_name.encode()).hexdigest()[:16]
        self._lock_path, self._address = folder / f"{name}.lock", str(folder / f"{name}.sock")
        if len(os.fsencode(self._address)) > _MAX_PATH:
            raise LogUnavailable(f"the path of the relay's folder {folder} is too long for a socket")
        self._lines: list[socket.socket] = []
        self._desk: _Desk | None = None
        self._electing = threading.Lock()
        _relays.add(self)

    def hand_over(self, request: Request) -> bool:
        """Have another process write the request. False where this one has to write it itself.

        Raises LogUnavailable, LogFrozen where the size of the log cannot be known, and nothing was handed over.
        """
        if self._desk is not None or len(request.accesses) > MAX_HANDED_OVER:
            return False
        size = self._writer.size_known()
        line = self._line()
        if line is None:
            return False
        request.secrets = os.urandom(SECRET_SIZE * len(request.accesses))
        try:
            line.sendall(_framed(request))
            answer = _received(line)
        except OSError:
            request.since = size
            line.close()
            return False
        except BaseException:  # a worker told to stop: the answer must not be the next caller's
            line.close()
            raise
        self._lines.append(line)
        return _understood(request, answer)

    def close(self) -> None:
        with self._electing:
            desk, self._desk = self._desk, None
            if desk is not None:
                desk.close()
            while self._lines:
                self._lines.pop().close()

    def forget(self) -> None:
        """In a forked child: the lock and the sockets are its parent's."""
        self._electing = threading.Lock()
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.forget()
        for line in self._lines:
            line.close()
        self._lines = []

    def _line(self) -> socket.socket | None:
        with contextlib.suppress(IndexError):
            return self._lines.pop()
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            line.connect(self._address)
            if _is_ours(line):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _PATIENCE, 0))
                line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _PATIENCE, 0))
                return line
            logger.warning("somebody else's process answers at the relay's socket")
        except (FileNotFoundError, ConnectionRefusedError):
            self._try_to_lead()
        except OSError:
            logger.exception("the leader of the log's relay could not be reached")
        line.close()
        return None

    def _try_to_lead(self) -> None:
        with self._electing:
            if self._desk is not None:
                return
            try:
                held = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError:
                logger.exception("the lock of the log's relay cannot be opened")
                return
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._desk = _Desk(held, self._address, self._writer)
            except BlockingIOError:  # another process is about to open its socket
                os.close(held)
            except OSError:
                os.close(held)
                logger.exception("the socket of the log's relay cannot be opened")


@dataclass(slots=True, eq=False)
class _Handed(Request):
    """A request of another process. Whoever writes it answers down its line."""

    line: socket.socket = field(kw_only=True)
    pen: threading.Semaphore = field(kw_only=True)

    def finish(self) -> None:
        self.is_done = True
        # One answer at a time is under way on a line, so it fits; who does not take it has gone.
        with contextlib.suppress(OSError):
            self.line.send(_answered(self), socket.MSG_DONTWAIT)

    def call(self) -> None:
        self.leads = True
        self.pen.release()

    def is_withdrawn(self) -> bool:
        try:
            return self.line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


class _Desk:
    """Where the leader takes what others hand over: one thread reads, another writes when no local caller does."""

    def __init__(self, held: int, address: str, writer: Writer) -> None:
        self._held = held
        self._writer = writer
        self._pen = threading.Semaphore(0)
        self._is_closed = False
        self._buffers: dict[socket.socket, bytearray] = {}
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with contextlib.suppress(FileNotFoundError):
                Path(address).unlink()
            self._listening.bind(address)
            Path(address).chmod(0o600)
            self._listening.listen(_BACKLOG)
        except BaseException:
            self._listening.close()
            raise
        self._waking, self._woken = socket.socketpair()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._take, "audit-relay"), (self._write, "audit-relay-pen"))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Hang up. Who waits for an answer looks for it in the log, after the batch under way."""
        self._is_closed = True
        self._waking.send(b"\0")
        self._pen.release()
        for thread in self._threads:
            thread.join(_PATIENCE)
        self.forget()

    def forget(self) -> None:
        for end in (self._listening, self._waking, self._woken, *self._buffers):
            end.close()
        os.close(self._held)

    def _write(self) -> None:
        while True:
            self._pen.acquire()
            if self._is_closed and not self._writer.is_awaited():
                return
            try:
                self._writer.lead()
            except Exception:  # its callers were told; the next batch is another matter
                logger.exception("a batch that was handed over could not be written")

    def _take(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._is_closed:
                for key, _ in selector.select():
                    if key.fileobj is self._listening:
                        self._accept(selector)
                    elif isinstance(key.fileobj, socket.socket) and key.fileobj is not self._woken:
                        self._read(selector, key.fileobj)

    def _accept(self, selector: selectors.BaseSelector) -> None:
        try:
            line, _ = self._listening.accept()
        except OSError:
            logger.exception("the log's relay could not take a call")
            return
        if not _is_ours(line):
            logger.warning("somebody else's process called at the relay's socket")
            line.close()
            return
        self._buffers[line] = bytearray()
        selector.register(line, selectors.EVENT_READ)

    def _read(self, selector: selectors.BaseSelector, line: socket.socket) -> None:
        buffer = self._buffers[line]
        try:
            received = line.recv(1 << 16, socket.MSG_DONTWAIT)
            buffer += received
            if (frame := _cut_off(buffer)) is not None:
                self._enqueue(_unframed(frame, line, self._pen))
        except BlockingIOError:
            return
        except OSError:  # killed in the middle of something
            received = b""
        except (EntryRefused, struct.error, ValueError):
            received = b""
            logger.warning("what was handed over at the relay's socket is no request")
        if not received:
            selector.unregister(line)
            del self._buffers[line]
            line.close()

    def _enqueue(self, request: _Handed) -> None:
        try:
            self._writer.enqueue(request)
        except LogOverloaded as error:
            request.error = error
            request.finish()
            return
        if request.leads:
            self._pen.release()


def _require_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise LogUnavailable(f"the relay's folder {folder} is to be its owner's alone (mode 0700)")


def _is_ours(line: socket.socket) -> bool:
    """Whether a process of this very user is at the other end."""
    _, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return bool(user == os.geteuid())


def _framed(request: Request) -> bytes:
    """Length, whether there is an idempotency key, then key, secrets and bodies, each with its own length."""
    key, secrets = (request.idempotency_key or "").encode(), request.secrets or b""
    parts = [bytes([request.idempotency_key is not None])]
    for part in (key, secrets, *request.encoded):
        parts += (_LENGTH.pack(len(part)), part)
    frame = b"".join(parts)
    return _LENGTH.pack(len(frame)) + frame


def _cut_off(buffer: bytearray) -> bytes | None:
    """Take the frame out of what was received; None where it is not whole yet. Raises EntryRefused for a giant."""
    if len(buffer) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(buffer)
    if length > _MAX_FRAME:
        raise EntryRefused("a frame is longer than any request")
    end = _LENGTH.size + length
    if len(buffer) < end:
        return None
    frame = bytes(buffer[_LENGTH.size : end])
    del buffer[:end]
    return frame


def _unframed(frame: bytes, line: socket.socket, pen: threading.Semaphore) -> _Handed:
    """Raises EntryRefused, ValueError or struct.error for what `_framed` would not have made."""
    parts, at = [], 1
    while at < len(frame):
        (length,) = _LENGTH.unpack_from(frame, at)
        at += _LENGTH.size + length
        parts.append(frame[at - length : at])
    key, secrets, *bodies = parts
    if at != len(frame) or not bodies or len(secrets) != SECRET_SIZE * len(bodies):
        raise EntryRefused("a frame is no request")
    accesses: Sequence[Access] = [decode_body(body) for body in bodies]
    return _Handed(accesses, bodies, key.decode() if frame[0] else None, secrets=secrets, line=line, pen=pen)


def _answered(request: Request) -> bytes:
    if request.error is None:
        told = b"".join(
            _TOLD.pack(one.seq, milliseconds(one.logged_at), one.tree_size) + one.leaf_hash
            for one in request.acknowledgements
        )
        return _LENGTH.pack(1 + len(told)) + _WRITTEN + told
    return _LENGTH.pack(1) + _code_of(request.error)


def _code_of(error: AuditError) -> bytes:
    if isinstance(error, IdempotencyConflict):
        return _CONFLICT
    if isinstance(error, LogOverloaded):
        return _OVERLOADED
    # Anything but a failing database is found out before anything is written, and may be this process's own fault.
    return _UNAVAILABLE if isinstance(error, LogUnavailable) else _YOURS


def _received(line: socket.socket) -> bytes:
    """Raises OSError when the leader hangs up, or says nothing for too long."""
    received = line.recv(1 << 16)
    while received and len(received) < _LENGTH.size + _LENGTH.unpack_from(received.ljust(_LENGTH.size))[0]:
        more = line.recv(1 << 16)
        received = received + more if more else b""
    if not received:
        raise ConnectionResetError("the leader of the log's relay has gone")
    return received[_LENGTH.size :]


def _understood(request: Request, answer: bytes) -> bool:
    code, told = answer[:1], answer[1:]
    if code == _YOURS:
        return False
    if code == _CONFLICT:
        request.error = IdempotencyConflict("this idempotency key already stands for another entry")
    elif code == _OVERLOADED:
        request.error = LogOverloaded("too many entries are waiting to be written", retry_after=RETRY_AFTER_SECONDS)
    elif code == _UNAVAILABLE:
        request.error = LogUnavailable("the process that writes the log could not write the entry")
    else:
        width = _TOLD.size + HASH_SIZE
        for at in range(0, len(told), width):
            seq, time_ms, size = _TOLD.unpack_from(told, at)
            leaf = told[at + _TOLD.size : at + width]
            request.acknowledgements.append(Acknowledgement(seq, leaf, moment(time_ms), size))
    return True


def _forget_all() -> None:
    for relay in list(_relays):
        relay.forget()


os.register_at_fork(after_in_child=_forget_all)
