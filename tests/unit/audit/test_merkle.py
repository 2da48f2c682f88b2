import base64
import functools
import hashlib
import json
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import merkle
from audit.errors import InvalidProof
from tests.vectors import rfc6962, shared

LARGEST = 70
HASHES = tuple(merkle.leaf_hash(f"leaf {index}".encode()) for index in range(LARGEST))


# The definitions of RFC 6962, section 2.1, word for word over slices of HASHES; slow, and plainly right.


def split(size: int) -> int:
    k = 1
    while k * 2 < size:
        k *= 2
    return k


@functools.cache
def naive_root(start: int, end: int) -> bytes:
    if end - start == 1:
        return HASHES[start]
    k = split(end - start)
    return hashlib.sha256(b"\x01" + naive_root(start, start + k) + naive_root(start + k, end)).digest()


def naive_path(index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    k = split(end - start)
    if index < k:
        return [*naive_path(index, start, start + k), naive_root(start + k, end)]
    return [*naive_path(index - k, start + k, end), naive_root(start, start + k)]


def naive_subproof(size1: int, start: int, end: int, whole: bool) -> list[bytes]:
    if size1 == end - start:
        return [] if whole else [naive_root(start, end)]
    k = split(end - start)
    if size1 <= k:
        return [*naive_subproof(size1, start, start + k, whole), naive_root(start + k, end)]
    return [*naive_subproof(size1 - k, start + k, end, False), naive_root(start, start + k)]


def reader(size: int) -> merkle.NodeReader:
    """Nodes of the tree of `size` leaves, which has only the complete ones."""

    def node(height: int, index: int) -> bytes:
        start, end = index << height, (index + 1) << height
        assert end <= size, "a node was asked for that is not complete"
        return naive_root(start, end)

    return node


sizes = st.integers(1, LARGEST)


@st.composite
def places(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


@st.composite
def growths(draw: st.DrawFn) -> tuple[int, int]:
    size2 = draw(st.integers(2, LARGEST))
    return draw(st.integers(1, size2 - 1)), size2


def with_a_bit_flipped(value: bytes, bit: int) -> bytes:
    changed = bytearray(value)
    changed[bit // 8 % len(value)] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_the_classic_leaves_are_those_everybody_knows(size: int) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in rfc6962.LEAVES[:size]]
    grown = merkle.CompactRange(0, [])
    for value in hashes:
        grown.append(value)
    assert merkle.root_of(hashes) == rfc6962.ROOTS[size]
    assert grown.root() == rfc6962.ROOTS[size]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert hashlib.sha256(b"").digest() == merkle.EMPTY_ROOT == merkle.root_of([])


def test_roots_equal_the_recursive_definition() -> None:
    for size in range(1, LARGEST + 1):
        assert merkle.root_of(HASHES[:size]) == naive_root(0, size)


def test_inclusion_proofs_equal_the_recursive_definition_and_verify() -> None:
    for size in range(1, LARGEST + 1):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, reader(size))
            assert proof == naive_path(index, 0, size)
            merkle.verify_inclusion(index, size, HASHES[index], proof, naive_root(0, size))


def test_consistency_proofs_equal_the_recursive_definition_and_verify() -> None:
    for size2 in range(1, LARGEST + 1):
        for size1 in range(1, size2 + 1):
            proof = merkle.consistency_proof(size1, size2, reader(size2))
            assert proof == naive_subproof(size1, 0, size2, True)
            merkle.verify_consistency(size1, size2, proof, naive_root(0, size1), naive_root(0, size2))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 0), (-1, 8), (8, 8), (9, 8), (2**64, 8)])
def test_no_proof_is_made_or_taken_for_a_leaf_that_the_tree_does_not_have(index: int, size: int) -> None:
    with pytest.raises(InvalidProof):
        merkle.inclusion_proof(index, size, reader(LARGEST))
    for proof in ([], [HASHES[0]]):
        with pytest.raises(InvalidProof):
            merkle.verify_inclusion(index, size, HASHES[0], proof, HASHES[0])


@given(places(), st.data())
def test_an_inclusion_proof_with_one_bit_changed_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    proof, root = naive_path(index, 0, size), naive_root(0, size)
    values = [HASHES[index], root, *proof]
    changed = data.draw(st.integers(0, len(values) - 1))
    values[changed] = with_a_bit_flipped(values[changed], data.draw(st.integers(0, 255)))
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(index, size, values[0], values[2:], values[1])


@given(places(), st.data())
def test_an_inclusion_proof_with_a_node_more_or_less_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    proof, root = naive_path(index, 0, size), naive_root(0, size)
    position = data.draw(st.integers(0, len(proof)))
    longer = [*proof[:position], data.draw(st.sampled_from([*HASHES[:3], root])), *proof[position:]]
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(index, size, HASHES[index], longer, root)
    if position < len(proof):
        with pytest.raises(InvalidProof):
            merkle.verify_inclusion(index, size, HASHES[index], proof[:position] + proof[position + 1 :], root)


@given(places(), st.data())
def test_an_inclusion_proof_holds_for_no_other_place(place: tuple[int, int], data: st.DataObject) -> None:
    index, size = place
    other = data.draw(st.integers(0, size - 1).filter(lambda value: value != index)) if size > 1 else 1
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(other, size, HASHES[index], naive_path(index, 0, size), naive_root(0, size))


@given(growths(), st.data())
def test_a_consistency_proof_with_one_bit_changed_is_refused(growth: tuple[int, int], data: st.DataObject) -> None:
    size1, size2 = growth
    values = [naive_root(0, size1), naive_root(0, size2), *naive_subproof(size1, 0, size2, True)]
    changed = data.draw(st.integers(0, len(values) - 1))
    values[changed] = with_a_bit_flipped(values[changed], data.draw(st.integers(0, 255)))
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(size1, size2, values[2:], values[0], values[1])


@given(growths(), st.data())
def test_a_consistency_proof_with_a_node_more_or_less_is_refused(growth: tuple[int, int], data: st.DataObject) -> None:
    size1, size2 = growth
    root1, root2 = naive_root(0, size1), naive_root(0, size2)
    proof = naive_subproof(size1, 0, size2, True)
    position = data.draw(st.integers(0, len(proof)))
    longer = [*proof[:position], data.draw(st.sampled_from([*HASHES[:3], root1, root2])), *proof[position:]]
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(size1, size2, longer, root1, root2)
    if position < len(proof):
        with pytest.raises(InvalidProof):
            merkle.verify_consistency(size1, size2, proof[:position] + proof[position + 1 :], root1, root2)


@given(growths())
def test_a_consistency_proof_does_not_lead_back_or_to_swapped_roots(growth: tuple[int, int]) -> None:
    size1, size2 = growth
    root1, root2 = naive_root(0, size1), naive_root(0, size2)
    proof = naive_subproof(size1, 0, size2, True)
    for claim in ((size2, size1, root2, root1), (size2, size1, root1, root2), (size1, size2, root2, root1)):
        with pytest.raises(InvalidProof):
            merkle.verify_consistency(claim[0], claim[1], proof, claim[2], claim[3])


@pytest.mark.parametrize("size2", [1, 2, 8])
@pytest.mark.parametrize("proof", [[], [HASHES[0]]])
def test_growth_from_an_empty_tree_is_no_claim_that_can_be_proved(size2: int, proof: list[bytes]) -> None:
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(0, size2, proof, merkle.EMPTY_ROOT, naive_root(0, size2))
    with pytest.raises(InvalidProof):
        merkle.consistency_proof(0, size2, reader(size2))


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8])
def test_trees_of_one_size_are_consistent_when_their_roots_are_equal_and_the_proof_is_empty(size: int) -> None:
    root = merkle.root_of(HASHES[:size])
    assert merkle.consistency_proof(size, size, reader(LARGEST)) == []
    merkle.verify_consistency(size, size, [], root, root)
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(size, size, [], root, HASHES[-1])
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(size, size, [root], root, root)


@pytest.mark.parametrize(("size1", "size2"), [(-1, 8), (-1, -1), (9, 8), (1, 0)])
def test_consistency_is_refused_for_sizes_that_cannot_follow_each_other(size1: int, size2: int) -> None:
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(size1, size2, [], HASHES[0], HASHES[0])
    with pytest.raises(InvalidProof):
        merkle.consistency_proof(size1, size2, reader(LARGEST))


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_hash_of_another_length_is_refused(length: int) -> None:
    wrong = bytes(length)
    proof, root = naive_path(0, 0, 2), naive_root(0, 2)
    for values in ((wrong, proof, root), (HASHES[0], [wrong], root), (HASHES[0], proof, wrong)):
        with pytest.raises(InvalidProof):
            merkle.verify_inclusion(0, 2, *values)
        with pytest.raises(InvalidProof):
            merkle.verify_consistency(1, 2, values[1], values[0], values[2])


def test_a_proof_of_another_shape_than_its_size_asks_for_is_refused_even_if_it_leads_to_the_root() -> None:
    a, b, c = HASHES[:3]
    ab, ba = merkle.node_hash(a, b), merkle.node_hash(b, a)
    for index, size, proof, root in ((0, 1, [b], ab), (0, 1, [b], ba), (0, 3, [b], ab), (2, 3, [b, c], HASHES[4])):
        with pytest.raises(InvalidProof):
            merkle.verify_inclusion(index, size, a, proof, root)
    abc = merkle.node_hash(ab, c)
    for size1, size2, proof, root1, root2 in (
        (1, 2, [b, c], a, abc),
        (
            3,
            4,
            [c, c, ab, a],
            merkle.node_hash(a, abc),
            merkle.node_hash(a, merkle.node_hash(ab, merkle.node_hash(c, c))),
        ),
        (1, 3, [b], a, ab),
        (3, 4, [a], a, a),
    ):
        with pytest.raises(InvalidProof):
            merkle.verify_consistency(size1, size2, proof, root1, root2)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_root_of_another_length_starts_no_proof_even_if_it_leads_to_the_other(length: int) -> None:
    short = bytes(length)
    with pytest.raises(InvalidProof):
        merkle.verify_consistency(1, 2, [HASHES[1]], short, merkle.node_hash(short, HASHES[1]))
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(0, 2, short, [HASHES[1]], merkle.node_hash(short, HASHES[1]))


def test_a_single_leaf_of_the_wrong_length_is_not_its_own_root() -> None:
    with pytest.raises(InvalidProof):
        merkle.verify_inclusion(0, 1, bytes(31), [], bytes(31))


def test_a_proof_reads_few_nodes_of_a_large_tree() -> None:
    reads = 0

    def node(height: int, index: int) -> bytes:
        nonlocal reads
        reads += 1
        return hashlib.sha256(f"{height} {index}".encode()).digest()

    size = 1_000_003
    chosen = random.Random(1)
    for _ in range(200):
        reads = 0
        merkle.inclusion_proof(chosen.randrange(size), size, node)
        assert reads <= 2 * size.bit_length()
        reads = 0
        merkle.consistency_proof(chosen.randrange(1, size), size, node)
        assert reads <= 3 * size.bit_length()


def test_a_growing_tree_shows_every_node_once_when_it_becomes_complete() -> None:
    seen: dict[tuple[int, int], bytes] = {}
    growing = merkle.CompactRange(0, [])
    for size, value in enumerate(HASHES, start=1):

        def visit(height: int, index: int, node: bytes, size: int = size) -> None:
            assert (height, index) not in seen
            assert (index + 1) << height == size
            seen[height, index] = node

        growing.append(value, visit)
        assert growing.size == size
        assert growing.root() == naive_root(0, size)
    assert seen == {
        (height, index): naive_root(index << height, (index + 1) << height)
        for height in range(LARGEST.bit_length())
        for index in range(LARGEST >> height)
    }


@given(sizes, st.data())
def test_a_tree_taken_up_again_at_any_size_grows_to_the_same_root(size: int, data: st.DataObject) -> None:
    first = merkle.CompactRange(0, [])
    for value in HASHES[: data.draw(st.integers(0, size))]:
        first.append(value)
    second = merkle.CompactRange(first.size, first.hashes)
    for value in HASHES[first.size : size]:
        second.append(value)
    assert second.root() == naive_root(0, size)


@pytest.mark.parametrize(("size", "count"), [(-1, 0), (0, 1), (1, 0), (3, 1), (4, 2)])
def test_a_compact_range_needs_a_hash_for_each_bit_of_its_size(size: int, count: int) -> None:
    with pytest.raises(ValueError, match="each bit"):
        merkle.CompactRange(size, HASHES[:count])


@pytest.mark.parametrize("path", shared.files(shared.INCLUSION, "*.json"))
def test_the_public_inclusion_vectors_are_judged_as_they_say(path: Path) -> None:
    case = json.loads(path.read_bytes())
    claim = (
        case["leafIdx"],
        case["treeSize"],
        base64.b64decode(case["leafHash"] or ""),
        [base64.b64decode(node) for node in case["proof"] or ()],
        base64.b64decode(case["root"] or ""),
    )
    if case["wantErr"]:
        with pytest.raises(InvalidProof):
            merkle.verify_inclusion(*claim)
    else:
        merkle.verify_inclusion(*claim)


@shared.needs_log
def test_the_public_log_grew_consistently_through_all_its_checkpoints() -> None:
    largest = max(shared.LOG_SIZES)
    tile = (shared.LOG / f"tile/0/000.p/{largest}").read_bytes()
    hashes = [tile[start : start + 32] for start in range(0, len(tile), 32)]

    def node(height: int, index: int) -> bytes:
        return merkle.root_of(hashes[index << height : (index + 1) << height])

    roots = {
        size: base64.b64decode((shared.LOG / f"checkpoint.{size}").read_text().split("\n")[2])
        for size in shared.LOG_SIZES
    }
    for size2 in shared.LOG_SIZES[1:]:
        for size1 in range(1, size2 + 1):
            proof = merkle.consistency_proof(size1, size2, node)
            merkle.verify_consistency(size1, size2, proof, roots[size1], roots[size2])
    for size1, size2 in pairwise(shared.LOG_SIZES[1:]):
        with pytest.raises(InvalidProof):
            merkle.verify_consistency(size1, size2, [], roots[size1], roots[size2])
