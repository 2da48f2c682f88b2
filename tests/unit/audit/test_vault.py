"""The vault: what it seals opens in its own place under its own keys, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import KeyRefused, VerificationFailed
from audit.keys import MasterKey
from audit.vault import INDEX_SIZE, SECRET_SIZE, OpenedBody, SubjectKeys, Vault

KEYS = SubjectKeys(b"d" * 32, b"l" * 32)
OPENED = OpenedBody(b"s" * SECRET_SIZE, 3, b'{"a":1}')


@pytest.fixture
def master_key() -> MasterKey:
    return MasterKey.generate()


@pytest.fixture
def vault(master_key: MasterKey) -> Vault:
    return Vault(master_key, Vault.new_index_key(master_key))


@given(body=st.binary(max_size=200), count=st.integers(1, 2**64 - 1), seq=st.integers(0, 2**53 - 1))
def test_a_sealed_body_opens_as_it_was(body: bytes, count: int, seq: int) -> None:
    opened = OpenedBody(b"s" * SECRET_SIZE, count, body)
    assert Vault.open(KEYS, seq, Vault.seal(KEYS, seq, opened)) == opened


@given(position=st.integers(0), bit=st.integers(0, 7))
def test_a_changed_or_shortened_sealed_body_does_not_open(position: int, bit: int) -> None:
    sealed = bytearray(Vault.seal(KEYS, 7, OPENED))
    with pytest.raises(VerificationFailed, match="entry 7"):
        Vault.open(KEYS, 7, bytes(sealed[: position % len(sealed)]))
    sealed[position % len(sealed)] ^= 1 << bit
    with pytest.raises(VerificationFailed, match="entry 7"):
        Vault.open(KEYS, 7, bytes(sealed))


def test_a_sealed_body_moved_to_another_entry_or_subject_does_not_open() -> None:
    sealed = Vault.seal(KEYS, 7, OPENED)
    with pytest.raises(VerificationFailed):
        Vault.open(KEYS, 8, sealed)
    with pytest.raises(VerificationFailed):
        Vault.open(SubjectKeys(b"e" * 32, KEYS.label), 7, sealed)


def test_the_same_body_is_never_sealed_alike() -> None:
    assert Vault.seal(KEYS, 7, OPENED) != Vault.seal(KEYS, 7, OPENED)


def test_keys_of_a_subject_come_back_for_that_subject_alone(vault: Vault, master_key: MasterKey) -> None:
    index, other = vault.index("subject", "EE1"), vault.index("subject", "EE2")
    keys, wrapped = vault.new_subject_keys(master_key, index)
    assert vault.subject_keys(wrapped, index) == keys
    with pytest.raises(KeyRefused, match="moved"):
        vault.subject_keys(wrapped, other)
    assert keys.data not in wrapped
    assert keys.label not in wrapped


def test_each_subject_has_keys_of_their_own(vault: Vault, master_key: MasterKey) -> None:
    made = [vault.new_subject_keys(master_key, vault.index("subject", str(number)))[0] for number in range(10)]
    assert len({key for keys in made for key in (keys.data, keys.label)}) == 20


def test_another_master_key_opens_no_vault(vault: Vault, master_key: MasterKey) -> None:
    wrapped = Vault.new_index_key(master_key)
    with pytest.raises(KeyRefused, match="another master key"):
        Vault(MasterKey.generate(), wrapped)
    _, keys = vault.new_subject_keys(master_key, b"i" * INDEX_SIZE)
    stranger = MasterKey.generate()
    with pytest.raises(KeyRefused, match="another master key"):
        Vault(stranger, Vault.new_index_key(stranger)).subject_keys(keys, b"i" * INDEX_SIZE)


def test_a_key_wrapped_for_one_use_serves_no_other(vault: Vault, master_key: MasterKey) -> None:
    _, wrapped = vault.new_subject_keys(master_key, b"i" * INDEX_SIZE)
    with pytest.raises(KeyRefused, match="moved"):
        Vault(master_key, wrapped)


def test_a_blind_index_is_the_same_for_the_same_value_of_the_same_kind_in_the_same_vault(
    vault: Vault, master_key: MasterKey
) -> None:
    index = vault.index("subject", "EE38001085718")
    assert index == vault.index("subject", "EE38001085718")
    assert len(index) == INDEX_SIZE
    other_vault = Vault(master_key, Vault.new_index_key(master_key))
    others = {vault.index("official", "EE38001085718"), vault.index("subject", "EE38001085719")}
    others.add(other_vault.index("subject", "EE38001085718"))
    assert index not in others


def test_nothing_shows_keys_secrets_or_bodies() -> None:
    shown = repr(KEYS) + repr(OPENED)
    for hidden in ("ddd", "lll", "sss", '"a"'):
        assert hidden not in shown
