"""Going on after a rollback: a decision of people, which the log records in an entry of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from audit.batch import Acknowledgement, Batch
from audit.checkpoint import SignedCheckpoint
from audit.entry import Access, encode_body
from audit.errors import KeyRefused, LogFrozen, VerificationFailed
from audit.note import Signer, Verifier
from audit.opening import LogSettings, Opened, now_utc, open_parts
from audit.remembered import RememberedCheckpoint
from audit.signers import log_key_ids
from audit.source import StoredLog
from audit.succession import known_keys
from audit.verify import LOG_SOURCE, verify_log

RECOVERY = "log-recovery"


def recover_log(
    settings: LogSettings, *, clock: Callable[[], datetime] = now_utc, besides: Sequence[Verifier] = ()
) -> Acknowledgement | None:
    """Go on from what the database holds, though more was signed for; the log says so in an entry of its own.

    Only a log that verifies by itself is recovered. What was remembered is kept beside it under another name: it is the
    evidence of what was lost. None when there was nothing to recover from. Processes that have the log open must be
    started anew; until then they refuse to append.

    A database from before a change of signing keys goes on under the keys that signed last, as the remembered
    checkpoint tells: a retired key signs no more. By `besides`, keys that nobody holds any more, its older checkpoints
    are known. One from before a rotation of the master key needs the previous one, and the rotation anew.

    Raises:
        VerificationFailed: the log in the database is broken; recovery would put a seal on it.
        KeyRefused, LogUnavailable: as for `open_log`.
    """
    if settings.checkpoint_file is None or not _is_frozen(settings, besides):
        return None
    log = open_parts(replace(settings, checkpoint_file=None), clock=clock, besides=besides)
    remembered = RememberedCheckpoint(settings.checkpoint_file, settings.origin, log.verifiers)
    try:
        # First the entry, then the memory: cut off in between, the log is still frozen and is recovered again.
        signed: list[SignedCheckpoint] = []
        [acknowledged] = log.writer.transact(
            lambda connection, batch: _append(connection, batch, log, remembered),
            lambda note: _signers(log, remembered, note),
            signed.append,
        )
        remembered.set_aside(signed[0])
    finally:
        log.close()
    return acknowledged


def _append(connection: Connection, batch: Batch, log: Opened, remembered: RememberedCheckpoint) -> None:
    report = verify_log(StoredLog(connection, log.vault), log.origin, known_keys(connection, log))
    if not report.ok:
        raise VerificationFailed(f"the log itself is broken and is not recovered: {report.problem}")
    access = Access(
        action=RECOVERY,
        outcome="done",
        source=LOG_SOURCE,
        occurred_at=log.writer.now(),
        automatic=True,
        details={"went-on-from": report.size, **_lost(remembered)},
    )
    batch.add([access], [encode_body(access)])


def _signers(log: Opened, remembered: RememberedCheckpoint, note: str) -> tuple[Signer, ...]:
    kept = _readable(remembered)
    last = note if kept is None else kept.text
    held = tuple(signer for key_id in log_key_ids(last, log.origin) if (signer := log.signers.held(key_id)) is not None)
    if not held:
        raise KeyRefused("recovery needs a signing key by which the log was signed last")
    return held


def _lost(remembered: RememberedCheckpoint) -> dict[str, str | int]:
    evidence: dict[str, str | int] = {"remembered-sha256": remembered.digest()}
    kept = _readable(remembered)
    if kept is None:
        return evidence
    return {**evidence, "signed-for": kept.checkpoint.size, "signed-root": kept.checkpoint.root.hex()}


def _readable(remembered: RememberedCheckpoint) -> SignedCheckpoint | None:
    """None where what is remembered is no checkpoint of this log: its digest is all there is to say."""
    try:
        return remembered.read()
    except LogFrozen:
        return None


def _is_frozen(settings: LogSettings, besides: Sequence[Verifier]) -> bool:
    log = open_parts(settings, besides=besides)
    try:
        log.writer.refuse_if_frozen()
    except LogFrozen:
        return True
    finally:
        log.close()
    return False
