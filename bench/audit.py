"""What it costs to write a decision down: one entry of the audit log, one request, one permit, durable when it returns.

    make bench
    python bench/audit.py

Processor time is that of the whole process. Of a run with threads it includes what they take to wait for each other and
for the disk; the lines for works of a commit leave the threads out, and those without waiting the disk.
"""

import hashlib
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from figures import Figure, report
from procurator.governance.audit.log import AuditLog
from procurator.governance.audit.verification import verify
from procurator.governance.ledger import Ledger
from procurator.governance.store import Store, _Turn
from procurator.governance.strict_json import canonical
from procurator.governance.transactions import Transaction

WORKS = 24_000
ROUNDS = 3
RECORD = {
    "decision_id": "0123456789abcdef",
    "input": {"prompt_id": "p-1", "action": {"operation": "execute", "tool": "send_email", "parameters": {}}},
    "path": list(range(60)),
    "reasoning": {"snapshot": "x" * 1500, "tool_rationale": "the person asked for it"},
    "verdict": "permit",
}
BODY = canonical(RECORD)
DIGEST = hashlib.sha256(BODY.encode()).digest()
PROMPT = "prompt:p-1 https://login.example.org alice@example.org"

HEX = "0" * 64
ROWS: list[tuple[str, Callable[[int], tuple[object, ...]]]] = [
    (
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        lambda number: (number, number, "decision", "standard", number, BODY, HEX, HEX, HEX),
    ),
    ("INSERT INTO requests VALUES (?, ?, ?, ?)", lambda number: (number, f"{number:032x}", DIGEST, PROMPT)),
    (
        "INSERT INTO permits VALUES (?, ?, ?, ?, ?)",
        lambda number: (f"{number:032x}", f"{number:032x}", number, number, "open"),
    ),
]
"""What is written for a decision."""

Work = Callable[[Transaction], int]


class Writer:
    """A gateway's state, without the gateway."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path)
        self.log = AuditLog(self.store, retention_days=365)
        self.ledger = Ledger(self.store)

    def work(self, name: str) -> Work:
        """What is written for one decision."""
        request, permit = hashlib.sha256(name.encode()).hexdigest()[:32], f"{time.time_ns():016x}{name}"

        def write(tx: Transaction) -> int:
            assert self.ledger.find_request(tx, request) is None
            entry = self.log.append(tx, "decision", BODY)
            self.ledger.add_request(tx, request, DIGEST, entry.seq, PROMPT)
            self.ledger.open_permit(tx, permit, request, entry.seq, 2_000_000_000_000_000_000)
            return entry.seq

        return write

    def works(self, count: int, name: str) -> list[Work]:
        return [self.work(f"{name}-{number}") for number in range(count)]


@contextmanager
def writer() -> Iterator[Writer]:
    """A writer on a file of its own, on the disk that the folder is on."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        one = Writer(Path(folder) / "state.db")
        yield one
        found = one.store.read(lambda _connection: verify(one.log.entries()))
        assert found.is_whole, found
        one.store.close()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def with_threads(count: int) -> list[Figure]:
    """Many threads, each of which waits until its decision is durable."""

    def run(one: Writer, works: Sequence[Work]) -> None:
        for work in works:
            one.store.transact(work)

    times = []
    for _ in range(ROUNDS):
        with writer() as one:
            parts = [one.works(WORKS // 3 // count, str(number)) for number in range(count)]
            threads = [threading.Thread(target=run, args=(one, works)) for works in parts]

            def all_of_them(threads: Sequence[threading.Thread] = threads) -> None:
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

            times.append(timed(all_of_them))
    written = WORKS // 3 // count * count
    least = 5000 if count == 8 else None
    return [
        Figure(f"{count} threads, durable", written / min(clock for clock, _ in times), "per s", least=least),
        Figure(f"{count} threads, durable: processor", min(cpu for _, cpu in times) / written * 1e6, "µs"),
    ]


def run_together(store: Store, works: Sequence[Work]) -> None:
    """One commit for works that no thread waits for."""
    turns = [_Turn(work) for work in works]
    store._run(turns)
    assert all(turn.done for turn in turns)


def rows_alone(count: int) -> float:
    """Microseconds of the processor for the same rows without hashes, tree, lookups or works."""
    best = float("inf")
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            one = Writer(Path(folder) / "state.db")
            connection = one.store._connection
            connection.execute("PRAGMA synchronous = OFF")

            def insert(connection: sqlite3.Connection = connection) -> None:
                for at in range(0, WORKS // 3, count):
                    numbers = range(at, at + count)
                    connection.execute("BEGIN IMMEDIATE")
                    for statement, row in ROWS:
                        connection.executemany(statement, [row(number) for number in numbers])
                    connection.execute("COMMIT")

            best = min(best, timed(insert)[1])
            one.store.close()
    return best / (WORKS // 3) * 1e6


def together(count: int, synchronous: str) -> Figure:
    """Works that share commits, without threads that wait for them."""
    best = float("inf")
    for _ in range(ROUNDS):
        with writer() as one:
            one.store._connection.execute(f"PRAGMA synchronous = {synchronous}")
            works = one.works(WORKS // 3, "w")
            parts = [works[at : at + count] for at in range(0, len(works), count)]

            def all_of_them(one: Writer = one, parts: Sequence[Sequence[Work]] = parts) -> None:
                for part in parts:
                    run_together(one.store, part)

            best = min(best, timed(all_of_them)[1])
    name = "durable" if synchronous == "FULL" else "without waiting for the disk"
    return Figure(f"{count} works a commit, {name}: processor", best / (WORKS // 3) * 1e6, "µs")


def verifying() -> Figure:
    """Checking the log."""
    with writer() as one:
        for part in range(WORKS // 3 // 100):
            run_together(one.store, one.works(100, str(part)))
        entries = list(one.log.entries())
        spent = min(timed(lambda: verify(entries))[1] for _ in range(ROUNDS))
    return Figure("verify an entry", spent / len(entries) * 1e6, "µs")


def figures() -> Iterator[Figure]:
    """All that is measured."""
    spent = min(timed(lambda: [json.dumps(RECORD) for _ in range(1000)])[1] for _ in range(5))
    yield Figure(f"JSON of a record of {len(BODY)} bytes", spent * 1e3, "µs")
    for threads in (1, 8, 64):
        yield from with_threads(threads)
    for count in (8, 64):
        durable, bare, rows = together(count, "FULL"), together(count, "OFF"), rows_alone(count)
        yield from (durable, bare, Figure(f"{count} works a commit, their rows alone: processor", rows, "µs"))
        yield Figure(f"{count} works a commit / their rows alone", bare.value / rows, "times", most=2.5)
    yield verifying()


if __name__ == "__main__":
    sys.exit(0 if report(figures()) else 1)
