"""The rules of access are read strictly: a mistake is named with its file and line, and nothing starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from portal.registries.catalogue import CatalogueError, load_catalogue

CASES = "policy/20-cases.cedar"


def _mistakes(directory: Path) -> list[str]:
    with pytest.raises(CatalogueError) as refused:
        load_catalogue(directory)
    return refused.value.mistakes


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('context.case == "closed"', 'context.case = "closed"', 9, "not a valid operator"),
        ('context.case == "closed"', 'context.cases == "closed"', 9, "cases"),
        ('context.case == "closed"', "context.case == 1", 9, "types"),
        ('@reason("case-closed")', '@reason("because")', 9, "@reason is none of"),
        ('@reason("case-closed")\n', "", 9, "either the @reason or the @obligation"),
        ('@says("The case is closed: what it permitted ended with it.")\n', "", 9, "@says is missing"),
        ('@id("case-closed")', '@id("Case Closed")', 9, "a name is a lowercase letter"),
        ('@id("case-closed")', '@id("case-needed")', 9, "another rule has this name"),
        ('@reason("case-closed")', '@reason("case-closed")\n@since("2026")', 9, "no annotation @since"),
        ('@obligation("needs-case")', '@obligation("needs-luck")', 3, "@obligation is none of"),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_its_file_and_line(
    spoil: Callable[[str, str, str], int], shipped_copy: Path, old: str, new: str, line: int, what: str
) -> None:
    spoil(CASES, old, new)
    named = [mistake for mistake in _mistakes(shipped_copy) if what in mistake]
    assert named
    assert named[0].startswith(f"{shipped_copy}/{CASES}:{line}: ")


def test_a_schema_that_cannot_be_read_is_named(spoil: Callable[[str, str, str], int], shipped_copy: Path) -> None:
    spoil("policy/schema.cedarschema", "entity Party {", "entity Party ")
    assert any("schema.cedarschema:1: schema:" in mistake for mistake in _mistakes(shipped_copy))


def test_without_a_permitting_rule_nothing_starts(shipped_copy: Path) -> None:
    (shipped_copy / "policy/10-purposes.cedar").unlink()
    assert any("no rule permits anything" in mistake for mistake in _mistakes(shipped_copy))


def test_a_rule_without_a_name_is_not_overlooked(shipped_copy: Path) -> None:
    (shipped_copy / "policy/99-more.cedar").write_text("permit (principal, action, resource);\n")
    assert any("99-more.cedar:1: rule: a rule begins a line" in mistake for mistake in _mistakes(shipped_copy))
    (shipped_copy / "policy/99-more.cedar").write_text(
        '@id("one")\n@says("x")\n@reason("role-not-permitted")\nforbid (principal, action, resource);\n'
        "permit (principal, action, resource);\n"
    )
    assert any("99-more.cedar:1: rule: one rule has one @id" in mistake for mistake in _mistakes(shipped_copy))


def test_a_lawful_basis_names_its_article(spoil: Callable[[str, str, str], int], shipped_copy: Path) -> None:
    spoil("purposes.toml", "GDPR Article 6(1)(e); Family Benefits Act, § 22", "It is necessary")
    assert any("names no article of the law" in mistake for mistake in _mistakes(shipped_copy))


def test_whoever_may_open_records_may_have_closeness_checked_and_is_supervised() -> None:
    catalogue = load_catalogue(Path(__file__).parents[4] / "config")
    working = {
        organisation
        for purpose in catalogue.purposes.values()
        if "caseworker" in purpose.roles
        for organisation in purpose.organisations
    }
    assert working <= catalogue.purposes["conflict-check"].organisations
    assert working <= catalogue.purposes["supervision"].organisations
    assert all(catalogue.organisations[organisation].daily_accesses for organisation in working)
