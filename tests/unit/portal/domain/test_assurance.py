"""Levels of assurance are compared by their order, and read strictly."""

from __future__ import annotations

import pytest

from portal.domain.assurance import Assurance
from portal.domain.permissions import ASSURANCE_NEEDED, Permission

LOW, SUBSTANTIAL, HIGH = Assurance.LOW, Assurance.SUBSTANTIAL, Assurance.HIGH


@pytest.mark.parametrize(
    ("reached", "needed", "enough"),
    [
        (HIGH, HIGH, True),
        (HIGH, SUBSTANTIAL, True),
        (HIGH, LOW, True),
        (SUBSTANTIAL, HIGH, False),
        (SUBSTANTIAL, SUBSTANTIAL, True),
        (LOW, SUBSTANTIAL, False),
        (LOW, LOW, True),
    ],
)
def test_a_level_reaches_itself_and_what_is_below(reached: Assurance, needed: Assurance, enough: bool) -> None:
    assert reached.reaches(needed) is enough


@pytest.mark.parametrize(
    ("acr", "level"),
    [
        ("high", HIGH),
        ("substantial", SUBSTANTIAL),
        ("low", LOW),
        ("http://eidas.europa.eu/LoA/high", HIGH),
        ("http://eidas.europa.eu/LoA/substantial", SUBSTANTIAL),
    ],
)
def test_a_level_is_read_as_tara_and_eidas_write_it(acr: str, level: Assurance) -> None:
    assert Assurance.of_acr(acr) is level


@pytest.mark.parametrize("acr", [None, "", "HIGH", " high", "0", 3, True, ["high"], {"high": 1}, "highest", "urn:high"])
def test_anything_else_states_no_level(acr: object) -> None:
    assert Assurance.of_acr(acr) is None


def test_every_permission_says_which_level_it_needs_and_none_is_content_with_low() -> None:
    assert set(ASSURANCE_NEEDED) == set(Permission)
    assert all(level.reaches(SUBSTANTIAL) for level in ASSURANCE_NEEDED.values())
