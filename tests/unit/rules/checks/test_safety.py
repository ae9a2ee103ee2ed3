"""Which variables are unsafe, and the order into which bodies are put."""

from __future__ import annotations

import pytest
from reports import ALL, checked, lines, modules_of, reported

from procurator_rules.checks import check
from procurator_rules.errors import PolicyError
from procurator_rules.nodes import ArrayComprehension, Call, Var

UNSAFE = {
    "p if { x > 1 }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { (x > 1) }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { _ > 1 }": ["1:8 var _ is unsafe ⟨_⟩"],
    "p if { count(x) == y }": ["1:8 var x is unsafe ⟨x⟩", "1:8 var y is unsafe ⟨y⟩"],
    "p if { input.x == count(lower(x)) }": ["1:25 var x is unsafe ⟨x⟩"],
    "p if { x.y == 1 }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { input[x.y] }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { not input.x[_] == 1 }": ["1:8 var _ is unsafe ⟨_⟩"],
    "p if { not x; true }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { x := data.a[i] + f(i); x > 1 }\nf(x) := x": ["1:13 var i is unsafe ⟨i⟩"],
    "p if { {x} = {1} }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { {y: 1} = input }": ["1:8 var y is unsafe ⟨y⟩"],
    "p if { true with input as x }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { true with input as x.y }": ["1:27 var x is unsafe ⟨x⟩"],
    "p if { true with input as [x, 1] }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { input.a[x] with input.b as [x] }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { y := [1 | x == 1]; y }": ["1:18 var x is unsafe ⟨x⟩"],
    "p if { y := [x | true]; y }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { y := {x: z | true}; y }": ["1:8 var x is unsafe ⟨x⟩", "1:8 var z is unsafe ⟨z⟩"],
    "p if { every x in [1] { x > y } }": ["1:25 var y is unsafe ⟨y⟩"],
    "p if { every x in y { x > 1 } }": ["1:19 var y is unsafe ⟨y⟩"],
    "import rego.v2\n\np if { not { x > 1 } }": ["3:14 var x is unsafe ⟨x⟩"],
    "import rego.v2\n\np if { not x > 1 }": ["3:8 var x is unsafe ⟨x⟩"],
    "import rego.v2\n\np if { x = 1 or y = 2 }": ["3:8 var x is unsafe ⟨x⟩", "3:8 var y is unsafe ⟨y⟩"],
    "import rego.v2\n\np if { {x > 1} or {(y > 1)} }": ["3:9 var x is unsafe ⟨x⟩", "3:20 var y is unsafe ⟨y⟩"],
    "import rego.v2\n\np if { not (x == 1 and y == 1) }": ["3:8 var x is unsafe ⟨x⟩", "3:8 var y is unsafe ⟨y⟩"],
    "p := x": ["1:6 var x is unsafe ⟨x⟩"],
    'p := [x, {"k": y}] if { true }': ["1:7 var x is unsafe ⟨x⟩", "1:16 var y is unsafe ⟨y⟩"],
    "p[x] := 1": ["1:3 var x is unsafe ⟨x⟩"],
    "p contains x": ["1:12 var x is unsafe ⟨x⟩"],
    "p[x].q[y] := z if { true }": ["1:3 var x is unsafe ⟨x⟩", "1:8 var y is unsafe ⟨y⟩", "1:14 var z is unsafe ⟨z⟩"],
    "f(x) := [x, y]": ["1:13 var y is unsafe ⟨y⟩"],
    "g(x.y) := 1": ["1:3 var x is unsafe ⟨x⟩"],
    "g(input.x) := 1": ["1:3 var input is unsafe ⟨input⟩"],
    "q := [1]\ng([q[0]]) := 1": ["2:3 var q is unsafe ⟨q⟩"],
    "import data.foo\ng(x, {1: foo.bar}) := x": ["2:6 var foo is unsafe ⟨foo⟩"],
    'g($"{x}") := 1': ["1:3 var x is unsafe ⟨x⟩"],
    "g([y | y = z]) := 1": ["1:8 var y is unsafe ⟨y⟩", "1:8 var z is unsafe ⟨z⟩"],
    "p := 1 if { input.x } else := x": ["1:31 var x is unsafe ⟨x⟩"],
    "p := 1 if { x := 1; x == 2 } else := 2 if { x == 2 }": ["1:45 var x is unsafe ⟨x⟩"],
    "p := x\n\nq if { y > 1 }": ["1:6 var x is unsafe ⟨x⟩"],
    "p if { x == 2 } q if { true }": ["1:8 var x is unsafe in rule p ⟨x⟩"],
    "p.q[z] if { x == 2; z := 1 } r if { true }": ["1:13 var x is unsafe in rule p.q ⟨x⟩"],
    "p := x if { true } q if { true }": ["1:6 var x is unsafe in rule p ⟨x⟩"],
    "p if { x == 2 } p if { true }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { x = y }": ["1:8 var x is unsafe ⟨x⟩", "1:8 var y is unsafe ⟨y⟩"],
    "p if { or == 1 }": ["1:8 var or is unsafe (hint: `import future.keywords.or` to import a future keyword) ⟨or⟩"],
    "p if {\n\tx := input.y +\n\t\tz\n\tx\n}": ["2:7 var z is unsafe ⟨z⟩"],
}

CASCADES = {
    "p if { x := users[0]; y := x.name; z := upper(y); z == 1 }": ["1:8 var users is unsafe ⟨users⟩"],
    "p if { some x in xs; y := x.name; y }": ["1:8 var xs is unsafe ⟨xs⟩"],
    "p if { count(xs, n); n > 1 }": ["1:8 var xs is unsafe ⟨xs⟩"],
    "p if { z = x + 1; y = z + 1; y > 2; x > 1 }": ["1:12 var x is unsafe ⟨x⟩"],
    "p if { y = xs[_]; y > w }": ["1:8 var xs is unsafe ⟨xs⟩", "1:19 var w is unsafe ⟨w⟩"],
    "p if { walk(x, [_, y]); y > 1 }": ["1:8 var x is unsafe ⟨x⟩"],
    "p if { y = y + x }": ["1:8 var y is unsafe ⟨y⟩", "1:12 var x is unsafe ⟨x⟩"],
}

ORDERED = {
    "p if { x > y; y = 1; x = 2 }": ["y = 1", "x = 2", "x > y"],
    "p if { not x; x = 1 }": ["x = 1", "not x"],
    "p if { count(x) > 1; x = input.y }": ["x = input.y", "count(x) > 1"],
    "p if { z = [y | y = x]; x = 1 }": ["x = 1", "z = [y | y = x]"],
    "p if { every y in [1] { y > x }; x = 1 }": ["x = 1", "every y in [1] { y > x }"],
    "p if { true with input as x; x = 1 }": ["x = 1", "true with input as x"],
    "p if { [x, y] = [y, 1]; input.z }": ["[x, y] = [y, 1]", "input.z"],
    "p if { x = y; y = z; z = 1 }": ["z = 1", "y = z", "x = y"],
    "p if { input.a[x] = y; y > 1 }": ["input.a[x] = y", "y > 1"],
    "p if { z > 2; walk(input, [x, y]); z = count(x); y }": ["walk(input, [x, y])", "z = count(x)", "y", "z > 2"],
    "p if { n > 1; count(input, n) }": ["count(input, n)", "n > 1"],
    "p if { n > 1; f(input, n) }\nf(x) := x": ["f(input, n)", "n > 1"],
    'p if { x > 1; {"k": [x, _]} = input }': ['{"k": [x, _]} = input', "x > 1"],
    "import rego.v2\n\np if { not x > 1; x = 1 }": ["x = 1", "not x > 1"],
    "import rego.v2\n\np if { (x > 1 or x < 0); x = 1 }": ["x = 1", "x > 1 or x < 0"],
    'p if { $"{x}" == "a"; x = 1 }': ["x = 1", '$"{x}" == "a"'],
    "p if { input.x == 1; y := 2; y > 1 }": ["input.x == 1", "y := 2", "y > 1"],
}


@pytest.mark.parametrize("text", UNSAFE)
def test_unsafe_variables(text: str) -> None:
    """A variable without a value is reported once, at the line of its first use, and underlined there."""
    assert reported(text) == UNSAFE[text]


@pytest.mark.parametrize("text", CASCADES)
def test_only_what_is_to_blame_is_reported(text: str) -> None:
    """A variable that would have a value if another one had is no mistake of its own."""
    assert reported(text) == CASCADES[text]


@pytest.mark.parametrize("text", ORDERED)
def test_bodies_are_put_in_order(text: str) -> None:
    """Lines keep their order as far as what they need allows."""
    rule = checked(text).modules["0.rego"].rules[0]
    assert lines(rule.body) == ORDERED[text]


def test_bodies_inside_terms_are_put_in_order() -> None:
    """So are the bodies of comprehensions."""
    (rule,) = checked("p := [x | x > y; y = 1; x = 2]").modules["0.rego"].rules
    assert isinstance(rule.head.value, ArrayComprehension)
    assert lines(rule.head.value.body) == ["y = 1", "x = 2", "x > y"]


def test_a_line_is_taken_apart_where_a_part_of_it_must_come_first() -> None:
    """A call that needs what another line binds, which needs what the call's line binds: the call moves between."""
    rule = checked("p if { f(data.a[i]) == f(k); k = i + 1 }\nf(x) := x").modules["0.rego"].rules[0]
    assert lines(rule.body) == ["f(data.a[i])", "i + 1", "k = i + 1", "f(k)", "f(data.a[i]) == f(k)"]
    first = rule.body[0].term
    assert isinstance(first, Call)
    assert first.args[-1] == Var("#1")


def test_the_value_of_a_rule_can_bind_what_its_body_needs() -> None:
    """It then moves into the body, and a name stands for it in the head."""
    (rule,) = checked("p := data.xs[i] if { i > 1 }").modules["0.rego"].rules
    assert lines(rule.body) == ["data.xs[i]", "i > 1"]
    assert rule.head.value == Var("#1")


def test_a_body_that_is_in_order_is_not_copied() -> None:
    """Only what moves is made anew."""
    modules = modules_of("p if { input.x == 1; input.y[_] == 2 }")
    assert check(modules, ALL).modules["0.rego"].rules[0].body is modules["0.rego"].rules[0].body


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("user := 1\np if { usr == 1 }", "did you mean `user`?"),
        ("import data.teams\np if { x := 1; x == team }", "did you mean `teams`?"),
        ("p if { person := input; persn.name }", "did you mean `person`?"),
        ("f(request) := requst", "did you mean `request`?"),
        ("p if { nothing_like_it == 1 }", None),
    ],
)
def test_a_misspelt_name_gets_a_hint(text: str, hint: str | None) -> None:
    """The nearest of the names of rules, imports, variables and arguments."""
    with pytest.raises(PolicyError) as raised:
        checked(text)
    assert raised.value.hint == hint


def test_long_chains_take_time_in_proportion() -> None:
    """Three thousand lines in order or in reverse, and as many unsafe variables, are no matter of seconds."""
    chain = [f"x{i + 1} = x{i} + 1" for i in range(3000)]
    assert reported(f"p if {{ x0 = 1; {'; '.join(chain)} }}") == []
    assert reported(f"p if {{ {'; '.join(reversed(chain))}; x0 = 1 }}") == []
    wrong = "; ".join(f"x{i} > 1" for i in range(3000))
    assert len(reported(f"p if {{ {wrong} }}")) == 3000
