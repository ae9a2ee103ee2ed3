"""The state of the gateway: one SQLite file, in which threads that write at the same time share a commit.

Whoever comes first runs the works of all who wait, in one transaction, and lets them go when it is durable.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from procurator.governance.transactions import Mirror, Rows, Transaction

T = TypeVar("T")

APPLICATION_ID: Final = 0x50524F43
"""Marks a file as ours in its header, so that another program's is not taken for one."""

BUSY_SECONDS: Final = 30.0
PAGE_BYTES: Final = 8192
WAL_PAGES: Final = 1000
GATHER_SECONDS: Final = 0.0002
"""How long a batch waits for works that are likely to come: about as long as a commit takes."""
EXPECT_SECONDS: Final = 0.002

META: Final = """
CREATE TABLE IF NOT EXISTS meta (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""


class StoreError(Exception):
    """The state cannot be read or written, or is not ours."""


class _Turn:
    """A work that a thread waits to see done."""

    __slots__ = ("after", "done", "error", "is_gone", "is_woken", "lead", "result", "signal", "work")

    def __init__(self, work: Callable[[Transaction], Any]) -> None:
        self.work = work
        self.result: Any = None
        self.error: Exception | None = None
        self.done = False
        """Whether the result is durable."""
        self.lead = False
        self.signal: threading.Lock | None = None
        self.after: _Turn | None = None
        """Whom its thread wakes when it goes on."""
        self.is_woken = False
        self.is_gone = False
        """Whether its thread waits no more, for an interrupt."""


class Store:
    """An open file of state; threads may share it, and several processes one file."""

    def __init__(self, path: str | Path) -> None:
        """Open a file, or make it, for its owner alone.

        Raises:
            StoreError: it cannot be opened, or is not a file of state.
        """
        self.path = Path(path)
        self._mutex = threading.Lock()
        self._queue: list[_Turn] = []
        self._busy = False
        self._closed = False
        self._leader = 0
        self._expected = 0  # how many works the next batch is likely to have
        self._expected_until = 0.0
        self._awaited = 0  # how many the leader waits for; 0 if it does not
        self._gathered = threading.Lock()
        self._gathered.acquire()
        self._stale = False
        self._tables: list[Rows[Any]] = []
        self._mirrors: list[Mirror] = []
        self._before: list[Callable[[sqlite3.Connection], None]] = []
        self._after: list[Callable[[], None]] = []
        self._readers: list[sqlite3.Connection] = []
        self._connection = _opened(self.path)
        self._version = self._data_version()

    # Set-up

    def define(self, part: str, version: int, script: str) -> None:
        """Make the tables of a part of the state, unless they are there.

        Args:
            part: whose tables they are.
            version: goes up when the tables change.
            script: statements that make what does not exist.

        Raises:
            StoreError: the file has the part in another version.
        """

        def make(tx: Transaction) -> int:
            row = tx.stored("SELECT version FROM meta WHERE part = ?", (part,))
            if row is not None:
                return int(row[0])
            for statement in _statements(script):
                tx.execute(statement)
            tx.execute("INSERT INTO meta VALUES (?, ?)", (part, version))
            return version

        found = self.transact(make)
        if found != version:
            reason = f"has the part `{part}` in version {found}, this program knows version {version}"
            raise StoreError(f"`{self.path}` {reason}")

    def collect(self, rows: Rows[Any]) -> None:
        """Write these rows at the end of each batch, after those that were given before."""
        self._tables.append(rows)

    def add_mirror(self, mirror: Mirror) -> None:
        """Load a mirror, and load it again whenever another process has written."""

        def load(tx: Transaction) -> None:
            mirror.reload(tx.connection)
            self._mirrors.append(mirror)

        self.transact(load)

    def before_commit(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Have this called before each commit, when the rows are written; if it raises, the batch fails."""
        self._before.append(write)

    def after_commit(self, act: Callable[[], None]) -> None:
        """Have this called after each commit, before those who wait for it go on; it must not raise."""
        self._after.append(act)

    # Writing

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """Run a work in a transaction; what it wrote is durable when this returns.

        Raises:
            StoreError: the transaction failed; nothing was written.
            Exception: what the work raised; nothing of it was written.
        """
        turn = _Turn(work)
        with self._mutex:
            if self._closed:
                raise StoreError(f"`{self.path}` is closed")
            self._queue.append(turn)
            if self._busy:
                turn.signal = threading.Lock()
                turn.signal.acquire()
                if len(self._queue) == self._awaited:
                    self._awaited = 0
                    self._gathered.release()
            else:
                self._busy = turn.lead = True
        if turn.signal is not None:
            self._wait(turn, turn.signal)
        if turn.lead:
            self._lead(turn)
        if turn.error is not None:
            raise turn.error
        if not turn.done:
            raise StoreError(f"`{self.path}` was not written")
        result: T = turn.result
        return result

    def _wait(self, turn: _Turn, signal: threading.Lock) -> None:
        if self._leader == threading.get_ident():
            self._abandon(turn)
            raise RuntimeError("a work of the store must not begin another transaction")
        try:
            signal.acquire()
        except BaseException:
            self._abandon(turn)
            raise
        self._wake(turn.after)

    def _wake(self, turn: _Turn | None) -> None:
        """Let the thread of a turn go on, or the next that still waits; it wakes the one after it.

        Threads that are all let go at once wait for the interpreter then, and have to be woken twice.
        """
        with self._mutex:
            while turn is not None and turn.is_gone:
                turn = turn.after
            if turn is not None and turn.signal is not None:
                turn.is_woken = True
                turn.signal.release()

    def _abandon(self, turn: _Turn) -> None:
        """Leave the queue, and pass on what was given already: the lead, or the word to go on."""
        with self._mutex:
            turn.is_gone = True
            if turn in self._queue:
                self._queue.remove(turn)
        if turn.is_woken:
            self._wake(turn.after)
        if turn.lead:
            self._pass_on(0)

    def _lead(self, turn: _Turn) -> None:
        try:
            self._gather()
        except BaseException:
            self._abandon(turn)
            raise
        with self._mutex:
            batch, self._queue = self._queue, []
        self._leader = threading.get_ident()
        try:
            self._run(batch)
        finally:
            self._leader = 0
            waiting = [one for one in batch if not one.lead]
            for one, after in pairwise(waiting):
                one.after = after
            self._wake(waiting[0] if waiting else None)
            self._pass_on(len(batch))

    def _gather(self) -> None:
        """Wait a little for those who were let go with the last batch: they are likely to come again."""
        with self._mutex:
            missing = len(self._queue) < self._expected and time.monotonic() < self._expected_until
            self._awaited = self._expected if missing else 0
        if missing:
            try:
                self._gathered.acquire(timeout=GATHER_SECONDS)
            finally:
                with self._mutex:
                    self._awaited = 0
                    self._gathered.acquire(blocking=False)

    def _pass_on(self, ended: int) -> None:
        """Let the next in the queue lead, after a batch of so many."""
        with self._mutex:
            self._expected = ended + len(self._queue)
            self._expected_until = time.monotonic() + EXPECT_SECONDS
            if self._queue:
                turn = self._queue[0]
                turn.lead = True
                if turn.signal is not None:
                    turn.signal.release()
            else:
                self._busy = False

    def _run(self, batch: list[_Turn]) -> None:
        tx = Transaction(self._connection, self._tables)
        try:
            self._commit(batch, tx)
        except BaseException as error:
            for turn in batch:
                if turn.error is None:
                    turn.error = StoreError(f"`{self.path}` could not be written: {error}")
                    turn.error.__cause__ = error
            tx.give_up()
            self._roll_back()
            if not isinstance(error, Exception):
                raise
        else:
            for turn in batch:
                turn.done = turn.error is None

    def _commit(self, batch: list[_Turn], tx: Transaction) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        self._refresh()
        for turn in batch:
            try:
                turn.result = tx.run(turn.work)
            except Exception as error:  # it is raised where the work came from
                if not connection.in_transaction:
                    raise
                turn.error = error
            tx.check()
        tx.finish()
        for write in self._before:
            write(connection)
        connection.execute("COMMIT")
        for act in self._after:
            act()
        tx.clear()

    def _refresh(self) -> None:
        version = self._data_version()
        if version != self._version or self._stale:
            self._stale = True
            for mirror in self._mirrors:
                mirror.reload(self._connection)
            self._version, self._stale = version, False

    def _roll_back(self) -> None:
        """End what is left of a transaction and have every mirror say again what the file says."""
        self._stale = True
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        try:
            self._refresh()
        except (sqlite3.Error, StoreError):
            return  # the next batch tries again, and fails if it cannot

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    # Reading

    def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a work that only reads, on one state of the file, beside whoever writes."""
        with self._mutex:
            connection = self._readers.pop() if self._readers else None
        if connection is None:
            connection = open_reader(self.path)
        connection.execute("BEGIN")
        try:
            return work(connection)
        finally:
            connection.execute("ROLLBACK")
            with self._mutex:
                self._readers.append(connection)

    def empty_wal(self) -> None:
        """Move everything into the file itself, so that its write-ahead log holds nothing that was removed.

        Raises:
            StoreError: somebody reads an older state of the file.
        """
        with closing(_opened(self.path)) as connection:
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise StoreError(f"`{self.path}-wal` cannot be emptied while the file is read")

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closed

    def close(self) -> None:
        """Close the file, after those who wait have written; whoever comes later is told so."""
        while True:
            with self._mutex:
                if self._closed:
                    return
                if not self._busy:
                    self._closed = True
                    break
            self.transact(lambda _tx: None)
        self._connection.close()
        while self._readers:
            self._readers.pop().close()


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for part in script.split(";"):
        statement += f"{part};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read, to a file of any kind that SQLite reads.

    Raises:
        StoreError: there is no such file.
    """
    if not path.is_file():
        raise StoreError(f"there is no file `{path}`")
    address = f"file:{quote(str(path.absolute()))}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _opened(path: Path) -> sqlite3.Connection:
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"`{path}` cannot be opened: {error}") from error
    try:
        _set_up(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StoreError(f"`{path}` is not a file of state: {error}") from error
    except StoreError:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    if found != APPLICATION_ID:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise StoreError(f"`{path}` is a database of another program")
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA journal_mode = WAL")
    # A permit is given on the strength of what was written: it has to survive a loss of power.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    # What is pruned is not to be found in the free space of the file.
    connection.execute("PRAGMA secure_delete = ON")
    connection.executescript(META)
