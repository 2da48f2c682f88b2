"""Real witness processes against a log that forks, rolls back, or is shown to two people in two versions."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from audit.checkpoint import open_checkpoint, sign_checkpoint
from audit.cosigning import WITNESS_REFUSAL
from audit.errors import VerificationFailed
from audit.keys import load_signer
from audit.log import AuditLog, TrailQuery, open_log, recover_log
from audit.verify import verify_receipt
from audit.witness import Submission
from audit.witness_client import WitnessState, ask_witness
from tests.databases import environment
from tests.factories.logs import ORIGIN, LogHome, TickingClock, an_access
from tests.factories.witnesses import ROOT, RunningWitness, running_witness

pytestmark = pytest.mark.fault


def _opened(home: LogHome, witness: RunningWitness) -> AuditLog:
    return open_log(replace(home.settings, witnesses=(witness.address,)), clock=TickingClock())


def _appended(home: LogHome, entries: int, case: str = "C-1") -> None:
    log = home.open()
    log.append_all([an_access(case=case) for _ in range(entries)])
    log.close()


def _copied(home: LogHome, folder: Path) -> LogHome:
    """The same log, keys and all, in another place: what a forger inside the house has."""
    folder.mkdir()
    assert home.settings.checkpoint_file is not None
    shutil.copy(home.database_file, folder / "fork.db")
    shutil.copy(home.settings.checkpoint_file, folder / "log.checkpoint")
    settings = replace(
        home.settings, database_url=f"sqlite:///{folder / 'fork.db'}", checkpoint_file=folder / "log.checkpoint"
    )
    return replace(home, settings=settings)


@pytest.fixture
def home(tmp_path: Path, sqlite_url: str) -> LogHome:
    return LogHome.make(tmp_path, sqlite_url)


def test_a_database_restored_and_appended_to_is_refused_and_the_refusal_alarms(home: LogHome, tmp_path: Path) -> None:
    """Restored from a backup with its remembered checkpoint, so that the log's own guard sees nothing."""
    _appended(home, 5)
    back = _copied(home, tmp_path / "backup")
    _appended(home, 3)
    with running_witness(tmp_path, [home.verifier.vkey]) as witness:
        log = _opened(home, witness)
        assert [report.state for report in log.ask_witnesses()] == [WitnessState.COSIGNED]
        log.close()
        restored = _opened(back, witness)
        for entries, problem in ((0, "rollback"), (1, "rollback"), (2, "fork"), (4, "fork")):
            restored.append_all([an_access(case="after the restore") for _ in range(entries)])
            [report] = restored.ask_witnesses(patient=False)
            assert report.state is WitnessState.REFUSED
            assert problem in report.problem, (entries, report)
        refusals = restored.read(TrailQuery(actions=frozenset({WITNESS_REFUSAL}))).items
        assert len(refusals) == 1
        restored.close()


def test_after_a_recovery_the_witness_still_knows_what_was_lost(home: LogHome, tmp_path: Path) -> None:
    _appended(home, 5)
    back = _copied(home, tmp_path / "backup")
    _appended(home, 3)
    with running_witness(tmp_path, [home.verifier.vkey]) as witness:
        log = _opened(home, witness)
        log.ask_witnesses()
        log.close()
        settings = replace(back.settings, checkpoint_file=home.settings.checkpoint_file)
        assert recover_log(settings, clock=TickingClock()) is not None
        recovered = open_log(replace(settings, witnesses=(witness.address,)), clock=TickingClock())
        [report] = recovered.ask_witnesses()
        recovered.close()
    assert report.state is WitnessState.REFUSED
    # The way on that docs/keys.md tells: the witness's operator sees the recovery entry, keeps the old checkpoint as
    # evidence, and lets the witness begin anew with this log.
    [kept] = (tmp_path / "witness.example").glob("*.checkpoint")
    kept.rename(tmp_path / "evidence")
    with running_witness(tmp_path, [home.verifier.vkey]) as witness:
        recovered = open_log(replace(settings, witnesses=(witness.address,)), clock=TickingClock())
        assert [one.state for one in recovered.ask_witnesses()] == [WitnessState.COSIGNED]
        recovered.close()


def test_a_fork_shown_to_two_auditors_is_found(home: LogHome, tmp_path: Path) -> None:
    """Each auditor gets a history that verifies in itself. Only one of the two can carry the witness's cosignature."""
    _appended(home, 5)
    fork = _copied(home, tmp_path / "fork")
    _appended(home, 3, "shown to the first auditor")
    _appended(fork, 3, "shown to the second auditor")
    assert home.verify().ok
    assert fork.verify().ok
    with running_witness(tmp_path, [home.verifier.vkey]) as witness:
        first, second = _opened(home, witness), _opened(fork, witness)
        assert [report.state for report in first.ask_witnesses()] == [WitnessState.COSIGNED]
        assert [report.state for report in second.ask_witnesses()] == [WitnessState.REFUSED]
        keys = [home.verifier, witness.address.verifier]
        assert verify_receipt(first.receipt(6).text, keys).witnesses == ("witness.example",)
        assert verify_receipt(second.receipt(6).text, keys).witnesses == ()
        (tmp_path / "receipt.txt").write_text(second.receipt(6).text)
        checkpoints = [first.checkpoint(), second.checkpoint()]
        first.close()
        second.close()
        done = _run(
            "check-receipt", tmp_path / "receipt.txt", "--vkey", home.verifier.vkey,
            "--witness-vkey", witness.vkey, "--require-witnesses", 1, "--json",
        )  # fmt: skip
    assert done.returncode == 1
    assert "you require 1" in json.loads(done.stdout)["problem"]
    # Without a witness the two find it as soon as they compare: one log never holds both checkpoints.
    for log, other in ((home, checkpoints[1]), (fork, checkpoints[0])):
        (tmp_path / "other").write_text(other.text)
        told = _run("verify", "--against", tmp_path / "other", "--json", home=log)
        answer = json.loads(told.stdout)
        assert (told.returncode, answer["result"]) == (1, "broken")


def test_a_witness_killed_at_any_moment_cosigns_no_second_history(home: LogHome, tmp_path: Path) -> None:
    _appended(home, 1)
    signer = load_signer(home.settings.signing_key)
    last = 0
    for size in range(1, 4):
        with running_witness(tmp_path, [home.verifier.vkey]) as witness:
            log = _opened(home, witness)
            note = log.checkpoint().text
            answer = ask_witness(witness.address, note, size, last, log._cosigning._proof)
            log.close()
            witness.process.send_signal(signal.SIGKILL)
            witness.process.wait(10)
        assert answer.state is WitnessState.COSIGNED
        last = size
        with running_witness(tmp_path, [home.verifier.vkey]) as witness:
            checkpoint = open_checkpoint(note, ORIGIN, [home.verifier]).checkpoint
            forged = sign_checkpoint(replace(checkpoint, root=bytes(32)), [signer]).text
            assert witness.submit(Submission(size, (), forged).encode()).status == 409
            assert witness.submit(Submission(0, (), forged).encode()).body == f"{size}\n".encode()
        _appended(home, 1)


def test_the_commands_make_a_witness_and_ask_it(home: LogHome, tmp_path: Path) -> None:
    _appended(home, 3)
    told = _run("keygen", "--witness", "cli.example", tmp_path / "cli.example.key", "--json")
    vkey = json.loads(told.stdout)["vkey"]
    with running_witness(tmp_path, [home.verifier.vkey], "cli.example") as witness:
        assert witness.vkey == vkey
        given = ("--witness", f"{witness.url} {vkey}")
        told = _run("cosign", *given, "--json", home=home)
        answer = json.loads(told.stdout)
        assert (told.returncode, answer["result"]) == (0, "done"), answer
        assert [(one["name"], one["state"], one["size"]) for one in answer["witnesses"]] == [
            ("cli.example", "cosigned", 3)
        ]
        assert "cli.example" in answer["checkpoint"]
        (tmp_path / "receipt.txt").write_text(_run("proof", 1, *given, home=home).stdout)
        told = _run(
            "check-receipt", tmp_path / "receipt.txt", "--witness-vkey", vkey, "--require-witnesses", 1, home=home
        )
        assert told.returncode == 0, told.stderr
        assert "The witness cli.example has seen that tree" in told.stdout
        _run("export", tmp_path / "public", *given, home=home)
        assert "cli.example" in (tmp_path / "public" / "checkpoint").read_text()
        witness.process.terminate()
        assert witness.process.wait(10) == 0
        assert witness.process.stdout is not None
        assert json.loads(witness.process.stdout.readline())["result"] == "stopped"
    _appended(home, 1)
    told = _run("cosign", *given, home=home)
    assert (told.returncode, "unavailable" in told.stdout) == (2, True)
    assert _run("cosign", home=home).returncode == 2


def test_no_receipt_is_believed_that_a_known_witness_did_not_really_cosign(home: LogHome, tmp_path: Path) -> None:
    _appended(home, 3)
    with running_witness(tmp_path, [home.verifier.vkey]) as witness:
        log = _opened(home, witness)
        log.ask_witnesses()
        line = log.public.checkpoint().splitlines(keepends=True)[-1]
        log.append(an_access())
        receipt = log.receipt(3).text
        log.close()
    with pytest.raises(VerificationFailed, match=r"witness\.example"):
        verify_receipt(receipt + line, [home.verifier, witness.address.verifier])


def _run(*arguments: object, home: LogHome | None = None) -> subprocess.CompletedProcess[str]:
    variables = {}
    if home is not None:
        keys = Path(home.settings.signing_key).parent
        variables = {
            "GLASSHOUSE_LOG_DATABASE_URL": home.settings.database_url,
            "GLASSHOUSE_LOG_CHECKPOINT_FILE": str(home.settings.checkpoint_file),
            "GLASSHOUSE_LOG_MASTER_KEY_FILE": str(keys / "master_key.txt"),
            "GLASSHOUSE_LOG_SIGNING_KEY": str(keys / "log.key"),
            "GLASSHOUSE_LOG_VKEY": str(keys / "log.vkey"),
        }
    return subprocess.run(
        [sys.executable, "-m", "audit", *map(str, arguments)],
        cwd=ROOT, env=environment(**variables), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
