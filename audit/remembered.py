"""The last signed checkpoint, kept outside the database.

Whoever restores an older database, or cuts its tail off, does not restore this file with it; so a log that is shorter
than its own memory, or different at that size, is found out before it signs anything more (as happened to Certificate
Transparency logs that went on from a backup).
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audit.checkpoint import SignedCheckpoint, open_checkpoint
from audit.errors import LogFrozen, LogUnavailable, MalformedCheckpoint, MalformedNote, VerificationFailed
from audit.note import Verifier

logger = logging.getLogger(__name__)

#: Seconds by which the memory may be behind before appends wait for it.
MAX_LAG = 1.0
#: Seconds between two checkpoints that are remembered, and after which a thread with nothing to do ends.
_PAUSE = 0.05
_IDLE = 5.0


class RememberedCheckpoint:
    """One file that only ever moves forward. Several processes may share it."""

    def __init__(self, path: Path, origin: str, verifiers: Sequence[Verifier]) -> None:
        self.path = path
        self._origin = origin
        self._verifiers = verifiers
        self._read: SignedCheckpoint | None = None
        self._stamp: tuple[int, ...] = ()

    def read(self) -> SignedCheckpoint | None:
        """The remembered checkpoint; None when none was ever remembered.

        Raises:
            LogFrozen: the file is there and is no checkpoint that this log signed.
            LogUnavailable: the file cannot be read.
        """
        try:
            found = self.path.stat()
            stamp = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if stamp == self._stamp and self._read is not None:
                return self._read
            note = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise self._foreign() from error
        except OSError as error:
            raise LogUnavailable(f"the remembered checkpoint {self.path} cannot be read") from error
        known = self._read
        if known is not None and known.text == note:  # its signature was checked already
            self._stamp = stamp
            return known
        try:
            self._read = known = open_checkpoint(note, self._origin, self._verifiers)
            self._stamp = stamp
        except (MalformedNote, MalformedCheckpoint, VerificationFailed) as error:
            raise self._foreign() from error
        return known

    def _foreign(self) -> LogFrozen:
        return LogFrozen(
            f"the remembered checkpoint {self.path} is none that this log signed; nothing is appended until"
            " `python -m audit recover` has been run"
        )

    def remember(self, checkpoint: SignedCheckpoint) -> None:
        """Keep `checkpoint` unless a larger one is kept already. The file is whole at every moment, crash or not.

        Raises:
            LogUnavailable: the file cannot be written.
        """
        try:
            with self._locked():
                kept = self.read()
                if kept is None or kept.checkpoint.size < checkpoint.checkpoint.size:
                    self._write(self.path, checkpoint.text.encode())
                    self._read = checkpoint
        except OSError as error:
            raise LogUnavailable(f"the remembered checkpoint {self.path} cannot be written") from error

    def set_aside(self, checkpoint: SignedCheckpoint) -> None:
        """Keep `checkpoint` in place of whatever is kept, which stays beside it as evidence, named by its digest.

        Only for `recover`, which logs that it did.
        """
        try:
            with self._locked():
                evidence = self.path.with_name(f"{self.path.name}.lost-{self.digest()[:12]}")
                self._write(evidence, self.path.read_bytes())
                self._write(self.path, checkpoint.text.encode())
        except OSError as error:
            raise LogUnavailable(f"the remembered checkpoint {self.path} cannot be written") from error

    def digest(self) -> str:
        """SHA-256 in hex of the file as it stands, whatever it holds. Raises LogUnavailable where it cannot be read."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()
        except OSError as error:
            raise LogUnavailable(f"the remembered checkpoint {self.path} cannot be read") from error

    @staticmethod
    def _write(path: Path, content: bytes) -> None:
        fresh = path.with_name(path.name + ".new")
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Memory:
    """Keeps the newest signed checkpoint outside the database, beside the appends: none waits for this second disk.

    What is remembered is at most `MAX_LAG` seconds behind what was signed, in practice a twentieth of one; a log whose
    memory fails, or falls further behind, waits for it and grows no further without it.
    """

    def __init__(self, remembered: RememberedCheckpoint) -> None:
        self._remembered = remembered
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._due: SignedCheckpoint | None = None
        self._due_since = 0.0
        self._has_failed = False
        self._is_closed = False

    def note(self, signed: SignedCheckpoint) -> None:
        """Have a checkpoint remembered soon, or a newer one in its place."""
        if self._process != os.getpid():  # forked: the thread stayed behind, and may have held a lock
            self._reset()
        with self._lock:
            if self._due is None:
                self._due_since = time.monotonic()
            self._due = signed
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="audit-memory", daemon=True)
                self._thread.start()
        self._wake.set()

    def require(self) -> None:
        """To be asked before an append.

        Raises:
            LogUnavailable, LogFrozen: the memory has failed, and fails again.
        """
        if self._due is not None and (self._has_failed or time.monotonic() - self._due_since > MAX_LAG):
            self.settle()

    def settle(self) -> None:
        """Remember now what is due. Errors as for `require`."""
        with self._writing:
            due = self._due
            if due is None:
                return
            try:
                self._remembered.remember(due)
            except BaseException:
                self._has_failed = True
                raise
            with self._lock:
                self._has_failed = False
                if self._due is due:
                    self._due = None
                self._due_since = time.monotonic()

    def close(self) -> None:
        """Remember what is due, as far as that can be done."""
        self._is_closed = True
        self._wake.set()
        self._try()

    def _run(self) -> None:
        while True:
            is_awake = self._wake.wait(_IDLE)
            with self._lock:
                if self._is_closed or not (is_awake or self._due is not None):
                    self._thread = None
                    return
            self._wake.clear()
            self._try()
            time.sleep(_PAUSE)

    def _try(self) -> None:
        try:
            self.settle()
        except (LogUnavailable, LogFrozen):
            # The entries are durable and were acknowledged; but without its memory the log must not grow further.
            logger.exception("the newest checkpoint could not be kept outside the database")
