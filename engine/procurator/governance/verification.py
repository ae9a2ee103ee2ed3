"""Whether an audit log is what was written: every hash, the chain, the tree, the signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from procurator.governance.checkpoints import Checkpoint, read_checkpoint
from procurator.governance.merkle import Frontier, inclusion_proof
from procurator.governance.records import GENESIS, Entry

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of the log found.

    Attributes:
        size: how many entries are in order, from the first on.
        root: the root of the tree over those.
        problem: what is wrong, or None.
        first_bad: the number of the first entry that is not as it was written, or None.
    """

    size: int
    root: bytes
    problem: str | None = None
    first_bad: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.problem is None


def verify(entries: Iterable[Entry], checkpoints: Iterable[Checkpoint] = ()) -> Verification:
    """Check a log from its first entry on.

    Args:
        entries: all of it, in order.
        checkpoints: what is known of it from elsewhere or from its own notes, already checked for their signature.
    """
    expected = {point.size: point.root for point in checkpoints}
    frontier = Frontier()
    head = GENESIS
    for entry in entries:
        problem = _problem(entry, frontier.size, head)
        if problem is not None:
            return Verification(frontier.size, frontier.root(), problem, frontier.size)
        frontier.append(entry.leaf)
        head = entry.entry_hash
        if expected.get(frontier.size) not in (None, frontier.root()):
            reason = f"the first {frontier.size} entries are not those of the checkpoint of that size"
            return Verification(frontier.size, frontier.root(), reason, None)
    longest = max(expected, default=0)
    if longest > frontier.size:
        reason = f"the log ends after {frontier.size} entries, a checkpoint has seen {longest}"
        return Verification(frontier.size, frontier.root(), reason, frontier.size)
    if frontier.size and expected.get(0) not in (None, Frontier().root()):
        return Verification(frontier.size, frontier.root(), "the checkpoint of the empty log is wrong", None)
    return Verification(frontier.size, frontier.root())


def _problem(entry: Entry, seq: int, head: str) -> str | None:
    if entry.seq != seq:
        return f"entry {seq} is missing: entry {entry.seq} stands in its place"
    if entry.prev_hash != head:
        return f"entry {seq} does not follow the one before it"
    if entry.computed_hash() != entry.entry_hash:
        return f"entry {seq} was changed: its hash is not that of what it holds"
    if entry.body is not None and sha256(entry.body.encode()).hexdigest() != entry.body_hash:
        return f"the body of entry {seq} was changed"
    return None


def read_checkpoints(notes: Iterable[str], origin: str, key: Ed25519PublicKey) -> list[Checkpoint]:
    """The checkpoints of signed notes; ValueError for a note that is not signed with the key."""
    return [read_checkpoint(note, origin, key) for note in notes]


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Shows that an entry is in the tree of a checkpoint: `merkle.verify_inclusion` takes what it holds."""

    entry: Entry
    index: int
    size: int
    path: tuple[bytes, ...]


def prove(entries: Iterable[Entry], index: int, size: int) -> InclusionProof:
    """The proof that an entry is in the tree over the first `size` entries; IndexError if it is not."""
    kept = [entry for entry, _ in zip(entries, range(size), strict=False)]
    path = inclusion_proof([entry.leaf for entry in kept], index)
    return InclusionProof(kept[index], index, len(kept), tuple(path))
