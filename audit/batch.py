"""One transaction's worth of entries: numbered, chained, sealed, put into the tree, and signed for."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from audit.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from audit.criteria import moment, owner_index, search_columns, subject_index
from audit.entry import Access, commit, encoded_leaf, label, leaf_hash
from audit.errors import KeyRefused
from audit.keys import MasterKey
from audit.kinds import Kind, KnownKinds
from audit.merkle import CompactRange
from audit.note import Signer
from audit.rows import Hand, Head, Known, Rows, Wanted, hand_of
from audit.tiles import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH
from audit.vault import SECRET_SIZE, OpenedBody, SubjectKeys, Vault

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The log's word that an entry is durable and under a signed checkpoint of `tree_size` entries."""

    seq: int
    leaf_hash: bytes
    logged_at: datetime
    tree_size: int


@dataclass(slots=True)
class _Subject:
    """What the batch knows of one subject. `labels` counts on from what is `stored`."""

    keys: SubjectKeys
    labels: int
    stored: int
    wrapped: bytes | None = None


class BlindIndexes:
    """`Vault.index`, computed once for all the entries of a batch that share a value."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._known: dict[tuple[str, str], bytes] = {}

    def __call__(self, kind: str, value: str) -> bytes:
        key = (kind, value)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._vault.index(kind, value)
        return found

    def wanted(self, accesses: Iterable[Access], keys: Iterable[bytes] = ()) -> Wanted:
        """Those whom the accesses are about."""
        subjects: set[bytes] = set()
        sources: set[str] = set()
        for access in accesses:
            subjects.add(subject_index(self, access.subject, access.seal))
            sources.add(access.source)
        return Wanted(subjects, sources, set(keys))


@dataclass(slots=True)
class Batch:
    """Accumulates rows against one head, then writes them. Used once, inside the transaction that holds the head."""

    connection: Connection
    vault: Vault
    origin: str
    head: Head
    time_ms: int
    index: BlindIndexes
    kinds: KnownKinds
    _hand: Hand = field(init=False)
    _range: CompactRange = field(init=False)
    _prev: bytes = field(init=False)
    _logged_at: datetime = field(init=False)
    _known: Known = field(init=False, default_factory=Known)
    _subjects: dict[bytes, _Subject] = field(init=False, default_factory=dict)
    #: Subjects that were looked up, whether the database knows them or not.
    _asked: set[bytes] = field(init=False, default_factory=set)
    _sources: dict[str, int] = field(init=False, default_factory=dict)
    _tiles: dict[tuple[int, int], bytearray] = field(init=False, default_factory=dict)
    _new_kinds: dict[Kind, int] = field(init=False, default_factory=dict)
    _rows: Rows = field(init=False, default_factory=Rows)
    _hashes: list[bytes] = field(init=False, default_factory=list)
    _master_key: MasterKey | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.time_ms < self.head.time_ms:
            # The clock was set back. Order is the log's own, so time stands still until the clock has caught up.
            logger.warning("the clock is %d ms behind the newest entry", self.head.time_ms - self.time_ms)
            self.time_ms = self.head.time_ms
        self._hand = hand_of(self.connection)
        self._range = CompactRange(self.head.size, self.head.frontier)
        self._prev = self.head.prev
        self._logged_at = moment(self.time_ms)

    def know(self, wanted: Wanted, known: Known | None = None) -> dict[bytes, int]:
        """Look up in one go what a batch is about; gives for each idempotency key in use its entry.

        `known` is what was looked up already, for all of `wanted` at least.
        """
        if known is None:
            known = self._hand.known(wanted)
        known.sources = self._known.sources | known.sources
        self._known = known
        self._asked |= wanted.subjects
        for index in wanted.subjects - self._subjects.keys():
            if index in known.subjects:
                wrapped, labels = known.subjects[index]
                self._subjects[index] = _Subject(self.vault.subject_keys(wrapped, index), labels, labels)
        for source in wanted.sources - self._sources.keys():
            self._sources[source] = known.sources.get(source, 0)
        return known.keys

    def keep_key(self, key: bytes) -> None:
        """Let an idempotency key stand for the next entry."""
        self._rows.keys.append((key, self.next_seq))

    def add(self, accesses: Sequence[Access], encoded: Sequence[bytes], secrets: bytes | None = None) -> None:
        """Chain the accesses on, in their order. `secrets` are theirs, one after the other; fresh ones by default."""
        indexes = [subject_index(self.index, access.subject, access.seal) for access in accesses]
        if not self._asked.issuperset(indexes) or any(one.source not in self._sources for one in accesses):
            self.know(self.index.wanted(accesses))
        if secrets is None:
            secrets = os.urandom(SECRET_SIZE * len(accesses))
        for position, (access, body, index) in enumerate(zip(accesses, encoded, indexes, strict=True)):
            secret = secrets[position * SECRET_SIZE : (position + 1) * SECRET_SIZE]
            self._add_one(access, body, secret, self._subjects.get(index) or self._new_subject(index))

    def write(self, signers: Sequence[Signer]) -> SignedCheckpoint:
        """Insert everything, sign the new root, and move the head on. The transaction is the caller's to commit."""
        rows = self._rows
        for index, subject in self._subjects.items():
            if subject.wrapped is not None:
                rows.new_subjects.append((index, subject.wrapped, subject.labels))
            elif subject.labels > subject.stored:
                rows.labels.append((index, subject.labels))
        rows.sources = {one: count for one, count in self._sources.items() if count > self._known.sources.get(one, 0)}
        rows.tiles = {key: bytes(hashes) for key, hashes in self._tiles.items()}
        size, root = self._range.size, self._range.root()
        checkpoint = sign_checkpoint(Checkpoint(self.origin, size, root), signers)
        self._hand.write(rows, Head(size, self.time_ms, self._prev, self._range.hashes, checkpoint.text))
        return checkpoint

    def acknowledgement(self, seq: int) -> Acknowledgement:
        leaf = self._hashes[seq - self.head.size]
        return Acknowledgement(seq, leaf, self._logged_at, self._range.size)

    @property
    def next_seq(self) -> int:
        return self._range.size

    def _add_one(self, access: Access, body: bytes, secret: bytes, subject: _Subject) -> None:
        seq = self._range.size
        subject.labels += 1
        source_seq = self._sources[access.source]
        self._sources[access.source] = source_seq + 1
        leaf = encoded_leaf(
            self.origin,
            seq,
            self.time_ms,
            access.source,
            source_seq,
            label(subject.keys.label, subject.labels),
            commit(secret, body),
            self._prev,
        )
        self._prev = leaf_hash(leaf)
        self._hashes.append(self._prev)
        self._range.append(self._prev, self._grow_tile)
        self._rows.entries.append((seq, leaf))
        sealed = self.vault.seal(subject.keys, seq, OpenedBody(secret, subject.labels, body))
        columns = search_columns(self.index, access, self.time_ms).values()
        self._rows.bodies.append((seq, sealed, *columns, self._kind(Kind.of(access))))
        if (owner := owner_index(self.index, access)) is not None:
            self._rows.sealed.append((seq, owner))

    def _grow_tile(self, height: int, index: int, node: bytes) -> None:
        level, within = divmod(height, TILE_HEIGHT)
        if within:
            return
        key = (level, index // TILE_WIDTH)
        tile = self._tiles.get(key)
        if tile is None:
            tile = self._tiles[key] = bytearray(self._stored_tile(*key, index % TILE_WIDTH * HASH_SIZE))
        tile += node

    def _stored_tile(self, level: int, index: int, length: int) -> bytes:
        """The growing tile as far as it belongs to the tree."""
        if length == 0:
            return b""
        edge, hashes = self._known.edge
        if level != 0 or edge != index:
            hashes = self._hand.tile(level, index)
        return hashes[:length]

    def _kind(self, kind: Kind) -> int:
        """The kind's number: known, found, or the next one, which is the process's to know once it is committed."""
        number = self.kinds.get(kind) or self._new_kinds.get(kind)
        if number is not None:
            return number
        key = kind.key(self.index)
        number = self._hand.kind(key)
        if number is not None:
            self.kinds.keep(kind, number)
            return number
        before = max(self._new_kinds.values(), default=0) or self._hand.last_kind()
        number = self._new_kinds[kind] = before + 1
        self._rows.kinds.append((number, key, *kind.clear()))
        self._rows.kind_terms += [(term, number) for term in kind.terms(self.index)]
        return number

    def _new_subject(self, index: bytes) -> _Subject:
        keys, wrapped = self.vault.new_subject_keys(self._wrapping_key(), index)
        subject = self._subjects[index] = _Subject(keys, 0, 0, wrapped)
        return subject

    def _wrapping_key(self) -> MasterKey:
        """The master key in use, asked of the database under the head's lock: a rotation may just have changed it."""
        if self._master_key is None:
            if self._known.wrapped_index_key is None:
                raise KeyRefused("the key of the blind indexes is missing")
            self._master_key = self.vault.wrapping_key(self._known.wrapped_index_key)
        return self._master_key
