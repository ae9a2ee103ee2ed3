"""Merkle trees: every index and every pair of sizes, against the definition in RFC 9162."""

from hashlib import sha256

import pytest

from procurator.governance.audit.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

SIZES = range(41)
LEAVES = [leaf_hash(str(number).encode()) for number in SIZES]


def defined_root(leaves: list[bytes]) -> bytes:
    """The root as section 2.1.1 defines it."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


def test_a_leaf_is_hashed_with_its_prefix() -> None:
    assert leaf_hash(b"") == sha256(b"\x00").digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_the_defined_one(size: int) -> None:
    assert root_of(LEAVES[:size]) == defined_root(LEAVES[:size])
    assert Frontier(LEAVES[:size]).size == size


@pytest.mark.parametrize("size", SIZES[1:])
def test_every_entry_is_shown_to_be_included_and_nowhere_else(size: int) -> None:
    leaves = LEAVES[:size]
    root = root_of(leaves)
    for index in range(size):
        proof = inclusion_proof(leaves, index)
        for other in range(size + 1):
            assert verify_inclusion(leaves[index], other, size, proof, root) == (other == index)
        assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
        assert not verify_inclusion(leaves[index], index, size, [*proof, root], root)
        if proof:
            assert not verify_inclusion(leaves[index], index, size, proof[:-1], root)


@pytest.mark.parametrize("new", SIZES)
def test_every_tree_is_shown_to_begin_with_each_smaller_one(new: int) -> None:
    leaves = LEAVES[:new]
    for old in range(new + 1):
        proof = consistency_proof(leaves, old)
        old_root = root_of(leaves[:old])
        assert verify_consistency(old, old_root, new, root_of(leaves), proof)
        if old:
            assert not verify_consistency(old, leaf_hash(b"other"), new, root_of(leaves), proof)
        if 0 < old < new:
            assert not verify_consistency(old, old_root, new, leaf_hash(b"other"), proof)
            assert not verify_consistency(old, old_root, new, root_of(leaves), proof[:-1])


def test_there_is_no_proof_of_what_is_not_there() -> None:
    with pytest.raises(IndexError, match="no entry 3 in a tree of 3"):
        inclusion_proof(LEAVES[:3], 3)
    with pytest.raises(IndexError, match="no tree of 4 entries in one of 3"):
        consistency_proof(LEAVES[:3], 4)


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == EMPTY_ROOT
