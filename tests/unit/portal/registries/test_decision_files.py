"""The rules by which organisations decide: each mistake in decisions.toml is named, and a start is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from portal.registries.catalogue import CatalogueError
from portal.registries.decision_files import FILE, load_decision_rules
from tests.factories.houses import shipped_catalogue

SHIPPED = Path(__file__).parents[4] / "config" / FILE


def _load(folder: Path, old: str = "", new: str = "") -> list[str]:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (folder / FILE).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    with pytest.raises(CatalogueError) as mistakes:
        load_decision_rules(folder, shipped_catalogue())
    return str(mistakes.value).splitlines()


def test_the_shipped_rules_are_read(tmp_path: Path) -> None:
    shutil.copy(SHIPPED, tmp_path)
    rules = load_decision_rules(tmp_path, shipped_catalogue())
    rule = rules.rules["undeclared-partner"]
    assert (rules.notice_days, rule.organisation, rule.registry) == (14, "tax-board", "tax-benefits")
    assert "tax-benefits/partner-link" in rule.data


def test_without_the_file_nobody_can_announce_anything(tmp_path: Path) -> None:
    assert load_decision_rules(tmp_path, shipped_catalogue()).rules == {}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("notice_days = 14", "notice_days = 0", "notice_days"),
        ('registry = "tax-benefits"', 'registry = "population"', "is no registry of this organisation"),
        ("tax-benefits/partner-name", "tax-benefits/no-such", 'write "registry/field"'),
        ("[rule.appeal]", "[rule.appeals]", "appeal"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert any(said in line for line in _load(tmp_path, old, new))


def test_two_rules_with_one_code_are_a_mistake(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    rule = text[text.index("[[rule]]") :]
    (tmp_path / FILE).write_text(text + "\n" + rule, encoding="utf-8")
    with pytest.raises(CatalogueError, match="two rules have this code"):
        load_decision_rules(tmp_path, shipped_catalogue())
