"""One transaction's worth of entries: numbered, chained, sealed, put into the tree, and signed for."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from audit import schema, store
from audit.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from audit.entry import Access, Leaf, commit, encode_leaf, label, leaf_hash
from audit.errors import KeyRefused
from audit.keys import MasterKey
from audit.merkle import CompactRange
from audit.note import Signer
from audit.store import INDEX_KEY, Head
from audit.tiles import HASH_SIZE, TILE_HEIGHT, TILE_WIDTH
from audit.trail import moment, owner_index, search_columns, subject_index
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
    """What the batch knows of one subject. `labels` counts on from what is stored."""

    keys: SubjectKeys
    labels: int
    wrapped: bytes | None = None


@dataclass(slots=True)
class Batch:
    """Accumulates rows against one head, then writes them. Used once, inside the transaction that holds the head."""

    connection: Connection
    vault: Vault
    origin: str
    head: Head
    time_ms: int
    _range: CompactRange = field(init=False)
    _prev: bytes = field(init=False)
    _subjects: dict[bytes, _Subject] = field(init=False, default_factory=dict)
    _sources: dict[str, int] = field(init=False, default_factory=dict)
    _tiles: dict[tuple[int, int], bytearray] = field(init=False, default_factory=dict)
    _entries: list[dict[str, Any]] = field(init=False, default_factory=list)
    _bodies: list[dict[str, Any]] = field(init=False, default_factory=list)
    _sealed: list[dict[str, Any]] = field(init=False, default_factory=list)
    _hashes: list[bytes] = field(init=False, default_factory=list)
    _master_key: MasterKey | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.time_ms < self.head.time_ms:
            # The clock was set back. Order is the log's own, so time stands still until the clock has caught up.
            logger.warning("the clock is %d ms behind the newest entry", self.head.time_ms - self.time_ms)
            self.time_ms = self.head.time_ms
        self._range = CompactRange(self.head.size, self.head.frontier)
        self._prev = self.head.prev

    def add(self, accesses: Sequence[Access], encoded: Sequence[bytes]) -> None:
        """Chain the accesses on, in their order."""
        indexes = [subject_index(self.vault, access.subject, access.seal) for access in accesses]
        self._know_subjects(indexes)
        self._know_sources({access.source for access in accesses})
        secrets = os.urandom(SECRET_SIZE * len(accesses))
        for position, (access, body, index) in enumerate(zip(accesses, encoded, indexes, strict=True)):
            secret = secrets[position * SECRET_SIZE : (position + 1) * SECRET_SIZE]
            self._add_one(access, body, secret, self._subjects[index])

    def write(self, signers: Sequence[Signer]) -> SignedCheckpoint:
        """Insert everything, sign the new root, and move the head on. The transaction is the caller's to commit."""
        connection = self.connection
        store.insert_rows(connection, schema.entries, self._entries)
        store.insert_rows(connection, schema.bodies, self._bodies)
        store.insert_rows(connection, schema.sealed, self._sealed)
        new = [
            {"subject_index": index, "wrapped": subject.wrapped, "labels": subject.labels}
            for index, subject in self._subjects.items()
            if subject.wrapped is not None
        ]
        store.insert_rows(connection, schema.subjects, new)
        known = {index: subject.labels for index, subject in self._subjects.items() if subject.wrapped is None}
        store.count_labels(connection, known)
        store.count_sources(connection, self._sources)
        store.write_tiles(connection, {key: bytes(hashes) for key, hashes in self._tiles.items()})
        size, root = self._range.size, self._range.root()
        checkpoint = sign_checkpoint(Checkpoint(self.origin, size, root), signers)
        store.advance_head(connection, Head(size, self.time_ms, self._prev, self._range.hashes, checkpoint.text))
        return checkpoint

    def acknowledgement(self, seq: int) -> Acknowledgement:
        leaf = self._hashes[seq - self.head.size]
        return Acknowledgement(seq, leaf, moment(self.time_ms), self._range.size)

    @property
    def next_seq(self) -> int:
        return self._range.size

    def _add_one(self, access: Access, body: bytes, secret: bytes, subject: _Subject) -> None:
        seq = self._range.size
        subject.labels += 1
        source_seq = self._sources[access.source]
        self._sources[access.source] = source_seq + 1
        leaf = encode_leaf(
            Leaf(
                log=self.origin,
                seq=seq,
                time_ms=self.time_ms,
                source=access.source,
                source_seq=source_seq,
                label=label(subject.keys.label, subject.labels),
                commitment=commit(secret, body),
                prev=self._prev,
            )
        )
        self._prev = leaf_hash(leaf)
        self._hashes.append(self._prev)
        self._range.append(self._prev, self._grow_tile)
        self._entries.append({"seq": seq, "leaf": leaf})
        sealed = self.vault.seal(subject.keys, seq, OpenedBody(secret, subject.labels, body))
        self._bodies.append({"seq": seq, "sealed": sealed, **search_columns(self.vault, access, self.time_ms)})
        if (owner := owner_index(self.vault, access)) is not None:
            self._sealed.append({"seq": seq, "owner_index": owner})

    def _grow_tile(self, height: int, index: int, node: bytes) -> None:
        level, within = divmod(height, TILE_HEIGHT)
        if within:
            return
        key = (level, index // TILE_WIDTH)
        if key not in self._tiles:
            is_new = index % TILE_WIDTH == 0
            stored = b"" if is_new else store.read_tile(self.connection, *key)[: index % TILE_WIDTH * HASH_SIZE]
            self._tiles[key] = bytearray(stored)
        self._tiles[key] += node

    def _know_subjects(self, indexes: Sequence[bytes]) -> None:
        missing = {index for index in indexes if index not in self._subjects}
        stored = store.read_subjects(self.connection, missing)
        for index in missing:
            if index in stored:
                wrapped, labels = stored[index]
                self._subjects[index] = _Subject(self.vault.subject_keys(wrapped, index), labels)
            else:
                keys, wrapped = self.vault.new_subject_keys(self._wrapping_key(), index)
                self._subjects[index] = _Subject(keys, 0, wrapped)

    def _wrapping_key(self) -> MasterKey:
        """The master key in use, asked of the database under the head's lock: a rotation may just have changed it."""
        if self._master_key is None:
            wrapped = store.read_vault_key(self.connection, INDEX_KEY)
            if wrapped is None:
                raise KeyRefused("the key of the blind indexes is missing")
            self._master_key = self.vault.wrapping_key(wrapped)
        return self._master_key

    def _know_sources(self, sources: set[str]) -> None:
        missing = sources - self._sources.keys()
        if missing:
            stored = store.read_sources(self.connection, missing)
            self._sources |= {source: stored.get(source, 0) for source in missing}
