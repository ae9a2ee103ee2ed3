"""What the interpreter tells of an evaluation, where its errors are, and what it does only once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from following import Followed

from procurator.engine import Engine
from procurator.limits import Limits
from procurator.runtime.calls import raise_error
from procurator.runtime.interpreter import interpret
from procurator.runtime.trace import DefaultUsed, Event, Failed, RuleEntered, RuleHeld, Tried
from procurator_rules.errors import PolicyError

TOLD = {RuleEntered: "enter", Tried: "try", Failed: "fail", RuleHeld: "hold", DefaultUsed: "default"}


def told(event: Event) -> tuple[Any, ...]:
    """An event in short: what happened, the first line of the text, and the values it uses."""
    used = [(one.span.text, one.value) for one in getattr(event, "used", ())]
    return (TOLD[type(event)], event.span.text.split("\n")[0], *used)


def events_of(policy: str, query: str, document: Any) -> list[tuple[Any, ...]]:
    """What the interpreter tells, in short."""
    events: list[Event] = []
    Followed(policy, query).run(document, events.append)
    return [told(event) for event in events]


def test_events_come_in_the_order_of_evaluation() -> None:
    """A rule is entered, its expressions are tried with the values they use and may fail, and the rule holds."""
    policy = 'package p\n\nallow if {\n\tinput.age >= 18\n\tsome role in input.roles\n\trole == "admin"\n}\n'
    assert events_of(policy, "data.p.allow", {"age": 20, "roles": ["dev", "admin"]}) == [
        ("try", "data.p.allow"),
        ("enter", "allow if {"),
        ("try", "input.age"),
        ("try", "input.age >= 18", ("input.age", 20)),
        ("try", "some role in input.roles"),
        ("try", 'role == "admin"', ("some role in input.roles", "dev")),
        ("fail", 'role == "admin"', ("some role in input.roles", "dev")),
        ("try", 'role == "admin"', ("some role in input.roles", "admin")),
        ("hold", "allow if {"),
        ("try", "data.p.allow", ("data.p.allow", True)),
    ]


def test_an_expression_without_a_value_fails() -> None:
    """An undefined look-up ends the attempt, the next rule is entered, and in the end the default counts."""
    policy = "package p\n\ndefault allow := false\n\nallow if input.a\n\nallow if some x in input.b\n"
    assert events_of(policy, "data.p.allow", {"b": []}) == [
        ("try", "data.p.allow"),
        ("enter", "allow if input.a"),
        ("try", "input.a"),
        ("fail", "input.a"),
        ("enter", "allow if some x in input.b"),
        ("try", "some x in input.b"),
        ("fail", "some x in input.b"),
        ("default", "default allow := false"),
        ("try", "data.p.allow", ("data.p.allow", False)),
        ("fail", "data.p.allow", ("data.p.allow", False)),
    ]


def test_a_rule_is_evaluated_once_in_each_frame() -> None:
    """Its value is kept, but not across `with`."""
    policy = "package p\n\na := input.x\n\nb := [a, a, x] if x := a with input.x as 2\n"
    entered = [text for kind, text, *_ in events_of(policy, "data.p.b", {"x": 1}) if kind == "enter"]
    assert entered == ["b := [a, a, x] if x := a with input.x as 2", "a := input.x", "a := input.x"]


@pytest.mark.parametrize(
    ("body", "code", "underlined"),
    [
        ("to_number(input)", "eval_type_error", "to_number(input)"),
        ("f(1)", "eval_conflict_error", "f(x) := y if some y in [x, 2]"),
        ("some x in input.xs", "eval_cancel_error", "some x in input.xs"),
    ],
)
def test_errors_have_a_place(body: str, code: str, underlined: str) -> None:
    """The innermost text counts: the call of a built-in, the rule in conflict, the loop that passes a limit."""
    followed = Followed(f"package p\n\nf(x) := y if some y in [x, 2]\n\np if {{ {body} }}\n", "data.p.p")
    environment = replace(followed.engine.environment, on_error=raise_error, limits=Limits(steps=5))
    with pytest.raises(PolicyError) as caught:
        interpret(followed.program, environment, {"xs": [1, 2, 3, 4, 5, 6]})
    at = caught.value.location
    assert at is not None
    assert (caught.value.code, at.source.text[at.start : at.end]) == (code, underlined)


def test_rules_in_a_table_are_told_with_the_constants_of_their_rows() -> None:
    """A plan after the passes can be followed as one before them, if not as closely."""
    rules = "".join(f"allow := {n} if {{\n\tinput.k == {n}\n\tinput.list[_] > {n}\n}}\n\n" for n in range(3))
    engine = Engine.from_sources({"p.rego": f"package p\n\n{rules}"})
    query = engine.compiled("x = data.p.allow")
    assert [unit for unit in query.program.units.values() if unit.families]
    events: list[Event] = []
    document = {"k": 2, "list": [1, 7]}
    assert interpret(query.program, query.environment, document, record=events.append) == [(2,)]
    assert [told(event) for event in events if isinstance(event, Failed | RuleHeld)] == [
        ("fail", "input.list[_] > 0", ("input.list[_]", 1), ("allow := 0", 2)),
        ("hold", "allow := 0 if {"),
    ]
