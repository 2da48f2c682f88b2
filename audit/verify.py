"""Checking, with no trust in whoever keeps the log: a receipt by itself, or a whole log replayed from its first entry.

Nothing here knows a database: a log to verify is anything that can be read as `LogSource`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from audit.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from audit.entry import GENESIS, Access, Leaf, commit, decode_body, decode_leaf, label, leaf_hash
from audit.errors import (
    EntryRefused,
    MalformedCheckpoint,
    MalformedNote,
    MalformedReceipt,
    VerificationFailed,
)
from audit.merkle import CompactRange, verify_inclusion
from audit.note import CosignatureVerifier, Verifier
from audit.receipt import Receipt, parse_receipt
from audit.tiles import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH, partial_width

#: The source of what the log says about itself. No caller may append under it, and none of it may be erased.
LOG_SOURCE = "log"
#: The action of an entry of the log's own that says what was erased (a tombstone).
ERASURE = "erasure"
#: The detail of a tombstone that names what it erased, by `digest_of_entries`.
ERASED_ENTRIES = "erased-sha256"
_PROGRESS_EVERY = 1_000
#: The last millisecond that a date can be given for.
_LAST_MS = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class ReceiptVerdict:
    """What a receipt proves: this leaf is entry `index` of the log `origin`, under a signed checkpoint of `size`.

    `access` is what the leaf commits to (None when the receipt does not open it). `is_own_label` says that the
    receipt's label key made the leaf's label, as the subject's `label_count`-th entry.
    """

    index: int
    size: int
    origin: str
    logged_at: datetime
    leaf: Leaf
    access: Access | None
    is_own_label: bool
    label_count: int | None
    #: Names of the witnesses whose keys the reader gave and whose cosignatures hold.
    witnesses: tuple[str, ...] = ()


def verify_receipt(text: str | bytes, verifiers: Sequence[Verifier]) -> ReceiptVerdict:
    """Check every claim of a receipt against verifier keys that the reader trusts; their names are the origins allowed.

    Keys of witnesses (type 0x04) may be among them: the verdict names those that cosigned the receipt's checkpoint.

    Raises:
        MalformedReceipt: this is no receipt.
        InvalidProof: the leaf is not in the tree that the checkpoint signs.
        VerificationFailed: no trusted key signed the checkpoint, a trusted key's signature on it is false, or the body,
            secret or label do not fit the leaf.
    """
    receipt = parse_receipt(text)
    try:
        leaf = decode_leaf(receipt.leaf)
        access = None if receipt.body is None else decode_body(receipt.body)
    except EntryRefused as error:
        raise MalformedReceipt(f"the entry in the receipt cannot be read: {error}") from None
    opened = _trusted(receipt.proof.checkpoint, verifiers)
    signed = opened.checkpoint
    if leaf.log != signed.origin:
        raise VerificationFailed("the entry belongs to another log than the checkpoint")
    if leaf.seq != receipt.proof.index:
        raise VerificationFailed("the entry's number and the proof's index differ")
    if leaf.time_ms > _LAST_MS:
        raise VerificationFailed("the entry's time lies beyond the year 9999")
    verify_inclusion(leaf.seq, signed.size, leaf_hash(receipt.leaf), receipt.proof.hashes, signed.root)
    _verify_opening(receipt, leaf)
    return ReceiptVerdict(
        leaf.seq,
        signed.size,
        leaf.log,
        datetime.fromtimestamp(leaf.time_ms / 1000, UTC),
        leaf,
        access,
        receipt.label_key is not None,
        receipt.label_count,
        tuple(one.name for one in opened.verified if one.name != signed.origin),
    )


def _trusted(note: str, verifiers: Sequence[Verifier]) -> SignedCheckpoint:
    origin = note.partition("\n")[0]
    trusted = [verifier for verifier in verifiers if verifier.name == origin]
    if not trusted:
        raise VerificationFailed("the checkpoint is of a log that you did not say you trust")
    witnesses = [key for key in verifiers if isinstance(key, CosignatureVerifier) and key.name != origin]
    try:
        return open_checkpoint(note, origin, [*trusted, *witnesses])
    except (MalformedNote, MalformedCheckpoint) as error:
        raise VerificationFailed(f"the checkpoint cannot be trusted: {error}") from error


def _verify_opening(receipt: Receipt, leaf: Leaf) -> None:
    key, count = receipt.label_key, receipt.label_count or 0
    if (
        receipt.body is not None
        and receipt.secret is not None
        and commit(receipt.secret, receipt.body) != leaf.commitment
    ):
        raise VerificationFailed("what the receipt says happened is not what the log committed to")
    if key is not None and (count < 1 or label(key, count) != leaf.label):
        raise VerificationFailed("the label key is not the one of this entry")


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


class LogSource(Protocol):
    """A log as it can be read for verification: one consistent view."""

    def head(self) -> tuple[int, str]:
        """The size that the store claims, and its newest checkpoint."""

    def entries(self) -> Iterator[StoredEntry]:
        """Every entry in the order of its number."""

    def checkpoints(self) -> Iterator[tuple[int, str]]:
        """Every signed checkpoint with the size it is filed under, smallest first."""

    def tile(self, level: int, index: int) -> bytes:
        """The stored hashes of a tile; empty when there is none."""

    def tile_count(self) -> int:
        """How many tiles are stored."""


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


class _Broken(Exception):
    def __init__(self, first: int, problem: str) -> None:
        super().__init__(problem)
        self.first = first
        self.problem = problem


def verify_log(
    source: LogSource,
    origin: str,
    verifiers: Sequence[Verifier],
    *,
    earlier: Iterable[Checkpoint] = (),
    progress: Callable[[int, int], None] | None = None,
) -> VerificationReport:
    """Replay a log from its first entry and name the first that is broken.

    Checked are, for every entry: its number, its canonical form, the hash chain, its place in the tiles and, where the
    source can open bodies, commitment and label; for every checkpoint: signature and root. `earlier` are checkpoints
    kept elsewhere (the remembered one, a witness's, an auditor's own): the log must still begin with their trees.
    `progress` is told (entries done, entries claimed).
    """
    replay = _Replay(source, origin, verifiers, list(earlier))
    try:
        replay.run(progress)
    except _Broken as broken:
        return VerificationReport(False, replay.size, None, broken.first, broken.problem, replay.opened, replay.erased)
    return VerificationReport(True, replay.size, replay.root, None, None, replay.opened, replay.erased)


class _Replay:
    """The state of one pass over a log."""

    def __init__(
        self, source: LogSource, origin: str, verifiers: Sequence[Verifier], earlier: list[Checkpoint]
    ) -> None:
        self._source = source
        self._origin = origin
        self._verifiers = verifiers
        self._earlier: dict[int, list[Checkpoint]] = {}
        for checkpoint in earlier:
            self._earlier.setdefault(checkpoint.size, []).append(checkpoint)
        self._longest = max(self._earlier, default=0)
        self._tree = CompactRange(0, [])
        self._prev = GENESIS
        self._time_ms = 0
        self._sources: dict[str, int] = {}
        self._covered = 0  # entries under the last checkpoint that held
        self._tile: tuple[int, bytes] = (-1, b"")
        self._erased: dict[int, list[int]] = {}
        self.opened = 0
        self.erased = 0

    @property
    def size(self) -> int:
        return self._tree.size

    @property
    def root(self) -> bytes:
        return self._tree.root()

    def run(self, progress: Callable[[int, int], None] | None) -> None:
        claimed, newest = self._source.head()
        due = _Lookahead(self._source.checkpoints())
        self._check_due(due)
        for entry in self._source.entries():
            self._check_entry(entry)
            self._check_due(due)
            if progress is not None and self.size % _PROGRESS_EVERY == 0:
                progress(self.size, max(claimed, self.size))
        self._check_end(claimed, newest, due)
        if progress is not None:
            progress(self.size, self.size)

    def _check_entry(self, entry: StoredEntry) -> None:
        expected = self.size
        if entry.seq != expected:
            raise _Broken(expected, f"entry {expected} is missing")
        try:
            leaf = decode_leaf(entry.leaf)
        except EntryRefused:
            raise _Broken(expected, f"entry {expected} is not in the form in which it was written") from None
        node = leaf_hash(entry.leaf)
        if self._tile_hash(expected) != node:
            raise _Broken(expected, f"entry {expected} is not the one in the tree: it was changed or replaced")
        if leaf.log != self._origin or leaf.seq != expected:
            raise _Broken(expected, f"entry {expected} was written for another place or another log")
        if leaf.prev != self._prev:
            raise _Broken(expected, f"entry {expected} does not follow the entry before it: the chain is broken")
        if leaf.time_ms < self._time_ms:
            raise _Broken(expected, f"entry {expected} is older than the entry before it")
        if leaf.source_seq != self._sources.get(leaf.source, 0):
            raise _Broken(expected, f"entry {expected} skips or repeats a number of its source")
        self._check_body(entry, leaf)
        self._sources[leaf.source] = leaf.source_seq + 1
        self._prev, self._time_ms = node, leaf.time_ms
        self._tree.append(node, self._check_node)

    def _check_body(self, entry: StoredEntry, leaf: Leaf) -> None:
        if entry.problem is not None:
            raise _Broken(entry.seq, entry.problem)
        declared = self._erased.pop(entry.seq, None)
        if declared is not None and leaf.source != LOG_SOURCE:
            raise _Broken(declared[0], f"entry {declared[0]} is gone, and entry {entry.seq} is not the log's own word")
        if entry.tombstone is not None:
            self.erased += 1
            if leaf.source == LOG_SOURCE:
                raise _Broken(entry.seq, f"entry {entry.seq} is the log's own, which is never erased, and it is gone")
            if entry.tombstone <= entry.seq:
                raise _Broken(entry.seq, f"entry {entry.seq} is said to be erased by an entry that came before it")
            self._erased.setdefault(entry.tombstone, []).append(entry.seq)
            return
        if entry.body is None or entry.secret is None:
            return
        if commit(entry.secret, entry.body) != leaf.commitment:
            raise _Broken(entry.seq, f"the body of entry {entry.seq} is not the one that was committed to")
        count = entry.count or 0
        if entry.label_key is not None and (count < 1 or label(entry.label_key, count) != leaf.label):
            raise _Broken(entry.seq, f"the label of entry {entry.seq} is not its subject's")
        self.opened += 1
        if leaf.source == LOG_SOURCE:
            _check_tombstone(entry.seq, decode_body(entry.body), declared or [])

    def _tile_hash(self, seq: int) -> bytes:
        index, start = divmod(seq, TILE_WIDTH)
        if self._tile[0] != index:
            self._tile = (index, self._source.tile(0, index))
        return self._tile[1][start * HASH_SIZE : (start + 1) * HASH_SIZE]

    def _check_node(self, height: int, index: int, node: bytes) -> None:
        level, within = divmod(height, TILE_HEIGHT)
        if within or level == 0:
            return
        tile_index, start = divmod(index, TILE_WIDTH)
        stored = self._source.tile(level, tile_index)[start * HASH_SIZE : (start + 1) * HASH_SIZE]
        if stored != node:
            first = index << height
            raise _Broken(first, f"the tile over entries {first} to {self.size} was changed")

    def _check_due(self, due: _Lookahead) -> None:
        while due.size == self.size:
            checkpoint = self._signed(due.note)
            if checkpoint is None or checkpoint.size != self.size:
                raise _Broken(self._covered, f"the checkpoint over {self.size} entries carries no valid signature")
            self._check_root(checkpoint, "the signed checkpoint")
            self._covered = self.size
            due.next()
        for kept in self._earlier.get(self.size, []):
            self._check_root(kept, "a checkpoint kept outside the database")

    def _check_root(self, checkpoint: Checkpoint, what: str) -> None:
        if checkpoint.root != self.root:
            raise _Broken(
                self._covered,
                f"{what} over {checkpoint.size} entries does not match them: one from entry {self._covered} on was"
                " changed and all that follows computed again",
            )

    def _signed(self, note: str) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self._origin, self._verifiers).checkpoint
        except (MalformedNote, MalformedCheckpoint, VerificationFailed):
            return None

    def _check_end(self, claimed: int, newest: str, due: _Lookahead) -> None:
        size = self.size
        if due.size is not None:
            what = f"a checkpoint over {due.size} entries was signed" if due.size > size else "a checkpoint is misfiled"
            raise _Broken(min(size, due.size), f"{what}; entries from {min(size, due.size)} on are missing or cut off")
        if self._longest > size:
            raise _Broken(size, f"{self._longest} entries were signed for elsewhere; those from {size} on are missing")
        head = self._signed(newest)
        if claimed != size or head is None or head.size != size or head.root != self.root or self._covered != size:
            raise _Broken(
                min(claimed, size, self._covered),
                f"the newest checkpoint covers {claimed if head is None else head.size} entries, the log holds {size}",
            )
        self._check_edges(size)
        if self._erased:
            first = min(self._erased.values())[0]
            raise _Broken(first, f"entry {first} is gone, and no entry says that it was erased")

    def _check_edges(self, size: int) -> None:
        expected = 0
        level = 0
        while (nodes := size >> (TILE_HEIGHT * level)) > 0:
            expected += -(-nodes // TILE_WIDTH)
            width = partial_width(level, size)
            if width and len(self._source.tile(level, nodes // TILE_WIDTH)) != width * HASH_SIZE:
                first = (nodes // TILE_WIDTH * TILE_WIDTH) << (TILE_HEIGHT * level)
                raise _Broken(first, f"the tile over entries {first} to {size - 1} has the wrong length")
            level += 1
        if self._source.tile_count() != expected:
            raise _Broken(size, "there are tiles that belong to no entry, or tiles are missing")


def _check_tombstone(seq: int, access: Access, erased: list[int]) -> None:
    """What is gone is exactly what the tombstone names: nothing more, and nothing of it has come back."""
    named = access.details.get(ERASED_ENTRIES) if access.action == ERASURE else None
    if erased and named != digest_of_entries(erased):
        raise _Broken(erased[0], f"entry {erased[0]} is gone, and entry {seq} does not say that it was erased")
    if named is not None and not erased:
        raise _Broken(seq, f"entry {seq} says that others were erased, and they are not")


class _Lookahead:
    """The checkpoints, with the next one in view."""

    def __init__(self, checkpoints: Iterator[tuple[int, str]]) -> None:
        self._rest = checkpoints
        self.size: int | None = None
        self.note = ""
        self.next()

    def next(self) -> None:
        found = next(self._rest, None)
        self.size, self.note = (None, "") if found is None else found


def digest_of_entries(entries: Iterable[int]) -> str:
    """SHA-256 over the ascending entry numbers, as decimal lines: how a tombstone names what it erased."""
    return hashlib.sha256("".join(f"{seq}\n" for seq in sorted(entries)).encode()).hexdigest()
