"""A log published as files: whichever file is damaged or missing, it is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from audit.errors import VerificationFailed
from audit.keys import generate_signing_key
from audit.published import fsck
from audit.tiles import decode_bundle, encode_bundle
from tests.factories.logs import ORIGIN, LogHome, an_access

SIZE = 600
#: Each file but the checkpoint, with the entries that it covers: the first, and the one behind the last.
FILES = {
    "tile/0/000": (0, 256),
    "tile/0/001": (256, 512),
    "tile/0/002.p/88": (512, 600),
    "tile/1/000.p/2": (0, 512),
    "tile/entries/000": (0, 256),
    "tile/entries/001": (256, 512),
    "tile/entries/002.p/88": (512, 600),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> LogHome:
    folder = tmp_path_factory.mktemp("log")
    home = LogHome.make(folder, f"sqlite:///{folder / 'log.db'}")
    log = home.open()
    log.append_all([an_access() for _ in range(SIZE)])
    log.public.write_to(folder / "public")
    log.close()
    return home


@pytest.fixture
def folder(home: LogHome, tmp_path: Path) -> Path:
    return Path(shutil.copytree(home.database_file.parent / "public", tmp_path / "public"))


def test_a_whole_published_log_is_sound(home: LogHome, folder: Path) -> None:
    told: list[tuple[int, int]] = []
    report = fsck(folder, [home.verifier], lambda done, total: told.append((done, total)))
    assert (report.ok, report.size, report.problem) == (True, SIZE, None)
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {*FILES, "checkpoint"}


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(home: LogHome, folder: Path, name: str) -> None:
    (folder / name).unlink()
    report = fsck(folder, [home.verifier])
    assert not report.ok
    assert report.problem is not None
    assert name in report.problem
    assert report.first_broken == FILES[name][0]


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_found_at_an_entry_that_it_covers(home: LogHome, folder: Path, name: str) -> None:
    whole = (folder / name).read_bytes()
    first, end = FILES[name]
    for position in (0, len(whole) // 2, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        (folder / name).write_bytes(bytes(damaged))
        report = fsck(folder, [home.verifier])
        assert not report.ok
        assert report.first_broken is not None
        assert first <= report.first_broken < end, report.problem


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("length", [0, 1, 31])
def test_a_file_cut_short_or_grown_is_found(home: LogHome, folder: Path, name: str, length: int) -> None:
    whole = (folder / name).read_bytes()
    for changed in (whole[:length], whole[:-1], whole + bytes(length + 1)):
        (folder / name).write_bytes(changed)
        assert not fsck(folder, [home.verifier]).ok


def test_an_entry_taken_out_of_a_bundle_or_put_in_another_order_is_found(home: LogHome, folder: Path) -> None:
    path = folder / "tile/entries/001"
    entries = decode_bundle(path.read_bytes())
    path.write_bytes(encode_bundle(entries[:-1]))
    assert fsck(folder, [home.verifier]).first_broken == 256
    entries[3], entries[4] = entries[4], entries[3]
    path.write_bytes(encode_bundle(entries))
    assert fsck(folder, [home.verifier]).first_broken == 259


def test_entries_and_tiles_changed_together_are_found_by_the_chain_or_the_root(home: LogHome, folder: Path) -> None:
    from audit.entry import leaf_hash

    bundle, tile = folder / "tile/entries/002.p/88", folder / "tile/0/002.p/88"
    entries = decode_bundle(bundle.read_bytes())
    for at, expected in ((40, 512 + 41), (87, 0)):
        changed = [*entries]
        changed[at] = changed[at].replace(b'"source":"portal"', b'"source":"other1"')
        bundle.write_bytes(encode_bundle(changed))
        tile.write_bytes(b"".join(leaf_hash(entry) for entry in changed))
        report = fsck(folder, [home.verifier])
        assert not report.ok
        assert report.first_broken == expected, report.problem


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff", f"{ORIGIN}\n600\n".encode()])
def test_a_checkpoint_that_is_none_is_not_believed(home: LogHome, folder: Path, content: bytes) -> None:
    (folder / "checkpoint").write_bytes(content)
    with pytest.raises(VerificationFailed):
        fsck(folder, [home.verifier])


def test_a_checkpoint_of_another_key_is_not_believed(folder: Path, tmp_path: Path) -> None:
    stranger = generate_signing_key(tmp_path / "k.key", ORIGIN).verifier()
    with pytest.raises(VerificationFailed):
        fsck(folder, [stranger])


def test_the_files_of_another_log_are_not_this_logs(home: LogHome, folder: Path, tmp_path: Path) -> None:
    """A true checkpoint over the entries of somebody else."""
    other = LogHome.make(tmp_path / "other", f"sqlite:///{tmp_path / 'other.db'}")
    log = other.open()
    log.append_all([an_access() for _ in range(SIZE)])
    log.public.write_to(tmp_path / "foreign")
    log.close()
    shutil.copy(folder / "checkpoint", tmp_path / "foreign" / "checkpoint")
    report = fsck(tmp_path / "foreign", [home.verifier])
    assert not report.ok
