"""The age format: what is encrypted opens with the passphrase, by a reader written apart, and with nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.services.bundle.age import WORK_FACTOR, FileLock, encrypted, lock_with
from tests.factories.age_files import DoesNotOpen, opened

PASSPHRASE = "neli korrektset hobust õunaaias"
#: The work is not what these tests are about.
CHEAP = 4
LOCK = lock_with(PASSPHRASE, work_factor=CHEAP)
PIECE = 64 * 1024


def _file(*blocks: bytes, lock: FileLock = LOCK) -> bytes:
    return b"".join(encrypted(lock, blocks))


@given(st.lists(st.binary(max_size=400), max_size=8))
@settings(max_examples=30, deadline=None)
def test_what_was_encrypted_opens_with_its_passphrase(blocks: list[bytes]) -> None:
    assert opened(_file(*blocks), PASSPHRASE) == b"".join(blocks)


@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE + 5])
def test_a_file_of_any_length_is_cut_into_pieces_as_the_format_says(size: int) -> None:
    file = _file(bytes(size))
    assert opened(file, PASSPHRASE) == bytes(size)
    assert len(file) == len(LOCK.header) + 16 + size + 16 * max(1, -(-size // PIECE))


def test_another_passphrase_opens_nothing() -> None:
    for wrong in ("", PASSPHRASE.upper(), PASSPHRASE + " "):
        with pytest.raises(DoesNotOpen):
            opened(_file(b"secret"), wrong)


@pytest.mark.parametrize("at", [30, 60, 120, 160, 175, -1])
def test_a_changed_byte_anywhere_is_found(at: int) -> None:
    file = bytearray(_file(b"secret"))
    file[at] ^= 1
    with pytest.raises((DoesNotOpen, ValueError)):
        opened(bytes(file), PASSPHRASE)


def test_a_file_that_was_cut_or_put_together_anew_does_not_open() -> None:
    file = _file(bytes(3 * PIECE))
    start, piece = len(LOCK.header) + 16, PIECE + 16
    first, second = file[start : start + piece], file[start + piece : start + 2 * piece]
    for changed in (file[: start + 2 * piece], file[:start] + second + first + file[start + 2 * piece :]):
        with pytest.raises(DoesNotOpen):
            opened(changed, PASSPHRASE)


def test_the_same_content_made_again_is_under_another_key() -> None:
    first, second = _file(b"secret" * 10), _file(b"secret" * 10)
    assert first[: len(LOCK.header)] == second[: len(LOCK.header)]
    assert first[len(LOCK.header) :] != second[len(LOCK.header) :]


def test_two_locks_of_one_passphrase_have_nothing_in_common_and_show_no_key() -> None:
    other = lock_with(PASSPHRASE, work_factor=CHEAP)
    assert other.file_key != LOCK.file_key
    assert other.header.split(b" ")[2] != LOCK.header.split(b" ")[2]
    assert LOCK.file_key.hex() not in repr(LOCK)
    assert str(LOCK.file_key) not in repr(LOCK)


def test_guessing_is_made_as_dear_as_the_format_and_common_advice_ask() -> None:
    assert WORK_FACTOR >= 17
    assert b"-> scrypt " in lock_with(PASSPHRASE).header
    assert f" {WORK_FACTOR}\n".encode() in lock_with(PASSPHRASE).header
