"""The store: works of one commit, what fails alone, what other connections wrote, files that are not ours."""

import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from batches import together

from procurator.governance.store import Store, StoreError
from procurator.governance.transactions import Rows, Transaction

SCHEMA = "CREATE TABLE items (name TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT"


class Shelf:
    """A part of the state with one table and a mirror of its total."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.total = 0
        self.loads = 0
        self.rows: Rows[str] = Rows("INSERT INTO items VALUES (?, ?)")
        store.define("shelf", 1, SCHEMA)
        store.collect(self.rows)
        store.add_mirror(self)

    def reload(self, connection: sqlite3.Connection) -> None:
        self.total = connection.execute("SELECT coalesce(sum(size), 0) FROM items").fetchone()[0]
        self.loads += 1

    def collect(self, tx: Transaction, name: str, size: int) -> None:
        """Add a row at the end of the batch, and to the total now."""
        tx.add(self.rows, name, (name, size))
        self.total += size
        tx.undo(lambda: self.grow(-size))

    def grow(self, size: int) -> None:
        self.total += size

    def items(self) -> dict[str, int]:
        """What the file holds."""
        return dict(self.store.read(lambda connection: connection.execute("SELECT * FROM items").fetchall()))


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    store = Store(tmp_path / "state.db")
    yield Shelf(store)
    store.close()


def test_a_work_returns_its_result_and_is_durable(shelf: Shelf) -> None:
    def work(tx: Transaction) -> str:
        shelf.collect(tx, "a", 1)
        return "done"

    assert shelf.store.transact(work) == "done"
    assert (shelf.items(), shelf.total) == ({"a": 1}, 1)


def batch(shelf: Shelf, works: list[Any]) -> list[Any]:
    """Run works in one commit."""
    return together(shelf.store, [partial(shelf.store.transact, work) for work in works])


def test_a_work_that_fails_leaves_nothing_and_costs_the_others_nothing(shelf: Shelf) -> None:
    def good(name: str) -> Any:
        return lambda tx: shelf.collect(tx, name, 1)

    def bad(tx: Transaction) -> None:
        shelf.collect(tx, "bad", 5)
        raise ValueError("no")

    def late(tx: Transaction) -> None:
        shelf.collect(tx, "late", 5)
        tx.execute("INSERT INTO items VALUES ('later', 5)")
        shelf.collect(tx, "latest", 5)
        assert tx.execute("SELECT count(*) FROM items").fetchone() == (4,)
        raise ValueError("no")

    def written(tx: Transaction) -> Any:
        tx.execute("INSERT INTO items VALUES ('c', 1)")
        shelf.grow(1)
        tx.undo(lambda: shelf.grow(-1))

    answers = batch(shelf, [good("a"), bad, late, good("b"), written, good("a")])
    assert answers == [None, "ValueError: no", "ValueError: no", None, None, "KeyError: 'a'"]
    assert (shelf.items(), shelf.total) == ({"a": 1, "b": 1, "c": 1}, 3)


def test_a_batch_that_cannot_be_written_fails_for_all_and_leaves_nothing(shelf: Shelf) -> None:
    shelf.store.transact(lambda tx: shelf.collect(tx, "a", 1))
    works = [lambda tx: shelf.collect(tx, "b", 1), lambda tx: shelf.collect(tx, "a", 1)]
    reason = f"StoreError: `{shelf.store.path}` could not be written: UNIQUE constraint failed: items.name"
    assert batch(shelf, works) == [reason, reason]
    assert (shelf.items(), shelf.total) == ({"a": 1}, 1)
    shelf.store.transact(lambda tx: shelf.collect(tx, "b", 1))
    assert (shelf.items(), shelf.total) == ({"a": 1, "b": 1}, 2)


@pytest.mark.parametrize("swallows", [False, True])
def test_a_work_that_the_disk_is_too_full_for_ends_the_batch_and_leaves_nothing(shelf: Shelf, swallows: bool) -> None:
    """SQLite ends the transaction by itself then: what other works have collected must not be written without it."""
    connection = shelf.store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")

    def good(name: str) -> Any:
        return lambda tx: shelf.collect(tx, name, 1)

    def big(tx: Transaction) -> None:
        with suppress(sqlite3.OperationalError) if swallows else nullcontext():
            tx.execute("INSERT INTO items VALUES (?, 1)", ("x" * 100_000,))
        with suppress(sqlite3.OperationalError):
            tx.execute("INSERT INTO items VALUES ('after', 1)")
        shelf.collect(tx, "last", 1)

    answers = batch(shelf, [good("a"), big, good("b")])
    assert [answer.partition(": ")[0] for answer in answers] == ["StoreError"] * 3
    assert (shelf.items(), shelf.total) == ({}, 0)
    connection.execute("PRAGMA max_page_count = 0")
    assert batch(shelf, [good("a"), good("b")]) == [None, None]
    assert (shelf.items(), shelf.total) == ({"a": 1, "b": 1}, 2)


def test_nothing_is_written_when_the_transaction_has_ended_and_no_work_says_so(shelf: Shelf) -> None:
    """As SQLite ends it where the disk is too full for what others collected; the work that saw it is silent."""

    def silent(tx: Transaction) -> None:
        tx.connection.execute("ROLLBACK")

    works = [lambda tx: shelf.collect(tx, "a", 1), silent, lambda tx: shelf.collect(tx, "b", 1)]
    assert [answer.partition(": ")[0] for answer in batch(shelf, works)] == ["StoreError"] * 3
    assert (shelf.items(), shelf.total) == ({}, 0)


def test_mirrors_are_loaded_again_only_after_somebody_else_wrote(shelf: Shelf, tmp_path: Path) -> None:
    for name in "abc":
        shelf.store.transact(lambda tx, name=name: shelf.collect(tx, name, 1))
    assert shelf.loads == 1
    other = Store(tmp_path / "state.db")
    second = Shelf(other)
    other.transact(lambda tx: second.collect(tx, "d", 10))
    assert shelf.store.transact(lambda _tx: shelf.total) == 13
    assert shelf.loads == 2
    other.close()


def test_a_work_that_begins_another_transaction_is_refused(shelf: Shelf) -> None:
    def work(_tx: Transaction) -> None:
        shelf.store.transact(lambda _tx: None)

    with pytest.raises(RuntimeError, match="must not begin another transaction"):
        shelf.store.transact(work)
    assert shelf.store.transact(lambda _tx: 1) == 1


def test_an_interrupt_ends_the_batch_and_the_store_goes_on(shelf: Shelf) -> None:
    def work(tx: Transaction) -> None:
        shelf.collect(tx, "a", 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.store.transact(work)
    assert (shelf.items(), shelf.total) == ({}, 0)
    shelf.store.transact(lambda tx: shelf.collect(tx, "b", 1))
    assert shelf.items() == {"b": 1}


def test_who_is_interrupted_while_it_gathers_a_batch_holds_nobody_up(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next in line leads; what is written later is not held up either."""
    store, gather = shelf.store, shelf.store._gather
    other = threading.Thread(target=lambda: store.transact(lambda tx: shelf.collect(tx, "other", 1)), daemon=True)

    def interrupted() -> None:
        monkeypatch.setattr(store, "_gather", gather)
        other.start()
        while len(store._queue) < 2:
            time.sleep(0)
        raise KeyboardInterrupt

    monkeypatch.setattr(store, "_gather", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.transact(lambda tx: shelf.collect(tx, "own", 1))
    other.join(10)
    assert not other.is_alive()
    store.transact(lambda tx: shelf.collect(tx, "later", 1))
    assert shelf.items() == {"later": 1, "other": 1}


class Leave(BaseException):
    """What interrupts a thread that waits."""


def test_who_is_interrupted_while_others_wait_holds_none_of_them_up(shelf: Shelf) -> None:
    """The batch has begun: the threads that come after it in line are let go all the same."""
    store, here, left = shelf.store, threading.get_ident(), threading.Event()

    def leave(*_: object) -> None:
        raise Leave

    def interrupt(_tx: Transaction) -> None:
        signal.pthread_kill(here, signal.SIGUSR1)
        assert left.wait(10)

    def line_up() -> None:
        others[0].start()
        wait_for(1)
        waits.set()
        wait_for(2)
        for number, thread in enumerate(others[1:], 3):
            thread.start()
            wait_for(number)

    def wait_for(length: int) -> None:
        while len(store._queue) < length:
            time.sleep(0)

    def others_work(number: int) -> None:
        store.transact(interrupt if number == 0 else lambda tx: shelf.collect(tx, f"thread {number}", 1))

    waits = threading.Event()
    others = [threading.Thread(target=others_work, args=(number,), daemon=True) for number in range(3)]
    holder = threading.Thread(target=lambda: store.transact(lambda _tx: line_up()))
    before = signal.signal(signal.SIGUSR1, leave)
    try:
        holder.start()
        assert waits.wait(10)
        with pytest.raises(Leave):
            store.transact(lambda tx: shelf.collect(tx, "own", 1))
        left.set()
        for thread in (holder, *others):
            thread.join(10)
            assert not thread.is_alive()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert shelf.items() == {"own": 1, "thread 1": 1, "thread 2": 1}


def test_readers_see_one_state_and_cannot_write(shelf: Shelf) -> None:
    def work(connection: sqlite3.Connection) -> int:
        before = connection.execute("SELECT count(*) FROM items").fetchone()[0]
        shelf.store.transact(lambda tx: shelf.collect(tx, "a", 1))
        return int(connection.execute("SELECT count(*) FROM items").fetchone()[0]) - int(before)

    assert shelf.store.read(work) == 0
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        shelf.store.read(lambda connection: connection.execute("DELETE FROM items"))


def test_a_part_in_another_version_is_refused(shelf: Shelf) -> None:
    reason = f"`{shelf.store.path}` has the part `shelf` in version 1, this program knows version 2"
    with pytest.raises(StoreError) as caught:
        shelf.store.define("shelf", 2, SCHEMA)
    assert str(caught.value) == reason


def test_files_that_are_not_ours_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="is a database of another program"):
        Store(path)
    assert path.read_bytes() == before
    path.write_text("no database, but a text that is long enough to be looked at\n" * 20)
    with pytest.raises(StoreError, match="is not a file of state: file is not a database"):
        Store(path)
    with pytest.raises(StoreError, match="cannot be opened"):
        Store(tmp_path / "missing" / "state.db")


def test_the_file_is_its_owners_alone(shelf: Shelf) -> None:
    modes = {file.name: file.stat().st_mode & 0o777 for file in shelf.store.path.parent.iterdir()}
    assert modes == {"state.db": 0o600, "state.db-wal": 0o600, "state.db-shm": 0o600}


def test_threads_share_commits_and_lose_nothing(shelf: Shelf) -> None:
    def run(thread: int) -> None:
        for number in range(50):
            shelf.store.transact(lambda tx, name=f"{thread}/{number}": shelf.collect(tx, name, 1))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shelf.items() == {f"{thread}/{number}": 1 for thread in range(8) for number in range(50)}
    assert shelf.total == 400
