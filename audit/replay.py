"""Replaying a whole log, with no trust in whoever keeps it, and naming the first entry that is broken.

Nothing here knows a database: a log to verify is anything that can be read as `LogSource`. Several processes may check
a stretch each, and one joins what they found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.entry import GENESIS, Access, Leaf, commit, decode_body, decode_leaf, label, leaf_hash
from audit.errors import (
    EntryRefused,
    MalformedCheckpoint,
    MalformedNote,
    VerificationFailed,
)
from audit.following import follow
from audit.merkle import CompactRange
from audit.note import Verifier
from audit.stored import (
    ERASED_ENTRIES,
    ERASURE,
    LOG_SOURCE,
    Broken,
    LogSource,
    StoredEntry,
    Stretch,
    VerificationReport,
    digest_of_entries,
)
from audit.tiles import HASH_SIZE, TILE_WIDTH
from audit.tiling import check_edges, check_node, stored_node

_PROGRESS_EVERY = TILE_WIDTH * 4


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
    source can open bodies, commitment and label; for every checkpoint: signature and root; and what is kept beside the
    log, as far as it follows from something (`audit.beside`). `earlier` are checkpoints
    kept elsewhere (the remembered one, a witness's, an auditor's own): the log must still begin with their trees.
    `progress` is told (entries done, entries claimed).
    """
    replay = Replay(source, origin, verifiers, list(earlier))
    return replay.verdict(lambda: replay.run(progress))


class Replay:
    """The state of one pass over a log, or over a stretch of it."""

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
        #: Of each source the entry and the number of its first report, where the reports before it are not known.
        self._first_of: dict[str, tuple[int, int]] | None = None
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

    def verdict(self, replayed: Callable[[], None]) -> VerificationReport:
        """What is to be said of the log once `replayed` has replayed it here, or found it broken."""
        try:
            replayed()
        except Broken as broken:
            return VerificationReport(False, self.size, None, broken.first, broken.problem, self.opened, self.erased)
        return VerificationReport(True, self.size, self.root, None, None, self.opened, self.erased)

    def run(self, progress: Callable[[int, int], None] | None) -> None:
        claimed, _ = self._source.head()
        due = _Lookahead(self._source.checkpoints(None, None))
        self._check_due(due)
        while self.size < claimed:
            self._check_next(claimed, due)
            if progress is not None and self.size % _PROGRESS_EVERY == 0:
                progress(self.size, claimed)
        for entry in self._source.entries(self.size, None):
            self._check_entry(entry)
            self._check_due(due)
        self._check_end(due)
        self.check_beside()
        if progress is not None:
            progress(self.size, self.size)

    def begin_at(self, first: int) -> None:
        """Take over from the tiles, and from the entry before, what the entries before `first` left."""
        if first == 0:
            return
        self._first_of = {}
        nodes = []
        start = 0
        for height in range(first.bit_length() - 1, -1, -1):
            if first >> height & 1:
                nodes.append(stored_node(self._source, height, start >> height))
                start += 1 << height
        self._tree = CompactRange(first, nodes)
        self._prev = self._tile_hash(first - 1)
        before = next(self._source.entries(first - 1, first), None)
        try:
            self._time_ms = 0 if before is None else decode_leaf(before.leaf).time_ms
        except EntryRefused:
            self._time_ms = 0  # the stretch before finds it broken
        self._covered = self._source.covered(first)
        for seq, tombstone in self._source.erased_across(first):
            self._erased.setdefault(tombstone, []).append(seq)

    def run_stretch(self, end: int) -> None:
        first = self.size
        due = _Lookahead(self._source.checkpoints(None if first == 0 else first, end))
        if first == 0:
            self._check_due(due)
        while self.size < end:
            self._check_next(end, due)
        if due.size is not None:
            raise Broken(min(self.size, due.size), "a checkpoint is misfiled")

    def stretch(self, first: int, end: int, broken: tuple[int, str] | None) -> Stretch:
        begun = dict.fromkeys(self._sources, (0, 0)) if self._first_of is None else self._first_of
        sources = {source: (*begun[source], following) for source, following in self._sources.items()}
        return Stretch(
            first, end, self._tree.hashes, self._prev, self._time_ms, sources, self._covered, self.opened,
            self.erased, broken,
        )  # fmt: skip

    def join(self, stretch: Stretch) -> None:
        """Take over what a stretch found. Raises Broken for what is broken in it, or does not fit what came before."""
        skips = [
            (seq, source)
            for source, (seq, number, _) in stretch.sources.items()
            if number != self._sources.get(source, 0)
        ]
        if skips and (stretch.broken is None or min(skips)[0] < stretch.broken[0]):
            raise Broken(min(skips)[0], f"entry {min(skips)[0]} skips or repeats a number of its source")
        self.opened += stretch.opened
        self.erased += stretch.erased
        if stretch.broken is not None:
            raise Broken(*stretch.broken)
        self._tree = CompactRange(stretch.end, stretch.frontier)
        self._prev, self._time_ms, self._covered = stretch.prev, stretch.time_ms, stretch.covered
        self._sources |= {source: following for source, (_, _, following) in stretch.sources.items()}

    def trust_silent_sources(self) -> None:
        """Take the store's word for sources that reported nothing in what was replayed: only what came before tells."""
        self._sources = self._source.books().sources | self._sources

    def finish(self) -> None:
        """Check what lies behind the last stretch, and the head."""
        due = _Lookahead(self._source.checkpoints(self.size, None))
        for entry in self._source.entries(self.size, None):
            self._check_entry(entry)
            self._check_due(due)
        self._erased = {}
        for seq, tombstone in self._source.erased_across(self.size):
            self._erased.setdefault(tombstone, []).append(seq)
        self._check_end(due)

    def check_beside(self) -> None:
        """Check what the store keeps beside the log. Raises Broken."""
        if (problem := self._source.amiss()) is not None:
            raise Broken(self.size, problem)

    def _check_next(self, end: int, due: _Lookahead) -> None:
        """Check the entries of the next tile, or its rest: at one go where nothing is amiss, else one by one."""
        stop = min(end, (self.size // TILE_WIDTH + 1) * TILE_WIDTH)
        if not self._leap(stop, due):
            for entry in self._source.entries(self.size, stop):
                self._check_entry(entry)
                self._check_due(due)
            if self.size < stop:
                raise Broken(self.size, f"entry {self.size} is missing")

    def _leap(self, stop: int, due: _Lookahead) -> bool:
        """Whether every entry up to `stop` holds; then all of them count as checked, otherwise none of them does.

        Decides as `_check_entry` does, without taking a sound leaf apart: it is compared with what it must be.
        """
        first = self.size
        if any(first <= tombstone < stop for tombstone in self._erased):
            return False
        leaves = self._source.leaves(first, stop)
        if leaves is None or len(leaves) != stop - first:
            return False
        found = follow(leaves, self._origin, first, self._prev, self._time_ms, self._sources, self._first_of)
        if found is None:
            return False
        hashes, time_ms, sources, first_of = found
        at = first % TILE_WIDTH * HASH_SIZE
        joined = b"".join(hashes)
        if self._source.tile(0, first // TILE_WIDTH)[at : at + len(joined)] != joined:
            return False
        self._sources, self._first_of = sources, first_of
        self._prev, self._time_ms = hashes[-1], time_ms
        self._grow(hashes, due)
        return True

    def _grow(self, hashes: Sequence[bytes], due: _Lookahead) -> None:
        """Add leaves by the largest complete subtrees, stopping at each size over which a checkpoint was signed."""
        end = self.size + len(hashes)
        kept = sorted(size for size in self._earlier if self.size < size < end)
        start = 0
        while start < len(hashes):
            stops = [size for size in (due.size, *kept, end) if size is not None and size > self.size]
            count = min(stops) - self.size
            self._tree.append_all(hashes[start : start + count], self._check_node)
            start += count
            self._check_due(due)

    def _check_entry(self, entry: StoredEntry) -> None:
        expected = self.size
        if entry.seq != expected:
            raise Broken(expected, f"entry {expected} is missing")
        try:
            leaf = decode_leaf(entry.leaf)
        except EntryRefused:
            raise Broken(expected, f"entry {expected} is not in the form in which it was written") from None
        node = leaf_hash(entry.leaf)
        if self._tile_hash(expected) != node:
            raise Broken(expected, f"entry {expected} is not the one in the tree: it was changed or replaced")
        if leaf.log != self._origin or leaf.seq != expected:
            raise Broken(expected, f"entry {expected} was written for another place or another log")
        if leaf.prev != self._prev:
            raise Broken(expected, f"entry {expected} does not follow the entry before it: the chain is broken")
        if leaf.time_ms < self._time_ms:
            raise Broken(expected, f"entry {expected} is older than the entry before it")
        if self._first_of is not None and leaf.source not in self._sources:
            self._first_of[leaf.source] = (expected, leaf.source_seq)
        elif leaf.source_seq != self._sources.get(leaf.source, 0):
            raise Broken(expected, f"entry {expected} skips or repeats a number of its source")
        self._check_body(entry, leaf)
        self._sources[leaf.source] = leaf.source_seq + 1
        self._prev, self._time_ms = node, leaf.time_ms
        self._tree.append(node, self._check_node)

    def _check_body(self, entry: StoredEntry, leaf: Leaf) -> None:
        if entry.problem is not None:
            raise Broken(entry.seq, entry.problem)
        declared = self._erased.pop(entry.seq, None)
        if declared is not None and leaf.source != LOG_SOURCE:
            raise Broken(declared[0], f"entry {declared[0]} is gone, and entry {entry.seq} is not the log's own word")
        if entry.tombstone is not None:
            self.erased += 1
            if leaf.source == LOG_SOURCE:
                raise Broken(entry.seq, f"entry {entry.seq} is the log's own, which is never erased, and it is gone")
            if entry.tombstone <= entry.seq:
                raise Broken(entry.seq, f"entry {entry.seq} is said to be erased by an entry that came before it")
            self._erased.setdefault(entry.tombstone, []).append(entry.seq)
            return
        if entry.body is None or entry.secret is None:
            return
        if commit(entry.secret, entry.body) != leaf.commitment:
            raise Broken(entry.seq, f"the body of entry {entry.seq} is not the one that was committed to")
        count = entry.count or 0
        if entry.label_key is not None and (count < 1 or label(entry.label_key, count) != leaf.label):
            raise Broken(entry.seq, f"the label of entry {entry.seq} is not its subject's")
        self.opened += 1
        if leaf.source == LOG_SOURCE:
            _check_tombstone(entry.seq, decode_body(entry.body), declared or [])

    def _tile_hash(self, seq: int) -> bytes:
        index, start = divmod(seq, TILE_WIDTH)
        if self._tile[0] != index:
            self._tile = (index, self._source.tile(0, index))
        return self._tile[1][start * HASH_SIZE : (start + 1) * HASH_SIZE]

    def _check_node(self, height: int, index: int, node: bytes) -> None:
        check_node(self._source, height, index, node, self.size)

    def _check_due(self, due: _Lookahead) -> None:
        while due.size == self.size:
            checkpoint = self._signed(due.note)
            if checkpoint is None or checkpoint.size != self.size:
                raise Broken(self._covered, f"the checkpoint over {self.size} entries carries no valid signature")
            self._check_root(checkpoint, "the signed checkpoint")
            self._covered = self.size
            due.next()
        for kept in self._earlier.get(self.size, []):
            self._check_root(kept, "a checkpoint kept outside the database")

    def _check_root(self, checkpoint: Checkpoint, what: str) -> None:
        if checkpoint.root != self.root:
            raise Broken(
                self._covered,
                f"{what} over {checkpoint.size} entries does not match them: one from entry {self._covered} on was"
                " changed and all that follows computed again",
            )

    def _signed(self, note: str) -> Checkpoint | None:
        try:
            return open_checkpoint(note, self._origin, self._verifiers).checkpoint
        except (MalformedNote, MalformedCheckpoint, VerificationFailed):
            return None

    def _check_end(self, due: _Lookahead) -> None:
        size = self.size
        claimed, newest = self._source.head()
        if due.size is not None:
            what = f"a checkpoint over {due.size} entries was signed" if due.size > size else "a checkpoint is misfiled"
            raise Broken(min(size, due.size), f"{what}; entries from {min(size, due.size)} on are missing or cut off")
        if self._longest > size:
            raise Broken(size, f"{self._longest} entries were signed for elsewhere; those from {size} on are missing")
        head = self._signed(newest)
        if claimed != size or head is None or head.size != size or head.root != self.root or self._covered != size:
            raise Broken(
                min(claimed, size, self._covered),
                f"the newest checkpoint covers {claimed if head is None else head.size} entries, the log holds {size}",
            )
        check_edges(self._source, size)
        books = self._source.books()
        edge = (self._prev, b"".join(self._tree.hashes), self._time_ms)
        if (books.prev, books.frontier, books.time_ms) != edge or books.sources != self._sources:
            raise Broken(size, f"what the store would go on from behind entry {size - 1} does not fit the log")
        if self._erased:
            first = min(self._erased.values())[0]
            raise Broken(first, f"entry {first} is gone, and no entry says that it was erased")


def _check_tombstone(seq: int, access: Access, erased: list[int]) -> None:
    """What is gone is exactly what the tombstone names: nothing more, and nothing of it has come back."""
    named = access.details.get(ERASED_ENTRIES) if access.action == ERASURE else None
    if erased and named != digest_of_entries(erased):
        raise Broken(erased[0], f"entry {erased[0]} is gone, and entry {seq} does not say that it was erased")
    if named is not None and not erased:
        raise Broken(seq, f"entry {seq} says that others were erased, and they are not")


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
