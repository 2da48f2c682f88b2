import dataclasses
import hashlib
import hmac
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.entry import GENESIS, MAX_INTEGER, Leaf, commit, decode_leaf, encode_leaf, label, leaf_hash
from audit.errors import EntryRefused

codes = st.from_regex(r"[a-z][a-z0-9-]{0,63}", fullmatch=True)
counts = st.integers(0, MAX_INTEGER)
digests = st.binary(min_size=32, max_size=32)
leaves = st.builds(
    Leaf,
    log=st.from_regex(r"[!#-*,-\[\]-~]{1,255}", fullmatch=True),
    seq=counts,
    time_ms=counts,
    source=codes,
    source_seq=counts,
    label=digests,
    commitment=digests,
    prev=digests,
)


def a_leaf(**changes: Any) -> Leaf:
    values = {"log": "example.com/log", "seq": 7, "time_ms": 1_772_366_400_123, "source": "population", "source_seq": 3}
    return Leaf(**{**values, "label": b"\x01" * 32, "commitment": b"\x02" * 32, "prev": b"\x03" * 32, **changes})


class TestALeaf:
    def test_has_one_known_encoding(self) -> None:
        assert encode_leaf(a_leaf()) == (
            f'{{"commitment":"{"02" * 32}","label":"{"01" * 32}","log":"example.com/log","prev":"{"03" * 32}","seq":7,'
            '"source":"population","source_seq":3,"time_ms":1772366400123,"version":1}'
        ).encode("ascii")

    @given(leaves)
    def test_is_read_back_as_it_was_written(self, leaf: Leaf) -> None:
        assert decode_leaf(encode_leaf(leaf)) == leaf

    @given(leaves)
    def test_is_the_canonical_json_of_rfc_8785(self, leaf: Leaf) -> None:
        stated = {
            key: value.hex() if isinstance(value, bytes) else value for key, value in dataclasses.asdict(leaf).items()
        }
        assert encode_leaf(leaf) == rfc8785.dumps(stated)

    @given(leaves)
    def test_fits_into_an_entry_bundle(self, leaf: Leaf) -> None:
        assert len(encode_leaf(leaf)) <= 65_535

    @pytest.mark.parametrize(
        "changes",
        [
            {"version": 2},
            {"version": 0},
            {"log": ""},
            {"log": "a b"},
            {"log": "a+b"},
            {"log": 'a"b'},
            {"log": "a\\b"},
            {"log": "a\n"},
            {"log": "päevik"},
            {"log": "a" * 256},
            {"log": None},
            {"source": "Population"},
            {"source": "a" * 65},
            {"source": None},
            *(
                {name: value}
                for name in ("seq", "time_ms", "source_seq")
                for value in (-1, 2**53, True, 1.0, "1", None)
            ),
            *(
                {name: value}
                for name in ("label", "commitment", "prev")
                for value in (b"", bytes(31), bytes(33), "0" * 32, bytearray(32), None)
            ),
        ],
    )
    def test_takes_no_value_that_the_format_has_no_place_for(self, changes: dict[str, Any]) -> None:
        with pytest.raises(EntryRefused):
            a_leaf(**changes)

    @pytest.mark.parametrize(
        ("found", "instead"),
        [
            ('{"', '{ "'),
            ('"seq":7', '"seq": 7'),
            ('"seq":7', '"seq":07'),
            ('"seq":7', '"seq":-7'),
            ('"seq":7', '"seq":7.0'),
            ('"seq":7', '"seq":"7"'),
            ('"seq":7', '"seq":true'),
            ('"seq":7', '"seq":9007199254740992'),
            ('"seq":7', '"seq":7,"seq":7'),
            ('"seq":7,', ""),
            ('"seq":7,', '"seq":7,"extra":1,'),
            ('"version":1', '"version":2'),
            ('"version":1', '"version":1.0'),
            ("}", "}\n"),
            ("}", "} "),
            ("0202", "020"),
            ("population", "Population"),
            ("population", "pop\\u0075lation"),
            ("example.com", "example\\u002ecom"),
            ("example.com", "exa mple.com"),
            ('"log":"example.com/log"', '"log":""'),
            ('"label":"01', '"label":"0A'),
        ],
    )
    def test_in_any_other_form_is_refused(self, found: str, instead: str) -> None:
        text = encode_leaf(a_leaf()).decode()
        assert found in text
        with pytest.raises(EntryRefused):
            decode_leaf(text.replace(found, instead, 1).encode())

    def test_with_its_keys_in_another_order_is_refused(self) -> None:
        values = json.loads(encode_leaf(a_leaf()))
        reordered = json.dumps(dict(reversed(values.items())), separators=(",", ":"))
        with pytest.raises(EntryRefused):
            decode_leaf(reordered.encode())

    @given(leaves, st.data())
    def test_damaged_in_one_byte_is_refused_or_says_something_else(self, leaf: Leaf, data: st.DataObject) -> None:
        encoded = encode_leaf(leaf)
        position = data.draw(st.integers(0, len(encoded) - 1))
        damaged = encoded[:position] + data.draw(st.binary(max_size=2)) + encoded[position + 1 :]
        try:
            found = decode_leaf(damaged)
        except EntryRefused:
            return
        assert encode_leaf(found) == damaged
        assert (found == leaf) == (damaged == encoded)

    @given(st.binary(max_size=100))
    def test_of_random_bytes_is_refused_and_nothing_else_happens(self, encoded: bytes) -> None:
        with pytest.raises(EntryRefused):
            decode_leaf(encoded)

    def test_has_the_hash_that_the_tree_gives_it(self) -> None:
        encoded = encode_leaf(a_leaf())
        assert leaf_hash(encoded) == hashlib.sha256(b"\x00" + encoded).digest() == merkle.leaf_hash(encoded)

    def test_with_nothing_before_it_points_to_zeros(self) -> None:
        assert bytes(32) == GENESIS == a_leaf(seq=0, prev=GENESIS).prev


class TestCommitmentsAndLabels:
    def test_a_commitment_is_an_hmac_of_the_body_under_the_secret(self) -> None:
        assert commit(b"r" * 32, b"body") == hmac.new(b"r" * 32, b"body", hashlib.sha256).digest()

    def test_a_label_is_an_hmac_of_the_count_under_the_subjects_key(self) -> None:
        expected = hmac.new(b"k" * 32, b"glasshouse/label/v1\x00\x00\x00\x00\x00\x00\x00\x01", hashlib.sha256).digest()
        assert label(b"k" * 32, 1) == expected
        assert len({label(b"k" * 32, k) for k in range(1, 100)} | {label(b"l" * 32, 1)}) == 100

    @pytest.mark.parametrize("length", [0, 16, 31, 33, 64])
    def test_a_secret_of_another_length_is_refused_since_hmac_would_pad_it(self, length: int) -> None:
        with pytest.raises(EntryRefused):
            commit(bytes(length), b"body")
        with pytest.raises(EntryRefused):
            label(bytes(length), 1)

    @pytest.mark.parametrize("k", [0, -1, 2**64])
    def test_labels_count_from_one_in_64_bits(self, k: int) -> None:
        with pytest.raises(EntryRefused):
            label(bytes(32), k)
