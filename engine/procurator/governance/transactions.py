"""What a work does inside a transaction: it reads, and collects rows that are written when all works have run.

A work that fails leaves nothing behind and costs the others of its batch nothing.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class Mirror(Protocol):
    """What a module keeps in memory of its tables."""

    def reload(self, connection: sqlite3.Connection) -> None:
        """Read it again: another process has written, or a batch was rolled back."""


class Rows(Generic[K]):
    """Rows that works add to one table, kept in memory until their batch ends, then written in one go.

    Attributes:
        pending: the rows of the batch by a key, in the order in which they were added; who looks something up looks
            here first, then in the file.
    """

    __slots__ = ("_statement", "_written", "pending")

    def __init__(self, statement: str) -> None:
        self._statement = statement
        self._written = 0
        self.pending: dict[K, Sequence[Any]] = {}

    def write(self, connection: sqlite3.Connection, spared: int = 0) -> None:
        """Write what was not written yet, but for the last few."""
        pending, start = self.pending, self._written
        end = len(pending) - spared
        if start < end:
            every = pending.values()
            whole = start == 0 and not spared
            connection.executemany(self._statement, every if whole else islice(every, start, end))
            self._written = end

    def drop(self, key: K) -> None:
        """Take back one of the rows that were added last."""
        del self.pending[key]
        self._written = min(self._written, len(self.pending))

    def clear(self) -> None:
        """Forget the rows: the batch has ended."""
        self.pending.clear()
        self._written = 0


class Transaction:
    """What a work may do; nothing of it is seen by others before it is durable."""

    __slots__ = ("_added", "_cursor", "_saved", "_start", "_tables", "_undo_start", "_undos", "connection")

    def __init__(self, connection: sqlite3.Connection, tables: Sequence[Rows[Any]]) -> None:
        self.connection = connection
        self._cursor = connection.cursor()
        self._tables = tables
        self._added: list[tuple[Rows[Any], Any]] = []
        self._undos: list[Callable[[], object]] = []
        self._start = 0
        self._undo_start = 0
        self._saved = False

    def add(self, rows: Rows[K], key: K, row: Sequence[Any]) -> None:
        """Collect a row; `rows` belongs to the store by `Store.collect`.

        Raises:
            KeyError: the batch has a row with this key.
        """
        if rows.pending.setdefault(key, row) is not row:
            raise KeyError(key)
        self._added.append((rows, key))

    def stored(self, query: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """The one row, at most, that a query finds in the file, where rows that are still collected are not."""
        row: tuple[Any, ...] | None = self._cursor.execute(query, parameters).fetchone()
        return row

    def execute(self, statement: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Read or write with everything in sight, collected rows too; dearer than `stored` and `add`."""
        self.check()
        if not self._saved:
            self._save()
        for rows in self._tables:
            rows.write(self.connection)
        return self.connection.execute(statement, parameters)

    def undo(self, change: Callable[[], object]) -> None:
        """Have this called if the work, or its batch, comes to nothing: it takes a change in memory back."""
        self._undos.append(change)

    # What the store does with it

    def check(self) -> None:
        """See that the transaction goes on: where the disk is full, SQLite ends it, and writes what follows at once.

        Raises:
            sqlite3.OperationalError: it has ended.
        """
        if not self.connection.in_transaction:
            raise sqlite3.OperationalError("the database has ended the transaction")

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Run a work; if it raises, nothing of it stays."""
        self._start, self._undo_start, self._saved = len(self._added), len(self._undos), False
        try:
            result = work(self)
        except BaseException:
            self._take_back()
            raise
        if self._saved:
            self.connection.execute("RELEASE work")
        return result

    def finish(self) -> None:
        """Write what was collected."""
        for rows in self._tables:
            rows.write(self.connection)

    def give_up(self) -> None:
        """Take every change in memory back: the batch has failed."""
        for change in reversed(self._undos):
            change()
        self.clear()

    def clear(self) -> None:
        """Forget what was collected."""
        for rows in self._tables:
            rows.clear()

    def _take_back(self) -> None:
        if self._saved and self.connection.in_transaction:
            self.connection.execute("ROLLBACK TO work")
            self.connection.execute("RELEASE work")
        for change in reversed(self._undos[self._undo_start :]):
            change()
        for rows, key in self._added[self._start :]:
            rows.drop(key)
        del self._undos[self._undo_start :], self._added[self._start :]

    def _save(self) -> None:
        """Write what earlier works collected, then begin what can be rolled back for this work alone."""
        own = Counter(id(rows) for rows, _ in self._added[self._start :])
        for rows in self._tables:
            rows.write(self.connection, spared=own[id(rows)])
        self.connection.execute("SAVEPOINT work")
        self._saved = True
