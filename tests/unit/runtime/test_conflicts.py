"""Rules that do not agree: the error names what each of them gives, whichever way they are evaluated."""

from __future__ import annotations

from typing import Any

import pytest

from evaluators import EVALUATORS, Failure, course, plans
from procurator import Engine, PolicyError
from procurator.limits import Limits

RULE = "rule data.a.p produced conflicting values"
FUNCTION = "function data.a.f produced conflicting values for the same inputs"
SAME_KEY = "object keys must be unique"

CASES: dict[str, tuple[str, str, str, tuple[int, int]]] = {
    "two rules": ("p := 1\np := 2 if input.x", "p", f"{RULE}:\n  1 at a.rego:2\n  2 at a.rego:3", (3, 1)),
    "each rule that differs from the first": (
        "p := 1\np := x if some x in [1, 3, 4]\np := 1 if input.x\np := 2 if input.x",
        "p",
        f"{RULE}:\n  1 at a.rego:2\n  3 at a.rego:3\n  2 at a.rego:5",
        (3, 1),
    ),
    "one rule": ("p := x if some x in {2, 1}", "p", f"{RULE}:\n  1 at a.rego:2\n  2 at a.rego:2", (2, 1)),
    "rules in a table": (
        'p := 1 if input.n == 5\np := {"k": [1]} if input.x == true\np := "a\\nb" if input.x == true\np := 9',
        "p",
        f'{RULE}:\n  {{"k": [1]}} at a.rego:3\n  "a\\nb" at a.rego:4\n  9 at a.rego:5',
        (4, 1),
    ),
    "a rule before those in a table": (
        "p := 9 if {input.x; input.n}\np := 1 if input.n == 4\np := 2 if input.x == true\np := 3 if input.x == true",
        "p",
        f"{RULE}:\n  9 at a.rego:2\n  1 at a.rego:3\n  2 at a.rego:4\n  3 at a.rego:5",
        (3, 1),
    ),
    "else": (
        "p := 1 if {\n  input.y\n} else := 2 if {\n  input.x\n}\np := 3 if input.x",
        "p",
        f"{RULE}:\n  2 at a.rego:4\n  3 at a.rego:7",
        (7, 1),
    ),
    "several values of else": (
        "p := 1 if {\n  input.y\n} else := x if some x in [4, 5, 6]",
        "p",
        f"{RULE}:\n  4 at a.rego:4\n  5 at a.rego:4",
        (4, 3),
    ),
    "a function": ("f(x) := 1 if x > 0\nf(x) := x", "f(3)", f"{FUNCTION}:\n  1 at a.rego:2\n  3 at a.rego:3", (3, 1)),
    "of a rule that another needs": (
        "q if p\np := 1\np := 2 if input.x",
        "q",
        f"{RULE}:\n  1 at a.rego:3\n  2 at a.rego:4",
        (4, 1),
    ),
    "what `with` brings about": (
        "q if p with input.x as 7\np := input.x if input.x\np := 1 if input.n",
        "q",
        f"{RULE}:\n  7 at a.rego:3\n  1 at a.rego:4",
        (4, 1),
    ),
    "replaced data": (
        "q if p with data.b as 7\np := data.b\np := 1 if input.n",
        "q",
        f"{RULE}:\n  7 at a.rego:3\n  1 at a.rego:4",
        (4, 1),
    ),
    "many values": (
        "p := x if some x in [1]\n" + "".join(f"p := {n} if input.x\n" for n in range(2, 13)),
        "p",
        f"{RULE}:" + "".join(f"\n  {n} at a.rego:{n + 1}" for n in range(1, 11)) + "\n  ...",
        (3, 1),
    ),
    "long values": (
        f'p := 1\np := "{"é" * 90}" if input.x',
        "p",
        f'{RULE}:\n  1 at a.rego:2\n  "{"é" * 79}... at a.rego:3',
        (3, 1),
    ),
    "odd names": (
        'p.q["s t"] := 1\np.q["s t"] := 2 if input.x',
        'p.q["s t"]',
        'rule data.a.p.q["s t"] produced conflicting values:\n  1 at a.rego:2\n  2 at a.rego:3',
        (3, 1),
    ),
    "keys": ('p[x] := 1 if x := "k"\np[x] := 2 if x := "k"', "p", SAME_KEY, (3, 1)),
    "a comprehension": ("p := {1: y | some y in [1, 2]}", "p", SAME_KEY, (2, 7)),
}


@pytest.mark.parametrize("case", CASES)
def test_conflicts(case: str) -> None:
    """Message and place are the same in generated code and the interpreter, with the passes and without."""
    rules, name, message, (row, column) = CASES[case]
    made = Engine.from_sources({"a.rego": f"package a\n{rules}\n"})
    for query in plans(made, f"data.a.{name}").values():
        for evaluate in EVALUATORS.values():
            found = course(evaluate, query, {"x": True, "n": 4}).result
            assert isinstance(found, Failure)
            assert (found.code, found.message) == ("eval_conflict_error", message)
            assert found.location is not None
            assert (found.location.row, found.location.column) == (row, column)


def raised(engine: Engine, term: str, document: Any) -> PolicyError:
    """The error of a prepared term, which is that of its decision."""
    prepared = engine.prepare(term)
    with pytest.raises(PolicyError) as value:
        prepared(document)
    with pytest.raises(PolicyError) as decision:
        prepared.decide(document)
    assert str(value.value) == str(decision.value)
    return value.value


def test_prepared_terms_name_values_too() -> None:
    """The input is known where no context is made for it."""
    engine = Engine.from_sources({"a.rego": "package a\np := input.x\np := input.n"})
    assert raised(engine, "data.a.p", {"x": 5, "n": 6}).message == f"{RULE}:\n  5 at a.rego:2\n  6 at a.rego:3"
    assert type(raised(engine, "data.a.p", {"x": 5, "n": 6})) is PolicyError


def test_nothing_is_printed_twice() -> None:
    """Rules that are evaluated again to name their values print nothing more."""
    printed: list[str] = []
    engine = Engine.from_sources(
        {"a.rego": 'package a\np := 1 if print("one")\np := 2 if print("two")'},
        print_to=lambda text, _span: printed.append(text),
    )
    with pytest.raises(PolicyError):
        engine.eval("data.a.p")
    assert printed == ["one", "two"]


def test_the_error_stays_when_there_is_no_work_left_to_name_values() -> None:
    """Naming the values counts against the limits; without them the error is short."""
    text = "package a\np := 1 if {some x in numbers.range(1, 200); x == 200}\np := 2 if input.x"
    limited = Engine.from_sources({"a.rego": text}, limits=Limits(steps=600))
    with pytest.raises(PolicyError) as caught:
        limited.eval("data.a.p", {"x": 1})
    assert (caught.value.code, caught.value.message) == ("eval_conflict_error", RULE)
