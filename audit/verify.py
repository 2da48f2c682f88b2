"""Checking, with no trust in whoever keeps the log: a receipt by itself; `audit.replay` checks a whole log.

Nothing here knows a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from audit.checkpoint import SignedCheckpoint, open_checkpoint
from audit.entry import Access, Leaf, commit, decode_body, decode_leaf, label, leaf_hash
from audit.errors import (
    EntryRefused,
    MalformedCheckpoint,
    MalformedNote,
    MalformedReceipt,
    VerificationFailed,
)
from audit.merkle import verify_inclusion
from audit.note import CosignatureVerifier, Verifier
from audit.receipt import Receipt, parse_receipt
from audit.replay import verify_log
from audit.stored import (
    ERASED_ENTRIES,
    ERASURE,
    LOG_SOURCE,
    LogSource,
    StoredEntry,
    VerificationReport,
    digest_of_entries,
)

__all__ = [
    "ERASED_ENTRIES",
    "ERASURE",
    "LOG_SOURCE",
    "LogSource",
    "ReceiptVerdict",
    "StoredEntry",
    "VerificationReport",
    "digest_of_entries",
    "verify_log",
    "verify_receipt",
]

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
