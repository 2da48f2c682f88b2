"""Large files at rest: any part can be read, nothing lies there in clear, and a change does not open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.services import sealed_files
from portal.services.sealed_files import FileDamaged, SealedFiles, new_key

PIECE = 16


@pytest.fixture(autouse=True, scope="module")
def _small_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed_files, "PIECE", PIECE)
        yield


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> SealedFiles:
    return SealedFiles(tmp_path_factory.mktemp("sealed") / "files")


def _read(files: SealedFiles, key: bytes, size: int, start: int = 0, end: int | None = None) -> bytes:
    return b"".join(files.read("file-1", key, size, start=start, end=end))


@given(st.lists(st.binary(max_size=3 * PIECE), max_size=6), st.data())
def test_any_part_of_any_content_is_read_back(files: SealedFiles, content: list[bytes], data: st.DataObject) -> None:
    key, whole = new_key(), b"".join(content)
    size = files.write("file-1", key, content)
    start = data.draw(st.integers(0, size + 3))
    end = data.draw(st.none() | st.integers(0, size + 3))
    assert size == len(whole)
    assert _read(files, key, size, start, end) == whole[start:end]


@pytest.fixture
def written(tmp_path: Path) -> tuple[SealedFiles, bytes, Path]:
    files, key = SealedFiles(tmp_path / "files"), new_key()
    files.write("file-1", key, [b"Mari Maasikas, " * 10])
    return files, key, tmp_path / "files" / "file-1.sealed"


def test_a_file_is_private_and_nothing_in_it_is_in_clear(written: tuple[SealedFiles, bytes, Path]) -> None:
    _, _, path = written
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert b"Mari" not in path.read_bytes()


def test_no_byte_can_be_changed(written: tuple[SealedFiles, bytes, Path]) -> None:
    files, key, path = written
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(FileDamaged):
            _read(files, key, 150)


def test_a_file_cut_short_or_with_its_pieces_exchanged_does_not_open(written: tuple[SealedFiles, bytes, Path]) -> None:
    files, key, path = written
    whole, sealed = path.read_bytes(), PIECE + 16
    for tampered in (whole[:sealed], whole[sealed : 2 * sealed] + whole[:sealed] + whole[2 * sealed :]):
        path.write_bytes(tampered)
        with pytest.raises(FileDamaged):
            _read(files, key, 150)


def test_another_file_and_another_key_open_nothing(written: tuple[SealedFiles, bytes, Path]) -> None:
    files, key, path = written
    path.with_name("file-2.sealed").write_bytes(path.read_bytes())
    with pytest.raises(FileDamaged):
        list(files.read("file-2", key, 150))
    with pytest.raises(FileDamaged):
        _read(files, new_key(), 150)


def test_what_fails_half_way_leaves_the_older_file_and_nothing_else(written: tuple[SealedFiles, bytes, Path]) -> None:
    files, key, path = written

    def failing() -> object:
        yield b"x" * 100
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        files.write("file-1", new_key(), failing())  # type: ignore[arg-type]
    assert _read(files, key, 150) == b"Mari Maasikas, " * 10
    assert list(path.parent.iterdir()) == [path]


def test_a_removed_file_is_gone_and_removing_is_safe_to_repeat(written: tuple[SealedFiles, bytes, Path]) -> None:
    files, key, path = written
    files.remove("file-1")
    files.remove("file-1")
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        _read(files, key, 150)


def test_an_id_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="letters"):
        SealedFiles(tmp_path).remove("../secret")
