"""What is checked at one go is what `decode_leaf` and the chain would say, one leaf after the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.entry import GENESIS, Leaf, decode_leaf, encode_leaf, leaf_hash
from audit.errors import EntryRefused
from audit.following import follow

ORIGIN = "test.example/log"


def _chain(sources: list[str], times: list[int]) -> list[bytes]:
    leaves: list[bytes] = []
    prev, reported = GENESIS, dict.fromkeys(sources, 0)
    for seq, (source, time_ms) in enumerate(zip(sources, sorted(times), strict=True)):
        leaf = encode_leaf(
            Leaf(
                log=ORIGIN,
                seq=seq,
                time_ms=time_ms,
                source=source,
                source_seq=reported[source],
                label=bytes([seq]) * 32,
                commitment=bytes([255 - seq]) * 32,
                prev=prev,
            )
        )
        reported[source] += 1
        prev = leaf_hash(leaf)
        leaves.append(leaf)
    return leaves


def _holds(leaves: list[bytes]) -> bool:
    """The slow and plain way."""
    prev, time_ms, reported = GENESIS, 0, dict[str, int]()
    for seq, encoded in enumerate(leaves):
        try:
            leaf = decode_leaf(encoded)
        except EntryRefused:
            return False
        if (leaf.log, leaf.seq, leaf.prev) != (ORIGIN, seq, prev) or leaf.time_ms < time_ms:
            return False
        if leaf.source_seq != reported.get(leaf.source, 0):
            return False
        reported[leaf.source] = leaf.source_seq + 1
        prev, time_ms = leaf_hash(encoded), leaf.time_ms
    return True


chains = st.lists(
    st.tuples(st.sampled_from(["portal", "police-3", "x"]), st.integers(0, 2**53 - 1)), min_size=1, max_size=12
).map(lambda pairs: _chain([source for source, _ in pairs], [time for _, time in pairs]))


@given(chains)
def test_what_follows_is_followed_and_the_state_behind_it_is_right(leaves: list[bytes]) -> None:
    found = follow(leaves, ORIGIN, 0, GENESIS, 0, {}, None)
    assert found is not None
    hashes, time_ms, sources, _ = found
    assert hashes == [leaf_hash(leaf) for leaf in leaves]
    assert time_ms == decode_leaf(leaves[-1]).time_ms
    for source, following in sources.items():
        assert following == sum(decode_leaf(leaf).source == source for leaf in leaves)


@given(chains, st.data())
def test_no_changed_byte_is_followed_that_the_plain_way_refuses(leaves: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(leaves) - 1))
    position = data.draw(st.integers(0, len(leaves[at]) - 1))
    byte = data.draw(st.one_of(st.sampled_from(b'0123456789abcdefAF",:{} '), st.integers(0, 255)))
    changed = bytearray(leaves[at])
    changed[position] = byte
    leaves[at] = bytes(changed)
    assert (follow(leaves, ORIGIN, 0, GENESIS, 0, {}, None) is not None) == _holds(leaves)


@pytest.mark.parametrize(
    "number", [b"01", b"00", b"-1", b"+1", b"1 ", b" 1", b"1_0", b"1.0", b"1e3", b"", b"\xd9\xa1", b"9007199254740992"]
)
@pytest.mark.parametrize("member", ["time_ms", "source_seq", "seq"])
def test_a_number_in_another_spelling_is_not_followed(member: str, number: bytes) -> None:
    [leaf] = _chain(["portal"], [5])
    values = {"time_ms": b"5", "source_seq": b"0", "seq": b"0"}
    name = f'"{member}":'.encode()
    changed = leaf.replace(name + values[member], name + number)
    assert changed != leaf
    assert follow([changed], ORIGIN, 0, GENESIS, 0, {}, None) is None


def test_the_first_report_of_a_source_in_a_stretch_is_kept_for_whoever_knows_the_one_before() -> None:
    leaves = _chain(["portal", "portal", "x", "portal"], [1, 2, 3, 4])
    prev = leaf_hash(leaves[0])
    found = follow(leaves[1:], ORIGIN, 1, prev, 1, {}, {})
    assert found is not None
    assert found[2] == {"portal": 3, "x": 1}
    assert found[3] == {"portal": (1, 1), "x": (2, 0)}
    skipped = encode_leaf(replace(decode_leaf(leaves[3]), source_seq=7))
    assert follow([leaves[1], leaves[2], skipped], ORIGIN, 1, prev, 1, {}, {}) is None
