"""A log as it can be read for verification, whoever stores it, and the verdict on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

#: The source of what the log says about itself. No caller may append under it, and none of it may be erased.
LOG_SOURCE = "log"
#: The action of an entry of the log's own that says what was erased (a tombstone).
ERASURE = "erasure"
#: The detail of a tombstone that names what it erased, by `digest_of_entries`.
ERASED_ENTRIES = "erased-sha256"


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """One entry as it stands in a store, with what could be opened of it.

    `body`, `secret`, `label_key` and `count` are None where they cannot be opened. `problem` is what the store itself
    already found wrong; `tombstone` the entry that declares this one erased.
    """

    seq: int
    leaf: bytes
    body: bytes | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)
    label_key: bytes | None = field(default=None, repr=False)
    count: int | None = None
    tombstone: int | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """What a store keeps so that it need not read the log to go on from its end, and whether it fits the log."""

    prev: bytes
    frontier: bytes
    time_ms: int
    #: How many entries each source has reported.
    sources: dict[str, int]


class LogSource(Protocol):
    """A log as it can be read for verification: one consistent view."""

    def head(self) -> tuple[int, str]:
        """The size that the store claims, and its newest checkpoint."""

    def books(self) -> Books:
        """What the store goes on from."""

    def entries(self, first: int, end: int | None) -> Iterator[StoredEntry]:
        """Entries from `first` to `end` (exclusive) in the order of their numbers; from 0, also any below."""

    def leaves(self, first: int, end: int) -> list[bytes] | None:
        """The leaves of these entries, where nothing else about any of them is to be checked; else None."""

    def checkpoints(self, above: int | None, until: int | None) -> Iterator[tuple[int, str]]:
        """Every signed checkpoint filed under above < size <= until, smallest first."""

    def covered(self, size: int) -> int:
        """The largest size, up to this one, under which a checkpoint is filed; 0 without any."""

    def erased_across(self, seq: int) -> Iterator[tuple[int, int]]:
        """Erased entries before `seq` whose tombstone is not before it, with the tombstone, in order."""

    def tile(self, level: int, index: int) -> bytes:
        """The stored hashes of a tile; empty when there is none."""

    def tile_count(self) -> int:
        """How many tiles are stored."""

    def amiss(self) -> str | None:
        """What is wrong with what is kept beside the log, of which nothing was signed; None where nothing is."""


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The verdict on a log of `size` entries. `first_broken` is the lowest entry that can no longer be vouched for.

    `problem` says in words what is wrong with it. `root` is the recomputed root where everything held. `opened` counts
    entries whose bodies were opened and compared with their commitments.
    """

    ok: bool
    size: int
    root: bytes | None
    first_broken: int | None = None
    problem: str | None = None
    opened: int = 0
    erased: int = 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was found of entries `first` to `end` by themselves; what came before was taken from the tiles.

    `sources` gives for each source that reported in it the entry and the number of its first report, and the number
    after its last. `covered` is the size of the last checkpoint that held.
    """

    first: int
    end: int
    frontier: tuple[bytes, ...]
    prev: bytes
    time_ms: int
    sources: dict[str, tuple[int, int, int]]
    covered: int
    opened: int
    erased: int
    broken: tuple[int, str] | None = None


class Broken(Exception):
    """What is broken, and the first entry that cannot be vouched for because of it."""

    def __init__(self, first: int, problem: str) -> None:
        super().__init__(problem)
        self.first = first
        self.problem = problem


def digest_of_entries(entries: Iterable[int]) -> str:
    """SHA-256 over the ascending entry numbers, as decimal lines: how a tombstone names what it erased."""
    return hashlib.sha256("".join(f"{seq}\n" for seq in sorted(entries)).encode()).hexdigest()
