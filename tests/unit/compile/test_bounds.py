"""However deep a policy nests, what comes out is a value or a PolicyError."""

from collections.abc import Callable
from typing import Any

import pytest

from procurator import Engine, PolicyError
from procurator.runtime.interpreter import interpret
from procurator.values import Set


def nested(form: str, levels: int) -> str:
    """A term in itself so many times."""
    term = "1"
    for number in range(levels):
        term = form.replace("#", str(number)).replace("@", term)
    return term


FORMS = ["[@]", '{"a": @}', "[x# | x# := @]", "count([@])", "-input.x + (@)", "f(@)", "[1 | not input.y == @]"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("levels", [20, 60, 90, 150, 5000])
def test_nesting_ends_in_a_value_or_an_error(form: str, levels: int) -> None:
    policy = f"package t\nf(x) := x\np := {nested(form, levels)}"
    try:
        engine = Engine.from_sources({"t.rego": policy})
        engine.eval("data.t.p", {"x": 1})
    except PolicyError as error:
        assert error.code in ("rego_parse_error", "rego_compile_error", "eval_cancel_error")  # noqa: PT017


CHAINS = {
    "values": "p@ := p# + 1",
    "functions": "f@(x) := f#(x) + 1",
    "conditions": "p@ := 1 if not p# == 7",
    "else": "p@ := 2 if p# == 5\nelse := 1 if input.x",
    "partial sets": "p@ contains y if {some x in p#; y := x + 1}",
    "backwards": "p@ := p# + 1",
}
RULES = 1200


def chain(kind: str) -> Engine:
    """An engine over rules each of which needs the one before, of which the last is called `last`."""
    form = CHAINS[kind]
    rules = [form.replace("@", str(number)).replace("#", str(number - 1)) for number in range(1, RULES)]
    first = {"functions": "f0(x) := x", "partial sets": "p0 contains 1"}.get(kind, "p0 := 1")
    last = f"last := f{RULES - 1}(1)" if kind == "functions" else f"last := p{RULES - 1}"
    texts = [first, *rules, last]
    return Engine.from_sources({"t.rego": "\n".join(["package t", *(texts[::-1] if kind == "backwards" else texts)])})


@pytest.mark.parametrize("kind", CHAINS)
def test_chains_of_rules_are_as_long_as_one_likes(kind: str) -> None:
    """A chain that is longer than Python's stack is deep gives its value, however it is asked for."""
    engine = chain(kind)
    wanted: Any = {"conditions": 1, "else": 1, "partial sets": Set([RULES])}.get(kind, RULES)
    prepared = engine.prepare("data.t.last")
    assert prepared({"x": True}) == wanted
    decision = prepared.decide({"x": True})
    assert (decision.value, len(decision.rules)) == (wanted, RULES + 1)
    query = engine.compiled("x = data.t.last")
    assert query.rows({"x": True}) == interpret(query.program, query.environment, {"x": True}) == [(wanted,)]


def test_errors_at_the_end_of_a_chain_have_their_place() -> None:
    """What goes wrong far below is told as if it was near."""
    rules = "\n".join(f"p{number} := p{number - 1} + 1" for number in range(1, RULES))
    engine = Engine.from_sources({"t.rego": f"package t\np0 := x if some x in [1, 2]\n{rules}"})
    query = engine.compiled(f"x = data.t.p{RULES - 1}")
    runs: list[Callable[[], object]] = [lambda: query.rows(1), lambda: interpret(query.program, query.environment, 1)]
    for run in runs:
        with pytest.raises(PolicyError) as caught:
            run()
        assert str(caught.value).splitlines()[:3] == [
            "t.rego:2:1: eval_conflict_error: rule data.t.p0 produced conflicting values:",
            "  1 at t.rego:2",
            "  2 at t.rego:2",
        ]
