"""Limits: what each of them stops, that nothing ends in Python's own errors, and where counting can be spared."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from procurator import UNDEFINED, Decision, Engine, Limits, PolicyError, Set
from procurator.compile.cost import most_members, most_steps
from procurator.limits import check_result

RUNAWAYS = {
    "nested loops": "p if { some a in input.xs; some b in input.xs; some c in input.xs; a + b + c < 0 }",
    "loops over a constant": "p if { some a in numbers.range(1, 1000); some b in numbers.range(1, 1000); a + b < 0 }",
    "every": "p if every a in input.xs { every b in input.xs { every c in input.xs { a + b + c >= 0 } } }",
    "comprehensions": "p := [z | some a in input.xs; z := [y | some b in input.xs; y := {c | some c in input.xs}]]",
    "a partial object": "p[a][b] := c if { some a in input.xs; some b in input.xs; some c in input.xs; a * b == c }",
    "functions": "\n".join(
        ["p := f25(1)", "f0(x) := x", *(f"f{n}(x) := f{n - 1}(x) + f{n - 1}(x)" for n in range(1, 26))]
    ),
    "walk": "p := count([1 | some a in input.xs; walk(input, [_, _])])",
    "negation": "p if not q\nq if { some a in input.xs; some b in input.xs; some c in input.xs; a + b + c < 0 }",
    "modifiers": "p if { some a in input.xs; some b in input.xs; q with input.a as a with input.b as b }\n"
    "q if { some i in input.xs; i < 0 }",
}
"""Policies that take millions of steps over an input of a few hundred numbers."""

DOUBLING: dict[str, Callable[[int], str]] = {
    "texts": lambda n: f'x{n} := concat("", [x{n - 1}, x{n - 1}])',
    "formats": lambda n: f'x{n} := sprintf("%v%v", [x{n - 1}, x{n - 1}])',
    "templates": lambda n: f"x{n} := $`{{x{n - 1}}}{{x{n - 1}}}`",
    "replacements": lambda n: f'x{n} := replace(x{n - 1}, "a", "aa")',
    "arrays": lambda n: f"x{n} := array.concat(x{n - 1}, x{n - 1})",
    "documents": lambda n: f"x{n} := json.marshal([x{n - 1}, x{n - 1}])",
}
"""Lines of a body, each of which makes something twice as large as the line before."""

INPUT = {"xs": list(range(300))}


def stopped(run: Callable[[], Any]) -> PolicyError:
    """The error of an evaluation that has to be stopped."""
    with pytest.raises(PolicyError) as caught:
        run()
    assert caught.value.code == "eval_cancel_error"
    return caught.value


def engine(policy: str, limits: Limits | None = None, data: dict[str, Any] | None = None) -> Engine:
    return Engine.from_sources({"t.rego": f"package t\n{policy}"}, data or {}, limits=limits)


def every_way(made: Engine, document: Any) -> list[Callable[[], Any]]:
    """The ways to ask for `data.t.p`."""
    prepared = made.prepare("data.t.p")
    return [
        lambda: prepared(document),
        lambda: prepared.decide(document),
        lambda: made.eval("data.t.p", document),
        lambda: made.query("x = data.t.p", document),
        lambda: made.eval("data.t", document),
    ]


# Steps and seconds


@pytest.mark.parametrize("policy", RUNAWAYS.values(), ids=RUNAWAYS)
def test_steps_stop_a_runaway_policy(policy: str) -> None:
    for run in every_way(engine(policy, Limits(steps=50_000)), INPUT):
        error = stopped(run)
        assert error.message == "evaluation stopped: it took more than 50000 steps"
        assert error.location is not None


@pytest.mark.parametrize("policy", RUNAWAYS.values(), ids=RUNAWAYS)
def test_seconds_stop_a_runaway_policy(policy: str) -> None:
    start = time.monotonic()
    error = stopped(lambda: engine(policy, Limits(seconds=0.02)).eval("data.t.p", INPUT))
    assert error.message == "evaluation stopped: it took more than 0.02 seconds"
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("line", DOUBLING.values(), ids=DOUBLING)
def test_steps_stop_what_grows_without_end(line: Callable[[int], str]) -> None:
    first = '["a"]' if line is DOUBLING["arrays"] else '"a"'
    body = "\n".join([f"x0 := {first}", *map(line, range(1, 80))])
    error = stopped(lambda: engine(f"p if {{\n{body}\nx79 != null\n}}", Limits(steps=20_000)).eval("data.t.p"))
    assert error.message == "evaluation stopped: it took more than 20000 steps"


def test_the_clock_is_looked_at_before_what_takes_long() -> None:
    """A few hundred calls are no steps to speak of, but each takes milliseconds."""
    policy = 'p if { some a in input.xs; regex.match(sprintf("(x+x+)+y%d", [a]), input.text) }'
    made = engine(policy, Limits(seconds=0.05))
    start = time.monotonic()
    stopped(lambda: made.eval("data.t.p", {"xs": list(range(5000)), "text": "x" * 100_000}))
    assert time.monotonic() - start < 5


def test_the_last_step_allowed_is_taken() -> None:
    policy = "p := count([1 | some x in input.xs; f(x)])\nf(x) if x >= 0"
    assert engine(policy, Limits(steps=20)).eval("data.t.p", {"xs": [1] * 10}) == 10
    stopped(lambda: engine(policy, Limits(steps=19)).eval("data.t.p", {"xs": [1] * 10}))


def test_steps_are_counted_for_each_evaluation_anew() -> None:
    prepared = engine("p := count([1 | some x in input.xs; x > 0])", Limits(steps=10)).prepare("data.t.p")
    for _ in range(20):
        assert prepared({"xs": [1] * 10}) == 10


@pytest.mark.parametrize(
    ("policy", "most"),
    [
        ("p if input.x == 1", 0),
        ("p if { some x in data.xs; x == input.x }", 3),
        ("p if { some x in data.xs; some y in data.xs; x == y }", 12),
        ("p if { some k, v in data.maps[input.k]; v == input.x }", 2),
        ("p if { some m in data.maps; some v in m; v == input.x }", 6),
        ("p if { some x in [1, 2, 3]; f(x) }\nf(x) if x in data.xs", 6),
        ("p if every x in data.xs { not x == input.x }", 3),
        ("p := {x | some x in data.xs; some y in data.maps.a; x != y}", 9),
        ("p if q\np if r\nq if { some x in data.xs; x == input.x }\nr if { some x in data.xs; x == input.y }", 6),
    ],
)
def test_what_loops_over_base_documents_alone_needs_no_counting(policy: str, most: int) -> None:
    """Such code is what it would be without limits; a limit below the most it can take makes it count."""
    data = {"xs": ["a", "b", "c"], "maps": {"a": {"x": 1, "y": 2}, "b": {"x": 1}}}
    compiled = engine(policy, Limits(steps=max(most, 1)), data).compiled("data.t.p", as_term=True)
    assert most_steps(compiled.made.cost, data) == most
    assert "t1" not in compiled.loaded().code.text
    if most:
        limited = engine(policy, Limits(steps=most - 1), data).compiled("data.t.p", as_term=True)
        assert "t1.left" in limited.loaded().code.text


@pytest.mark.parametrize("policy", RUNAWAYS.values(), ids=RUNAWAYS)
def test_what_depends_on_the_input_is_counted(policy: str) -> None:
    compiled = engine(policy, Limits(steps=10**9)).compiled("data.t.p", as_term=True)
    assert most_steps(compiled.made.cost, {}) > 10_000
    assert "t1" in compiled.loaded().code.text


def test_other_data_is_measured_anew() -> None:
    policy = "p := [x | some x in data.xs]"
    small = engine(policy, Limits(steps=5), {"xs": [1, 2]})
    assert small.eval("data.t.p") == [1, 2]
    stopped(lambda: small.with_data({"xs": [1] * 6}).eval("data.t.p"))
    assert small.eval("data.t.p") == [1, 2]


# Small inputs

SMALL = {
    "a loop": "p if { some x in input.xs; x < 0 }",
    "a loop with keys": "p := [k | some k, x in input.xs; x > 3]",
    "keys of an object": "p := [k | some k, x in input.teams; x > 0]",
    "nested loops": "p := [[x, y] | some x in input.xs; some y in input.xs; x != y]",
    "loops one after the other": "p if { some x in input.xs; x > 3; some k, y in input.teams; y > 0 }",
    "every": "p if every x in input.xs { every t in input.teams { t != x } }",
    "a relation": "p := count([1 | walk(input, [_, _])])",
    "a text": 'p := [concat("", [s, s]) | s := sprintf("%v", [input.text])]',
    "a template": "p := [$`{input.text}{x}` | some x in input.xs]",
    "an array": "p := count(array.concat(input.xs, input.xs))",
    "functions": "p := [f(x) | some x in input.xs]\nf(x) := count([y | some y in input.xs; y < x])",
    "a partial set": "p contains x if some x in input.xs",
    "a partial object": "p[k] := x if some k, x in input.xs",
    "a document read twice": "p := [q, count(data.t.r)]\nq := [x | some x in input.xs]\nr contains 1 if some _ in q",
    "a modifier": "p := [q | some x in input.xs; q with input.xs as [x, x]]\nq := count([y | some y in input.xs])",
    "base documents": "p := [[x, y] | some x in input.xs; some y in data.ys; x == y]",
    "no collection": "p := [x | some x in input.text]\nq if some x in input.none",
}
"""Policies whose steps depend on the input, all few over the input below."""

FEW = {"xs": [1, 2, 3, 4, 5], "teams": {"a": 1, "b": 2}, "text": "x" * 200}


def outcome(run: Callable[[], Any]) -> Any:
    """What an evaluation gives, or the message of its error."""
    try:
        value = run()
    except PolicyError as error:
        return error.message
    return value.value if isinstance(value, Decision) else value


@pytest.mark.parametrize("policy", SMALL.values(), ids=SMALL)
def test_small_inputs_are_not_counted(policy: str) -> None:
    """While collections are small an evaluation takes what it would without limits."""
    made = engine(policy, Limits(steps=10**6, seconds=10), {"ys": [1, 2]})
    compiled = made.compiled("data.t.p", as_term=True)
    for traced in (False, True):
        text = compiled.loaded(traced, compiled.entry_steps).code.text
        assert "t1" not in text
        assert "METER" not in text
    assert made.prepare("data.t.p")(FEW) == engine(policy, None, {"ys": [1, 2]}).eval("data.t.p", FEW)


@pytest.mark.parametrize("policy", SMALL.values(), ids=SMALL)
def test_what_is_not_counted_stops_where_it_would_if_it_were(policy: str) -> None:
    for steps in range(0, 100, 3):
        made = engine(policy, Limits(steps=steps), {"ys": [1, 2]})
        prepared = made.prepare("data.t.p")
        for document in (FEW, {**FEW, "xs": list(range(12))}, {**FEW, "text": "x" * 1000}, {}):
            counted = outcome(partial(made.eval, "data.t.p", document))
            assert outcome(partial(prepared, document)) == counted
            assert outcome(partial(prepared.decide, document)) == counted


@pytest.mark.parametrize("way", ["value", "decision"])
def test_a_decision_over_a_large_input_has_the_same_trace(way: str) -> None:
    """An evaluation that begins again records the rules that hold once."""
    policy = "p if { q; some x in input.xs; x > 290 }\nq if some x in input.ys"
    made = engine(policy, Limits(steps=500, seconds=10)).prepare("data.t.p")
    for document in ({"xs": [291], "ys": [1]}, {**INPUT, "ys": [1]}, {**INPUT, "ys": list(range(30))}):
        found = made.decide(document) if way == "decision" else made(document)
        assert (found.path if isinstance(found, Decision) else found) == ((1, 0) if way == "decision" else True)


def test_what_can_be_seen_from_outside_happens_once() -> None:
    """An evaluation that prints, or calls a user's own function, is counted from the start."""
    policy = "package t\np if { note(1); print(2); some x in input.xs; x > 290 }"
    noted: list[Any] = []
    made = Engine.from_sources(
        {"t.rego": policy}, limits=Limits(steps=500), builtins={"note": lambda x: not noted.append(x)}
    )
    for run in (made.prepare("data.t.p"), made.prepare("data.t.p").decide):
        noted.clear()
        run(INPUT)
        assert noted == [1]
    made = Engine.from_sources(
        {"t.rego": policy.replace("note(1)", "1")},
        limits=Limits(steps=500),
        print_to=lambda text, _: noted.append(text),
    )
    for run in (made.prepare("data.t.p"), made.prepare("data.t.p").decide):
        noted.clear()
        run(INPUT)
        assert noted == ["2"]


@pytest.mark.parametrize(
    ("policy", "steps", "members"),
    [
        ("p if { some x in input.xs; x < 0 }", 10, 10),
        ("p if { some x in input.xs; some y in input.ys; x < y }", 110, 10),
        ("p if { some x in input.xs; some y in input.ys; x < y }", 109, 9),
        ("p if { some x in data.xs; some y in input.ys; x < y }", 23, 6),
        ("p if { some x in data.xs; some y in input.ys; x < y }", 2, None),
        ("p if { some x in input.xs; x < 0 }", 0, 0),
        ("p := concat(``, [input.x, input.y])", 7, 7),
        ("p := [f(x) | some x in input.xs]\nf(x) := x + 1", 21, 10),
    ],
)
def test_how_large_collections_may_be(policy: str, steps: int, members: int | None) -> None:
    data = {"xs": [1, 2, 3]}
    cost = engine(policy, None, data).compiled("data.t.p", as_term=True).made.cost
    assert most_members(cost, data, steps) == members


# Results


@pytest.mark.parametrize(
    ("value", "size"),
    [(1, 1), (None, 1), ("abc", 4), ([], 1), ([1, 2], 3), ({"ab": "c"}, 6), (Set([1, "a"]), 4), ([[[1]]], 4)],
)
def test_the_size_of_a_result(value: Any, size: int) -> None:
    assert check_result(Limits(output=size), value) is value
    error = stopped(lambda: check_result(Limits(output=size - 1), value))
    assert error.message == f"evaluation stopped: the result is larger than {size - 1}"


@pytest.mark.parametrize(("value", "levels"), [([[[1]]], 3), ({"a": {"b": 1}}, 2), ([1, [2, {"a": []}]], 4)])
def test_the_depth_of_a_result(value: Any, levels: int) -> None:
    assert check_result(Limits(depth=levels), value) is value
    error = stopped(lambda: check_result(Limits(depth=levels - 1), value))
    assert error.message == f"evaluation stopped: the result has more than {levels - 1} levels"


@pytest.mark.parametrize("limits", [Limits(output=100), Limits(depth=1)])
def test_a_result_is_checked_however_it_is_asked_for(limits: Limits) -> None:
    for run in every_way(engine("p := [[x] | some x in input.xs]", limits), INPUT):
        stopped(run)


def test_rows_of_a_query_are_one_result() -> None:
    made = engine("p := 1", Limits(output=100))
    assert len(made.query("some x in input.xs", {"xs": list(range(100))})) == 100
    stopped(lambda: made.query("some x in input.xs", INPUT))


def test_a_result_that_shares_its_parts_is_measured_as_it_would_be_written() -> None:
    lines = "\n".join(f"x{n} := [x{n - 1}, x{n - 1}]" for n in range(1, 100))
    made = engine(f"p := x99 if {{\nx0 := [1]\n{lines}\n}}", Limits(output=10_000))
    stopped(lambda: made.eval("data.t.p"))


def test_results_within_the_limits_are_given() -> None:
    made = engine("p := {x | some x in input.xs}\nq if input.xs", Limits(output=301, depth=1))
    assert made.prepare("data.t.p")(INPUT) == Set(range(300))
    assert made.prepare("data.t.q")(INPUT) is True
    assert made.prepare("data.t.r")(INPUT) is UNDEFINED
    assert isinstance(made.prepare("data.t.p").decide(INPUT), Decision)


# Depth


def nested(levels: int, in_object: bool = False) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if in_object else [value]
    return value


USES = {
    "equality": ("input.x == input.y", [True]),
    "order": ("input.x <= input.y", [True]),
    "a set": ("count({input.x, input.y})", [1]),
    "a key": ("count({input.x: 1})", [1]),
    "comparison with data": ("input.x == data.big", [True]),
    "a look-up": ("input.x[_] == input.y[_]", [True]),
    "the type": ('type_name(input) == "object"', [True]),
    "text": ('contains(sprintf("%v", [input]), "1")', [True]),
    "a template": ('$"{input.x}" == $"{input.y}"', [True]),
    "JSON": ("json.marshal(input.x) == json.marshal(input.y)", [True]),
    "a walk": ("count([1 | walk(input.x, [_, 1])])", [1]),
    "sorting": ("sort([input.x, input.y])[0] == input.x", [True]),
    "a patch": ('json.patch(input, [{"op": "remove", "path": "/x"}]).y == input.y', [True]),
    "a modifier": ("v if { v := data.t.q with input.z as 1 }", [2]),
}
"""Terms over two values that are equal and deeply nested, and what they may be."""


@pytest.mark.parametrize(("term", "values"), USES.values(), ids=USES)
@pytest.mark.parametrize("in_object", [False, True])
@pytest.mark.parametrize("levels", [50, 1000, 100_000])
def test_nested_values_give_an_answer_or_an_error(term: str, values: list[Any], levels: int, in_object: bool) -> None:
    """However deep input and data are, the answer is right or says that they are too deep."""
    document = {"x": nested(levels, in_object), "y": nested(levels, in_object)}
    made = engine(f"p := {term}\nq := count(input) - 1", data={"big": nested(levels, in_object)})
    for run in every_way(made, document)[:-1]:
        try:
            found = run()
        except PolicyError as error:
            assert levels > 50
            assert error.code == "eval_cancel_error"  # noqa: PT017
            assert error.message == "evaluation stopped: nesting is too deep"  # noqa: PT017
        else:
            value = found.value if isinstance(found, Decision) else found
            assert value in values or value == [{"x": values[0]}]


@pytest.mark.parametrize("rules", [100, 600, 2500])
def test_long_chains_of_rules_give_an_answer(rules: int) -> None:
    chain = [f"r{n} := r{n - 1} + 1 if input.x" for n in range(1, rules)]
    assert engine("\n".join(["r0 := 1", *chain, f"p := r{rules - 1}"])).eval("data.t.p", {"x": 1}) == rules


@pytest.mark.parametrize("rules", [2000, 2001])
def test_chains_that_skip_rules_give_an_answer(rules: int) -> None:
    """Each rule needs the one two below it, and may need the one in between."""
    both = [
        f"r{n} := x if {{ x := r{n - 2} + 1; input.x }}\nr{n} := x if {{ input.y; x := r{n - 1} + 1 }}"
        for n in range(2, rules)
    ]
    chain = engine("\n".join(["r0 := 1", "r1 := 1 if input.x", *both, f"p := r{rules - 1}"]))
    assert chain.eval("data.t.p", {"x": 1}) == 1 + (rules - 1) // 2


def test_queries_that_nest_too_deep_are_refused() -> None:
    text = "[" * 100_000 + "1" + "]" * 100_000
    for ask in (engine("p := 1").eval, engine("p := 1").query, engine("p := 1").prepare):
        with pytest.raises(PolicyError) as caught:
            ask(text)
        assert caught.value.code == "rego_parse_error"
