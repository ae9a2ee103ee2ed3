"""Merkle trees over a log that only grows (RFC 9162, section 2.1).

A leaf is the hash of an entry, a node the hash of its two children; a proof of inclusion shows that an entry is in the
tree of a size, a proof of consistency that the tree of one size begins with the tree of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

LEAF: Final = b"\x00"
NODE: Final = b"\x01"

HASH_BYTES: Final = 32

EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without entries."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return sha256(NODE + left + right).digest()


class Frontier:
    """The right edge of a tree: enough to add entries and to know the root, however many entries there are."""

    __slots__ = ("_peaks", "size")

    def __init__(self, leaves: Sequence[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []
        self.extend(leaves)

    @classmethod
    def unpacked(cls, size: int, peaks: bytes) -> Frontier:
        """The right edge that `packed` wrote down."""
        found = cls()
        found.size = size
        found._peaks = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
        return found

    def packed(self) -> bytes:
        """The roots of the whole subtrees, the largest first."""
        return b"".join(self._peaks)

    def append(self, leaf: bytes) -> None:
        """Add the hash of an entry."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of entries."""
        peaks, size = self._peaks, self.size
        for carry in leaves:
            # One peak for each bit set in the size: an addition carries as a binary counter does.
            rest = size
            while rest & 1:
                carry = sha256(NODE + peaks.pop() + carry).digest()
                rest >>= 1
            peaks.append(carry)
            size += 1
        self.size = size

    def root(self) -> bytes:
        """The root of the tree."""
        if not self._peaks:
            return EMPTY_ROOT
        *rest, root = self._peaks
        for peak in reversed(rest):
            root = node_hash(peak, root)
        return root


def _split(size: int) -> int:
    """The largest power of two below a size: how many leaves the left subtree has."""
    return 1 << (size - 1).bit_length() - 1


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over hashes of entries."""
    return Frontier(leaves).root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the entry at an index to the root, the lowest first.

    Raises:
        IndexError: there is no such entry.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"no entry {index} in a tree of {len(leaves)}")
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that the entry with this hash stands at an index of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(step, found)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, step)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(leaves: Sequence[bytes], size: int) -> list[bytes]:
    """The hashes that show that the tree over the first entries is the beginning of the tree over all of them."""
    if not 0 <= size <= len(leaves):
        raise IndexError(f"no tree of {size} entries in one of {len(leaves)}")
    if size in (0, len(leaves)):
        return []
    path: list[bytes] = []
    low, high, whole = 0, len(leaves), True
    while size != high - low:
        middle = _split(high - low)
        if size <= middle:
            path.append(root_of(leaves[low + middle : high]))
            high = low + middle
        else:
            path.append(root_of(leaves[low : low + middle]))
            low, size, whole = low + middle, size - middle, False
    if not whole:
        path.append(root_of(leaves[low:high]))
    return path[::-1]


def verify_consistency(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that one tree begins with the other (RFC 9162, 2.1.4.2)."""
    if old_size > new_size or (old_size == new_size and (proof or old_root != new_root)):
        return False
    if old_size in (0, new_size):
        return not proof and (old_size != 0 or old_root == EMPTY_ROOT)
    steps = list(proof)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root
