"""Whether the log may go on from the head that stands in its database."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from sqlalchemy import Connection

from audit.checkpoint import SignedCheckpoint, open_checkpoint
from audit.errors import (
    InvalidProof,
    LogFrozen,
    LogUnavailable,
    MalformedCheckpoint,
    MalformedNote,
    VerificationFailed,
)
from audit.merkle import CompactRange, consistency_proof, verify_consistency
from audit.note import Verifier
from audit.remembered import RememberedCheckpoint
from audit.rows import Head
from audit.store import TileNodes


class HeadGuard:
    """Says whether the log may go on from a head: never from behind, or beside, what was signed before."""

    def __init__(self, origin: str, verifiers: Sequence[Verifier], remembered: RememberedCheckpoint | None) -> None:
        self._origin = origin
        self._verifiers = verifiers
        self._remembered = remembered
        #: The newest checkpoint that this process has signed or accepted.
        self._newest: SignedCheckpoint | None = None
        self._lock = threading.Lock()

    def saw(self, signed: SignedCheckpoint) -> None:
        with self._lock:
            if self._newest is None or self._newest.checkpoint.size < signed.checkpoint.size:
                self._newest = signed

    def expected(self) -> SignedCheckpoint | None:
        """The newest checkpoint that is known to be signed, by this process or, as is remembered outside, by another.

        To be asked before the head is read: a head that was read before may be overtaken, and that is no rollback.

        Raises:
            LogFrozen, LogUnavailable: the remembered checkpoint is none, or cannot be read.
        """
        newest = self._newest
        kept = None if self._remembered is None else self._remembered.read()
        if kept is not None and (newest is None or newest.checkpoint.size <= kept.checkpoint.size):
            return kept
        return newest

    def sound(self, head: Head | None, connection: Connection, expected: SignedCheckpoint | None) -> Head:
        """The head, if the log may go on from it: it holds the tree of the `expected` checkpoint.

        Raises:
            LogUnavailable: there is no log.
            LogFrozen: the head is behind, or differs from, a checkpoint that was signed, or is not signed itself.
        """
        if head is None:
            raise LogUnavailable("the database holds no log")
        if expected is not None and head.checkpoint == expected.text:
            return head
        signed = self._signed(head)
        if expected is not None:
            _refuse_rollback(connection, signed, expected)
        self.saw(signed)
        return head

    def _signed(self, head: Head) -> SignedCheckpoint:
        try:
            signed = open_checkpoint(head.checkpoint, self._origin, self._verifiers)
        except (MalformedNote, MalformedCheckpoint, VerificationFailed) as error:
            raise LogFrozen("the newest checkpoint is none that this log signed") from error
        edge = CompactRange(head.size, head.frontier) if len(head.frontier) == head.size.bit_count() else None
        if edge is None or signed.checkpoint.size != head.size or signed.checkpoint.root != edge.root():
            raise LogFrozen("the head of the log and its signed checkpoint disagree")
        return signed


def _refuse_rollback(connection: Connection, signed: SignedCheckpoint, newest: SignedCheckpoint) -> None:
    now, before = signed.checkpoint, newest.checkpoint
    if now.size < before.size:
        raise LogFrozen(
            f"the database holds {now.size} entries, yet {before.size} were signed for: an older backup, or entries cut"
            " off. Nothing is appended until `python -m audit recover` has been run"
        )
    if before.size == 0:
        return
    try:
        proof = consistency_proof(before.size, now.size, TileNodes(connection).node)
        verify_consistency(before.size, now.size, proof, before.root, now.root)
    except (InvalidProof, VerificationFailed) as error:
        raise LogFrozen(
            f"the log's first {before.size} entries are not the ones that were signed for. Nothing is appended until"
            " `python -m audit recover` has been run"
        ) from error
