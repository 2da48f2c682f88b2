"""Bringing the tables of an older log up to date, in the one transaction that opens it for the first time since.

No leaf is touched and nothing is signed: what changes is by what entries are found. It takes the master key, since the
sealed bodies alone say what that is, and about half a minute for each million entries; meanwhile nobody appends.
"""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, insert, inspect, select, text, update

from audit import schema, trail
from audit.entry import decode_body
from audit.keys import MasterKey
from audit.kinds import Kind
from audit.rows import INDEX_KEY, KIND
from audit.store import read_vault_key
from audit.vault import Vault

logger = logging.getLogger(__name__)

_BATCH = 2_000
#: Indexes that a search had before it went by kinds.
_OLD_INDEXES = ("subject", "official", "case", "organisation", "purpose", "logged")


def bring_up_to_date(connection: Connection, master_key: MasterKey, previous: MasterKey | None = None) -> None:
    """Give each body the number of its kind, where the log was made before there were any. Safe to repeat.

    Raises:
        KeyRefused: neither key is this log's.
        VerificationFailed: a body was changed; nothing is brought up to date, and `audit verify` names what is wrong.
    """
    if is_up_to_date(connection):
        return
    wrapped = read_vault_key(connection, INDEX_KEY)
    if wrapped is None:  # tables without a log
        return
    logger.warning("bringing the log's tables up to date; this takes a while, and nothing is appended meanwhile")
    with_ = " ON bodies" if connection.dialect.name == "postgresql" else ""
    connection.execute(text(f"DROP TRIGGER bodies_refuses_update{with_}"))
    connection.execute(text("ALTER TABLE bodies ADD COLUMN kind BIGINT"))
    _number(connection, Vault(master_key, wrapped, previous))
    for name in _OLD_INDEXES:
        connection.execute(text(f"DROP INDEX IF EXISTS ix_bodies_{name}"))
    for index in schema.bodies.indexes:
        index.create(connection, checkfirst=True)
    if connection.dialect.name == "postgresql":
        connection.execute(text("ALTER TABLE bodies ALTER COLUMN kind SET NOT NULL"))
    schema.create_triggers(connection)


def is_up_to_date(connection: Connection) -> bool:
    """Whether the tables of a log are those of this software."""
    return any(column["name"] == "kind" for column in inspect(connection).get_columns("bodies"))


def _number(connection: Connection, vault: Vault) -> None:
    bodies: Table = schema.bodies
    subjects = schema.subjects.c
    statement = (
        select(bodies.c.seq, bodies.c.sealed, bodies.c.subject_index, subjects.wrapped)
        .outerjoin(schema.subjects, subjects.subject_index == bodies.c.subject_index)
        .order_by(bodies.c.seq)
        .limit(_BATCH)
    )
    set_kind = update(bodies).where(bodies.c.seq == bindparam("of")).values(kind=bindparam("number"))
    numbers: dict[Kind | None, int] = {}
    after = -1
    while rows := connection.execute(statement.where(bodies.c.seq > after)).all():
        kinds = [(row.seq, _kind_of(vault, row)) for row in rows]
        for kind in dict.fromkeys(kind for _, kind in kinds if kind not in numbers):
            numbers[kind] = len(numbers) + 1
            if kind is not None:
                _describe(connection, vault, kind, numbers[kind])
        connection.execute(set_kind, [{"of": seq, "number": numbers[kind]} for seq, kind in kinds])
        after = rows[-1].seq


def _kind_of(vault: Vault, row: Row[*tuple[Any, ...]]) -> Kind | None:
    """None for what cannot be opened because its keys are gone: no search finds it, and verification says so."""
    opened = trail.opened_body(vault, row)
    return None if opened is None else Kind.of(decode_body(opened.body))


def _describe(connection: Connection, vault: Vault, kind: Kind, number: int) -> None:
    row = dict(zip(KIND, (number, kind.key(vault.index), *kind.clear()), strict=True))
    connection.execute(insert(schema.kinds), row)
    terms = [{"term_index": term, "kind": number} for term in kind.terms(vault.index)]
    if terms:
        connection.execute(insert(schema.kind_terms), terms)
