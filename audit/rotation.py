"""Replacing the master key: every wrapped key of the vault is wrapped anew, while entries go on being written.

The index key turns first, in the transaction whose entry says that the rotation began; from then on whatever is new is
wrapped by the new key, in every process. The rest follows in batches. Cut off at any moment, both keys together open
everything, and the same call goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection, LargeBinary, bindparam, func, select, update

from audit import schema, store, trail
from audit.batch import Acknowledgement, Batch
from audit.criteria import TrailQuery
from audit.entry import Access, encode_body
from audit.errors import LogUnavailable
from audit.keys import MasterKey, wrapping_key_id
from audit.opening import Opened
from audit.rows import INDEX_KEY
from audit.verify import LOG_SOURCE

MASTER_KEY_ROTATION = "master-key-rotation"
#: Subjects whose keys are wrapped anew in one transaction.
BATCH = 500

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many subjects' keys were wrapped anew this time, and the entry that says so; None if one did before."""

    rewrapped: int
    ended: Acknowledgement | None


def rotate_master_key(log: Opened, new: MasterKey, progress: Progress | None = None) -> Rotation:
    """Wrap every key of the vault by `new`; `log` was opened with it and the one before. Cut off, it is called again.

    Every process that has the log open must hold both keys by now. Once it has ended, the old key opens nothing in this
    database; older backups need it still, and are beyond reading once it is destroyed.

    Raises:
        KeyRefused: the log was opened without the old key.
        LogUnavailable, LogFrozen: what was done so far stands.
    """
    log.writer.transact(lambda connection, batch: _begin(connection, batch, log, new))
    rewrapped = 0
    while True:
        rewrapped += _rewrap_all(log, new, progress)
        left = 0

        def end(connection: Connection, batch: Batch) -> None:
            nonlocal left
            left = _left(connection, new)
            if left == 0 and not _has_ended(connection, log, new):
                _note(batch, log, "done", new.key_id)

        acknowledged = log.writer.transact(end)
        if left == 0:
            return Rotation(rewrapped, acknowledged[0] if acknowledged else None)


def _begin(connection: Connection, batch: Batch, log: Opened, new: MasterKey) -> None:
    wrapped = store.read_vault_key(connection, INDEX_KEY)
    if wrapped is None:
        raise LogUnavailable("the database holds no log")
    old = wrapping_key_id(wrapped)
    if old == new.key_id:
        return
    rewrapped = log.vault.rewrapped_index_key(wrapped, new)
    columns = schema.vault_keys.c
    connection.execute(update(schema.vault_keys).where(columns.name == INDEX_KEY).values(wrapped=rewrapped))
    _note(batch, log, "begun", new.key_id, old)


def _rewrap_all(log: Opened, new: MasterKey, progress: Progress | None) -> int:
    after, seen, rewrapped = b"", 0, 0
    while True:
        started = time.monotonic()
        with log.store.writing() as connection:
            # The head's lock, as every append holds it: no row here changes, comes or goes meanwhile.
            store.read_head(connection, lock=True)
            columns = schema.subjects.c
            page = select(columns.subject_index, columns.wrapped).where(columns.subject_index > after)
            rows = connection.execute(page.order_by(columns.subject_index).limit(BATCH)).all()
            rewrapped += _rewrap(connection, log, new, [(bytes(index), bytes(wrapped)) for index, wrapped in rows])
            total = int(connection.execute(select(func.count()).select_from(schema.subjects)).scalar_one())
        seen += len(rows)
        if progress is not None:
            progress(seen, max(seen, total))
        if len(rows) < BATCH:
            return rewrapped
        after = bytes(rows[-1].subject_index)
        time.sleep(time.monotonic() - started)  # half of the time is the appenders'


def _rewrap(connection: Connection, log: Opened, new: MasterKey, rows: list[tuple[bytes, bytes]]) -> int:
    turned = [
        {"of": index, "rewrapped": log.vault.rewrapped_subject_keys(wrapped, index, new)}
        for index, wrapped in rows
        if wrapping_key_id(wrapped) != new.key_id
    ]
    if turned:
        of = schema.subjects.c.subject_index == bindparam("of")
        connection.execute(update(schema.subjects).where(of).values(wrapped=bindparam("rewrapped")), turned)
    return len(turned)


def _left(connection: Connection, new: MasterKey) -> int:
    wrapped_by = func.substr(schema.subjects.c.wrapped, 1, len(new.key_id), type_=LargeBinary)
    statement = select(func.count()).select_from(schema.subjects).where(wrapped_by != new.key_id)
    return int(connection.execute(statement).scalar_one())


def _has_ended(connection: Connection, log: Opened, new: MasterKey) -> bool:
    """Whether the newest entry about a rotation says that the one to this key has ended, or none was ever needed."""
    query = TrailQuery(actions=frozenset({MASTER_KEY_ROTATION}))
    newest = trail.read_page(connection, log.vault, query, None, 1).items
    if not newest or newest[0].access is None:
        return True
    access = newest[0].access
    return access.outcome == "done" and access.details.get("new-key") == new.key_id.hex()


def _note(batch: Batch, log: Opened, outcome: str, new: bytes, old: bytes | None = None) -> None:
    named = {"new-key": new.hex()} if old is None else {"new-key": new.hex(), "old-key": old.hex()}
    access = Access(
        action=MASTER_KEY_ROTATION,
        outcome=outcome,
        source=LOG_SOURCE,
        occurred_at=log.writer.now(),
        automatic=True,
        details=named,
    )
    batch.add([access], [encode_body(access)])
