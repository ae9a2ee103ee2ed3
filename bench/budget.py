"""Times budgets: a reservation in memory against a policy written by hand, and processes that spend from one file.

    make bench
    python bench/budget.py

The processes are those that the tests start too.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path as File

sys.path.append(str(File(__file__).parent.parent / "tests"))

from budgets import DELEGATION, PERSON, PROMPT, line, path, redis_server
from engine import DATA, REQUESTS, by_hand, call, medians
from figures import Figure, report
from gateways import CONFIG, World
from procurator.governance.budget.accounts import Line
from procurator.governance.budget.stores.memory import MemoryBudgets
from procurator.governance.budget.windows import DAY, Window
from spenders import spent

DEPTH = 3
UNITS = ("actions", "compute_tokens", "EUR")
COST = {"actions": 1, "compute_tokens": 120, "EUR": 1_200_000_000}
MUCH = 10**18
START_NS = 1_800_000_000_000_000_000

PROCESSES = 8
DECISIONS = 500
LIMIT = 1500


def lines() -> list[Line]:
    """Three units of a person, of a prompt and of each token of a chain."""
    day = Window(DAY, "Europe/Berlin")
    above = [
        *(line(PERSON, "alice", unit, MUCH, day) for unit in UNITS),
        *(line(PROMPT, "", unit, MUCH) for unit in UNITS),
    ]
    return above + [line(DELEGATION, f"token{depth}", unit, MUCH) for depth in range(DEPTH) for unit in UNITS]


def reservations() -> list[Figure]:
    """A reservation of three units on all accounts of a chain, beside the decision of a good programmer."""
    store, wanted, ids = MemoryBudgets(), path(*lines()), count()

    def reserve() -> None:
        store.reserve(None, wanted, COST, START_NS, str(next(ids)), START_NS + 600)

    def through() -> None:
        permit = str(next(ids))
        store.reserve(None, wanted, COST, START_NS, permit, START_NS + 600)
        store.settle(None, permit, {"compute_tokens": 100}, START_NS)

    hand, reserved, settled = medians([call(by_hand(DATA), REQUESTS["granted"]), reserve, through])
    return [
        Figure("roles by hand", hand, "us"),
        Figure(f"3 units reserved on {len(wanted.lines)} lines", reserved, "us"),
        Figure("times the roles by hand", reserved / hand, "", most=15),
        Figure("reserved and settled", settled, "us"),
    ]


def processes(name: str, store: str = "") -> list[Figure]:
    """Processes that spend from one store end with exactly the limit spent."""
    with tempfile.TemporaryDirectory() as folder:
        world = World.made(File(folder), f"{CONFIG}\nquotas: {{max_actions_per_prompt: {LIMIT}{store}}}\n")
        token = world.granted()
        start = time.perf_counter()
        reasons = spent(File(folder), token, processes=PROCESSES, threads=2, decisions=DECISIONS // 2)
        seconds = time.perf_counter() - start
        [balance] = world.gateway.admin.balance("p1")
        [used] = [one["spent"] + one["reserved"] for one in balance["lines"] if one["unit"] == "actions"]
        world.gateway.close()
    made = PROCESSES * DECISIONS
    assert sum(reasons.values()) == made, reasons
    return [
        Figure(f"{name}: permits of {LIMIT}, {PROCESSES} processes", reasons["passed"], "", most=LIMIT, least=LIMIT),
        Figure(f"{name}: actions booked", used, "", most=LIMIT, least=LIMIT),
        Figure(f"{name}: {made} decisions, from the start of the processes", seconds, "s"),
    ]


def servers() -> list[Figure]:
    """The same on a server, where there is a program for one."""
    url = redis_server()
    if url is None:
        print("no program of Redis or Valkey: pip install 'procurator[test]'")
        return []
    return processes("server", f', store: {{kind: redis, url: "{url}"}}')


def figures() -> Iterator[Figure]:
    """All that is measured."""
    yield from reservations()
    yield from processes("file")
    yield from servers()


if __name__ == "__main__":
    sys.exit(0 if report(figures()) else 1)
