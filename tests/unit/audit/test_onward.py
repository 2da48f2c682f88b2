"""`verify --from`: what came after a checkpoint that was verified before, and nothing taken on trust but that."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from audit.__main__ import main
from audit.checkpoint import Checkpoint, open_checkpoint
from audit.log import verify_store
from audit.verify import VerificationReport
from tests.factories.logs import ORIGIN, LogHome, an_access

SIZES = (1, 255, 256, 257, 300, 512, 700)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[LogHome, dict[int, str]]:
    """A log of 700 entries from two sources, two of them erased, with its checkpoints of some sizes."""
    folder = tmp_path_factory.mktemp("onward")
    home = LogHome.make(folder, f"sqlite:///{folder / 'log.db'}")
    notes = {}
    with closing(home.open()) as log:
        for size in SIZES[:-1]:
            while (missing := size - log.checkpoint().checkpoint.size) > 0:
                source = "portal" if missing % 2 else "registry"
                log.append_all([an_access(source=source) for _ in range(min(missing, 50))])
            notes[size] = log.checkpoint().text
        log.erase_entries([3, 520 - 10], basis="GDPR Article 17(1)(d)")
        log.append_all([an_access() for _ in range(700 - log.checkpoint().checkpoint.size)])
        notes[700] = log.checkpoint().text
    return home, notes


@pytest.fixture
def home(made: tuple[LogHome, dict[int, str]], tmp_path: Path) -> LogHome:
    """The same log in a database of this test's own."""
    engine = create_engine(made[0].settings.database_url)
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{tmp_path / 'copy.db'}'"))
    engine.dispose()
    return made[0].at(f"sqlite:///{tmp_path / 'copy.db'}")


def _checkpoint(note: str, home: LogHome) -> Checkpoint:
    return open_checkpoint(note, ORIGIN, [home.verifier]).checkpoint


def _from(home: LogHome, trusted: Checkpoint, earlier: list[Checkpoint] | None = None) -> VerificationReport:
    url, key = home.settings.database_url, home.settings.master_key
    return verify_store(url, [home.verifier], key, earlier=earlier or [], trusted=trusted)


def _damage(home: LogHome, statement: str) -> None:
    engine = create_engine(home.settings.database_url)
    with engine.begin() as connection:
        for (name,) in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text(statement))
    engine.dispose()


@pytest.mark.parametrize("size", SIZES)
def test_a_sound_log_is_sound_from_every_checkpoint_on(
    home: LogHome, made: tuple[LogHome, dict[int, str]], size: int
) -> None:
    report = _from(home, _checkpoint(made[1][size], home))
    assert (report.ok, report.size, report.problem) == (True, 700, None)
    whole = home.verify(with_remembered=False)
    assert report.root == whole.root
    assert report.opened <= 700 - size // 256 * 256, "what lies before was not read"


@pytest.mark.parametrize("size", [1, 256, 300, 512])
@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE seq = 600) WHERE seq = 650", 650),
        ("DELETE FROM entries WHERE seq = 640", 640),
        ("UPDATE bodies SET outcome = 'denied' WHERE seq = 630", 630),
        ("DELETE FROM bodies WHERE seq = 630", 630),
    ],
)
def test_what_was_changed_after_the_checkpoint_is_named(
    home: LogHome, made: tuple[LogHome, dict[int, str]], size: int, statement: str, first: int
) -> None:
    _damage(home, statement)
    report = _from(home, _checkpoint(made[1][size], home))
    assert (report.ok, report.first_broken) == (False, first)


@pytest.mark.parametrize("size", [300, 512])
def test_tiles_that_make_another_tree_than_the_trusted_one_are_found(
    home: LogHome, made: tuple[LogHome, dict[int, str]], size: int
) -> None:
    trusted = _checkpoint(made[1][size], home)
    assert not _from(home, Checkpoint(ORIGIN, size, bytes(32))).ok
    _damage(home, "UPDATE tiles SET hashes = zeroblob(64) WHERE level = 1")
    assert not _from(home, trusted).ok


def test_a_log_cut_off_before_or_after_the_checkpoint_is_found(
    home: LogHome, made: tuple[LogHome, dict[int, str]]
) -> None:
    beyond = Checkpoint(ORIGIN, 900, bytes(32))
    report = _from(home, beyond)
    assert (report.ok, report.first_broken) == (False, 700)
    report = _from(home, _checkpoint(made[1][300], home), [beyond])
    assert (report.ok, report.first_broken) == (False, 700)


def test_what_lies_before_is_left_to_the_whole_verification(
    home: LogHome, made: tuple[LogHome, dict[int, str]]
) -> None:
    _damage(home, "UPDATE bodies SET outcome = 'denied' WHERE seq = 30")
    assert _from(home, _checkpoint(made[1][300], home)).ok
    assert home.verify(with_remembered=False).first_broken == 30


def test_the_command_says_what_it_did_not_read(
    home: LogHome, made: tuple[LogHome, dict[int, str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trusted").write_text(made[1][512])
    keys = Path(home.settings.signing_key).parent
    arguments = ["verify", "--database-url", home.settings.database_url, "--vkey", str(keys / "log.vkey")]
    arguments += ["--master-key-file", str(keys / "master_key.txt"), "--checkpoint-file", ""]
    arguments += ["--from", str(tmp_path / "trusted")]
    assert main([*arguments, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["result"], answer["entries"]) == ("sound", 700)
    assert answer["notes"] == ["the first 512 entries were not read again; the checkpoint that you trust covers them"]
    (tmp_path / "trusted").write_text("nonsense")
    assert main(arguments) == 1
    assert "not a checkpoint that this log signed" in capsys.readouterr().err
