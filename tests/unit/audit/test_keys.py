"""Keys at rest: refused when others can read them, never shown, never replaced."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import KeyRefused
from audit.keys import KEY_SIZE, MasterKey, generate_signing_key, load_signer
from audit.note import open_note, sign_note, verifier_from_vkey

NAME = "test.example/log"


def test_a_signing_key_signs_after_it_was_read_back(tmp_path: Path) -> None:
    made = generate_signing_key(tmp_path / "new" / "log.key", NAME)
    loaded = load_signer(tmp_path / "new" / "log.key")
    assert loaded.vkey == made.vkey
    note = sign_note("a text\n", [loaded])
    published = (tmp_path / "new" / "log.vkey").read_text().strip()
    assert open_note(note, [verifier_from_vkey(published)]).text == "a text\n"


def test_a_new_key_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        generate_signing_key(tmp_path / "log.key", NAME)
    finally:
        os.umask(before)
    assert (tmp_path / "log.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644, 0o610, 0o666, 0o777])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "log.key"
    generate_signing_key(path, NAME)
    path.chmod(mode)
    with pytest.raises(KeyRefused, match="0600"):
        load_signer(path)
    path.chmod(0o400)
    assert load_signer(path).name == NAME


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "log.key", NAME)
    before = (tmp_path / "log.key").read_bytes(), (tmp_path / "log.vkey").read_bytes()
    with pytest.raises(KeyRefused, match="exists"):
        generate_signing_key(tmp_path / "log.key", NAME)
    assert ((tmp_path / "log.key").read_bytes(), (tmp_path / "log.vkey").read_bytes()) == before


def test_the_public_half_of_a_lost_key_is_not_replaced_either(tmp_path: Path) -> None:
    generate_signing_key(tmp_path / "log.key", NAME)
    (tmp_path / "log.key").unlink()
    with pytest.raises(KeyRefused, match=r"log\.vkey exists"):
        generate_signing_key(tmp_path / "log.key", NAME)
    assert not (tmp_path / "log.key").exists()


def test_a_key_is_not_written_where_its_public_half_belongs(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="another ending"):
        generate_signing_key(tmp_path / "log.vkey", NAME)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "\u2003"])
def test_a_name_that_cannot_stand_in_a_note_makes_no_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyRefused):
        generate_signing_key(tmp_path / "log.key", name)
    assert list(tmp_path.iterdir()) == []


def _parts(text: str) -> tuple[str, str, str]:
    name, key_id, encoded = text.strip().removeprefix("PRIVATE+KEY+").split("+", 2)
    return name, key_id, encoded


SPOILT: dict[str, Callable[[str], bytes]] = {
    "nothing": lambda _: b"",
    "not UTF-8": lambda _: b"\xff\xfe",
    "the public half": lambda text: text.removeprefix("PRIVATE+KEY+").encode(),
    "another name": lambda text: text.replace(NAME, "other.example/log").encode(),
    "another key id": lambda text: text.replace(_parts(text)[1], "00000000").encode(),
    "not base64": lambda text: text.replace(_parts(text)[2], "!!!").encode(),
    "letters beyond ASCII": lambda text: text.replace(_parts(text)[2], "üü==").encode(),
    "a short key": lambda text: text.replace(_parts(text)[2], base64.b64encode(b"\x01" + bytes(31)).decode()).encode(),
    "another type of key": lambda text: text.replace(
        _parts(text)[2], base64.b64encode(b"\x06" + bytes(32)).decode()
    ).encode(),
    "cut in the middle": lambda text: text[:40].encode(),
    "two keys": lambda text: (text + text).encode(),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_file_that_holds_no_signing_key_is_refused_without_showing_it(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "log.key"
    generate_signing_key(path, NAME)
    text = path.read_text()
    path.write_bytes(SPOILT[spoilt](text))
    with pytest.raises(KeyRefused) as refused:
        load_signer(path)
    assert _parts(text)[2] not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_missing_key_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefused, match="no signing key at"):
        load_signer(tmp_path / "log.key")
    with pytest.raises(KeyRefused, match="cannot be read"):
        load_signer(tmp_path)


def test_a_master_keys_text_gives_the_same_key_again() -> None:
    for is_demo in (False, True):
        key = MasterKey.generate(is_demo=is_demo)
        again = MasterKey.from_text(key.to_text())
        assert again.key_id == key.key_id
        assert again.unwrap(key.wrap(b"secret", b"context"), b"context") == b"secret"
        assert again.is_demo is is_demo
        assert key.to_text().startswith("demo:") is is_demo


def test_padding_and_a_newline_at_the_end_do_no_harm() -> None:
    key = MasterKey(bytes(range(KEY_SIZE)))
    for text in (key.to_text() + "=", key.to_text() + "\n", base64.urlsafe_b64encode(bytes(range(KEY_SIZE))).decode()):
        assert MasterKey.from_text(text).key_id == key.key_id


@pytest.mark.parametrize(
    "text",
    ["", "demo:", "A" * 42, "A" * 44, "A" * 86, "ü" * 43, "A" * 42 + "!", "a b" * 14 + "a", "\ud800" * 43],
)
def test_a_text_that_is_no_master_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(KeyRefused) as refused:
        MasterKey.from_text(text)
    assert not text or text not in str(refused.value)


def test_neither_a_repr_nor_a_message_shows_a_key() -> None:
    key = MasterKey(b"k" * KEY_SIZE)
    assert repr(key) == str(key) == "MasterKey(hidden)"
    assert not hasattr(key, "__dict__"), "nothing that dumps attributes finds it"


@given(secret=st.binary(max_size=100), context=st.binary(max_size=20), position=st.integers(0), bit=st.integers(0, 7))
def test_what_was_wrapped_opens_unchanged_in_its_context_or_not_at_all(
    secret: bytes, context: bytes, position: int, bit: int
) -> None:
    key = MasterKey(b"k" * KEY_SIZE)
    wrapped = key.wrap(secret, context)
    assert key.unwrap(wrapped, context) == secret
    assert secret not in wrapped or len(secret) < 3
    changed = bytearray(wrapped)
    changed[position % len(wrapped)] ^= 1 << bit
    with pytest.raises(KeyRefused):
        key.unwrap(bytes(changed), context)
    with pytest.raises(KeyRefused):
        key.unwrap(wrapped, context + b"!")
    with pytest.raises(KeyRefused):
        key.unwrap(wrapped[: position % len(wrapped)], context)


def test_another_master_key_is_told_from_a_changed_text() -> None:
    wrapped = MasterKey.generate().wrap(b"secret", b"context")
    with pytest.raises(KeyRefused, match="another master key"):
        MasterKey.generate().unwrap(wrapped, b"context")


def test_no_two_purposes_share_a_key() -> None:
    key = MasterKey.generate()
    assert len({key.derived(purpose, 32) for purpose in ("a", "b", "wrapping", "key-id")}) == 4
    assert key.derived("a", 32) == key.derived("a", 32)
