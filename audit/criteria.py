"""What a search of the trail can ask for, and what stands beside a sealed body so that it is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from audit.entry import Access

#: Gives the blind index of a value of a kind, as `Vault.index` does.
BlindIndex = Callable[[str, str], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailQuery:
    """Criteria that must all hold; None, or an empty set of exclusions, asks for nothing.

    `since` and `until` (exclusive) are aware times compared with when the log took the entry, not with what the source
    said. `actions` and `exclude_actions` are sets of action names. `field` is one of the fields that the access named.

    `subject` alone finds what this person may know of. Entries that a seal withholds from them are found only by those
    who say so: `seal` asks for the entries under that seal, `with_sealed` for all of them as well. `under_seal` asks,
    of whomever, for the entries that a seal withholds, or for the others.
    """

    subject: str | None = dataclasses.field(default=None, repr=False)
    seal: str | None = None
    with_sealed: bool = False
    organisation: str | None = None
    official: str | None = None
    role: str | None = None
    purpose: str | None = None
    case: str | None = None
    registry: str | None = None
    field: str | None = None
    outcome: str | None = None
    actions: frozenset[str] | None = None
    exclude_actions: frozenset[str] = frozenset()
    automatic: bool | None = None
    break_glass: bool | None = None
    under_seal: bool | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.seal is not None and self.subject is None:
            raise ValueError("a seal is of one subject; the query names none")

    @property
    def names_a_kind(self) -> bool:
        """Whether any criterion speaks of what many entries share (`audit.kinds`)."""
        return any(
            value is not None
            for value in (
                self.organisation, self.role, self.purpose, self.registry, self.field, self.outcome, self.actions,
                self.automatic, self.break_glass, self.under_seal,
            )
        ) or bool(self.exclude_actions)  # fmt: skip

    @property
    def names_a_body(self) -> bool:
        """Whether any criterion speaks of what stood in a body, so that an erased entry cannot match."""
        return self.names_a_kind or any(value is not None for value in (self.subject, self.official, self.case))


def search_columns(index: BlindIndex, access: Access, logged_ms: int) -> dict[str, Any]:
    """What stands beside the sealed body for the search. Verification computes it again and compares.

    The number of its kind (`audit.kinds`) stands there as well, which only the database can tell.
    """
    official, case = access.official, access.case
    return {
        "subject_index": subject_index(index, access.subject, access.seal),
        "official_index": None if official is None else index("official", official),
        "case_index": None if case is None else index("case", case),
        "organisation": access.organisation,
        "registry": access.registry,
        "purpose": access.purpose,
        "action": str(access.action),
        "outcome": str(access.outcome),
        "automatic": access.automatic,
        "logged_ms": logged_ms,
    }


def subject_index(index: BlindIndex, subject: str | None, seal: str | None = None) -> bytes:
    """Under which keys an entry stands: its subject's, or those of the seal that withholds it from them.

    Entries about nobody share one index of their own, so that an index never tells whether there is a subject. A seal's
    index is of the seal and the subject together: no seal ever joins two people under one label key.
    """
    if subject is None:
        return index("no-subject", "")
    return index("subject", subject) if seal is None else index("seal", f"{seal}\n{subject}")


def owner_index(index: BlindIndex, access: Access) -> bytes | None:
    """By what a sealed entry is found by those who may know of it; None for an entry that is not sealed."""
    if access.seal is None or access.subject is None:
        return None
    return index("sealed-subject", access.subject)


def moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, UTC)


def milliseconds(when: datetime) -> int:
    """Whole milliseconds since 1970, UTC. Raises ValueError for a time without a zone."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone cannot be compared")
    return (when - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
