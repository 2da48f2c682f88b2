"""The checkpoint remembered outside the database: it only moves forward, and is whole at every moment."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit.checkpoint import Checkpoint, SignedCheckpoint, sign_checkpoint
from audit.errors import LogFrozen, LogUnavailable
from audit.keys import generate_signing_key
from audit.note import Ed25519Signer
from audit.remembered import RememberedCheckpoint
from tests.factories.logs import ORIGIN


@pytest.fixture
def signer(tmp_path: Path) -> Ed25519Signer:
    return generate_signing_key(tmp_path / "keys" / "log.key", ORIGIN)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "log.checkpoint"


@pytest.fixture
def remembered(path: Path, signer: Ed25519Signer) -> RememberedCheckpoint:
    return RememberedCheckpoint(path, ORIGIN, [signer.verifier()])


def _signed(signer: Ed25519Signer, size: int, root: bytes = bytes(32)) -> SignedCheckpoint:
    return sign_checkpoint(Checkpoint(signer.name, size, root), [signer])


def test_nothing_is_remembered_at_first(remembered: RememberedCheckpoint, path: Path) -> None:
    assert remembered.read() is None
    assert not path.exists()


def test_what_is_remembered_is_read_back_word_for_word(remembered: RememberedCheckpoint, signer: Ed25519Signer) -> None:
    signed = _signed(signer, 5)
    remembered.remember(signed)
    assert remembered.path.read_text() == signed.text
    read = remembered.read()
    assert read is not None
    assert read.checkpoint == signed.checkpoint


def test_it_moves_forward_and_never_back(remembered: RememberedCheckpoint, signer: Ed25519Signer) -> None:
    sizes = []
    for size in (3, 1, 7, 7, 2, 9):
        remembered.remember(_signed(signer, size))
        read = remembered.read()
        assert read is not None
        sizes.append(read.checkpoint.size)
    assert sizes == [3, 3, 7, 7, 7, 9]


def test_another_root_of_the_same_size_does_not_take_its_place(
    remembered: RememberedCheckpoint, signer: Ed25519Signer
) -> None:
    remembered.remember(_signed(signer, 3))
    remembered.remember(_signed(signer, 3, b"x" * 32))
    assert remembered.path.read_text() == _signed(signer, 3).text


def test_many_that_remember_at_once_leave_the_largest(path: Path, signer: Ed25519Signer) -> None:
    def remember(size: int) -> None:
        RememberedCheckpoint(path, ORIGIN, [signer.verifier()]).remember(_signed(signer, size))
        kept = RememberedCheckpoint(path, ORIGIN, [signer.verifier()]).read()
        assert kept is not None
        assert kept.checkpoint.size >= size

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remember, [(number * 37) % 101 for number in range(101)]))
    assert path.read_text() == _signed(signer, 100).text


def test_no_half_written_file_is_ever_left_in_its_place(
    remembered: RememberedCheckpoint, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered.remember(_signed(signer, 3))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(LogUnavailable, match="cannot be written"):
        remembered.remember(_signed(signer, 4))
    assert remembered.path.read_text() == _signed(signer, 3).text
    monkeypatch.undo()
    remembered.remember(_signed(signer, 4))
    assert remembered.path.read_text() == _signed(signer, 4).text


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"nonsense", b"test.example/log\n3\nAAAA\n", b"\x00" * 200],
    ids=["empty", "not UTF-8", "nonsense", "not signed", "zeros"],
)
def test_what_is_no_checkpoint_freezes_the_log(remembered: RememberedCheckpoint, path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LogFrozen, match="recover"):
        remembered.read()


def test_a_checkpoint_of_another_log_or_key_freezes_the_log(
    remembered: RememberedCheckpoint, path: Path, tmp_path: Path
) -> None:
    path.parent.mkdir()
    for number, name in enumerate((ORIGIN, "other.example/log")):
        stranger = generate_signing_key(tmp_path / f"{number}.key", name)
        path.write_text(_signed(stranger, 3).text)
        with pytest.raises(LogFrozen, match="none that this log signed"):
            remembered.read()


def test_what_freezes_the_log_is_not_written_over(
    remembered: RememberedCheckpoint, path: Path, signer: Ed25519Signer
) -> None:
    path.parent.mkdir()
    path.write_text("nonsense")
    with pytest.raises(LogFrozen):
        remembered.remember(_signed(signer, 4))
    assert path.read_text() == "nonsense"


def test_a_file_changed_after_it_was_read_is_read_again(
    remembered: RememberedCheckpoint, signer: Ed25519Signer
) -> None:
    remembered.remember(_signed(signer, 3))
    assert remembered.read() is not None
    remembered.path.write_text(_signed(signer, 3).text.replace("\n3\n", "\n4\n"))
    with pytest.raises(LogFrozen):
        remembered.read()


def test_a_place_that_cannot_be_read_is_unavailable(remembered: RememberedCheckpoint, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LogUnavailable, match="cannot be read"):
        remembered.read()


def test_what_is_set_aside_stays_as_evidence_under_its_digest(
    remembered: RememberedCheckpoint, signer: Ed25519Signer
) -> None:
    remembered.remember(_signed(signer, 9))
    digest = hashlib.sha256(_signed(signer, 9).text.encode()).hexdigest()
    assert remembered.digest() == digest
    remembered.set_aside(_signed(signer, 4))
    assert remembered.path.read_text() == _signed(signer, 4).text
    evidence = remembered.path.with_name(f"log.checkpoint.lost-{digest[:12]}")
    assert evidence.read_text() == _signed(signer, 9).text


def test_evidence_of_one_recovery_outlives_the_next(remembered: RememberedCheckpoint, signer: Ed25519Signer) -> None:
    for root in (b"a" * 32, b"b" * 32):
        remembered.set_aside(_signed(signer, 1)) if remembered.path.exists() else None
        remembered.remember(_signed(signer, 9, root))
    remembered.set_aside(_signed(signer, 1))
    kept = {path.read_text() for path in remembered.path.parent.glob("*.lost-*")}
    assert kept == {_signed(signer, 9, b"a" * 32).text, _signed(signer, 9, b"b" * 32).text}
