"""A run of some of the benchmarks leaves what earlier runs found of the others as it was, with its date."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.figures import Ratio, Report


def _run(folder: Path, machine: str, monkeypatch: pytest.MonkeyPatch, **parts: str) -> None:
    monkeypatch.setattr("benchmarks.figures.machine", lambda: machine)
    report = Report("A log and its peers")
    for part, figure in parts.items():
        report.part = part
        report.add(f"About {part}", {"log": figure}, [Ratio(f"{part} over its peer", 0.5, at_least=1.0)])
    report.write("log", folder)


def test_a_part_that_is_not_measured_keeps_its_figures_and_its_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(tmp_path, "an old machine", monkeypatch, appends="10/s", reading="20/s")
    _run(tmp_path, "a new machine", monkeypatch, reading="30/s")
    parts = json.loads((tmp_path / "log.json").read_text())["parts"]
    assert {name: part["machine"] for name, part in parts.items()} == {
        "appends": "an old machine",
        "reading": "a new machine",
    }
    page = (tmp_path / "log.md").read_text()
    old, _, new = page.partition("a new machine")
    assert "an old machine" in old
    assert "- log: 10/s" in old
    assert "| appends over its peer | 0.50 | at least 1 | MISSED |" in old
    assert "- log: 30/s" in new
    assert "20/s" not in page


def test_a_part_that_is_measured_again_loses_the_headings_that_it_has_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for heading in ("Proofs at 10,000", "Proofs at 20,000"):
        report = Report("A log and its peers", part="reading")
        report.add(heading, {"log": "1 s"}, [])
        report.write("log", tmp_path)
    assert "10,000" not in (tmp_path / "log.md").read_text()


def test_what_was_missed_is_said_of_what_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(tmp_path, "a machine", monkeypatch, appends="10/s")
    capsys.readouterr()
    _run(tmp_path, "a machine", monkeypatch, reading="20/s")
    said = capsys.readouterr().out
    assert "Targets missed: reading over its peer" in said
    assert "appends" not in said
