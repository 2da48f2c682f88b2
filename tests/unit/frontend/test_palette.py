"""The contrast of our colours, computed (WCAG 2.2, 1.4.3 and 1.4.11): axe leaves some of it open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PALETTE = Path(__file__).parents[3] / "frontend" / "styles" / "_palette.scss"
TEXT = 4.5
GRAPHIC = 3.0

TEXT_PAIRS = [
    ("text", "paper"),
    ("text", "mist"),
    ("text", "success-tint"),
    ("text", "error-tint"),
    ("text", "amber-tint"),
    ("text-quiet", "paper"),
    ("text-quiet", "mist"),
    ("teal", "paper"),
    ("teal", "mist"),
    ("teal", "success-tint"),
    ("teal", "error-tint"),
    ("teal", "amber-tint"),
    ("teal-dark", "paper"),
    ("teal-dark", "mist"),
    ("paper", "teal"),
    ("paper", "teal-dark"),
    ("paper", "ink"),
    ("visited", "paper"),
    ("visited", "mist"),
    ("ink-deep", "focus"),
    ("ink-deep", "teal-tint"),
    ("ink-deep", "paper"),
    ("error", "paper"),
    ("error", "error-tint"),
    ("success", "success-tint"),
    ("amber-text", "amber-tint"),
    ("violet-text", "violet-tint"),
    ("slate-text", "slate-tint"),
]
GRAPHIC_PAIRS = [
    ("input-line", "paper"),
    ("teal", "paper"),
    ("error", "paper"),
    ("success", "paper"),
    ("focus", "ink"),
    ("ink-deep", "paper"),
]


def palette() -> dict[str, str]:
    return dict(re.findall(r"^\$([a-z-]+): (#[0-9a-f]{6});", PALETTE.read_text(), re.MULTILINE))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2, glossary)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_arithmetic_agrees_with_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(("letters", "ground"), TEXT_PAIRS)
def test_letters_can_be_read_on_their_ground(letters: str, ground: str) -> None:
    colours = palette()
    assert contrast(colours[letters], colours[ground]) >= TEXT


@pytest.mark.parametrize(("line", "ground"), GRAPHIC_PAIRS)
def test_lines_that_carry_meaning_can_be_seen(line: str, ground: str) -> None:
    colours = palette()
    assert contrast(colours[line], colours[ground]) >= GRAPHIC


def test_every_colour_of_the_style_sheets_stands_in_the_palette() -> None:
    """A colour written elsewhere would escape this arithmetic."""
    strays = {
        f"{path.name}: {colour}"
        for path in PALETTE.parent.glob("*.scss")
        if path != PALETTE
        for colour in re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text())
    }
    assert strays == set()
