"""Look-ups that several rules share: nothing that could be noticed happens past one that is undefined."""

from __future__ import annotations

import pytest

from evaluators import EVALUATORS, Course, course, plans
from procurator.engine import Engine
from procurator.runtime.calls import raise_error
from procurator.values import key_of

CONFLICT = "f(x) := 1 if x\nf(x) := 2 if x\n"

SHARED = "p if data.base[1] == 7\np if input.user == 7\n"
"""Rules that make each look-up of the cases one of several."""

CASES = {
    "a function": f"p if data.base[1] <= f(input.x)\n{CONFLICT}",
    "a function in an operator": f"p if data.base[1] == f(input.x) + 1\n{CONFLICT}",
    "a function of what is missing": f"p if f(data.base[1])\n{CONFLICT}",
    "a document": "p if input.user == v\nv := 1 if input.x\nv := 2 if input.x\n",
    "a whole document": "p if input.user == data.t.v\nv.a := 1 if input.x\nv.a := 2 if input.x\n",
    "a built-in": "p if input.user == to_number(input.x)",
    "a built-in in a negation": "p if { u := input.user; not to_number(input.x) == u }",
    "a comprehension": "p if input.user == {1: x | some x in input.xs}",
    "every": "p if { u := input.user; every x in input.xs { to_number(x) == u } }",
    "a template": "p if input.user == $`{to_number(input.x)}`",
    "print": "p if { u := input.user; print(input.x); u == 2 }",
    "a rule written into another": "p if { q; input.x == 1 }\nq if u := input.user",
}


@pytest.mark.parametrize("policy", CASES.values(), ids=CASES)
def test_what_follows_an_undefined_look_up_is_not_run(policy: str) -> None:
    engine = Engine.from_sources(
        {"t.rego": f"package t\n{policy}\n{SHARED}"}, {"base": {"x": 1}}, strict_builtin_errors=True
    )
    assert engine.environment.on_error is raise_error
    courses = {
        (plan, evaluator): course(evaluate, query, {"x": "none", "xs": ["a", "b"]})
        for plan, query in plans(engine, "x = data.t.p").items()
        for evaluator, evaluate in EVALUATORS.items()
    }
    nothing = Course((), frozenset(), ())
    assert courses == dict.fromkeys(courses, nothing)


def test_what_follows_a_shared_look_up_that_is_defined_is_run() -> None:
    engine = Engine.from_sources({"t.rego": f"package t\np if {{ u := input.user; print(u); u == 2 }}\n{SHARED}"})
    for query in plans(engine, "x = data.t.p").values():
        for evaluate in EVALUATORS.values():
            assert course(evaluate, query, {"user": 2}) == Course((key_of([True]),), frozenset({0}), ("2",))
