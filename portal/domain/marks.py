"""Marks that a record carries: what is contested, and what may not be used for now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.domain.identifiers import PersonalCode


class MarkKind(StrEnum):
    """Why a reader has to take care. A contested value may be used, with that in mind; a restricted one may not."""

    #: The person disputes it and the controller has not decided yet (GDPR Article 16, 21).
    CONTESTED = "contested"
    #: Its processing is restricted (GDPR Articles 4(3), 18).
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark on a registry's record of one person. `field` is None where it is on everything held there."""

    registry: str
    field: str | None
    kind: MarkKind
    since: datetime

    def is_on(self, registry: str, field: str) -> bool:
        return self.registry == registry and self.field in {None, field}


class Marks(Protocol):
    """Wherever marks are kept: what is asked before a record opens."""

    def of(self, subject: PersonalCode) -> tuple[Mark, ...]:
        """Every mark on this person's records, the newest first."""
        ...
