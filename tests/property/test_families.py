"""Rules of one shape found by tables mean what they mean one by one."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluators import plans, run_code, run_plan
from procurator.engine import Engine
from procurator.values import dumps, key_of
from procurator_rules.errors import PolicyError

FIXED = settings(
    max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

texts = st.sampled_from(["", "a", "b", "/a", "/a/", "/b/", "/a/b/", "/a/c/", "/a/b/c/", "x.y.", "x.z.w."])
numbers = st.sampled_from([-3, 0, 1, 2, 5, 7, 40, 41, 10**6, 2**53 + 1, 0.5, 1.5, 2.0, 1e23, -0.5])
scalars = texts | numbers | st.sampled_from([True, False, None])
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(texts, scalars, max_size=2)

CONDITIONS = {
    "equal": (st.tuples(values), "input.{0} == {1}"),
    "swapped": (st.tuples(values), "{1} == input.{0}"),
    "member": (st.tuples(st.lists(scalars, max_size=3)), "input.{0} in {1}"),
    "holds": (st.tuples(scalars), "{1} in input.{0}"),
    "scan": (st.tuples(scalars), "{1} == input.{0}[_]"),
    "prefix": (st.tuples(texts), "startswith(input.{0}, {1})"),
    "range": (st.tuples(numbers, numbers), "input.{0} >= {1}; input.{0} < {2}"),
    "open range": (st.tuples(numbers, numbers), "input.{0} > {1}; {2} >= input.{0}"),
}
"""For each kind of condition its constants and its text, for a field of the input."""

HEADS = {
    "constant": "p if {{ {body} }}",
    "value": "p := {value} if {{ {body} }}",
    "set": "p contains {value} if {{ {body} }}",
    "object": "p[{number}] := {value} if {{ {body} }}",
    "function": "p(_) := {value} if {{ {body} }}",
}


@st.composite
def rules(draw: st.DrawFn) -> tuple[str, str]:
    """The text of rules of one shape, and a term that asks for them."""
    head = draw(st.sampled_from(sorted(HEADS)))
    kinds = draw(st.lists(st.sampled_from(sorted(CONDITIONS)), min_size=1, max_size=3))
    fields = draw(st.lists(st.sampled_from("abc"), min_size=len(kinds), max_size=len(kinds)))
    lines = []
    for number in range(draw(st.integers(2, 12))):
        body = "; ".join(
            CONDITIONS[kind][1].format(field, *map(dumps, draw(CONDITIONS[kind][0])))
            for kind, field in zip(kinds, fields, strict=True)
        )
        lines.append(HEADS[head].format(body=body, number=number % 3, value=dumps(draw(scalars))))
    return "\n".join(lines), "data.t.p(1)" if head == "function" else "data.t.p"


inputs = st.lists(st.dictionaries(st.sampled_from("abc"), values, max_size=3), min_size=1, max_size=6)


def outcome(evaluate: Any, query: Any, document: Any) -> Any:
    """The value, and the rules that held, or the code of the error."""
    trace: list[int] = []
    try:
        rows = [key_of(row[0]) for row in evaluate(query, document, trace)]
    except PolicyError as error:
        return error.code
    return rows, sorted(set(trace))


@FIXED
@given(rules(), inputs, st.booleans())
def test_a_table_finds_the_rules_that_hold(made: tuple[str, str], documents: list[Any], strict: bool) -> None:
    """Value and rules are those of the same rules one by one; a conflict is the same conflict.

    Errors of built-ins are another matter when a rule has several conditions: as in OPA, a rule that another condition
    rules out is not evaluated.
    """
    text, term = made
    strict = strict and ";" not in text
    engine = Engine.from_sources({"t.rego": f"package t\n{text}"}, strict_builtin_errors=strict)
    plain, optimised = plans(engine, f"{term} = x").values()
    for document in documents:
        wanted = outcome(run_plan, plain, document)
        assert outcome(run_code, optimised, document) == wanted, document
        assert outcome(run_plan, optimised, document) == wanted, document
