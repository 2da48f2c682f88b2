"""What a store keeps beside the chain, held against the chain: labels made, retries' keys, what witnesses said.

None of it was ever signed by the log, so that only what follows from something else can be checked. What that leaves
unseen is said in docs/log-format.md, "What verification does not see".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, tuple_

from audit import schema
from audit.entry import decode_leaf, label
from audit.errors import EntryRefused, KeyRefused, MalformedNote, VerificationFailed
from audit.note import Verifier, parse_signature, split_note
from audit.rows import INDEX_KEY
from audit.vault import INDEX_SIZE, Vault
from audit.witness_client import WitnessState, key_of

_BATCH = 1_000


def amiss(connection: Connection, vault: Vault | None, witnesses: Sequence[Verifier], size: int) -> str | None:
    """What is wrong with what is kept beside a log of this size; None where nothing is.

    Labels are counted where there is a vault; of the cosignatures, those of these `witnesses` are verified, and of
    others only that each is in form and filed as what it is.
    """
    problems = chain(
        _of_vault_keys(connection),
        _of_retries(connection, size),
        _of_cosignatures(connection, {key_of(one): one for one in witnesses}),
        _of_reports(connection),
        () if vault is None else _of_labels(connection, vault),
    )
    return next(problems, None)


def _of_vault_keys(connection: Connection) -> Iterator[str]:
    names = connection.execute(select(schema.vault_keys.c.name)).scalars().all()
    if names != [INDEX_KEY]:
        yield "the vault's key is missing, or there are others beside it"


def _of_retries(connection: Connection, size: int) -> Iterator[str]:
    columns = schema.idempotency.c
    astray = or_(columns.seq < 0, columns.seq >= size, func.length(columns.key_index) != INDEX_SIZE)
    if connection.execute(select(columns.seq).where(astray).limit(1)).first() is not None:
        yield "an idempotency key is none, or stands for an entry that there is not"
    twice = select(columns.seq).group_by(columns.seq).having(func.count() > 1).limit(1)
    if (row := connection.execute(twice).first()) is not None:
        yield f"two idempotency keys stand for entry {row.seq}"


def _of_cosignatures(connection: Connection, witnesses: dict[str, Verifier]) -> Iterator[str]:
    lines, notes = schema.cosignatures, schema.checkpoints
    place = tuple_(lines.c.size, lines.c.witness)
    statement = (
        select(lines.c.size, lines.c.witness, lines.c.line, notes.c.note)
        .join_from(lines, notes, notes.c.size == lines.c.size, isouter=True)
        .order_by(lines.c.size, lines.c.witness)
        .limit(_BATCH)
    )
    rows = connection.execute(statement).all()
    while rows:
        yield from (
            f"the cosignature of {row.witness} over {row.size} entries was changed or misfiled"
            for row in rows
            if not _is_cosigned(row, witnesses)
        )
        rows = connection.execute(statement.where(place > (rows[-1].size, rows[-1].witness))).all()


def _is_cosigned(row: Row[*tuple[Any, ...]], witnesses: dict[str, Verifier]) -> bool:
    if not isinstance(row.note, str) or not isinstance(row.line, str):
        return False
    try:
        signature = parse_signature(row.line.removesuffix("\n"))
        text = split_note(row.note)[0]
    except MalformedNote:
        return False
    if signature.line() != row.line or key_of(signature) != row.witness:
        return False
    witness = witnesses.get(row.witness)
    return witness is None or witness.verify(text.encode(), signature.signature)


def _of_reports(connection: Connection) -> Iterator[str]:
    reports, lines = schema.witness_reports, schema.cosignatures
    is_here = (lines.c.size == reports.c.size) & (lines.c.witness == reports.c.witness)
    statement = select(reports.c.witness, reports.c.state, reports.c.size, lines.c.line)
    for row in connection.execute(statement.join_from(reports, lines, is_here, isouter=True)):
        if row.state not in set(WitnessState) or (row.size != 0 and row.line is None):
            yield f"it is not as the report on witness {row.witness} says"


def _of_labels(connection: Connection, vault: Vault) -> Iterator[str]:
    """Each subject's count of labels is that of their newest body, or what erased entries bear follows on from it."""
    subjects, bodies = schema.subjects, schema.bodies
    theirs = bodies.alias()
    newest = select(func.max(theirs.c.seq)).where(theirs.c.subject_index == subjects.c.subject_index)
    statement = (
        select(subjects.c.subject_index, subjects.c.wrapped, subjects.c.labels, bodies.c.seq, bodies.c.sealed)
        .join_from(subjects, bodies, bodies.c.seq == newest.scalar_subquery(), isouter=True)
        .order_by(subjects.c.subject_index)
        .limit(_BATCH)
    )
    erased: frozenset[bytes] | None = None
    rows = connection.execute(statement).all()
    while rows:
        for row in rows:
            opened = _newest_of(vault, row)
            if opened is not None and opened[1] == row.labels:
                continue
            if erased is None:
                erased = _erased_labels(connection)
            if opened is None or not _follow(*opened, row.labels, erased):
                yield "of a subject there are other labels in the log than the store has counted"
        rows = connection.execute(statement.where(subjects.c.subject_index > rows[-1].subject_index)).all()


def _newest_of(vault: Vault, row: Row[*tuple[Any, ...]]) -> tuple[bytes, int] | None:
    """A subject's label key, and the count in their newest body that is left; None where they do not open."""
    try:
        keys = vault.subject_keys(bytes(row.wrapped), bytes(row.subject_index))
        return keys.label, 0 if row.sealed is None else vault.open(keys, row.seq, bytes(row.sealed)).count
    except (KeyRefused, VerificationFailed):
        return None


def _follow(key: bytes, count: int, labels: object, erased: frozenset[bytes]) -> bool:
    """Whether every label from `count` on up to `labels` is an erased entry's."""
    if not isinstance(labels, int) or not count <= labels <= count + len(erased):
        return False
    return all(label(key, number) in erased for number in range(count + 1, labels + 1))


def _erased_labels(connection: Connection) -> frozenset[bytes]:
    entries, erasures = schema.entries, schema.erasures
    statement = select(entries.c.leaf).join_from(entries, erasures, erasures.c.seq == entries.c.seq)
    found = set()
    for leaf in connection.execute(statement).scalars():
        try:
            found.add(decode_leaf(bytes(leaf)).label)
        except EntryRefused:
            continue  # found where the leaves are replayed
    return frozenset(found)
