"""A registry that knows the law of the house: it refuses to answer unless the matching entry is already in the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.log import AuditLog, TrailQuery
from portal.domain.identifiers import PersonalCode
from portal.registries.connector import RegistryUnavailable
from portal.registries.description import Source, SourceKind
from portal.registries.records import FieldValue, Record

OWN = Source(SourceKind.OWN)


class AnsweredWithoutAnEntry(AssertionError):
    """Something asked a registry for data that no durable entry accounts for."""


class FakeRegistry:
    """Holds records in memory. Every question is checked against the log as it stands at that moment."""

    def __init__(self, code: str, log: AuditLog) -> None:
        self.code = code
        self.is_down = False
        #: What it answers beyond what it was asked: a connector with a mistake.
        self.blurts_out: Mapping[str, FieldValue] = {}
        self.asked: list[tuple[str, ...]] = []
        self._log = log
        self._records: dict[PersonalCode, list[dict[str, str]]] = {}

    def holds(self, subject: PersonalCode, **values: str) -> None:
        self._records.setdefault(subject, []).append(values)

    def fetch(self, subject: PersonalCode, fields: Sequence[str]) -> tuple[Record, ...]:
        self._refuse_without_entry(subject, tuple(fields))
        return tuple(
            Record({code: FieldValue(values[code], OWN) for code in fields if code in values} | dict(self.blurts_out))
            for values in self._records.get(subject, [])
        )

    def count(self, subject: PersonalCode) -> int:
        self._refuse_without_entry(subject, ())
        return len(self._records.get(subject, []))

    def ping(self) -> None:
        if self.is_down:
            raise RegistryUnavailable(self.code)

    def _refuse_without_entry(self, subject: PersonalCode, fields: tuple[str, ...]) -> None:
        self.asked.append(fields)
        query = TrailQuery(subject=subject.subject, with_sealed=True, registry=self.code, outcome="released")
        entries = self._log.read(query, limit=50).items
        if not any(entry.access is not None and entry.access.fields == fields for entry in entries):
            raise AnsweredWithoutAnEntry(f"{self.code} was asked for {fields} and the log does not say so")
        if self.is_down:
            raise RegistryUnavailable(self.code)
