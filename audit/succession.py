"""Changing a log's signing key: the handover, the retirement of the old key, and going on without a lost one."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from audit import schema, trail
from audit.batch import Acknowledgement, Batch
from audit.criteria import TrailQuery
from audit.entry import Access, encode_body
from audit.errors import EntryNotFound, KeyRefused, VerificationFailed
from audit.handover import CHANGES, HANDOVER, LOSS, RETIREMENT, KeyChange, key_change_of, keys_after
from audit.merkle import inclusion_proof
from audit.note import Signer, Verifier
from audit.opening import Opened
from audit.receipt import Receipt, TlogProof
from audit.signers import log_key_ids
from audit.source import StoredLog
from audit.store import TileNodes
from audit.vault import Vault
from audit.verify import LOG_SOURCE, verify_log

_ALL = 2**62


def begin_handover(log: Opened) -> Acknowledgement | None:
    """Let the second key that this process holds sign beside the first. None where both already do.

    Every process must hold both by now; one that holds the old key alone appends nothing from here on.

    Raises:
        KeyRefused: this process does not hold the key that signs, or no other beside it.
    """

    def signing(note: str) -> tuple[Signer, ...]:
        old, *others = log.signers.after(note)
        return (old, *(others or [_other(log, old)]))

    def work(_connection: Connection, batch: Batch) -> None:
        if len(log_key_ids(batch.head.checkpoint, log.origin)) == 1:
            old, new = signing(batch.head.checkpoint)
            _append(batch, log, KeyChange(HANDOVER, old.verifier(), new.verifier(), batch.head.size))

    return _one(log.writer.transact(work, signing))


def retire_old_key(log: Opened) -> Acknowledgement | None:
    """Let the new key sign alone. None where it already does. The old key is not needed for it.

    Raises:
        KeyRefused: no handover is under way, or this process does not hold the new key.
    """
    with log.store.reading() as connection:
        handovers = [change for change in changes(connection, log.vault) if change.kind == HANDOVER]
    if not handovers:
        raise KeyRefused("no handover to another signing key has begun")
    old, new = handovers[-1].old, handovers[-1].new

    def signing(_note: str) -> tuple[Signer, ...]:
        return (_held(log, new),)

    def work(_connection: Connection, batch: Batch) -> None:
        signed_by = log_key_ids(batch.head.checkpoint, log.origin)
        if set(signed_by) == {old.key_id, new.key_id}:
            _append(batch, log, KeyChange(RETIREMENT, old, new, batch.head.size))
        elif signed_by != [new.key_id]:
            raise KeyRefused("no handover to another signing key is under way")

    return _one(log.writer.transact(work, signing))


def go_on_without(log: Opened, lost: Verifier) -> Acknowledgement | None:
    """Sign without a key that is lost or was stolen, with what this process holds. None where it no longer signs.

    `log` was opened with `lost` among the keys that it knows besides. The whole log is verified first: the new key's
    first signature must not cover what the lost one did not sign.

    Raises:
        VerificationFailed: the log is broken.
        KeyRefused: this process holds the key after all, or none to go on with.
    """
    if log.signers.held(lost.key_id) is not None:
        raise KeyRefused("this process holds the key; hand over to another and retire it")

    def signing(note: str) -> tuple[Signer, ...]:
        ids = log_key_ids(note, log.origin)
        rest = tuple(signer for key_id in ids if (signer := log.signers.held(key_id)) is not None)
        return rest or (_only(log),)

    def work(connection: Connection, batch: Batch) -> None:
        if lost.key_id not in log_key_ids(batch.head.checkpoint, log.origin):
            return
        report = verify_log(StoredLog(connection, log.vault), log.origin, known_keys(connection, log, [lost]))
        if not report.ok:
            raise VerificationFailed(f"the log itself is broken, and no new key signs it: {report.problem}")
        new = signing(batch.head.checkpoint)[0].verifier()
        _append(batch, log, KeyChange(LOSS, lost, new, batch.head.size))

    return _one(log.writer.transact(work, signing))


def changes(connection: Connection, vault: Vault) -> list[KeyChange]:
    """Every change of keys that the log's entries tell of, oldest first."""
    return [change for _, change in _changes(connection, vault)]


def known_keys(connection: Connection, log: Opened, besides: Sequence[Verifier] = ()) -> list[Verifier]:
    """Every key that the log was ever signed with, as far as its entries tell, retired ones with their bounds.

    The newest key vouches for the entries, and so for what they say of its predecessors.
    """
    return keys_after(changes(connection, log.vault), [*log.verifiers, *besides])


def statements(log: Opened) -> list[tuple[int, Receipt]]:
    """For each change of keys its number and the receipt that states it, under the checkpoint signed with it."""
    with log.store.reading() as connection:
        return [(seq, _statement(connection, log.vault, seq)) for seq, _ in _changes(connection, log.vault)]


def _changes(connection: Connection, vault: Vault) -> list[tuple[int, KeyChange]]:
    found = trail.read_forward(connection, vault, TrailQuery(actions=CHANGES), -1, _ALL, _ALL)
    read = [(one.seq, None if one.access is None else key_change_of(one.access)) for one in found]
    return [(seq, change) for seq, change in read if change is not None]


def _statement(connection: Connection, vault: Vault, seq: int) -> Receipt:
    columns = schema.checkpoints.c
    note = connection.execute(select(columns.note).where(columns.size == seq + 1)).scalar_one_or_none()
    found = trail.read_entry(connection, vault, seq)
    if note is None or found is None or found[1] is None:
        raise EntryNotFound(f"entry {seq} about a change of keys is not whole")
    hashes = inclusion_proof(seq, seq + 1, TileNodes(connection).node)
    return Receipt(found[0], TlogProof(seq, tuple(hashes), note), found[1].body, found[1].secret)


def _append(batch: Batch, log: Opened, change: KeyChange) -> None:
    access = Access(
        action=change.kind,
        outcome="done",
        source=LOG_SOURCE,
        occurred_at=log.writer.now(),
        automatic=True,
        details=change.details(),
    )
    batch.add([access], [encode_body(access)])


def _other(log: Opened, signer: Signer) -> Signer:
    others = [other for other in log.signers.all if other.key_id != signer.key_id]
    if len(others) != 1:
        raise KeyRefused("there is no other signing key to hand over to; give it as the next signing key")
    return others[0]


def _only(log: Opened) -> Signer:
    if len(log.signers.all) != 1:
        raise KeyRefused("give one signing key to go on with, and no other")
    return log.signers.all[0]


def _held(log: Opened, verifier: Verifier) -> Signer:
    signer = log.signers.held(verifier.key_id)
    if signer is None:
        raise KeyRefused(f"this process does not hold the signing key {verifier.key_id.hex()}")
    return signer


def _one(acknowledged: Sequence[Acknowledgement]) -> Acknowledgement | None:
    return acknowledged[0] if acknowledged else None
