"""How a log's signing key changes, and how a reader who trusts the old key comes to trust the new one.

A change is an entry of the log's own. Its receipt, under the very checkpoint that made it, is the public statement: a
handover is signed by both keys, so that each vouches for the other; a retirement is signed by the successor alone. The
loss of a key can be stated by nobody whom the lost key vouches for, so it convinces nobody by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audit.checkpoint import LogKey, open_checkpoint
from audit.entry import Access
from audit.errors import KeyRefused, MalformedReceipt, VerificationFailed
from audit.note import Verifier, verifier_from_vkey
from audit.receipt import parse_receipt
from audit.verify import LOG_SOURCE, verify_receipt

#: From here on the old key and the new one both sign.
HANDOVER = "signing-key-handover"
#: From here on the new key signs alone; the old one vouches for what came before.
RETIREMENT = "signing-key-retirement"
#: The old key is gone or in wrong hands; the new one signs alone, and readers must be told of it by other ways.
LOSS = "signing-key-loss"
CHANGES = frozenset({HANDOVER, RETIREMENT, LOSS})


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One change of keys: its kind (an action), the two keys, and the log's size before the entry that says so."""

    kind: str
    old: Verifier
    new: Verifier
    size: int

    def details(self) -> Mapping[str, str | int]:
        """As they stand in the entry."""
        return {"old-key": self.old.vkey, "new-key": self.new.vkey, "at": self.size}


def key_change_of(access: Access) -> KeyChange | None:
    """The change that an entry states; None for any other entry. Raises VerificationFailed for a malformed one."""
    if access.action not in CHANGES or access.source != LOG_SOURCE:
        return None
    old, new, size = (access.details.get(name) for name in ("old-key", "new-key", "at"))
    if not (isinstance(old, str) and isinstance(new, str) and isinstance(size, int)):
        raise VerificationFailed("the entry about a change of keys does not name the keys")
    try:
        return KeyChange(access.action, verifier_from_vkey(old), verifier_from_vkey(new), size)
    except KeyRefused as error:
        raise VerificationFailed(f"the entry about a change of keys cannot be read: {error}") from None


def keys_after(changes: Iterable[KeyChange], current: Sequence[Verifier]) -> list[Verifier]:
    """Every key that a log ever signed with, as its own entries tell (oldest first), and the `current` ones."""
    keys: dict[bytes, Verifier] = {}
    for change in changes:
        keys.setdefault(change.old.key_id, change.old)
        keys.setdefault(change.new.key_id, change.new)
        if change.kind != HANDOVER:
            keys[change.old.key_id] = LogKey(change.old, change.size)
    for key in current:
        keys.setdefault(key.key_id, key)
    return list(keys.values())


def follow(keys: Sequence[Verifier], receipt: str | bytes) -> list[Verifier]:
    """The keys to trust after a change, for a reader who trusts `keys` before it.

    Raises:
        MalformedReceipt, InvalidProof, VerificationFailed: the statement does not hold, is about something else, or is
            not signed by those who must vouch for it.
    """
    verdict = verify_receipt(receipt, keys)
    change = None if verdict.access is None or verdict.leaf.source != LOG_SOURCE else key_change_of(verdict.access)
    if change is None:
        raise MalformedReceipt("this receipt is of an entry about something else than a change of keys")
    if change.old.name != verdict.origin or change.new.name != verdict.origin:
        raise VerificationFailed("the keys are not this log's")
    if change.kind == LOSS:
        raise VerificationFailed(
            "the old key was lost and vouches for no other: get the new key from where you got the first one"
        )
    known = {key.key_id: key for key in keys}
    voucher = known.get(change.old.key_id if change.kind == HANDOVER else change.new.key_id)
    if voucher is None:
        raise VerificationFailed("the key that must vouch for this change is not one that you trust")
    note = parse_receipt(receipt).proof.checkpoint
    for required in (voucher, change.new):
        open_checkpoint(note, verdict.origin, [required])
    if change.kind == HANDOVER:
        known.setdefault(change.new.key_id, change.new)
    else:
        known[change.old.key_id] = LogKey(change.old, change.size)
    return list(known.values())
