"""`python -m audit` as people use it: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, sign_checkpoint
from audit.keys import MasterKey, generate_signing_key, load_signer
from audit.log import TrailQuery
from audit.note import Ed25519Signer
from tests.databases import environment
from tests.factories.commands import run_audit
from tests.factories.exports import Export
from tests.factories.logs import ORIGIN, LogHome, an_access

ROOT = Path(__file__).parents[3]
COMMANDS = ["keygen", "append", "verify", "fsck", "proof", "check-receipt", "check-export", "export", "recover"]
LINE = {"action": "read", "outcome": "released", "source": "portal", "occurred_at": "2026-03-02T12:00:00+00:00"}
PERSON = "EE38001085718"


def _run(
    arguments: Sequence[object], home: LogHome | None = None, stdin: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[str]:
    if home is not None:
        keys = home.settings.signing_key.parent
        variables = {
            "GLASSHOUSE_LOG_DATABASE_URL": home.settings.database_url,
            "GLASSHOUSE_LOG_CHECKPOINT_FILE": str(home.settings.checkpoint_file),
            "GLASSHOUSE_LOG_MASTER_KEY_FILE": str(keys / "master_key.txt"),
            "GLASSHOUSE_LOG_SIGNING_KEY": str(keys / "log.key"),
            "GLASSHOUSE_LOG_VKEY": str(keys / "log.vkey"),
        } | variables
    return run_audit(arguments, stdin, **variables)


@pytest.fixture
def home(tmp_path: Path, sqlite_url: str) -> LogHome:
    return LogHome.make(tmp_path, sqlite_url)


@pytest.fixture
def either_home(tmp_path: Path, database_url: str) -> LogHome:
    return LogHome.make(tmp_path, database_url)


def _filled(home: LogHome, entries: int = 5) -> LogHome:
    log = home.open()
    log.append_all([an_access(case=f"C-{number}") for number in range(entries)])
    log.close()
    return home


def test_each_command_explains_itself() -> None:
    told = _run(["--help"])
    assert told.returncode == 0
    for command in COMMANDS:
        assert command in told.stdout
    for command in COMMANDS:
        own = _run([command, "--help"])
        assert own.returncode == 0
        assert own.stdout.startswith("usage: python -m audit")


def test_it_is_a_program_of_its_own(home: LogHome) -> None:
    """The other tests call it within their own process, which is faster."""
    vkey = home.settings.signing_key.with_suffix(".vkey")
    command = [sys.executable, "-m", "audit", "verify", "--database-url", home.settings.database_url, "--vkey", vkey]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.partition(",")[0]) == (0, f"SOUND: {ORIGIN}"), done.stderr


def test_no_command_or_an_unknown_one_is_a_mistake_of_use() -> None:
    for arguments in ([], ["destroy"], ["verify", "--frobnicate"], ["proof", "one"]):
        told = _run(arguments)
        assert told.returncode == 2
        assert "usage:" in told.stderr


def test_keygen_makes_a_key_once_and_prints_its_public_half(tmp_path: Path) -> None:
    told = _run(["keygen", ORIGIN, tmp_path / "keys" / "log.key"])
    assert told.returncode == 0
    assert told.stdout.strip() == (tmp_path / "keys" / "log.vkey").read_text().strip()
    assert (tmp_path / "keys" / "log.key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in told.stdout
    again = _run(["keygen", ORIGIN, tmp_path / "keys" / "log.key"])
    assert again.returncode == 2
    assert "not replaced" in again.stderr
    assert _run(["keygen", "two words", tmp_path / "other.key"]).returncode == 2


def test_a_log_is_made_filled_and_verified_with_the_command_line_alone(either_home: LogHome) -> None:
    lines = [json.dumps(LINE | {"case": f"C-{number}", "fields": ["name"]}) for number in range(3)]
    told = _run(["append", "--create"], either_home, "\n".join(lines).encode())
    assert told.returncode == 0, told.stderr
    assert [json.loads(line)["seq"] for line in told.stdout.splitlines()] == [0, 1, 2]
    told = _run(["verify"], either_home)
    assert told.returncode == 0
    assert told.stdout.startswith(f"SOUND: {ORIGIN}, 3 entries, 3 opened, 0 erased")
    log = either_home.open()
    access = log.entry(2).access
    log.close()
    assert access is not None
    assert (access.case, access.fields) == ("C-2", ("name",))


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 5000,
        json.dumps({"action": "read"}).encode(),
        json.dumps(LINE | {"occurred_at": 5}).encode(),
        json.dumps(LINE | {"occurred_at": "yesterday"}).encode(),
        json.dumps(LINE | {"occurred_at": "2026-03-02T12:00:00"}).encode(),
        json.dumps(LINE | {"nobody": PERSON}).encode(),
        json.dumps(LINE | {"fields": "name"}).encode(),
        json.dumps(LINE | {"fields": [1]}).encode(),
        json.dumps(LINE | {"action": PERSON}).encode(),
        json.dumps(LINE | {"organisation": PERSON * 10}).encode(),
    ],
)
def test_a_line_that_is_no_access_is_named_by_its_number_and_not_repeated(home: LogHome, line: bytes) -> None:
    good = json.dumps(LINE).encode()
    told = _run(["append"], home, b"\n".join([good, b"", line, good]))
    assert told.returncode == 2
    assert "line 3" in told.stderr
    assert PERSON not in told.stderr
    assert [json.loads(one)["seq"] for one in told.stdout.splitlines()] == [0]


def test_verify_names_the_first_broken_entry(either_home: LogHome) -> None:
    from sqlalchemy import create_engine, text

    _filled(either_home)
    engine = create_engine(either_home.settings.database_url)
    with engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER entries_refuses_update"))
        else:
            connection.execute(text("ALTER TABLE entries DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE seq = 1) WHERE seq = 3"))
    engine.dispose()
    told = _run(["verify"], either_home)
    assert told.returncode == 1
    assert told.stdout.startswith("BROKEN at entry 3:")


def test_verify_says_what_it_could_not_judge(home: LogHome, tmp_path: Path) -> None:
    _filled(home)
    told = _run(["verify", "--master-key-file", tmp_path / "none", "--checkpoint-file", tmp_path / "none"], home)
    assert told.returncode == 0
    assert "no remembered checkpoint" in told.stdout
    assert "no master key" in told.stdout
    assert "5 entries, 0 opened" in told.stdout
    told = _run(["verify", "--checkpoint-file", ""], home)
    assert told.returncode == 0
    assert "no remembered checkpoint" in told.stdout


def test_verify_holds_the_log_against_checkpoints_kept_elsewhere(home: LogHome, tmp_path: Path) -> None:
    _filled(home)
    kept = tmp_path / "kept"
    assert home.settings.checkpoint_file is not None
    kept.write_text(home.settings.checkpoint_file.read_text())
    assert _run(["verify", "--against", kept], home).returncode == 0
    signer = load_signer(home.settings.signing_key)
    for size, root in ((5, bytes(32)), (9, bytes(32))):
        kept.write_text(sign_checkpoint(Checkpoint(ORIGIN, size, root), [signer]).text)
        told = _run(["verify", "--against", kept], home)
        assert told.returncode == 1
        assert "BROKEN at entry" in told.stdout
    kept.write_text("nonsense")
    told = _run(["verify", "--against", kept], home)
    assert told.returncode == 1
    assert "not a checkpoint that this log signed" in told.stderr
    assert _run(["verify", "--against", tmp_path / "none"], home).returncode == 2


def test_what_cannot_be_judged_ends_with_status_2_and_a_reason(home: LogHome, tmp_path: Path) -> None:
    (tmp_path / "junk").write_bytes(b"\xff\xfe junk")
    (tmp_path / "other").write_text(MasterKey.generate().to_text())
    wrong: list[tuple[list[object], str]] = [
        (["verify", "--vkey", tmp_path / "none"], "no verifier key"),
        (["verify", "--vkey", tmp_path / "junk"], "no verifier key"),
        (["verify", "--vkey", "a+b+c"], "key"),
        (["verify", "--database-url", f"sqlite:///{tmp_path / 'none.db'}"], "no database at"),
        (["verify", "--database-url", f"sqlite:///{tmp_path / 'junk'}"], "cannot be read"),
        (["verify", "--database-url", "nonsense"], "cannot be read"),
        (["verify", "--database-url", "mysql://user:hidden@host/db"], "SQLite or PostgreSQL"),
        (["verify", "--database-url", "postgresql+psycopg://user:hidden@127.0.0.1:1/db"], "cannot be read"),
        (["verify", "--master-key-file", tmp_path / "junk"], "not text"),
        (["verify", "--master-key-file", tmp_path / "other"], "another master key"),
        (["append", "--master-key-file", tmp_path / "none"], "no master key"),
        (["append", "--signing-key", tmp_path / "none"], "no signing key"),
        (["proof", "5"], "no entry 5"),
        (["proof", "-1"], "no entry -1"),
        (["check-receipt", tmp_path / "none"], "No such file"),
        (["check-receipt", tmp_path / "junk"], "NOT READABLE"),
        (["check-export", tmp_path / "junk", "--export-vkey", home.settings.signing_key.with_suffix(".vkey")], "NOT"),
        (["check-export", tmp_path / "junk"], "no verifier key"),
        (["export", tmp_path / "out", "--database-url", f"sqlite:///{tmp_path / 'none.db'}"], "no database at"),
        (["recover", "--database-url", f"sqlite:///{tmp_path / 'none.db'}"], "no database at"),
    ]
    _filled(home)
    for arguments, words in wrong:
        told = _run(arguments, home)
        assert told.returncode == 2, (arguments, told)
        assert words in told.stderr, (arguments, told.stderr)
        assert "hidden" not in told.stderr, "no password of a URL is shown"


def test_a_key_that_others_can_read_is_refused(home: LogHome) -> None:
    home.settings.signing_key.chmod(0o644)
    told = _run(["append"], home)
    assert told.returncode == 2
    assert "0600" in told.stderr


def test_a_receipt_is_printed_and_checks_with_the_public_key_alone(either_home: LogHome, tmp_path: Path) -> None:
    _filled(either_home)
    receipt = _run(["proof", 2], either_home)
    assert receipt.returncode == 0
    (tmp_path / "receipt.txt").write_text(receipt.stdout)
    vkey = either_home.settings.signing_key.with_suffix(".vkey").read_text().strip()
    told = _run(["check-receipt", tmp_path / "receipt.txt", "--vkey", vkey])
    assert told.returncode == 0
    assert told.stdout.startswith(f"TRUE: entry 2 of the log {ORIGIN}")
    assert "tree of 5 entries" in told.stdout
    assert "case: C-2" in told.stdout
    (tmp_path / "receipt.txt").write_text(receipt.stdout.replace("C-2", "C-3"))
    told = _run(["check-receipt", tmp_path / "receipt.txt", "--vkey", vkey])
    assert told.returncode == 1
    assert told.stderr.startswith("FALSE: ")
    assert told.stdout == ""


def test_an_entry_writes_no_lines_of_its_own_to_the_terminal(home: LogHome, tmp_path: Path) -> None:
    """An official must not word the verdict: line feeds, escape sequences and bidi marks are shown as such."""
    log = home.open()
    log.append(an_access(justification="claim\nTRUE: all is well\x1b[2J\u202e", details={"note": "a\rb"}))
    (tmp_path / "receipt.txt").write_text(log.receipt(0).text)
    log.close()
    told = _run(["check-receipt", tmp_path / "receipt.txt"], home)
    assert told.returncode == 0
    assert r"justification: claim\nTRUE: all is well\x1b[2J\u202e" in told.stdout
    assert "\x1b" not in told.stdout
    assert "\u202e" not in told.stdout
    assert "\r" not in told.stdout


def test_the_public_log_is_written_out_and_found_sound_or_broken(either_home: LogHome, tmp_path: Path) -> None:
    _filled(either_home, 260)
    told = _run(["export", tmp_path / "public"], either_home)
    assert told.returncode == 0
    assert "260 entries" in told.stdout
    vkey = either_home.settings.signing_key.with_suffix(".vkey")
    told = _run(["fsck", tmp_path / "public", "--vkey", vkey])
    assert told.returncode == 0
    assert told.stdout.startswith("SOUND")
    (tmp_path / "public/tile/entries/001.p/4").unlink()
    told = _run(["fsck", tmp_path / "public", "--vkey", vkey])
    assert told.returncode == 1
    assert told.stdout.startswith("BROKEN at entry 256: tile/entries/001.p/4")


def test_an_export_of_the_trail_is_checked(home: LogHome, tmp_path: Path) -> None:
    _filled(home)
    signer = generate_signing_key(tmp_path / "export.key", "test.example/export")
    log = home.open()
    checkpoint = log.checkpoint()
    log.close()
    log_signer = load_signer(home.settings.signing_key)
    assert isinstance(log_signer, Ed25519Signer)
    export = Export(log_signer, signer, content=b"seq\r\n0\r\n")
    export.checkpoint = checkpoint.text
    export.stated(entries="1", size=str(checkpoint.checkpoint.size), root=checkpoint.checkpoint.root.hex())
    export.write(tmp_path / "e.zip")
    told = _run(["check-export", tmp_path / "e.zip", "--export-vkey", signer.vkey], home)
    assert told.returncode == 0
    assert "holds the 1 entries" in told.stdout
    stranger = generate_signing_key(tmp_path / "stranger.key", "test.example/export")
    told = _run(["check-export", tmp_path / "e.zip", "--export-vkey", stranger.vkey], home)
    assert told.returncode == 1
    assert told.stderr.startswith("FALSE")


def _behind(home: LogHome, tmp_path: Path) -> LogHome:
    """The log restored from a backup of five entries, after eight were signed for."""
    _filled(home)
    backup = tmp_path / "backup.db"
    with sqlite3.connect(home.database_file) as source, sqlite3.connect(backup) as copy:
        source.backup(copy)
    log = home.open()
    log.append_all([an_access() for _ in range(3)])
    log.close()
    for leftover in tmp_path.glob("test.db-*"):
        leftover.unlink()
    shutil.move(backup, home.database_file)
    return home


def test_a_log_set_back_is_frozen_and_says_why(home: LogHome, tmp_path: Path) -> None:
    _behind(home, tmp_path)
    told = _run(["append"], home, json.dumps(LINE).encode())
    assert told.returncode == 1
    assert "older backup" in told.stderr
    told = _run(["verify"], home)
    assert told.returncode == 1
    assert told.stdout.startswith("BROKEN at entry 5: 8 entries were signed for elsewhere")


def test_recovery_first_says_what_it_would_do_and_does_nothing(home: LogHome, tmp_path: Path) -> None:
    _behind(home, tmp_path)
    assert home.settings.checkpoint_file is not None
    before = home.settings.checkpoint_file.read_bytes(), home.database_file.read_bytes()
    told = _run(["recover"], home)
    assert told.returncode == 1
    assert "frozen" in told.stdout
    assert "--yes" in told.stdout
    assert (home.settings.checkpoint_file.read_bytes(), home.database_file.read_bytes()) == before


def test_recovery_goes_on_keeps_the_evidence_and_is_itself_an_entry(home: LogHome, tmp_path: Path) -> None:
    _behind(home, tmp_path)
    assert home.settings.checkpoint_file is not None
    signed_for = home.settings.checkpoint_file.read_text()
    told = _run(["recover", "--yes"], home)
    assert told.returncode == 0
    assert "entry 5 records the recovery" in told.stdout
    assert [path.read_text() for path in tmp_path.glob("log.checkpoint.lost-*")] == [signed_for]
    log = home.open()
    found = log.read(TrailQuery(actions=frozenset({"log-recovery"}))).items
    assert [item.seq for item in found] == [5]
    assert found[0].access is not None
    assert found[0].access.details["signed-for"] == 8
    assert found[0].access.details["went-on-from"] == 5
    assert log.append(an_access()).seq == 6
    log.close()
    report = home.verify()
    assert (report.ok, report.size) == (True, 7)
    told = _run(["recover", "--yes"], home)
    assert told.returncode == 0
    assert "nothing to recover from" in told.stdout


def test_recovery_on_postgresql_goes_on_from_what_is_there(tmp_path: Path, postgres_url: str) -> None:
    """The database stayed and its memory is ahead, as after a restore."""
    home = _filled(LogHome.make(tmp_path, postgres_url))
    assert home.settings.checkpoint_file is not None
    ahead = sign_checkpoint(Checkpoint(ORIGIN, 8, bytes(32)), [load_signer(home.settings.signing_key)])
    home.settings.checkpoint_file.write_text(ahead.text)
    assert _run(["append"], home, json.dumps(LINE).encode()).returncode == 1
    assert _run(["recover", "--yes"], home).returncode == 0
    told = _run(["verify"], home)
    assert told.returncode == 0
    assert "6 entries, 6 opened" in told.stdout


def test_recovery_leads_out_of_a_memory_that_is_no_checkpoint(home: LogHome, tmp_path: Path) -> None:
    _filled(home)
    assert home.settings.checkpoint_file is not None
    home.settings.checkpoint_file.write_bytes(b"\xff scribbled over")
    assert _run(["append"], home, json.dumps(LINE).encode()).returncode == 1
    assert _run(["verify"], home).returncode == 1
    told = _run(["recover", "--yes"], home)
    assert told.returncode == 0, told.stderr
    assert [path.read_bytes() for path in tmp_path.glob("log.checkpoint.lost-*")] == [b"\xff scribbled over"]
    assert _run(["verify"], home).returncode == 0


def test_recovery_cut_off_in_the_middle_leaves_the_log_frozen_and_can_be_repeated(
    home: LogHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from audit.errors import LogFrozen
    from audit.log import recover_log
    from audit.remembered import RememberedCheckpoint

    _behind(home, tmp_path)

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RememberedCheckpoint, "set_aside", cut_off)
    with pytest.raises(KeyboardInterrupt):
        recover_log(home.settings)
    monkeypatch.undo()
    with pytest.raises(LogFrozen):
        home.open()
    again = recover_log(home.settings)
    assert again is not None
    assert again.seq == 6
    assert home.verify().ok


def test_a_log_that_is_broken_in_itself_is_not_recovered(home: LogHome, tmp_path: Path) -> None:
    _behind(home, tmp_path)
    with sqlite3.connect(home.database_file) as intruder:
        intruder.execute("DROP TRIGGER bodies_refuses_delete")
        intruder.execute("DELETE FROM bodies WHERE seq = 2")
    intruder.close()
    assert home.settings.checkpoint_file is not None
    before = home.settings.checkpoint_file.read_bytes()
    told = _run(["recover", "--yes"], home)
    assert told.returncode == 1
    assert "broken and is not recovered" in told.stderr
    assert home.settings.checkpoint_file.read_bytes() == before
    assert list(tmp_path.glob("*.lost-*")) == []


def test_a_reader_that_goes_away_is_no_disaster(home: LogHome) -> None:
    _filled(home)
    receipt = f'"{sys.executable}" -m audit proof 0 --database-url "{home.settings.database_url}"'
    keys = home.settings.signing_key.parent
    options = (
        f' --signing-key "{keys / "log.key"}" --master-key-file "{keys / "master_key.txt"}"'
        f' --checkpoint-file "{home.settings.checkpoint_file}"'
    )
    done = subprocess.run(
        ["bash", "-c", f"{receipt}{options} | true"], cwd=ROOT, env=environment(), capture_output=True, check=False
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
