"""Figures of one run: medians of interleaved rounds, ratios against peers, and whether a target holds."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import sqlalchemy

RESULTS = Path(__file__).with_name("results")


def interleaved(rounds: int, works: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median of what each work gave. The rounds alternate, so that a busy machine is busy for all of them."""
    seen: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            seen[name].append(work())
    return {name: statistics.median(values) for name, values in seen.items()}


@dataclass(frozen=True, slots=True)
class Ratio:
    """One ratio and, where the issue asks for it, the bound it has to keep: at least, or at most."""

    what: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def line(self) -> str:
        bound = f"at least {self.at_least:g}" if self.at_least is not None else ""
        bound = f"at most {self.at_most:g}" if self.at_most is not None else bound
        verdict = ("holds" if self.holds else "MISSED") if bound else ""
        return f"| {self.what} | {self.value:.2f} | {bound} | {verdict} |"


_GIVEN = ("what", "value", "at_least", "at_most")


class Section(TypedDict):
    """One heading of a report."""

    heading: str
    figures: dict[str, str]
    ratios: list[Ratio]


@dataclass(slots=True)
class Report:
    """What one run found, part by part. `add` prints as well, for whoever watches."""

    title: str
    #: What is measured now; a run may be of some parts only.
    part: str = ""
    sections: dict[str, list[Section]] = field(default_factory=dict)

    def add(self, heading: str, figures: dict[str, str], ratios: list[Ratio]) -> None:
        self.sections.setdefault(self.part, []).append({"heading": heading, "figures": figures, "ratios": ratios})
        print("\n".join(_section(heading, figures, ratios)), flush=True)

    def write(self, name: str, folder: Path = RESULTS) -> None:
        """Write `<name>.json` and `.md`, and say which targets were missed.

        Parts that were not measured now stay as an earlier run left them, under that run's date and machine.
        """
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.json"
        parts: dict[str, Any] = json.loads(file.read_text()).get("parts", {}) if file.exists() else {}
        now = {"at": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", "machine": machine()}
        for part, sections in self.sections.items():
            parts[part] = now | {
                "sections": [
                    section | {"ratios": [asdict(ratio) | {"holds": ratio.holds} for ratio in section["ratios"]]}
                    for section in sections
                ]
            }
        file.write_text(json.dumps({"parts": parts}, indent=2) + "\n")
        (folder / f"{name}.md").write_text(_page(self.title, parts))
        measured = [ratio for sections in self.sections.values() for section in sections for ratio in section["ratios"]]
        missed = [ratio.what for ratio in measured if not ratio.holds]
        print(f"\nTargets missed: {'; '.join(missed)}" if missed else "\nEvery target holds.")


def _page(title: str, parts: Mapping[str, Any]) -> str:
    lines = [f"# {title}", ""]
    taken = ""
    for part in parts.values():
        if taken != (taken := f"{part['at']}, on {part['machine']}."):
            lines += [taken, ""]
        for section in part["sections"]:
            ratios = [Ratio(**{name: ratio[name] for name in _GIVEN}) for ratio in section["ratios"]]
            lines += _section(section["heading"], section["figures"], ratios)
    return "\n".join(lines).rstrip() + "\n"


def _section(heading: str, figures: dict[str, str], ratios: list[Ratio]) -> list[str]:
    lines = [f"## {heading}", "", *(f"- {what}: {value}" for what, value in figures.items()), ""]
    if ratios:
        lines += ["| Ratio | Value | Target | |", "|---|---|---|---|", *(ratio.line() for ratio in ratios), ""]
    return lines


def machine() -> str:
    """What the figures were taken on, without naming it."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), load {load:.1f} at the end,"
        f" Python {platform.python_version()},"
        f" SQLite {sqlite3.sqlite_version}, SQLAlchemy {sqlalchemy.__version__}"
    )


def per_second(rate: float) -> str:
    return f"{rate:,.0f}/s"


def micro(seconds: float) -> str:
    return f"{seconds * 1e6:,.0f} µs"
