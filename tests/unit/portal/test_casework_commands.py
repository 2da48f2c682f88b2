"""Commands for casework: why a field opens, and cases out of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from portal import cli
from tests.factories.apps import FakePortal
from tests.factories.people import MARY

ASK = ["policy", "explain", "--role", "caseworker", "--organisation", "social-insurance-board"]
HEADER = "reference,kind,purpose,organisation,team,opened,closed,subjects,officials\n"


@pytest.mark.parametrize(
    ("more", "code", "said"),
    [
        (["--field", "population/address"], 0, ["OPENS", "within-an-assigned-case", "10-purposes.cedar:3"]),
        (["--field", "population/citizenship"], 1, ["STAYS CLOSED", "No rule permits it", "does not list this field"]),
        (["--field", "population/address", "--relation", "own"], 1, ["forbidden by own-record"]),
        (["--field", "population/address", "--case", "none"], 1, ["obligation: needs-case"]),
        (["--field", "population/address", "--restricted"], 1, ["GDPR Article 18(2)"]),
        (["--field", "address"], 2, ["write it as registry/field"]),
    ],
)
def test_the_policy_explains_itself_in_plain_words(more: list[str], code: int, said: list[str]) -> None:
    answer = CliRunner().invoke(cli.main, [*ASK, "--purpose", "benefit-claim", *more])
    assert answer.exit_code == code
    assert all(words in answer.output for words in said), answer.output


def test_a_purpose_that_is_not_there_is_named() -> None:
    answer = CliRunner().invoke(cli.main, [*ASK, "--purpose", "curiosity", "--field", "population/address"])
    assert answer.exit_code == 2
    assert "there is no purpose curiosity" in answer.output


def test_a_file_of_cases_is_taken_over_row_by_row_and_again_without_change(
    portal: FakePortal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLASSHOUSE_DATA_DIR", str(portal.settings.data_dir))
    file = tmp_path / "cases.csv"
    case = "SKA-1,Benefit,benefit-claim,social-insurance-board,,2026-03-02"
    good = f"{case},,{MARY.reveal()},{portal.accounts['caseworker']}\n"
    file.write_text(HEADER + good + good.replace("SKA-1", "SKA-2").replace(MARY.reveal(), "38001085719"))
    first = CliRunner().invoke(cli.main, ["cases", "import", str(file)])
    assert first.exit_code == 1
    assert f"{file}:2: SKA-1: created" in first.output
    assert f"{file}:3: SKA-2: refused: no valid personal code: person 1" in first.output
    assert "38001085719" not in first.output
    again = CliRunner().invoke(cli.main, ["cases", "import", str(file)])
    assert f"{file}:2: SKA-1: unchanged" in again.output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it holds no cases"),
        (b"\xff\xfe", "not in UTF-8"),
        (b"reference\nx\n", "a column is missing in the header: kind"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_changes_nothing(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "cases.csv"
    file.write_bytes(content)
    answer = CliRunner().invoke(cli.main, ["cases", "import", str(file)])
    assert answer.exit_code == 1
    assert said in answer.output
