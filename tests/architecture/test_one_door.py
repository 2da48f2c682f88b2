"""Personal data has one door: no other code can ask a registry."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: The gate, and the composition root that hands it the connectors.
DOOR = {"portal/services/disclosure.py", "portal/furnishing.py"}
#: Names by which code could reach a registry.
MODULES = ("portal.registries.sql", "portal.registries.connector")
REACHING = {"Connector", "SqlConnector", "build_connectors", "connectors_of", "connectors"}


def _sources() -> list[Path]:
    return [
        path
        for path in sorted((ROOT / "portal").rglob("*.py"))
        if path.relative_to(ROOT).as_posix() not in DOOR and "registries" not in path.parts
    ]


def _names(tree: ast.AST) -> set[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.name for alias in node.names}
            names |= {getattr(node, "module", None) or ""}
    return names


def _reaches(source: str) -> set[str]:
    names = _names(ast.parse(source))
    found = names & REACHING
    return found | {
        name for name in names if name.startswith("portal.registries") and name.endswith((".sql", ".connector"))
    }


@pytest.mark.parametrize("path", _sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_but_the_gate_reaches_a_registry(path: Path) -> None:
    assert _reaches(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "source",
    [
        "from portal.registries.sql import SqlConnector",
        "import portal.registries.connector",
        "def view(app): return app.connectors['population'].fetch(1, 2)",
        "getattr(house.gate, 'x'); connectors = 1",
    ],
)
def test_the_search_would_find_another_door(source: str) -> None:
    assert _reaches(source)


def test_only_the_gate_calls_what_only_a_connector_has() -> None:
    callers = set()
    for path in sorted((ROOT / "portal").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fetch":
                callers.add(path.relative_to(ROOT).as_posix())
    assert callers == {"portal/services/disclosure.py"}
