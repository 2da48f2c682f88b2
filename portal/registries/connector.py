"""What the gate asks of a registry, whatever stands behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from portal.domain.identifiers import PersonalCode
from portal.registries.records import Record


class RegistryUnavailable(Exception):
    """The registry gave no answer that can be relied on. The caller records the failure and says so on the page.

    The message names the registry and never what the database said: a driver's text may hold data.
    """

    def __init__(self, registry: str) -> None:
        super().__init__(f"the registry {registry} gave no answer")
        self.registry = registry


class Connector(Protocol):
    """A registry as the gate sees it. Every method raises RegistryUnavailable, and no other error, on any failure."""

    def fetch(self, subject: PersonalCode, fields: Sequence[str]) -> tuple[Record, ...]:
        """The person's records with exactly these fields; empty when nothing is held."""
        ...

    def count(self, subject: PersonalCode) -> int:
        """How many records are held on the person."""
        ...

    def ping(self) -> None:
        """Return when the registry answers."""
        ...
