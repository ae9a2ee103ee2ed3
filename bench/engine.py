"""What a decision costs: against hand-written Python, against regorus, and with any number of rules.

    make bench
    python bench/engine.py

All functions of a comparison run by turns in many short rounds; what is printed are medians, in microseconds, and their
ratio, in one run. regorus takes part where it is installed (`pip install gordon-to-regorus`).
"""

import json
import statistics
import timeit
from collections.abc import Callable, Sequence
from typing import Any

from procurator import Engine

try:
    import regorus
except ImportError:
    regorus = None

ROUNDS = 60
CALLS = 3000

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

DATA: dict[str, Any] = {
    "user_roles": {"alice": ["admin"], "bob": ["employee", "billing"], "eve": ["customer"]},
    "role_grants": {
        "customer": [{"action": action, "type": animal} for action in ("read", "adopt") for animal in ("dog", "cat")],
        "employee": [{"action": action, "type": animal} for action in ("read", "update") for animal in ("dog", "cat")],
        "billing": [{"action": action, "type": "finance"} for action in ("read", "update")],
    },
}

INPUTS = [
    {"user": "alice", "action": "read", "object": "id123", "type": "dog"},
    {"user": "bob", "action": "update", "object": "id123", "type": "finance"},
    {"user": "nobody", "action": "read", "object": "id123", "type": "dog"},
]

SHAPES = (
    'allow if input.user == "user{n}"',
    'allow if input.role in {{"role{n}", "lead{n}"}}',
    "allow if {{ input.level >= {n}0; input.level < {n}5 }}",
    'allow if startswith(input.path, "/app/{n}/")',
)
REQUESTS = [
    {"user": "user4", "role": "none", "level": 3, "path": "/none"},
    {"user": "none", "role": "lead5", "level": 3, "path": "/none"},
    {"user": "none", "role": "none", "level": 61, "path": "/none"},
    {"user": "none", "role": "none", "level": 3, "path": "/app/7/x"},
    {"user": "none", "role": "none", "level": 3, "path": "/none"},
]


def allowed(document: dict[str, Any]) -> bool:
    """The RBAC policy as a good programmer writes it."""
    try:
        roles = DATA["user_roles"][document["user"]]
    except KeyError:
        return False
    if "admin" in roles:
        return True
    action, kind = document["action"], document["type"]
    grants = DATA["role_grants"]
    return any(grant["action"] == action and grant["type"] == kind for role in roles for grant in grants.get(role, ()))


USER_ROLES, ROLE_GRANTS = DATA["user_roles"], DATA["role_grants"]


def allowed_with_loops(document: dict[str, Any]) -> bool:
    """The same, written for speed."""
    try:
        roles = USER_ROLES[document["user"]]
    except KeyError:
        return False
    if "admin" in roles:
        return True
    action, kind = document["action"], document["type"]
    for role in roles:
        for grant in ROLE_GRANTS.get(role, ()):
            if grant["action"] == action and grant["type"] == kind:
                return True
    return False


def medians(functions: Sequence[Callable[[Any], Any]], document: Any, calls: int = CALLS) -> list[float]:
    """The median time of a call of each function, in microseconds."""
    timers = [timeit.Timer("f(d)", globals={"f": function, "d": document}) for function in functions]
    rounds = [[timer.timeit(calls) / calls * 1e6 for timer in timers] for _ in range(ROUNDS)]
    return [statistics.median(times) for times in zip(*rounds, strict=True)]


def rules(count: int) -> str:
    """A policy of rules of four shapes."""
    lines = [SHAPES[number % len(SHAPES)].format(n=number + 1) for number in range(count)]
    return "\n".join(["package big", "default allow := false", *lines])


def compare_rbac() -> None:
    """Prepared and decided, against two functions by hand and against regorus."""
    prepared = Engine.from_sources({"rbac.rego": RBAC}, DATA).prepare("data.app.rbac.allow")
    print("RBAC: us                by hand   with any()   prepared   ratio (bar 1.5)     decide   ratio (bar 1.15)")
    for document in INPUTS:
        loops, short, call, decide = medians((allowed_with_loops, allowed, prepared, prepared.decide), document)
        print(
            f"  {document['user']:18} {loops:10.3f} {short:12.3f} {call:10.3f} {call / loops:9.2f}"
            f" {decide:18.3f} {decide / call:9.2f}"
        )
    if regorus is None:
        print("  regorus is not installed: not compared")
        return
    other = regorus.Engine()
    other.add_policy("rbac.rego", RBAC)
    other.add_data(DATA)

    def ask(document: dict[str, Any]) -> Any:
        other.set_input(document)
        return other.eval_rule("data.app.rbac.allow")

    for document in INPUTS:
        assert ask(document) == prepared(document)
        call, theirs = medians((prepared, ask), document, 300)
        print(f"  {document['user']:18} regorus {theirs:8.2f} us, {theirs / call:6.1f} times as long (bar 15)")


def compare_sizes() -> None:
    """Ten rules against ten thousand."""
    few, many = (Engine.from_sources({"big.rego": rules(count)}).prepare("data.big.allow") for count in (10, 10_000))
    print("ten rules and ten thousand: us       ten   thousands   ratio (bar 1.3)")
    for document in REQUESTS:
        assert few(document) == many(document)
        one, other = medians((few, many), document)
        print(f"  {json.dumps(list(document.values())):32} {one:8.3f} {other:8.3f} {other / one:10.2f}")


if __name__ == "__main__":
    compare_rbac()
    compare_sizes()
