"""However deep a policy nests, what comes out is a value or a PolicyError."""

import pytest

from procurator import Engine, PolicyError


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


@pytest.mark.parametrize("rules", [100, 2000])
def test_chains_of_rules_end_in_a_value_or_an_error(rules: int) -> None:
    chain = "\n".join(f"p{number} := p{number - 1} + 1" for number in range(1, rules))
    engine = Engine.from_sources({"t.rego": f"package t\np0 := 1\n{chain}"})
    try:
        assert engine.eval(f"data.t.p{rules - 1}") == rules
    except PolicyError as error:
        assert error.code == "eval_cancel_error"  # noqa: PT017
