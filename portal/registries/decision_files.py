"""Reading the rules by which organisations decide about people, from decisions.toml beside the catalogue."""

from __future__ import annotations

from pathlib import Path

from portal.domain.intended_decisions import DecisionRule, DecisionRules
from portal.registries.catalogue import Catalogue, CatalogueError
from portal.registries.toml_reading import Mistakes, TomlTable, frozen, read_toml

FILE = "decisions.toml"


def load_decision_rules(directory: Path, catalogue: Catalogue) -> DecisionRules:
    """Read ``decisions.toml`` under `directory`; without that file no decision can be announced.

    Raises:
        CatalogueError: there are mistakes; each is named as "file:line: key: what is wrong".
    """
    path = directory / FILE
    mistakes = Mistakes()
    file = read_toml(path, mistakes) if path.exists() else None
    known: dict[str, DecisionRule] = {}
    days = 14
    if file is not None:
        days = file.whole_number("notice_days", least=1, most=366)
        for table in file.tables("rule"):
            rule = _rule(table, catalogue)
            if rule.code in known:
                table.mistake("code", "two rules have this code")
            known[rule.code] = rule
        file.finish()
    if mistakes:
        raise CatalogueError(mistakes.lines)
    return DecisionRules(frozen(known), days)


def _rule(table: TomlTable, catalogue: Catalogue) -> DecisionRule:
    rule = DecisionRule(
        code=table.code("code"),
        organisation=table.code("organisation"),
        registry=table.code("registry"),
        name=table.localized("name"),
        explanation=table.localized("explanation"),
        consequence=table.localized("consequence"),
        appeal=table.localized("appeal"),
        data=frozenset(table.texts("data")),
    )
    registry = catalogue.registries.get(rule.registry)
    if registry is None or registry.controller != rule.organisation:
        table.mistake("registry", "is no registry of this organisation")
    fields = {f"{one.code}/{field}" for one in catalogue.registries.values() for field in one.fields}
    for position, name in enumerate(table.texts("data")):
        if name not in fields:
            table.mistake("data", 'there is no such field; write "registry/field"', position)
    table.finish()
    return rule
