"""`--json`: every command answers programs in one line, of one shape, with the exit status that people get."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from audit import attesting, custody, judging
from audit.__main__ import _COMMANDS as KEEPING
from audit.__main__ import main
from audit.keys import MasterKey, generate_signing_key
from tests.factories.logs import ORIGIN, LogHome, an_access

COMMON = {"command", "status", "result", "problem", "error", "notes"}
LINE = {"action": "read", "outcome": "released", "source": "portal", "occurred_at": "2026-03-02T12:00:00+00:00"}
#: The facts of each command. A name here is public: programs of other people read it.
FACTS: dict[str, set[str]] = {
    "keygen": {"vkey", "file"},
    "append": {"appended"},
    "proof": {"entry", "receipt"},
    "export": {"entries", "folder"},
    "recover": set(),
    "verify": {"origin", "entries", "opened", "erased", "root", "first_broken"},
    "fsck": {"origin", "entries", "opened", "erased", "root", "first_broken"},
    "check-receipt": {"origin", "entry", "tree_size", "logged_at", "witnesses", "says", "label_count"},
    "check-export": {"origin", "file", "entries", "made_at", "tree_size"},
    "witness": {"url", "vkey", "origins"},
    "cosign": {"witnesses", "checkpoint"},
    "erase": {"erased", "tombstone"},
    "grants": {"statements"},
    "scrub": set(),
    "rotate-master-key": {"rewrapped", "entry"},
    "rotate-signing-key": {"entry", "vkeys"},
    "follow-keys": {"vkeys"},
}

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def home(tmp_path: Path, sqlite_url: str) -> LogHome:
    home = LogHome.make(tmp_path, sqlite_url)
    log = home.open()
    log.append_all([an_access(case=f"C-{number}") for number in range(5)])
    log.close()
    return home


@pytest.fixture
def ask(home: LogHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    keys = home.settings.signing_key.parent  # type: ignore[union-attr]
    for name, value in {
        "DATABASE_URL": home.settings.database_url,
        "CHECKPOINT_FILE": str(home.settings.checkpoint_file),
        "MASTER_KEY_FILE": str(keys / "master_key.txt"),
        "SIGNING_KEY": str(keys / "log.key"),
        "VKEY": str(keys / "log.vkey"),
    }.items():
        monkeypatch.setenv(f"GLASSHOUSE_LOG_{name}", value)

    def ask(*arguments: object, stdin: bytes = b"") -> tuple[int, dict[str, Any]]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        status = main([*map(str, arguments), "--json"])
        told = capsys.readouterr()
        assert told.err == ""
        *before, last = told.out.splitlines()
        assert all(json.loads(line).keys() == {"seq", "leaf_hash"} for line in before)
        answer = json.loads(last)
        assert list(answer)[: len(COMMON)] == ["command", "status", "result", "problem", "error", "notes"]
        assert (answer["command"], answer["status"]) == (arguments[0], status)
        return status, answer

    return ask


def _runs(home: LogHome, folder: Path) -> dict[str, Sequence[object]]:
    """A run of each command that ends well, in an order in which they can follow each other."""
    keys = home.settings.signing_key.parent  # type: ignore[union-attr]
    generate_signing_key(keys / "new.key", ORIGIN)
    (keys / "next_master.txt").write_text(MasterKey.generate().to_text())
    next_key = ["--next-signing-key", keys / "new.key"]
    turned = ["--master-key-file", keys / "next_master.txt"]
    return {
        "keygen": [ORIGIN, folder / "made.key"],
        "append": [],
        "proof": [0],
        "export": [folder / "public"],
        "recover": [],
        "verify": [],
        "fsck": [folder / "public"],
        "check-receipt": [folder / "receipt.txt"],
        "erase": [1, "--basis", "GDPR Article 17(1)(d)", "--yes"],
        "grants": ["glasshouse_app"],
        "scrub": [],
        "rotate-signing-key": ["begin", *next_key, "--yes"],
        "follow-keys": [keys / "log.change-7.receipt", "--vkey", folder / "pinned.vkey"],
        "rotate-master-key": [
            *turned, "--previous-master-key-file", keys / "master_key.txt", *next_key,
        ],
    }  # fmt: skip


def test_every_command_answers_in_one_line_of_the_documented_shape(home: LogHome, ask: Ask, tmp_path: Path) -> None:
    pinned = home.settings.signing_key.with_suffix(".vkey").read_text()  # type: ignore[union-attr]
    (tmp_path / "pinned.vkey").write_text(pinned)
    answers: dict[str, dict[str, Any]] = {}
    for command, arguments in _runs(home, tmp_path).items():
        if command == "check-receipt":
            (tmp_path / "receipt.txt").write_text(answers["proof"]["receipt"])
        status, answers[command] = ask(command, *arguments, stdin=json.dumps(LINE).encode())
        assert status == 0, answers[command]
        assert answers[command].keys() == COMMON | FACTS[command], command
    assert answers["verify"]["result"] == "sound"
    assert answers["verify"]["entries"] == 6
    assert answers["check-receipt"]["says"]["case"] == "C-0"
    assert answers["erase"]["tombstone"] == 6
    assert answers["recover"]["result"] == "nothing-to-do"


def test_no_command_was_forgotten() -> None:
    assert FACTS.keys() == (KEEPING | judging.COMMANDS | attesting.COMMANDS | custody.COMMANDS).keys()


def test_what_is_broken_false_unreadable_or_refused_keeps_the_shape(home: LogHome, ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"junk")
    _, receipt = ask("proof", 0)
    (tmp_path / "false.txt").write_text(receipt["receipt"].replace("C-0", "C-9"))
    for arguments, status, result, error in [
        (["check-receipt", tmp_path / "false.txt"], 1, "false", "VerificationFailed"),
        (["check-receipt", tmp_path / "junk"], 2, "unreadable", "MalformedReceipt"),
        (["check-receipt", tmp_path / "none"], 2, "failed", "FileNotFoundError"),
        (["proof", 99], 2, "failed", "EntryNotFound"),
        (["erase", 0, "--basis", "GDPR Article 17"], 1, "asked", None),
        (["erase", "--basis", "GDPR Article 17"], 2, "failed", "Usage"),
        (["verify", "--vkey", tmp_path / "none"], 2, "failed", "KeyRefused"),
        (["fsck", tmp_path], 1, "false", "VerificationFailed"),
    ]:
        got, answer = ask(*arguments)
        assert (got, answer["result"], answer["error"]) == (status, result, error)
        assert answer["problem"]
    (tmp_path / "public").mkdir()
    ask("export", tmp_path / "public")
    (tmp_path / "public/tile/entries/000.p/5").write_bytes(b"")
    status, answer = ask("fsck", tmp_path / "public")
    assert (status, answer["result"], answer["first_broken"]) == (1, "broken", 0)


def test_what_could_not_be_looked_at_is_noted(home: LogHome, ask: Ask, tmp_path: Path) -> None:
    _, answer = ask("verify", "--master-key-file", tmp_path / "none", "--checkpoint-file", "")
    assert answer["result"] == "sound"
    assert [note.split(";")[0] for note in answer["notes"]] == [
        "no remembered checkpoint",
        f"no master key at {tmp_path / 'none'}",
    ]


def test_on_a_terminal_the_progress_is_a_bar_and_elsewhere_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from audit.options import progress_of\nimport time\ntell = progress_of('entries')\ntime.sleep(1.1)\n"
        "tell(5, 10)\ntell(10, 10)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "  5 of 10 entries\n"
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", script], stderr=theirs):
        os.close(theirs)
        shown = b""
        while (more := _read(ours)) != b"":
            shown += more
    os.close(ours)
    assert b"\r[###############...............] 5 of 10 entries" in shown
    assert shown.endswith(b"\r[##############################] 10 of 10 entries\r\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1024)
    except OSError:  # the other end is closed
        return b""


def test_the_document_names_every_command_and_every_fact() -> None:
    document = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text()
    for command, facts in FACTS.items():
        assert f"`{command}" in document, command
        for fact in facts:
            assert f"`{fact}`" in document, (command, fact)
