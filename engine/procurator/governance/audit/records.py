"""Entries of the audit log: their canonical text and their hashes."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, NamedTuple

GENESIS: Final = "0" * 64
"""What the first entry has in the place of the hash of the one before it."""

KINDS: Final = frozenset(
    {
        "approval",
        "budget",
        "decision",
        "delegation",
        "extension",
        "kill",
        "notification",
        "outcome",
        "prune",
        "registration",
        "replan",
        "report",
        "resume",
        "revocation",
        "session",
    }
)
"""What an entry can be about."""


class Entry(NamedTuple):
    """One entry as it is stored, in the order of the columns.

    Attributes:
        seq: its number, from 0 without gaps.
        time_ns: when it was written, nanoseconds since 1970.
        kind: what it is about, one of `KINDS`.
        retention: the class of its retention.
        retain_until_ns: until when it has to be kept.
        body: the canonical JSON of the record; None once it was pruned.
        body_hash: SHA-256 of the body, in hex; stays when the body is pruned.
        prev_hash: the entry hash of the one before.
        entry_hash: the hash of its leaf in the tree of the log, in hex, over all of the above but the body.
    """

    seq: int
    time_ns: int
    kind: str
    retention: str
    retain_until_ns: int
    body: str | None
    body_hash: str
    prev_hash: str
    entry_hash: str

    def computed_hash(self) -> str:
        """What the entry hash has to be."""
        parts = self.seq, self.time_ns, self.kind, self.retention, self.retain_until_ns, self.body_hash, self.prev_hash
        return entry_hash(*parts)

    @property
    def leaf(self) -> bytes:
        """The leaf of the entry in the tree of the log."""
        return bytes.fromhex(self.entry_hash)


def new_entry(
    seq: int, time_ns: int, kind: str, retention: str, retain_until_ns: int, body: str, prev_hash: str
) -> Entry:
    """An entry for a body of canonical JSON, after the one with a hash."""
    body_hash = sha256(body.encode()).hexdigest()
    digest = entry_hash(seq, time_ns, kind, retention, retain_until_ns, body_hash, prev_hash)
    return Entry(seq, time_ns, kind, retention, retain_until_ns, body, body_hash, prev_hash, digest)


def entry_hash(
    seq: int, time_ns: int, kind: str, retention: str, retain_until_ns: int, body_hash: str, prev_hash: str
) -> str:
    """The hash of an entry's leaf (`merkle.leaf_hash`) over what ties it to its place.

    Each part ends with a line break, which none of them can hold.
    """
    leaf = f"\0{seq}\n{time_ns}\n{kind}\n{retention}\n{retain_until_ns}\n{body_hash}\n{prev_hash}\n"
    return sha256(leaf.encode()).hexdigest()
