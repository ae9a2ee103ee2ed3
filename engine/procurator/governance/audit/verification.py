"""Whether an audit log is what was written: every hash, the chain, the tree, the signed checkpoints."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from procurator.governance.audit.checkpoints import Checkpoint
from procurator.governance.audit.merkle import Frontier, inclusion_proof
from procurator.governance.audit.records import GENESIS, Entry

SHAPES: Final = frozenset((int, int, str, str, int, body, str, str, str) for body in (str, type(None)))
"""The types of an entry as it is stored, with its body or without."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the log found.

    Attributes:
        size: how many entries are in order, from the first on.
        root: the root of the tree over those.
        problem: what is wrong, or None.
        first_bad: the number of the first entry that is not as it was written, or None. Where hashes were computed
            anew it is the first that may be: the one after the last checkpoint that agrees.
        found: what stands in the place of that entry, or None.
    """

    size: int
    root: bytes
    problem: str | None = None
    first_bad: int | None = None
    found: Entry | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


def verify(
    entries: Iterable[Entry],
    checkpoints: Iterable[Checkpoint] = (),
    *,
    written: int | None = None,
    now_ns: int | None = None,
) -> Verification:
    """Check a log from its first entry on.

    Args:
        entries: all of it, in order.
        checkpoints: what is known of it from elsewhere or from its own notes, already checked for their signature.
        written: how many entries the log itself says it has.
        now_ns: the time by which a body may have been pruned; default: now.
    """
    now = time.time_ns() if now_ns is None else now_ns
    expected: dict[int, set[bytes]] = {}
    for point in checkpoints:
        expected.setdefault(point.size, set()).add(point.root)
    frontier, head = Frontier(), GENESIS
    suspect: Entry | None = None  # the first entry that no checkpoint has confirmed
    agreed = 0
    if problem := _disagreement(frontier, expected, 0):
        return Verification(0, frontier.root(), problem, 0)
    for entry in entries:
        problem = _problem(entry, frontier.size, head, now)
        if problem is not None:
            return Verification(frontier.size, frontier.root(), problem, frontier.size, entry)
        if written is not None and frontier.size >= written:
            problem = f"entry {frontier.size} was added behind the last that the gateway wrote"
            return Verification(frontier.size, frontier.root(), problem, frontier.size, entry)
        suspect = suspect or entry
        frontier.append(entry.leaf)
        head = entry.entry_hash
        if frontier.size in expected:
            if problem := _disagreement(frontier, expected, agreed):
                return Verification(agreed, frontier.root(), problem, agreed, suspect)
            agreed, suspect = frontier.size, None
    return Verification(frontier.size, frontier.root(), *_cut(frontier.size, expected, written))


def _problem(entry: Entry, seq: int, head: str, now_ns: int) -> str | None:
    if tuple(map(type, entry)) not in SHAPES:
        return f"entry {seq} is malformed"
    if entry.seq != seq:
        return f"entry {seq} is missing: entry {entry.seq} stands in its place"
    if entry.prev_hash != head:
        return f"entry {seq} does not follow the one before it"
    if entry.computed_hash() != entry.entry_hash:
        return f"entry {seq} was changed: its hash is not that of what it holds"
    if entry.body is None:
        return f"the body of entry {seq} was removed before its time" if entry.retain_until_ns >= now_ns else None
    if sha256(entry.body.encode()).hexdigest() != entry.body_hash:
        return f"the body of entry {seq} was changed"
    return None


def _disagreement(frontier: Frontier, expected: dict[int, set[bytes]], agreed: int) -> str | None:
    """What is wrong if a checkpoint of this size has another root."""
    size = frontier.size
    if expected.get(size, {frontier.root()}) == {frontier.root()}:
        return None
    which = f"{agreed} to {size - 1}" if size - agreed > 1 else f"{agreed}"
    return f"the first {size} entries are not those of the checkpoint of that size: {which} may have been replaced"


def _cut(size: int, expected: dict[int, set[bytes]], written: int | None) -> tuple[str | None, int | None]:
    longest = max(expected, default=0)
    if longest > size:
        return f"the log ends after {size} entries, a checkpoint has seen {longest}", size
    if written is not None and written > size:
        return f"the log ends after {size} entries, {written} were written", size
    return None, None


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Shows that an entry is in the tree of a checkpoint: `merkle.verify_inclusion` takes what it holds."""

    entry: Entry
    index: int
    size: int
    path: tuple[bytes, ...]


def prove(entries: Iterable[Entry], index: int, size: int) -> InclusionProof:
    """The proof that an entry is in the tree over the first `size` entries; IndexError if it is not."""
    leaves, proved = [], None
    for entry, number in zip(entries, range(size), strict=False):
        leaves.append(entry.leaf)
        if number == index:
            proved = entry
    path = inclusion_proof(leaves, index)
    assert proved is not None  # noqa: S101  # the path says that it is there
    return InclusionProof(proved, index, len(leaves), tuple(path))
