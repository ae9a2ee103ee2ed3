"""The audit log: entries that are only ever added, durable before `append` returns, in one SQLite file.

Triggers refuse to change or delete entries; hashes and a Merkle tree with signed checkpoints show when somebody has
gone around them. Threads that write at the same time share one commit.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any, Final

from procurator.governance.checkpoints import Checkpoint, Signer
from procurator.governance.merkle import Frontier
from procurator.governance.records import GENESIS, KINDS, Entry, Mask, canonical, new_entry

DAY_NS: Final = 86_400_000_000_000
BUSY_SECONDS: Final = 30.0

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
    seq INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, retain_until_ns INTEGER NOT NULL,
    body TEXT, body_hash TEXT NOT NULL, prev_hash TEXT NOT NULL, entry_hash TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS checkpoints (
    size INTEGER PRIMARY KEY, root TEXT NOT NULL, time_ns INTEGER NOT NULL, note TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS entries_keep BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries
WHEN NOT (
    NEW.body IS NULL AND OLD.retain_until_ns < CAST(strftime('%s', 'now') AS INTEGER) * 1000000000
    AND NEW.seq IS OLD.seq AND NEW.time_ns IS OLD.time_ns AND NEW.kind IS OLD.kind
    AND NEW.retain_until_ns IS OLD.retain_until_ns AND NEW.body_hash IS OLD.body_hash
    AND NEW.prev_hash IS OLD.prev_hash AND NEW.entry_hash IS OLD.entry_hash
)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS checkpoints_keep BEFORE DELETE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS checkpoints_stay BEFORE UPDATE ON checkpoints
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
"""

COLUMNS: Final = "seq, time_ns, kind, retain_until_ns, body, body_hash, prev_hash, entry_hash"


class AuditLog:
    """An open audit log; threads may share it, and several processes one file."""

    def __init__(
        self,
        path: str | Path,
        *,
        retention_days: int,
        mask: Mask = lambda record: record,
        signer: Signer | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        """Open a log, or make it.

        Args:
            path: the SQLite file.
            retention_days: how long entries have to be kept.
            mask: hides what must not be written.
            signer: signs checkpoints; without one there are none.
            clock: nanoseconds since 1970.
        """
        self._retention_ns = retention_days * DAY_NS
        self._mask = mask
        self._signer = signer
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._writing = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        # A permit is given on the strength of an entry: it has to survive a loss of power.
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(SCHEMA)
        self._frontier = Frontier([entry.leaf for entry in self.entries()])
        self._head = self._last_hash()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def append(self, kind: str, record: Mapping[str, Any]) -> Entry:
        """Write an entry; it is durable when this returns.

        Raises:
            ValueError: the kind is none of `KINDS`.
            sqlite3.Error: the entry could not be written.
        """
        if kind not in KINDS:
            raise ValueError(f"unknown kind of entry `{kind}`, expected one of {', '.join(sorted(KINDS))}")
        waiting = _Waiting(kind, canonical(self._mask(dict(record))))
        with self._lock:
            self._waiting.append(waiting)
        # Whoever gets to write does so for all who wait; the others find their entry written.
        with self._writing:
            if waiting.entry is None and waiting.error is None:
                self._write_waiting()
        if waiting.error is not None:
            raise waiting.error
        assert waiting.entry is not None  # noqa: S101  # written or failed
        return waiting.entry

    def _write_waiting(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting, []
        try:
            written = self._commit(batch)
        except sqlite3.Error as error:
            for waiting in batch:
                waiting.error = error
            return
        for waiting, entry in zip(batch, written, strict=True):
            waiting.entry = entry
            self._frontier.append(entry.leaf)
            self._head = entry.entry_hash

    def _commit(self, batch: list[_Waiting]) -> list[Entry]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._catch_up()
            seq, head = self._frontier.size, self._head
            entries = []
            for waiting in batch:
                now = self._clock()
                entry = new_entry(seq, now, waiting.kind, now + self._retention_ns, waiting.body, head)
                entries.append(entry)
                seq, head = seq + 1, entry.entry_hash
            connection.executemany(
                f"INSERT INTO entries ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # names alone
                [astuple(entry) for entry in entries],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return entries

    def _catch_up(self) -> None:
        """Take in what other processes have written since."""
        for entry in self.entries(self._frontier.size):
            self._frontier.append(entry.leaf)
            self._head = entry.entry_hash

    def _last_hash(self) -> str:
        row = self._connection.execute("SELECT entry_hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        return GENESIS if row is None else str(row[0])

    def entries(self, start: int = 0) -> Iterator[Entry]:
        """The entries from a number on, in their order."""
        query = f"SELECT {COLUMNS} FROM entries WHERE seq >= ? ORDER BY seq"  # noqa: S608  # names alone
        for row in self._connection.execute(query, (start,)):
            yield Entry(*row)

    # Checkpoints, retention

    def checkpoint(self) -> Checkpoint:
        """Sign the tree as it is now and keep the note; two with one size are one.

        Raises:
            ValueError: the log has no signer.
        """
        if self._signer is None:
            raise ValueError("the audit log has no key to sign checkpoints with")
        with self._writing:
            self._catch_up()
            signed = self._signer.sign(self._frontier.size, self._frontier.root())
            self._connection.execute(
                "INSERT OR IGNORE INTO checkpoints (size, root, time_ns, note) VALUES (?, ?, ?, ?)",
                (signed.size, signed.root.hex(), self._clock(), signed.note),
            )
        return signed

    def checkpoint_notes(self) -> list[str]:
        """The signed notes kept with the log, by size."""
        rows = self._connection.execute("SELECT note FROM checkpoints ORDER BY size").fetchall()
        return [str(row[0]) for row in rows]

    def prune(self) -> int:
        """Remove the bodies of entries that are past their retention; hashes stay, so the tree still verifies.

        Returns:
            How many bodies were removed.
        """
        with self._writing:
            cursor = self._connection.execute(
                "UPDATE entries SET body = NULL WHERE body IS NOT NULL AND retain_until_ns < ?",
                (min(self._clock(), time.time_ns() // 1_000_000_000 * 1_000_000_000),),
            )
        return cursor.rowcount


class _Waiting:
    """An entry that a thread waits to see written."""

    __slots__ = ("body", "entry", "error", "kind")

    def __init__(self, kind: str, body: str) -> None:
        self.kind = kind
        self.body = body
        self.entry: Entry | None = None
        self.error: sqlite3.Error | None = None
