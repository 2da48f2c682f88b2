"""A flag: which rule speaks of which look, and what it says. Its sentence is the page's, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from portal.services.unusual.facts import Facts, Trail
from portal.services.unusual.limits import Limits


class Family(StrEnum):
    """What a rule is about. Several flags of one family say the same thing twice and weigh once."""

    RELATION = "relation"
    CASE = "case"
    TIME = "time"
    PATTERN = "pattern"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Flag:
    """One rule's word on one look. `said` are the numbers of its sentence; no name or code of a person is in it."""

    seq: int
    rule: str
    said: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its permanent code, what it is about, and how it finds its looks in a trail."""

    code: str
    family: Family
    find: Callable[[Trail, Facts, Limits], Iterator[Flag]]
