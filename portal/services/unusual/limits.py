"""The thresholds and weights of the rules, read from config/unusual.toml and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType

from portal.registries.catalogue import CatalogueError
from portal.registries.toml_reading import Mistakes, TomlTable, read_toml

FILE = "unusual.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From where on something is unusual. Each stands in config/unusual.toml with what it means."""

    surname_bearers: int
    age_band_years: int
    neighbour_metres: int
    case_grace_days: int
    volume_factor: int
    volume_least: int
    usual_hours_percent: int
    history_least: int
    denied_tries: int
    repeated_days: int
    browsing_people: int
    browsing_minutes: int
    copied_people: int
    copied_days: int
    before_seal_days: int
    news_days: int
    earlier_case_days: int
    #: How much a flag of each rule weighs, 0 to 100.
    weights: Mapping[str, int]
    #: What is left of a look's weight when something explains it, in percent, by the kind of explanation.
    explained: Mapping[str, int]


def read_limits(directory: Path, rules: frozenset[str], explanations: frozenset[str]) -> Limits:
    """Read `unusual.toml` under `directory`.

    Raises:
        CatalogueError: there are mistakes; each is named as "file:line: key: what is wrong".
    """
    mistakes = Mistakes()
    table = read_toml(directory / FILE, mistakes)
    limits = None if table is None else _limits(table, rules, explanations)
    if mistakes or limits is None:
        raise CatalogueError(mistakes.lines)
    return limits


def _limits(table: TomlTable, rules: frozenset[str], explanations: frozenset[str]) -> Limits:
    numbers = {
        one.name: table.whole_number(one.name, least=1, most=100_000)
        for one in fields(Limits)
        if one.name not in {"weights", "explained"}
    }
    weights, explained = _percents(table, "weights", rules), _percents(table, "explained", explanations)
    table.finish()
    return Limits(weights=weights, explained=explained, **numbers)


def _percents(table: TomlTable, key: str, names: frozenset[str]) -> Mapping[str, int]:
    inner = table.table(key)
    if inner is None:
        return {}
    read = {name: inner.whole_number(name, least=0, most=100) for name in sorted(names)}
    inner.finish()
    return MappingProxyType(read)
