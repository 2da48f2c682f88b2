"""The command line's verdict on each file that the page in the browser is shown too (tests/functional/test_verify)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audit.__main__ import main
from tests.factories.proofs import Case, Proofs

STATUS = {"true": 0, "false": 1, "unreadable": 2}


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Proofs:
    return Proofs.make(tmp_path_factory.mktemp("proofs"))


def _arguments(case: Case, file: Path, proofs: Proofs) -> list[str]:
    file.write_bytes(case.content)
    arguments = [case.command, str(file), "--vkey", proofs.log_signer.vkey]
    return [*arguments, "--export-vkey", proofs.export_signer.vkey] if case.command == "check-export" else arguments


def test_every_file_gets_the_verdict_that_the_page_gives_it(
    tmp_path: Path, proofs: Proofs, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = proofs.cases()
    assert len({case.name for case in cases}) == len(cases)
    assert len(cases) > 70
    for case in cases:
        arguments = _arguments(case, tmp_path / "file", proofs)
        status = main(arguments)
        told = capsys.readouterr()
        assert status == STATUS[case.verdict], (case.name, told)
        said, silent = (told.out, told.err) if status == 0 else (told.err, told.out)
        assert said.startswith(case.says), (case.name, told)
        assert silent == "", case.name
        assert main([*arguments, "--json"]) == status
        assert json.loads(capsys.readouterr().out)["result"] == case.verdict, case.name


def test_with_another_key_nothing_is_true(tmp_path: Path, proofs: Proofs, capsys: pytest.CaptureFixture[str]) -> None:
    for case in proofs.cases():
        if case.verdict == "true":
            arguments = _arguments(case, tmp_path / "file", proofs)
            arguments[3] = proofs.stranger.vkey
            assert main(arguments) == 1, case.name
            assert capsys.readouterr().err.startswith("FALSE"), case.name


def test_after_a_change_of_keys_each_is_believed_as_long_as_it_served(
    tmp_path: Path, proofs: Proofs, capsys: pytest.CaptureFixture[str]
) -> None:
    for keys, case in proofs.rotated():
        (tmp_path / "log.vkey").write_text(keys)
        arguments = _arguments(case, tmp_path / "file", proofs)
        arguments[3] = str(tmp_path / "log.vkey")
        assert main(arguments) == STATUS[case.verdict], case.name
        told = capsys.readouterr()
        assert (told.out or told.err).startswith(case.says), (case.name, told)
