"""Merkle trees of RFC 6962, section 2.1 (RFC 9162, section 2.1): hashes, proofs and their checks. Pure.

A node is named by the height of the complete subtree under it and by its place among the subtrees of that height:
(0, i) is the hash of leaf i, (3, 1) the root over leaves 8 to 15. No odd node is ever duplicated.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from audit.errors import InvalidProof

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree of a height at an index: `node(height, index)`."""
NodeVisitor = Callable[[int, int, bytes], None]
"""Takes a node that has just become complete: `visit(height, index, hash)`."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes (or over the roots of equal, complete subtrees), EMPTY_ROOT over none."""
    sha256 = hashlib.sha256  # `node_hash` inlined: a verification spends much of its time here
    level = list(hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        # A node without a sibling moves up unchanged; this equals the recursive split at the largest power of two.
        unpaired = level[-1:] if len(level) % 2 else []
        nodes = iter(level)
        level = [sha256(b"\x01" + left + right).digest() for left, right in zip(nodes, nodes, strict=False)] + unpaired
    return level[0]


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves, from the leaf's sibling up to the root's child.

    Reads O(log size) nodes. Raises InvalidProof where the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise InvalidProof(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    path.reverse()
    return path


def consistency_proof(size1: int, size2: int, node: NodeReader) -> list[bytes]:
    """The proof that the tree of `size2` leaves begins with the tree of `size1` leaves (RFC 6962, section 2.1.2).

    Reads O(log size2) nodes; between equal sizes the proof is empty. Raises InvalidProof where size1 > size2, and from
    0 to any larger size: growth from an empty tree proves nothing.
    """
    if not 0 <= size1 <= size2 or 0 == size1 < size2:
        raise InvalidProof(f"no proof leads from {size1} to {size2} leaves")
    path: list[bytes] = []
    start, end = 0, size2
    while end != size1:
        middle = start + _split(end - start)
        if size1 <= middle:
            path.append(_range_root(middle, end, node))
            end = middle
        else:
            path.append(_range_root(start, middle, node))
            start = middle
    if start > 0:
        path.append(_range_root(start, end, node))
    path.reverse()
    return path


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf hash is at `index` in the tree of `size` leaves with this root (RFC 9162, section 2.1.3.2).

    Raises InvalidProof unless every node of the proof is needed and the result is the root.
    """
    if not 0 <= index < size:
        raise InvalidProof(f"a tree of {size} leaves has no leaf {index}")
    _require_hashes(leaf_hash, root, *proof)
    place, last = index, size - 1
    computed = leaf_hash
    for sibling in proof:
        if last == 0:
            raise InvalidProof("the inclusion proof has more nodes than the path to the root")
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while place & 1 == 0 and place != 0:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise InvalidProof("the inclusion proof has fewer nodes than the path to the root")
    if computed != root:
        raise InvalidProof("the inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that the tree (size2, root2) begins with the tree (size1, root1) (RFC 9162, section 2.1.4.2).

    Raises InvalidProof unless every node of the proof is needed and both roots result. Trees of one size are consistent
    where their roots are equal and nothing more is offered as proof. Any tree would follow the empty one, so a claim
    that a tree grew from size 0 is refused: it says nothing.
    """
    if not 0 <= size1 <= size2:
        raise InvalidProof(f"a tree of {size2} leaves cannot follow one of {size1}")
    if size1 == size2:
        if proof:
            raise InvalidProof("trees of one size need no proof, and one was given")
        if root1 != root2:
            raise InvalidProof("two trees of one size have different roots")
        return
    if size1 == 0:
        raise InvalidProof("consistency with an empty tree says nothing")
    _require_hashes(root1, root2, *proof)
    _verify_growth(size1, size2, proof, root1, root2)


def _verify_growth(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    # Where size1 is a power of two the old root is itself the first node, and the proof leaves it out.
    nodes = [root1, *proof] if size1 & (size1 - 1) == 0 else list(proof)
    if not nodes:
        raise InvalidProof("the consistency proof is empty")
    place, last = size1 - 1, size2 - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise InvalidProof("the consistency proof has more nodes than the path to the root")
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while place & 1 == 0 and place != 0:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    if last != 0:
        raise InvalidProof("the consistency proof has fewer nodes than the path to the root")
    if old != root1:
        raise InvalidProof("the consistency proof leads to another root of the smaller tree")
    if new != root2:
        raise InvalidProof("the consistency proof leads to another root of the larger tree")


class CompactRange:
    """The right edge of a growing tree: the roots of its complete subtrees, largest first; enough to append and to sum.

    Raises ValueError unless there is one hash for each bit set in `size`.
    """

    __slots__ = ("_hashes", "_size")

    def __init__(self, size: int, hashes: Sequence[bytes]) -> None:
        if size < 0 or len(hashes) != size.bit_count():
            raise ValueError("a compact range has one hash for each bit set in its size")
        self._size = size
        self._hashes = list(hashes)

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, largest first."""
        return tuple(self._hashes)

    def append(self, leaf_hash: bytes, visit: NodeVisitor | None = None) -> None:
        """Add a leaf; `visit` is told of every node that becomes complete by it, the leaf itself first."""
        self.append_subtree(0, leaf_hash, visit)

    def append_subtree(self, height: int, node: bytes, visit: NodeVisitor | None = None) -> None:
        """Add a complete subtree of 2^height leaves by its root; `visit` is told of it and of what it completes.

        Raises ValueError unless the tree's size is a multiple of the subtree's.
        """
        if self._size % (1 << height):
            raise ValueError("a subtree is added where one of its size may begin")
        hashes = self._hashes
        self._size += 1 << height
        index = (self._size >> height) - 1
        if visit is not None:
            visit(height, index, node)
        while index & 1:
            node = node_hash(hashes.pop(), node)
            height, index = height + 1, index >> 1
            if visit is not None:
                visit(height, index, node)
        hashes.append(node)

    def append_all(self, leaf_hashes: Sequence[bytes], visit: NodeVisitor | None = None) -> None:
        """Add leaves by the largest complete subtrees that they make, which is faster than one by one.

        `visit` is told of each of these subtrees and of what it completes, and of nothing inside it.
        """
        start = 0
        while start < len(leaf_hashes):
            height = (len(leaf_hashes) - start).bit_length() - 1
            if self._size:
                height = min(height, (self._size & -self._size).bit_length() - 1)
            self.append_subtree(height, root_of(leaf_hashes[start : start + (1 << height)]), visit)
            start += 1 << height

    def root(self) -> bytes:
        """The root of the tree as it stands."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root


def _split(size: int) -> int:
    """The largest power of two smaller than `size`, which is at least 2."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_root(start: int, end: int, node: NodeReader) -> bytes:
    """The root over leaves start..end-1, where `start` is aligned as the splits of RFC 6962 leave it."""
    lefts: list[bytes] = []
    while (width := end - start) & (width - 1):
        height = width.bit_length() - 1
        lefts.append(node(height, start >> height))
        start += 1 << height
    height = width.bit_length() - 1
    root = node(height, start >> height)
    for left in reversed(lefts):
        root = node_hash(left, root)
    return root


def _require_hashes(*hashes: bytes) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise InvalidProof(f"every hash has {HASH_SIZE} bytes")
