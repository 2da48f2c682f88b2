"""The tables of the log, and the triggers that let them only grow.

A trigger keeps honest software honest and makes a mistake loud; it does not stop whoever owns the database. That is
what the hash chain, the signed checkpoints and `audit verify` are for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

metadata = MetaData()
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Octets(TypeDecorator[bytes]):
    """Bytes, whatever SQLite gives back: it lets an intruder put text into a BLOB column, and verification must see it.

    Text comes back as its bytes, anything else as none, so that it differs from what belongs there.
    """

    impl = LargeBinary
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], bytes | None]:
        return octets


def octets(value: Any) -> bytes | None:
    """As `Octets`, for values that the driver gave."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape")
    return bytes(value) if isinstance(value, memoryview | bytearray) else b""


#: On SQLite an INTEGER primary key is the row's own number; a BIGINT one would be a second index.
_Number = BigInteger().with_variant(Integer, "sqlite")

#: One row, id 1: the tree's size, its newest leaf's hash and time, its right edge, and the checkpoint signed over it.
head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", _Number, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("prev", Octets, nullable=False),
    Column("frontier", Octets, nullable=False),
    Column("checkpoint", Text, nullable=False),
)

#: The leaves, byte for byte as they were hashed.
entries = Table(
    "entries",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("leaf", Octets, nullable=False),
)

#: Hash tiles (C2SP tlog-tiles); the rightmost of each level is still growing, and may only grow.
tiles = Table(
    "tiles",
    metadata,
    Column("level", SmallInteger, primary_key=True, autoincrement=False),
    Column("tile_index", _Number, primary_key=True, autoincrement=False),
    Column("hashes", Octets, nullable=False),
)

#: Every checkpoint that was ever signed.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)

#: Sealed bodies, and beside them what a search needs: codes of the catalogue in clear, people as blind indexes.
bodies = Table(
    "bodies",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("sealed", Octets, nullable=False),
    Column("subject_index", Octets, nullable=False),
    Column("official_index", Octets),
    Column("case_index", Octets),
    Column("organisation", String(64)),
    Column("registry", String(64)),
    Column("purpose", String(64)),
    Column("action", String(64), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("logged_ms", BigInteger, nullable=False),
    Column("kind", BigInteger, nullable=False),
)
# Each ends in the entry's number, by which a search walks. Those of a person or a case hold the kind as well, so that a
# search which asks for both reads no row; and no more indexes than these, since each append writes them all.
Index("ix_bodies_kind", bodies.c.kind, bodies.c.seq)
Index("ix_bodies_subject_kind", bodies.c.subject_index, bodies.c.seq, bodies.c.kind)
for _name in ("official", "case"):
    _column = bodies.c[f"{_name}_index"]
    Index(
        f"ix_bodies_{_name}_kind",
        _column,
        bodies.c.seq,
        bodies.c.kind,
        postgresql_where=_column.is_not(None),
        sqlite_where=_column.is_not(None),
    )

#: Kinds of access (`audit.kinds`): what many entries share, each combination once. `key_index` is the blind index of
#: all of it together; the codes that bodies have in clear stand here in clear as well.
kinds = Table(
    "kinds",
    metadata,
    Column("kind", _Number, primary_key=True, autoincrement=False),
    Column("key_index", Octets, nullable=False, unique=True),
    Column("organisation", String(64)),
    Column("registry", String(64)),
    Column("purpose", String(64)),
    Column("action", String(64), nullable=False),
    Column("outcome", String(64), nullable=False),
    Column("automatic", Boolean, nullable=False),
)

#: The rest by which kinds are found, as blind indexes: role, fields, and the marks "break-glass" and "sealed".
kind_terms = Table(
    "kind_terms",
    metadata,
    Column("term_index", Octets, primary_key=True),
    Column("kind", _Number, primary_key=True, autoincrement=False),
)

#: Which entries a seal withholds from whom: the one index by which a person's sealed entries are found. It is not the
#: index of `bodies`, so that what a person may ask about themselves never comes near them.
sealed = Table(
    "sealed",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("owner_index", Octets, nullable=False, index=True),
)

#: Each subject's keys, and each seal's, wrapped, and how many labels were made under them.
subjects = Table(
    "subjects",
    metadata,
    Column("subject_index", Octets, primary_key=True),
    Column("wrapped", Octets, nullable=False),
    Column("labels", BigInteger, nullable=False),
)

#: Keys of the whole vault, wrapped.
vault_keys = Table(
    "vault_keys",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("wrapped", Octets, nullable=False),
)

#: How many entries each source has reported.
sources = Table(
    "sources",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("reported", BigInteger, nullable=False),
)

#: Which entry an idempotency key of a source stands for (both in one blind index).
idempotency = Table(
    "idempotency",
    metadata,
    Column("key_index", Octets, primary_key=True),
    Column("seq", _Number, nullable=False),
)

#: The signature lines by which witnesses cosigned checkpoints; `witness` is name and key id.
cosignatures = Table(
    "cosignatures",
    metadata,
    Column("size", _Number, primary_key=True, autoincrement=False),
    Column("witness", String(300), primary_key=True),
    Column("line", Text, nullable=False),
)

#: How each witness answered last: the newest size that it cosigned, and what is the matter with it, if anything.
witness_reports = Table(
    "witness_reports",
    metadata,
    Column("witness", String(300), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("size", _Number, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
)

#: Whose body was erased, and the entry that says so.
erasures = Table(
    "erasures",
    metadata,
    Column("seq", _Number, primary_key=True, autoincrement=False),
    Column("tombstone", _Number, nullable=False, index=True),
)

_NOT_ERASED_BODY = "NOT EXISTS (SELECT 1 FROM erasures WHERE erasures.seq = OLD.seq)"
# A subject's keys may go once they open nothing more. No table lists the erased: even a blind index of a person would
# be a trace of them that outlives the erasure.
_KEYS_STILL_NEEDED = "EXISTS (SELECT 1 FROM bodies WHERE bodies.subject_index = OLD.subject_index)"
_TILE_NOT_GROWING = {
    "sqlite": "substr(NEW.hashes, 1, length(OLD.hashes)) IS NOT OLD.hashes OR length(NEW.hashes) <= length(OLD.hashes)",
    "postgresql": "substring(NEW.hashes FROM 1 FOR length(OLD.hashes)) IS DISTINCT FROM OLD.hashes"
    " OR length(NEW.hashes) <= length(OLD.hashes)",
}

#: For each table the changes that are refused: verb -> under which condition ("" always).
_REFUSALS: dict[str, dict[str, str]] = {
    "head": {"UPDATE": "NEW.size <= OLD.size OR NEW.id <> OLD.id", "DELETE": ""},
    "entries": {"UPDATE": "", "DELETE": ""},
    "tiles": {"UPDATE": "tile", "DELETE": ""},
    "checkpoints": {"UPDATE": "", "DELETE": ""},
    "bodies": {"UPDATE": "", "DELETE": _NOT_ERASED_BODY},
    "sealed": {"UPDATE": "", "DELETE": _NOT_ERASED_BODY},
    "kinds": {"UPDATE": "", "DELETE": ""},
    "kind_terms": {"UPDATE": "", "DELETE": ""},
    "subjects": {
        "UPDATE": "NEW.labels < OLD.labels OR NEW.subject_index <> OLD.subject_index",
        "DELETE": _KEYS_STILL_NEEDED,
    },
    "vault_keys": {"UPDATE": "NEW.name <> OLD.name", "DELETE": ""},
    "sources": {"UPDATE": "NEW.reported <= OLD.reported OR NEW.source <> OLD.source", "DELETE": ""},
    "idempotency": {"UPDATE": "", "DELETE": ""},
    "cosignatures": {"UPDATE": "", "DELETE": ""},
    "witness_reports": {"UPDATE": "NEW.witness <> OLD.witness", "DELETE": ""},
    "erasures": {"UPDATE": "", "DELETE": ""},
}


def create_tables(connection: Connection) -> None:
    """Create what is missing: tables, then triggers. Safe to repeat."""
    metadata.create_all(connection)
    create_triggers(connection)


def create_triggers(connection: Connection) -> None:
    for statement in _triggers(connection.dialect.name):
        connection.execute(text(statement))


def _triggers(dialect: str) -> list[str]:
    make = _postgresql_triggers if dialect == "postgresql" else _sqlite_triggers
    return [statement for table, refusals in _REFUSALS.items() for statement in make(table, refusals)]


def _condition(dialect: str, condition: str) -> str:
    return _TILE_NOT_GROWING[dialect] if condition == "tile" else condition


def _sqlite_triggers(table: str, refusals: dict[str, str]) -> list[str]:
    statements = [
        f"CREATE TRIGGER IF NOT EXISTS {table}_refuses_{verb.lower()} BEFORE {verb} ON {table}"
        + (f" WHEN {_condition('sqlite', condition)}" if condition else "")
        + f" BEGIN SELECT RAISE(ABORT, 'the audit log only grows: {verb} of {table} refused'); END"
        for verb, condition in refusals.items()
    ]
    if table in {
        "entries",
        "checkpoints",
        "bodies",
        "sealed",
    }:  # INSERT OR REPLACE would delete without the trigger on DELETE
        key = "size" if table == "checkpoints" else "seq"
        statements.append(
            f"CREATE TRIGGER IF NOT EXISTS {table}_refuses_replace BEFORE INSERT ON {table}"  # noqa: S608 - our own names
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key})"
            f" BEGIN SELECT RAISE(ABORT, 'the audit log only grows: REPLACE of {table} refused'); END"
        )
    return statements


def _postgresql_triggers(table: str, refusals: dict[str, str]) -> list[str]:
    function = (
        "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'the audit log only grows: % of % refused', TG_OP, TG_TABLE_NAME; END $$"
    )
    statements = [function]
    # plpgsql sees no EXISTS in a WHEN clause, so a condition with a subquery stands in a function of its own.
    for verb, condition in refusals.items():
        name = f"{table}_refuses_{verb.lower()}"
        called, when = "audit_refuse", ""
        if "EXISTS" in condition:
            called = f"audit_{name}"
            statements.append(
                f"CREATE OR REPLACE FUNCTION {called}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                f" IF {condition} THEN RAISE EXCEPTION 'the audit log only grows: {verb} of {table} refused'; END IF;"
                " RETURN OLD; END $$"
            )
        elif condition:
            when = f" WHEN ({_condition('postgresql', condition)})"
        statements.append(
            f"CREATE OR REPLACE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION {called}()"
        )
    statements.append(
        f"CREATE OR REPLACE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
    )
    return statements


#: What the application may do besides reading and inserting: what an append moves on, and what an erasure takes away.
_MAY_UPDATE = ("head", "tiles", "subjects", "vault_keys", "sources", "witness_reports")
_MAY_DELETE = ("bodies", "subjects", "sealed")


def grants(role: str) -> list[str]:
    """Statements that let a PostgreSQL role append, read and erase, and nothing more; to be run by the tables' owner.

    The role owns nothing, so that it can neither drop nor disable a trigger, nor truncate a table.
    Raises ValueError for a name that would need quoting.
    """
    if _ROLE.fullmatch(role) is None:
        raise ValueError("a role is named in small letters, digits and underscores")
    names = ", ".join(table.name for table in metadata.sorted_tables)
    updated = ", ".join(name for name in _MAY_UPDATE if name in metadata.tables)
    deleted = ", ".join(name for name in _MAY_DELETE if name in metadata.tables)
    return [
        f"REVOKE ALL ON {names} FROM {role}",
        f"GRANT SELECT, INSERT ON {names} TO {role}",
        f"GRANT UPDATE ON {updated} TO {role}",
        f"GRANT DELETE ON {deleted} TO {role}",
    ]
