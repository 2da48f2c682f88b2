"""The last signed checkpoint, kept outside the database.

Whoever restores an older database, or cuts its tail off, does not restore this file with it; so a log that is shorter
than its own memory, or different at that size, is found out before it signs anything more (as happened to Certificate
Transparency logs that went on from a backup).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audit.checkpoint import SignedCheckpoint, open_checkpoint
from audit.errors import LogFrozen, LogUnavailable, MalformedCheckpoint, MalformedNote, VerificationFailed
from audit.note import Verifier


class RememberedCheckpoint:
    """One file that only ever moves forward. Several processes may share it."""

    def __init__(self, path: Path, origin: str, verifiers: Sequence[Verifier]) -> None:
        self.path = path
        self._origin = origin
        self._verifiers = verifiers
        self._read: SignedCheckpoint | None = None

    def read(self) -> SignedCheckpoint | None:
        """The remembered checkpoint; None when none was ever remembered.

        Raises:
            LogFrozen: the file is there and is no checkpoint that this log signed.
            LogUnavailable: the file cannot be read.
        """
        try:
            note = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise self._foreign() from error
        except OSError as error:
            raise LogUnavailable(f"the remembered checkpoint {self.path} cannot be read") from error
        known = self._read
        if known is not None and known.text == note:  # its signature was checked already
            return known
        try:
            self._read = known = open_checkpoint(note, self._origin, self._verifiers)
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
