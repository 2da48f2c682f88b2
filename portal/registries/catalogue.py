"""The catalogue: every registry, purpose and organisation of the country, read from TOML and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.domain.purposes import Organisation, Purpose
from portal.domain.text import LocalizedText
from portal.registries.description import Field, FieldType, Registry, Source, SourceKind
from portal.registries.purpose_files import read_organisations, read_purposes
from portal.registries.registry_files import Names, read_registry
from portal.registries.rule_files import Rule, Rules, read_rules
from portal.registries.toml_reading import Mistakes, TomlTable, frozen, read_toml

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Field",
    "FieldType",
    "Registry",
    "Rule",
    "Rules",
    "Source",
    "SourceKind",
    "load_catalogue",
]


class CatalogueError(ValueError):
    """The catalogue cannot be used. The caller prints the message, which names every mistake, and does not start."""

    def __init__(self, mistakes: list[str]) -> None:
        self.mistakes = mistakes
        super().__init__("The catalogue has mistakes:\n" + "\n".join(f"  - {mistake}" for mistake in mistakes))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the country says about itself. The mappings go by code, keep the files' order, and cannot be changed."""

    registries: Mapping[str, Registry]
    purposes: Mapping[str, Purpose]
    organisations: Mapping[str, Organisation]
    rules: Rules


def load_catalogue(directory: Path) -> Catalogue:
    """Read ``organisations.toml``, ``purposes.toml``, ``registries/*.toml`` and ``policy/*.cedar`` under `directory`.

    Raises:
        CatalogueError: there are mistakes; each is named as "file:line: key: what is wrong".
    """
    mistakes = Mistakes()
    organisations = read_organisations(read_toml(directory / "organisations.toml", mistakes))
    registries = _read_registries(directory / "registries", organisations, mistakes)
    purposes = read_purposes(read_toml(directory / "purposes.toml", mistakes), organisations, registries)
    rules = read_rules(directory / "policy", mistakes)
    if mistakes:
        raise CatalogueError(mistakes.lines)
    return Catalogue(frozen(registries), frozen(purposes), frozen(organisations), rules)


def _read_registries(
    directory: Path, organisations: Mapping[str, Organisation], mistakes: Mistakes
) -> dict[str, Registry]:
    files = [read_toml(path, mistakes) for path in sorted(directory.glob("*.toml"))]
    tables = [table for table in files if table is not None]
    if not files:
        mistakes.note(directory, 1, "registries", "there is no registry's file in this folder")
    names = Names(
        {code: organisation.name for code, organisation in organisations.items()},
        _names_of(tables),
        frozenset(name for table in tables for name in table.peek_at_fields()),
    )
    registries: dict[str, Registry] = {}
    places: dict[str, str] = {}
    for table in tables:
        registry = read_registry(table, names)
        if registry.code in registries:
            table.mistake("code", f"another registry has this code ({places[registry.code]})")
        registries[registry.code] = registry
        places[registry.code] = table.place
    return registries


def _names_of(tables: list[TomlTable]) -> dict[str, LocalizedText]:
    """Codes and names of all registries, read ahead, since one file may name another as its source."""
    return {code: name for code, name in (table.peek_at_name() for table in tables) if code}
