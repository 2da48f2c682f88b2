"""When a key is gone: what still holds, what is lost, and the way on that docs/keys.md describes."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from audit.__main__ import main
from audit.checkpoint import open_checkpoint
from audit.keys import MasterKey, generate_signing_key, load_signer
from audit.log import open_log
from audit.verify import verify_receipt
from tests.factories.logs import ORIGIN, LogHome, TickingClock, an_access

LINE = {"action": "log-begins", "outcome": "done", "source": "operator", "occurred_at": "2026-03-02T12:00:00+00:00"}


@pytest.fixture
def home(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> LogHome:
    home = LogHome.make(tmp_path, database_url)
    log = home.open()
    log.append_all([an_access() for _ in range(4)])
    (tmp_path / "receipt.txt").write_text(log.receipt(2).text)
    log.close()
    keys = Path(home.settings.signing_key).parent
    for name, value in {
        "DATABASE_URL": database_url,
        "CHECKPOINT_FILE": str(home.settings.checkpoint_file),
        "MASTER_KEY_FILE": str(keys / "master_key.txt"),
        "SIGNING_KEY": str(keys / "log.key"),
        "VKEY": str(keys / "log.vkey"),
    }.items():
        monkeypatch.setenv(f"GLASSHOUSE_LOG_{name}", value)
    return home


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: object, stdin: object = None) -> int:
    lines = b"" if stdin is None else json.dumps(stdin).encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines)))
    return main([str(argument) for argument in arguments])


def test_a_lost_master_key_takes_the_contents_and_no_proof(
    home: LogHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys" / "master_key.txt").unlink()
    assert _run(monkeypatch, "append", stdin=LINE) == 2, "nothing is appended that nobody could read"
    assert "no master key" in capsys.readouterr().err
    assert _run(monkeypatch, "verify") == 0
    told = capsys.readouterr().out
    assert "4 entries, 0 opened" in told
    assert "the sealed bodies were not opened" in told
    assert _run(monkeypatch, "check-receipt", tmp_path / "receipt.txt") == 0
    assert _run(monkeypatch, "export", tmp_path / "public") == 0
    assert _run(monkeypatch, "fsck", tmp_path / "public") == 0
    # Another key in its place is not taken for it.
    (tmp_path / "keys" / "master_key.txt").write_text(MasterKey.generate().to_text())
    assert _run(monkeypatch, "append", stdin=LINE) == 2


def test_after_the_loss_of_the_master_key_a_new_log_begins_with_the_old_ones_last_checkpoint(
    home: LogHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _run(monkeypatch, "export", tmp_path / "public") == 0
    last = open_checkpoint((tmp_path / "public" / "checkpoint").read_text(), ORIGIN, [home.verifier]).checkpoint
    generate_signing_key(tmp_path / "keys" / "second.key", "second.example/log")
    (tmp_path / "keys" / "second_master.txt").write_text(MasterKey.generate().to_text())
    for name, value in {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'second.db'}",
        "CHECKPOINT_FILE": str(tmp_path / "second.checkpoint"),
        "MASTER_KEY_FILE": str(tmp_path / "keys" / "second_master.txt"),
        "SIGNING_KEY": str(tmp_path / "keys" / "second.key"),
        "VKEY": str(tmp_path / "keys" / "second.vkey"),
    }.items():
        monkeypatch.setenv(f"GLASSHOUSE_LOG_{name}", value)
    details = {"follows": ORIGIN, "size": last.size, "root": last.root.hex()}
    assert _run(monkeypatch, "append", "--create", stdin=LINE | {"details": details}) == 0
    assert _run(monkeypatch, "verify") == 0
    assert _run(monkeypatch, "proof", 0) == 0


def test_a_lost_signing_key_stops_the_log_until_its_loss_is_declared(
    home: LogHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The procedure as it stands in the document, command by command."""
    keys = tmp_path / "keys"
    (keys / "log.key").unlink()
    assert _run(monkeypatch, "append", stdin=LINE) == 2
    assert _run(monkeypatch, "verify") == 0
    generate_signing_key(keys / "new.key", ORIGIN)
    lost = ["rotate-signing-key", "lost", "--lost-vkey", keys / "log.vkey", "--signing-key", keys / "new.key"]
    assert _run(monkeypatch, *lost) == 1, "first it says what it would do"
    assert _run(monkeypatch, *lost, "--yes") == 0
    monkeypatch.setenv("GLASSHOUSE_LOG_SIGNING_KEY", str(keys / "new.key"))
    assert _run(monkeypatch, "append", stdin=LINE) == 0
    assert _run(monkeypatch, "verify") == 0
    assert _run(monkeypatch, "check-receipt", tmp_path / "receipt.txt") == 0, "what was proved before stays proved"
    new = load_signer(keys / "new.key").verifier()
    log = open_log(replace(home.settings, signing_key=keys / "new.key"), clock=TickingClock())
    assert verify_receipt(log.receipt(2).text, [new]).index == 2
    log.close()
