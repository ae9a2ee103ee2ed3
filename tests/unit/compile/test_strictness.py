"""Tables leave out no rule whose error of a built-in counts, unless OPA leaves it out too."""

from __future__ import annotations

from typing import Any

import pytest

from procurator import UNDEFINED, Engine, PolicyError

RULES = 12
FAILING = "to_number(input.text) == {n}"

CONDITIONS: dict[str, tuple[str, bool]] = {
    "equality": ('input.k == "k{n}"', False),
    "membership": ('input.k in ["k{n}", "l{n}"]', False),
    "what a collection holds": ('"k{n}" in input.list', True),
    "what a loop finds": ('input.list[_] == "k{n}"', True),
    "a range": ("input.n >= {n}; input.n < {n} + 1", True),
}
"""Conditions, and whether rules they exclude are run for the errors of what comes before them."""


@pytest.mark.parametrize("kind", CONDITIONS)
@pytest.mark.parametrize("strict", [True, False])
def test_errors_before_a_condition(kind: str, strict: bool) -> None:
    """The built-in is called in all rules but those that OPA's index excludes."""
    condition, is_run = CONDITIONS[kind]
    condition = condition.replace("{n} + 1", "{m}")
    rules = "\n".join(
        f"p := {n} if {{ {FAILING.format(n=n)}; {condition.format(n=n, m=n + 1)} }}" for n in range(RULES)
    )
    engine = Engine.from_sources({"t.rego": f"package t\n{rules}"}, strict_builtin_errors=strict)
    document: dict[str, Any] = {"text": "no number", "k": "none", "list": ["none"], "n": -5}
    if not (strict and is_run):
        assert engine.eval("data.t.p", document) is UNDEFINED
        return
    with pytest.raises(PolicyError) as caught:
        engine.eval("data.t.p", document)
    assert str(caught.value).splitlines()[0] == (
        't.rego:2:13: eval_builtin_error: to_number: strconv.ParseFloat: parsing "no number": invalid syntax'
    )
