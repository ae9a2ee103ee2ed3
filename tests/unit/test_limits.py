"""Limits: each stops a policy that takes more than it may."""

from typing import Any

import pytest

from procurator import Engine, Limits, PolicyError

POLICY = """package t

products := count([1 | some x in input.xs; some y in input.xs; x != y])

copies := [input.xs | some _ in input.xs]

text := concat("", [input.text | some _ in input.xs])

small := 1
"""

XS = list(range(300))


@pytest.mark.parametrize(
    ("limits", "term"),
    [
        (Limits(steps=1000), "data.t.products"),
        (Limits(seconds=0.0), "data.t.products"),
        (Limits(output=1000), "data.t.copies"),
        (Limits(output=1000), "data.t.text"),
    ],
)
def test_a_runaway_policy_is_stopped(limits: Limits, term: str) -> None:
    document: dict[str, Any] = {"xs": XS, "text": "a" * 100}
    engine = Engine.from_sources({"t.rego": POLICY}, limits=limits)
    for evaluate in (engine.prepare(term), lambda given: engine.eval(term, given)):
        with pytest.raises(PolicyError) as caught:
            evaluate(document)
        assert caught.value.code == "eval_cancel_error"


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(steps=10), Limits(seconds=60.0), Limits(output=10), Limits(depth=2)]
)
def test_what_stays_within_its_limits_is_left_alone(limits: Limits) -> None:
    engine = Engine.from_sources({"t.rego": POLICY}, limits=limits)
    assert engine.eval("data.t.small", {"xs": XS}) == 1
    assert engine.prepare("data.t.small")({"xs": XS}) == 1
