"""Marks that a registry keeps on a person, such as a protected address, and the fields that nobody then opens alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from portal.registries.catalogue import Catalogue, Field
from portal.registries.description import EVERYTHING
from portal.services.disclosure import Disclosure


@dataclass(frozen=True, slots=True)
class Guarded:
    """The fields ("registry/field") that marks on one person guard; none where the person is not marked."""

    fields: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.fields)


class Protection:
    """Reads marks as the catalogue describes them. What cannot be read guards as much as any mark would."""

    def __init__(self, catalogue: Catalogue) -> None:
        every = frozenset(f"{r.code}/{code}" for r in catalogue.registries.values() for code in r.fields)
        self._marks = {
            (registry.code, field.code): _resolved(field, every)
            for registry in catalogue.registries.values()
            for field in registry.fields.values()
            if field.guards
        }

    @property
    def fields(self) -> frozenset[str]:
        """The fields ("registry/field") that hold a mark."""
        return frozenset(f"{registry}/{code}" for registry, code in self._marks)

    def of(self, answers: Iterable[Disclosure]) -> Guarded:
        """What is guarded, told by answers to questions that included the fields with marks."""
        told = {answer.registry: answer.records for answer in answers}
        guarded: set[str] = set()
        for (registry, code), fields_by_mark in self._marks.items():
            records = told.get(registry)
            at_most = frozenset().union(*fields_by_mark.values())
            if records is None:
                guarded |= at_most
                continue
            held = (record.fields[code].value for record in records if code in record.fields)
            for mark in held:
                if mark is not None:
                    guarded |= fields_by_mark.get(str(mark), at_most)
        return Guarded(frozenset(guarded))


def _resolved(field: Field, every: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """The guarded fields for each value of the field; a value that guards nothing has none."""
    return {
        value: every if EVERYTHING in (names := field.guards.get(value, ())) else frozenset(names)
        for value in field.values
    }
