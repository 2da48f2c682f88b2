"""Kinds of access: whatever many entries share, as one number beside each body.

Organisation, role, registry, purpose, action, outcome, the fields, whether a person looked, broke the glass or was
under a seal: a country has some thousand combinations of them, however many entries its log has. Each combination is a
kind. It is described once, and an entry names its number. A search by any of these criteria first picks the kinds, out
of a small table, and then walks the one index by kind and entry: its cost grows with the number of kinds and not of
entries, and criteria that exclude each other find no kind at all.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select

from audit import schema
from audit.criteria import BlindIndex, TrailQuery
from audit.entry import Access

#: The detail by which an access says that it broke the glass.
BREAK_GLASS_DETAIL = "emergency"
#: So many are remembered by a process; a country has far fewer.
_MANY = 50_000
_CLEAR = ("organisation", "registry", "purpose", "action", "outcome", "automatic")


class Kind(NamedTuple):
    """What many entries share."""

    organisation: str | None
    registry: str | None
    purpose: str | None
    action: str
    outcome: str
    automatic: bool
    role: str | None
    fields: tuple[str, ...]
    break_glass: bool
    sealed: bool

    @classmethod
    def of(cls, access: Access) -> Kind:
        return cls(
            access.organisation,
            access.registry,
            access.purpose,
            access.action,
            access.outcome,
            access.automatic,
            access.role,
            tuple(sorted(set(access.fields))),
            BREAK_GLASS_DETAIL in access.details,
            access.seal is not None,
        )

    def key(self, index: BlindIndex) -> bytes:
        """By what the kind is found again."""
        return index("kind", json.dumps(self, separators=(",", ":"), ensure_ascii=False))

    def clear(self) -> tuple[Any, ...]:
        """What stands in clear beside each body as well."""
        return self[: len(_CLEAR)]

    def terms(self, index: BlindIndex) -> frozenset[bytes]:
        """What the entries of this kind are found by besides, as blind indexes."""
        said = [("field", field) for field in self.fields]
        if self.role is not None:
            said.append(("role", self.role))
        if self.break_glass:
            said.append(("mark", "break-glass"))
        if self.sealed:
            said.append(("mark", "sealed"))
        return frozenset(index(name, value) for name, value in said)


class KnownKinds:
    """The numbers of the kinds that a process has found in the database, where they never change."""

    def __init__(self) -> None:
        self._numbers: dict[Kind, int] = {}

    def get(self, kind: Kind) -> int | None:
        return self._numbers.get(kind)

    def keep(self, kind: Kind, number: int) -> None:
        """To be called only with what was committed."""
        if len(self._numbers) >= _MANY:
            self._numbers.clear()
        self._numbers[kind] = number


def kinds_wanted(query: TrailQuery, index: BlindIndex) -> Select[Any] | None:
    """Selects the numbers of the kinds that fit; None where no criterion speaks of a kind."""
    if not query.names_a_kind:
        return None
    kinds = schema.kinds.c
    wanted: list[ColumnElement[bool]] = []
    for name in ("organisation", "purpose", "registry", "outcome"):
        if (value := getattr(query, name)) is not None:
            wanted.append(kinds[name] == str(value))
    if query.actions is not None:
        wanted.append(kinds.action.in_(sorted(map(str, query.actions))))
    if query.exclude_actions:
        wanted.append(kinds.action.not_in(sorted(map(str, query.exclude_actions))))
    if query.automatic is not None:
        wanted.append(kinds.automatic == query.automatic)
    wanted += _terms_wanted(query, index)
    return select(kinds.kind).where(*wanted)


def _terms_wanted(query: TrailQuery, index: BlindIndex) -> list[ColumnElement[bool]]:
    named = (("role", query.role), ("field", query.field))
    wanted = [_has(index(name, value)) for name, value in named if value is not None]
    for mark, asked in (("break-glass", query.break_glass), ("sealed", query.under_seal)):
        if asked is not None:
            has = _has(index("mark", mark))
            wanted.append(has if asked else ~has)
    return wanted


def _has(term: bytes) -> ColumnElement[bool]:
    terms = schema.kind_terms.c
    return schema.kinds.c.kind.in_(select(terms.kind).where(terms.term_index == term))
