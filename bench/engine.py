"""How fast the engine decides, as ratios that do not depend on the machine.

    make bench
    python bench/engine.py

Functions that are compared run by turns, many short runs each, and medians of their own time on the processor count: a
busy machine slows all of them.
"""

import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from figures import Figure, report
from procurator import Engine, Limits, loads

RUNS = 201
RUN_SECONDS = 0.001
COLD_STARTS = 5
RULES = 10_000
RECORDS = 100_000

RBAC = """package app.rbac

default allow := false

allow if user_is_admin

allow if {
	some grant in user_is_granted
	input.action == grant.action
	input.type == grant.type
}

user_is_admin if "admin" in data.user_roles[input.user]

user_is_granted contains grant if {
	some role in data.user_roles[input.user]
	some grant in data.role_grants[role]
}
"""
"""The policy of roles in the documentation of OPA."""

DATA = {
    "user_roles": {"alice": ["admin"], "bob": ["employee", "billing"], "eve": ["customer"]},
    "role_grants": {
        "customer": [{"action": a, "type": t} for t in ("dog", "cat") for a in ("read", "adopt")],
        "employee": [{"action": a, "type": t} for t in ("dog", "cat") for a in ("read", "update")],
        "billing": [{"action": a, "type": "finance"} for a in ("read", "update")],
    },
}

REQUESTS = {
    "granted": {"user": "bob", "action": "update", "type": "finance"},
    "refused": {"user": "eve", "action": "update", "type": "finance"},
    "admin": {"user": "alice", "action": "read", "type": "dog"},
    "unknown": {"user": "nobody", "action": "read", "type": "dog"},
}

SHAPES = (
    'allow if input.user == "user{n}"',
    'allow if input.role in {{"role{n}", "lead{n}"}}',
    "allow if {{ input.level >= {n}0; input.level < {n}5 }}",
    'allow if startswith(input.path, "/app/{n}/")',
)

MISS = {"user": "none", "role": "none", "level": 7, "path": "/none/7/x"}

HITS = {
    "equality": {**MISS, "user": "user4"},
    "membership": {**MISS, "role": "lead5"},
    "range": {**MISS, "level": 21},
    "prefix": {**MISS, "path": "/app/7/x"},
    "no rule": MISS,
}


Work = Callable[[], Any]


def medians(works: Sequence[Work]) -> list[float]:
    """The median of the microseconds that each function takes; they run by turns."""
    counts = [_count(work) for work in works]
    runs: list[list[float]] = [[] for _ in works]
    gc.collect()
    gc.disable()
    try:
        for _ in range(RUNS):
            for work, count, spent in zip(works, counts, runs, strict=True):
                spent.append(_seconds(work, count) / count * 1e6)
    finally:
        gc.enable()
    return [statistics.median(spent) for spent in runs]


def _count(work: Work) -> int:
    """How often a function runs in the time of one run."""
    count = 1
    while (spent := _seconds(work, count)) < RUN_SECONDS:
        count = max(2 * count, int(count * RUN_SECONDS / max(spent, 1e-9)))
    return count


def _seconds(work: Work, count: int) -> float:
    turns = range(count)
    start = time.thread_time()
    for _ in turns:
        work()
    return time.thread_time() - start


def call(function: Callable[[Any], Any], document: Any) -> Work:
    """A function with its argument, with as little around the call as there can be."""
    return lambda: function(document)


def by_hand(data: Mapping[str, Any]) -> Callable[[Any], bool]:
    """What a good programmer writes for the policy of roles."""
    user_roles, role_grants = data["user_roles"], data["role_grants"]

    def allow(request: Any) -> bool:
        roles = user_roles.get(request["user"], ())
        if "admin" in roles:
            return True
        action, kind = request["action"], request["type"]
        for role in roles:
            for grant in role_grants.get(role, ()):
                if grant["action"] == action and grant["type"] == kind:
                    return True
        return False

    return allow


def regorus() -> Callable[[Any], Any] | None:
    """The policy of roles in regorus, called with a dict; None where it is not installed."""
    try:
        import regorus as module
    except ImportError:
        return None
    engine = module.Engine()
    engine.add_policy("rbac.rego", RBAC)
    engine.add_data(DATA)

    def allow(request: Any) -> Any:
        engine.set_input(request)
        return engine.eval_rule("data.app.rbac.allow")

    return allow


def roles() -> list[Figure]:
    """The policy of roles against the function written by hand, regorus, its own trace and its own limits."""
    engine = Engine.from_sources({"rbac.rego": RBAC}, DATA)
    allow = engine.prepare("data.app.rbac.allow")
    limits = Limits(steps=1_000_000, seconds=10, depth=100, output=1_000_000)
    limited = Engine.from_sources({"rbac.rego": RBAC}, DATA, limits=limits).prepare("data.app.rbac.allow")
    hand, other = by_hand(DATA), regorus()
    found = []
    for name, request in REQUESTS.items():
        wanted = hand(request)
        assert allow(request) is limited(request) is allow.decide(request).value is wanted
        works = [call(one, request) for one in (hand, allow, allow.decide, limited)]
        if other is not None:
            assert other(request) is wanted
            works.append(call(other, request))
        by, bare, decided, bounded, *theirs = medians(works)
        found += [
            Figure(f"{name}: written by hand", by, "µs"),
            Figure(f"{name}: prepared", bare, "µs"),
            Figure(f"{name}: prepared / written by hand", bare / by, "times", most=1.5),
            Figure(f"{name}: decide / prepared", decided / bare, "times", most=1.15),
            Figure(f"{name}: with limits / without", bounded / bare, "times", most=1.03),
        ]
        found += [Figure(f"{name}: regorus / prepared", their / bare, "times", least=15) for their in theirs]
    return found


def loops() -> list[Figure]:
    """Limits where the input decides how much work there is, so that steps have to be counted."""
    policy = "package t\nallow if { some item in input.items; item.size > 100 }"
    bare = Engine.from_sources({"t.rego": policy}).prepare("data.t.allow")
    limited = Engine.from_sources({"t.rego": policy}, limits=Limits(steps=10**6, seconds=10)).prepare("data.t.allow")
    found = []
    for items in (5, 50, 500):
        request = {"items": [{"size": number % 90} for number in range(items)]}
        one, other = medians([call(bare, request), call(limited, request)])
        found.append(Figure(f"loop over {items} items of the input: with limits / without", other / one, "times", 1.03))
    return found


def many_rules(count: int) -> str:
    """A policy of so many rules of the shapes above."""
    lines = [SHAPES[n % len(SHAPES)].format(n=n) for n in range(count)]
    return "\n".join(["package big", "default allow := false", *lines])


def scale() -> list[Figure]:
    """Ten rules against ten thousand of the same shapes."""
    few, many = (Engine.from_sources({"b.rego": many_rules(n)}).prepare("data.big.allow") for n in (10, RULES))
    found = []
    for name, request in HITS.items():
        assert few(request) is many(request)
        one, other = medians([call(few, request), call(many, request)])
        found.append(Figure(f"{RULES:,} rules / 10 rules, {name}", other / one, "times", most=1.3))
    return found


def memory() -> list[Figure]:
    """Records held by an engine that has answered a question, against the same text read by `json.loads`."""
    records = [{"id": f"r{n}", "owner": f"user{n % 977}", "size": n, "open": n % 2 == 0} for n in range(RECORDS)]
    text = json.dumps({"records": records})
    del records
    plain, kept = _held(lambda: json.loads(text))
    del kept

    def hold() -> Any:
        engine = Engine.from_sources({"t.rego": "package t\nn := count(data.records)"}, loads(text))
        assert engine.eval("data.t.n") == RECORDS
        return engine

    Engine.from_sources({"t.rego": "package t\nn := count(data.records)"}).eval("data.t.n")
    held, engine = _held(hold)
    del engine
    return [Figure(f"{RECORDS:,} records: engine / json.loads, bytes held", held / plain, "times", most=2)]


def _held(make: Work) -> tuple[int, Any]:
    gc.collect()
    tracemalloc.start()
    made = make()
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return held, made


START = """
import sys, time
start = time.perf_counter()
from procurator import Engine
imported = time.perf_counter()
allow = Engine.from_sources({"b.rego": open(sys.argv[1]).read()}, cache=sys.argv[2]).prepare("data.big.allow")
assert allow({"user": "user4"}) is True
print(imported - start, time.perf_counter() - imported)
"""


def cold_starts() -> list[Figure]:
    """New processes that answer their first question from a cache."""
    with tempfile.TemporaryDirectory() as folder:
        policy = f"{folder}/b.rego"
        with open(policy, "w", encoding="utf-8") as file:
            file.write(many_rules(RULES))
        command = [sys.executable, "-c", START, policy, f"{folder}/cache"]
        first, *others = [
            [float(part) for part in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()]
            for _ in range(1 + COLD_STARTS)
        ]
    imports, answers = (statistics.median(column) for column in zip(*others, strict=True))
    return [
        Figure(f"{RULES:,} rules: first answer without a cache", first[1], "s"),
        Figure(f"{RULES:,} rules: first answer from the cache", answers, "s", most=1),
        Figure("import of the engine", imports, "s"),
        Figure(f"{RULES:,} rules: both, from the cache", imports + answers, "s", most=1),
    ]


def figures() -> Iterator[Figure]:
    """All that is measured."""
    for part in (roles, loops, scale, memory, cold_starts):
        yield from part()
    if regorus() is None:
        print("regorus is not installed: pip install 'procurator[bench]'")


if __name__ == "__main__":
    sys.exit(0 if report(figures()) else 1)
