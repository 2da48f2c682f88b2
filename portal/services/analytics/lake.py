"""The trail as partitioned Parquet in a folder or an object store, so that figures cost the log's database nothing.

`accesses/month=2026-03/…parquet` are Hive partitions, which Spark and Trino read as they are. `lake.json` is the only
truth about which files belong to the tables and under which checkpoint they were read: it is written last, so a refresh
that is killed leaves the tables as they were, and what it wrote is cleared away later.

The tables hold codes of the catalogue and blind indexes: no body, no name, no personal code. What is erased from the
log is erased here at the next refresh.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import obstore
from obstore.store import LocalStore, ObjectStore

from audit.log import AuditLog
from portal.services.analytics import tables
from portal.services.clock import Clock

STATE = "lake.json"
FOLDER = "accesses"
#: Entries in one file at the most: some megabytes, which every engine reads at once.
ROWS_OF_A_FILE = 250_000
#: A file that no state names is left alone for so long: another process may be about to name it.
GRACE = timedelta(hours=1)
_VERSION = 1


class LakeUnreadable(RuntimeError):
    """The tables cannot be read or are of another version. The caller measures on the log's database instead."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its path, its first and last possible entry, its rows, its SHA-256."""

    path: str
    first: int
    last: int
    rows: int
    sha256: str

    def covers(self, seq: int) -> bool:
        return self.first <= seq <= self.last


@dataclass(frozen=True, slots=True)
class LakeState:
    """Which files hold the entries below `size`, the checkpoint under which they were read, and when that was."""

    size: int = 0
    checkpoint: str = ""
    refreshed_at: datetime | None = None
    parts: tuple[Part, ...] = field(default=())

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def text(self) -> str:
        parts = [{name: getattr(part, name) for name in Part.__slots__} for part in self.parts]
        refreshed_at = self.refreshed_at and self.refreshed_at.isoformat()
        whole = {"version": _VERSION, "size": self.size, "checkpoint": self.checkpoint, "refreshed_at": refreshed_at}
        return json.dumps(whole | {"parts": parts}, indent=1)


class Lake:
    """Keeps the tables up with the log."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self.store = store
        self._clock = clock

    @property
    def is_local(self) -> bool:
        return isinstance(self.store, LocalStore)

    def state(self) -> LakeState:
        """What the tables hold now; nothing, before the first refresh.

        Raises:
            LakeUnreadable: the state is damaged or of another version.
        """
        try:
            content = bytes(self.store.get(STATE).bytes())
        except FileNotFoundError:
            return LakeState()
        except obstore.exceptions.BaseError as error:
            raise LakeUnreadable(type(error).__name__) from error
        return _read_state(content)

    def file(self, part: Part) -> bytes:
        """One file's bytes. Raises LakeUnreadable when they are not the ones that were written."""
        try:
            content = bytes(self.store.get(part.path).bytes())
        except (FileNotFoundError, obstore.exceptions.BaseError) as error:
            raise LakeUnreadable(f"{part.path}: {type(error).__name__}") from error
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise LakeUnreadable(f"{part.path}: changed since it was written")
        return content

    def refresh(self, log: AuditLog, progress: Callable[[int, int], None] | None = None) -> LakeState:
        """Take in what the log has got since the last time, and let go of what was erased; safe to repeat at any time.

        Raises:
            LakeUnreadable: the state is damaged; the folder must be emptied, and the next refresh begins anew.
            LogUnavailable: the log cannot be read. The tables stay as they were.
        """
        before, began = self.state(), self._clock()
        checkpoint = log.checkpoint()
        size = checkpoint.checkpoint.size
        kept = self._without_erased(before, log.erased_since(before.size - 1, size))
        parts = [*kept, *self._new_parts(log, before.size, size, progress)]
        after = LakeState(size, checkpoint.text, began, tuple(parts))
        self.store.put(STATE, after.text().encode())
        self._clear_away(before, after)
        return after

    def _without_erased(self, before: LakeState, erased: dict[int, int]) -> Iterator[Part]:
        for part in before.parts:
            gone = [seq for seq in erased if part.covers(seq)]
            if not gone:
                yield part
                continue
            content, rows = tables.without(self.file(part), gone)
            if rows:
                folder = part.path.rpartition("/")[0]
                yield self._put(folder, part.first, part.last, rows, content)

    def _new_parts(
        self, log: AuditLog, start: int, size: int, progress: Callable[[int, int], None] | None
    ) -> Iterator[Part]:
        for after in range(start - 1, size - 1, ROWS_OF_A_FILE):
            below = min(after + 1 + ROWS_OF_A_FILE, size)
            for month, rows in tables.by_month(log.rows(after, below, ROWS_OF_A_FILE)):
                folder = f"{FOLDER}/month={month}"
                yield self._put(folder, rows[0].seq, rows[-1].seq, len(rows), tables.encoded(rows))
            if progress is not None:
                progress(below, size)

    def _put(self, folder: str, first: int, last: int, rows: int, content: bytes) -> Part:
        digest = hashlib.sha256(content).hexdigest()
        # The name holds the digest: two processes, or one after a crash, can only write the same again.
        path = f"{folder}/{first:015}-{last:015}-{digest[:16]}.parquet"
        self.store.put(path, content)
        return Part(path, first, last, rows, digest)

    def _clear_away(self, before: LakeState, after: LakeState) -> None:
        named = {part.path for part in after.parts}
        replaced = {part.path for part in before.parts} - named
        oldest = self._clock() - GRACE
        for listed in self.store.list(FOLDER):
            for found in listed:
                path = str(found["path"])
                if path not in named and (path in replaced or found["last_modified"] < oldest):
                    self.store.delete(path)


def _read_state(content: bytes) -> LakeState:
    try:
        whole: dict[str, Any] = json.loads(content)
        if whole["version"] != _VERSION:
            raise LakeUnreadable(f"{STATE} is of version {whole['version']}")
        refreshed_at = datetime.fromisoformat(whole["refreshed_at"])
        parts = tuple(Part(**part) for part in whole["parts"])
        return LakeState(whole["size"], whole["checkpoint"], refreshed_at, parts)
    except (ValueError, KeyError, TypeError) as error:
        raise LakeUnreadable(f"{STATE} cannot be read ({type(error).__name__})") from None
