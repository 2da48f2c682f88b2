"""Sealed columns open only where they stand; references open only for whom they were made."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.errors import NothingHere
from portal.services.sealing import References, Sealer, derived_key


def test_a_sealed_value_opens_in_its_own_row_only() -> None:
    sealer = Sealer("master")
    sealed = sealer.seal("38001085718", "row-1")
    assert b"38001085718" not in sealed
    assert sealer.unseal(sealed, "row-1") == "38001085718"
    with pytest.raises(InvalidTag):
        sealer.unseal(sealed, "row-2")
    with pytest.raises(InvalidTag):
        Sealer("another").unseal(sealed, "row-1")


def test_two_purposes_never_share_a_key() -> None:
    assert derived_key("secret", "a", 32) != derived_key("secret", "b", 32)


@given(st.integers(0, 2**53 - 1))
def test_a_reference_stands_for_one_entry_and_one_account(seq: int) -> None:
    references = References("secret")
    reference = references.to_entry(seq, "account-1")
    assert references.entry(reference, "account-1") == seq
    assert reference == references.to_entry(seq, "account-1")
    assert str(seq) not in reference or seq < 100
    with pytest.raises(NothingHere):
        references.entry(reference, "account-2")
    with pytest.raises(NothingHere):
        References("another").entry(reference, "account-1")


@given(st.text(max_size=60))
def test_a_made_up_reference_opens_nothing(text: str) -> None:
    with pytest.raises(NothingHere):
        References("secret").entry(text, "account-1")
