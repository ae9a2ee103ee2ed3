"""The audit log: entries that are only ever added, in the store, so that they are durable with what they tell of.

Triggers refuse to change or delete entries; hashes and a Merkle tree with signed checkpoints, which are kept in a
witness file too, show when somebody has gone around them.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from procurator.governance.audit.checkpoints import Checkpoint, Signer, Witness
from procurator.governance.audit.masking import Mask, unmasked
from procurator.governance.audit.merkle import Frontier
from procurator.governance.audit.protection import unguarded
from procurator.governance.audit.records import GENESIS, KINDS, Entry, new_entry
from procurator.governance.store import Store, StoreError
from procurator.governance.strict_json import canonical
from procurator.governance.times import SECOND_NS, time_text
from procurator.governance.transactions import Rows, Transaction

DAY_NS: Final = 86_400 * SECOND_NS
STANDARD: Final = "standard"
"""The class of retention of an entry that is in no other."""

FIRST: Final = -(2**63)
"""The least number that SQLite has; no entry is before 0 but those that somebody has put there."""
CHECKPOINT_EVERY: Final = 1000
READ_AT_ONCE: Final = 1000
PRUNE_AT_ONCE: Final = 10_000

VERSION: Final = 1
# What replaces a row does not count as deleting it; the triggers before an insert are for that.
SCHEMA: Final = """
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, retention TEXT NOT NULL,
    retain_until_ns INTEGER NOT NULL, body TEXT, body_hash TEXT NOT NULL, prev_hash TEXT NOT NULL,
    entry_hash TEXT NOT NULL
) STRICT;
CREATE TABLE checkpoints (
    size INTEGER PRIMARY KEY, root TEXT NOT NULL, time_ns INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TABLE frontier (
    id INTEGER PRIMARY KEY CHECK (id = 0), size INTEGER NOT NULL, head TEXT NOT NULL, peaks BLOB NOT NULL
) STRICT;
INSERT INTO frontier VALUES (0, 0, '0000000000000000000000000000000000000000000000000000000000000000', x'');
CREATE TRIGGER entries_keep BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
WHEN NOT (
    NEW.body IS NULL AND OLD.retain_until_ns < CAST(strftime('%s', 'now') AS INTEGER) * 1000000000
    AND NEW.seq IS OLD.seq AND NEW.time_ns IS OLD.time_ns AND NEW.kind IS OLD.kind
    AND NEW.retention IS OLD.retention AND NEW.retain_until_ns IS OLD.retain_until_ns
    AND NEW.body_hash IS OLD.body_hash AND NEW.prev_hash IS OLD.prev_hash AND NEW.entry_hash IS OLD.entry_hash
)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER entries_once BEFORE INSERT ON entries WHEN EXISTS (SELECT 1 FROM entries WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER checkpoints_once BEFORE INSERT ON checkpoints
WHEN EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER checkpoints_keep BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER checkpoints_stay BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""

COLUMNS: Final = ", ".join(Entry._fields)
INSERT: Final = f"INSERT INTO entries ({COLUMNS}) VALUES ({', '.join('?' * len(Entry._fields))})"  # noqa: S608  # names
SELECT: Final = f"SELECT {COLUMNS} FROM entries"  # noqa: S608  # names alone
PRUNE: Final = """
UPDATE entries SET body = NULL
WHERE seq IN (SELECT seq FROM entries WHERE body IS NOT NULL AND retain_until_ns < ? LIMIT ?)
"""

Change: TypeAlias = Callable[[Transaction], Mapping[str, Any] | None]
"""Changes the state and says what it has changed."""


class AuditLog:
    """The audit log of a store."""

    def __init__(
        self,
        store: Store,
        *,
        retention_days: int,
        retention_classes: Mapping[str, int] = MappingProxyType({}),
        mask: Mask = unmasked,
        signer: Signer | None = None,
        checkpoint_every: int = CHECKPOINT_EVERY,
        witness: Witness | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open the log of a store, or make it.

        Args:
            store: the file.
            retention_days: how long entries have to be kept.
            retention_classes: for how many days entries of other classes have to be kept.
            mask: hides what must not be written in records; texts were masked by who made them.
            signer: signs checkpoints; without one there are none.
            checkpoint_every: after how many entries a checkpoint is signed.
            witness: keeps checkpoints outside of the file.
            clock: nanoseconds since 1970.

        Raises:
            StoreError: the log is shorter than it was, not the one the witness has seen, or lacks its triggers.
        """
        self._store = store
        self._retention = {name: days * DAY_NS for name, days in retention_classes.items()}
        self._retention[STANDARD] = retention_days * DAY_NS
        self.mask = mask
        self._signer = signer
        self._every = checkpoint_every
        self._witness = witness
        self._clock = clock
        self._rows: Rows[int] = Rows(INSERT)
        self._frontier = Frontier()
        self._head = GENESIS
        self._wanted: list[list[Checkpoint]] = []
        self._signed: str | None = None
        self._unwitnessed: list[str] = []
        store.define("audit", VERSION, SCHEMA)
        store.collect(self._rows)
        store.before_commit(self._before_commit)
        store.after_commit(self._after_commit)
        store.add_mirror(self)
        store.transact(self._compare_witness)
        store.transact(self._see_guards)

    def close(self) -> None:
        """Sign a last checkpoint, if there is a signer and something new; the store is closed by who opened it."""
        if self._signer is not None:
            self.checkpoint()

    # Writing

    def append(
        self, tx: Transaction, kind: str, record: Mapping[str, Any] | str, *, retention: str = STANDARD
    ) -> Entry:
        """Add an entry; it is durable when the transaction is.

        Args:
            tx: the transaction.
            kind: one of `KINDS`.
            record: what is masked and written, or the canonical JSON of what was masked before.
            retention: the class that says how long it is kept.

        Raises:
            ValueError: the kind or the class is not known, or the text is not Unicode.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of entry `{kind}`, expected one of {', '.join(sorted(KINDS))}")
        if retention not in self._retention:
            raise ValueError(f"unknown class of retention `{retention}`, expected one of {', '.join(self._retention)}")
        body = record if isinstance(record, str) else canonical(self.mask(dict(record)))
        pending, now = self._rows.pending, self._clock()
        seq = self._frontier.size + len(pending)
        head = pending[seq - 1][-1] if pending else self._head
        entry = new_entry(seq, now, kind, retention, now + self._retention[retention], body, head)
        tx.add(self._rows, seq, entry)
        return entry

    def write_down(self, kind: str, change: Change) -> Mapping[str, Any] | None:
        """Make a change in a transaction of its own, and add an entry of what it says of itself: both or neither.

        Args:
            kind: one of `KINDS`.
            change: makes the change and gives the record, to which the time is added, or None for no entry.

        Returns:
            What the change gave.
        """

        def work(tx: Transaction) -> Mapping[str, Any] | None:
            record = change(tx)
            if record is not None:
                self.append(tx, kind, {**record, "time": time_text(self._clock())})
            return record

        return self._store.transact(work)

    def entry(self, tx: Transaction, seq: int) -> Entry:
        """An entry, of this batch or before.

        Raises:
            KeyError: there is none.
        """
        row = self._rows.pending.get(seq) or tx.stored(f"{SELECT} WHERE seq = ?", (seq,))
        if row is None:
            raise KeyError(seq)
        return Entry(*row)

    def checkpoint(self) -> Checkpoint:
        """Sign the tree as it is now and keep the note; two with one size are one.

        Raises:
            ValueError: the log has no signer.
            StoreError: the file or the witness could not be written.
        """
        if self._signer is None:
            raise ValueError("the audit log has no key to sign checkpoints with")
        wanted: list[Checkpoint] = []

        def want(tx: Transaction) -> None:
            self._wanted.append(wanted)
            tx.undo(self._wanted.pop)

        self._store.transact(want)
        return wanted[0]

    def prune(self) -> int:
        """Remove the bodies of entries that are past their retention; hashes stay, so the tree still verifies.

        The removal is an entry itself, one for each commit. What was removed is overwritten in the file.

        Returns:
            How many bodies were removed.
        """
        # The trigger asks the machine's own clock, in whole seconds.
        before = min(self._clock(), time.time_ns() // SECOND_NS * SECOND_NS)

        def work(tx: Transaction) -> int:
            count = tx.execute(PRUNE, (before, PRUNE_AT_ONCE)).rowcount
            if count:
                self.append(tx, "prune", {"bodies": count, "retain_until_ns_below": before})
            return count

        total = 0
        while count := self._store.transact(work):
            total += count
        # The log that SQLite writes ahead still has the bodies.
        self._store.empty_wal()
        return total

    # Reading

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """The entries from a number on, in their order; some thousand at a time, so that nobody is held up."""
        while batch := self._store.read(partial(read_entries, start=start, count=READ_AT_ONCE)):
            yield from batch
            start = batch[-1].seq + 1

    def checkpoint_notes(self) -> list[str]:
        """The signed notes kept with the log, by size."""
        return self._store.read(read_notes)

    # What the store calls

    def reload(self, connection: sqlite3.Connection) -> None:
        """Take in what other processes have written.

        Raises:
            StoreError: the log does not end where it was left.
        """
        self._signed = None
        row = connection.execute("SELECT size, head, peaks FROM frontier").fetchone()
        last = connection.execute("SELECT seq + 1, entry_hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None or row[:2] != (last or (0, GENESIS)):
            raise StoreError(f"the audit log in `{self._store.path}` does not end where it was left: verify it")
        self._frontier, self._head = Frontier.unpacked(row[0], row[2]), row[1]

    def _before_commit(self, connection: sqlite3.Connection) -> None:
        self._tell_witness()
        frontier = self._frontier
        blocks = frontier.size // self._every
        if pending := self._rows.pending:
            hashes = [entry[-1] for entry in pending.values()]
            frontier.extend(map(bytes.fromhex, hashes))
            self._head = hashes[-1]
            state = (frontier.size, self._head, frontier.packed())
            connection.execute("UPDATE frontier SET size = ?, head = ?, peaks = ?", state)
        if self._signer is not None and (self._wanted or frontier.size // self._every != blocks):
            self._sign(connection, self._signer)

    def _sign(self, connection: sqlite3.Connection, signer: Signer) -> None:
        point = signer.sign(self._frontier.size, self._frontier.root())
        row = (point.size, point.root.hex(), self._clock(), point.note)
        query = "INSERT OR IGNORE INTO checkpoints (size, root, time_ns, note) VALUES (?, ?, ?, ?)"
        if connection.execute(query, row).rowcount:
            self._signed = point.note
        for wanted in self._wanted:
            wanted.append(point)

    def _after_commit(self) -> None:
        self._wanted.clear()
        if self._signed is not None:
            self._unwitnessed.append(self._signed)
            self._signed = None
            with suppress(OSError):  # the next commit tries again, and fails if it cannot
                self._tell_witness()

    def _tell_witness(self) -> None:
        if self._unwitnessed and self._witness is not None:
            self._witness.append(self._unwitnessed)
        self._unwitnessed.clear()

    def _see_guards(self, tx: Transaction) -> None:
        problem = unguarded(tx.connection, SCHEMA)
        if problem is not None:
            raise StoreError(f"the audit log in `{self._store.path}` is not protected: {problem}: verify it")

    def _compare_witness(self, tx: Transaction) -> None:
        """See that the log holds what the witness has seen, and tell it what it has missed."""
        if self._witness is None:
            return
        kept = read_notes(tx.connection)
        try:
            self._witness.mend(kept)
            seen = frozenset(self._witness.notes())
        except (OSError, ValueError) as error:
            raise StoreError(f"`{self._witness.path}` cannot be read: {error}") from error
        if unknown := seen.difference(kept):
            reason = f"`{self._witness.path}` has seen {len(unknown)} checkpoints of a log that is not this one"
            raise StoreError(f"{reason}, or was longer: verify it")
        self._unwitnessed = [note for note in kept if note not in seen]


def read_entries(connection: sqlite3.Connection, start: int = 0, count: int = -1) -> list[Entry]:
    """So many entries from a number on, or all."""
    return [Entry(*row) for row in connection.execute(f"{SELECT} WHERE seq >= ? ORDER BY seq LIMIT ?", (start, count))]


def stream_entries(connection: sqlite3.Connection, start: int = FIRST) -> Iterator[Entry]:
    """Entries from a number on, one after another, from a file that may have been tampered with."""
    return map(Entry._make, connection.execute(f"{SELECT} WHERE seq >= ? ORDER BY seq", (start,)))


def read_end(connection: sqlite3.Connection) -> int:
    """How many entries were written, as the log itself noted."""
    row = connection.execute("SELECT size FROM frontier").fetchone()
    return 0 if row is None else int(row[0])


def read_notes(connection: sqlite3.Connection) -> list[str]:
    """The notes of the checkpoints kept in a file, by size."""
    return [row[0] for row in connection.execute("SELECT note FROM checkpoints ORDER BY size")]
