"""What names stand for, and what is wrong with the declarations of variables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from reports import STRICT, checked, modules_of, reported

from procurator_rules.checks import CheckOptions, Program
from procurator_rules.checks.scope import resolve_names
from procurator_rules.nodes import Ref, Var
from procurator_rules.visitor import walk

DECLARATIONS = {
    "p if { x := 1; x := 2 }": ["1:16 var x assigned above ⟨x⟩"],
    "p if { some x; x = 1; some x; x = 2 }": ["1:23 var x declared above ⟨some x⟩"],
    "p if { some x in [1]; x := 2 }": ["1:23 var x declared above ⟨x⟩"],
    "p if { some x in [1]; some x in [2] }": ["1:23 var x declared above ⟨some x in [2]⟩"],
    "p if { x = 1; x := 3 }": ["1:15 var x referenced above ⟨x⟩"],
    "p if { x = 1; some x; x = 3 }": ["1:15 var x referenced above ⟨some x⟩"],
    'p if { [x, {"k": x}] := [1, {"k": 2}] }': ["1:18 var x assigned above ⟨x⟩"],
    "p if { y := count([1]); count := 2 }": ["1:25 var count referenced above ⟨count⟩"],
    "p if { every x, x in [1] { x > 0 } }": ["1:8 var x declared above ⟨every x, x in [1] { x > 0 }⟩"],
    "p if { some x in [x] }": ["1:8 var x assigned before ⟨some x in [x]⟩"],
    "p if { some k, [v, k] in [k, v] }": [
        "1:8 var k assigned before ⟨some k, [v, k] in [k, v]⟩",
        "1:8 var v assigned before ⟨some k, [v, k] in [k, v]⟩",
    ],
    "f(x) if { x := 1 }": ["1:11 arg x redeclared ⟨x⟩"],
    'f([x, {"k": y}]) if { some y; y == x }': ["1:23 arg y redeclared ⟨some y⟩"],
    "f(x) := 1 if { x } else := 2 if { x := 2 }": ["1:35 arg x redeclared ⟨x⟩"],
    "f(count(x)) := 1": ["1:3 rule arguments cannot contain calls ⟨count(x)⟩"],
    "p if { f := 1; x := f(2); x }": ["1:21 called function f shadowed ⟨f(2)⟩"],
    "p if { not x := 1 }": ["1:8 cannot assign vars inside negated expression ⟨not x := 1⟩"],
    "import rego.v2\n\np if { not x := 1 }": ["3:8 cannot assign vars inside negated expression ⟨not x := 1⟩"],
    "import rego.v2\n\np if { x := 1 and true }": ["3:8 cannot assign vars inside implicit and operand ⟨x := 1⟩"],
    "import rego.v2\n\np if { true or x := 1 }": ["3:16 cannot assign vars inside implicit or operand ⟨x := 1⟩"],
    "p := [x | input.y == x; x := 1]": ["1:25 var x referenced above ⟨x⟩"],
    "p if { null := 1 }": ["1:8 cannot assign to null ⟨null⟩"],
    "p if { true := 1 }": ["1:8 cannot assign to boolean ⟨true⟩"],
    "p if { [1, x] := [1, 2] }": ["1:9 cannot assign to number ⟨1⟩"],
    'p if { "a" := 1 }': ['1:8 cannot assign to string ⟨"a"⟩'],
    "p if { a.b := 1 }": ["1:8 cannot assign to ref ⟨a.b⟩"],
    "p if { f(1) := 1 }": ["1:8 cannot assign to call ⟨f(1)⟩"],
    "p if { {1} := {1} }": ["1:8 cannot assign to set ⟨{1}⟩"],
    "p if { [x | x = 1] := 1 }": ["1:8 cannot assign to arraycomprehension ⟨[x | x = 1]⟩"],
    "p if { {x | x = 1} := 1 }": ["1:8 cannot assign to setcomprehension ⟨{x | x = 1}⟩"],
    "p if { {x: 1 | x = 1} := 1 }": ["1:8 cannot assign to objectcomprehension ⟨{x: 1 | x = 1}⟩"],
    'p if { $"a" := 1 }': ['1:8 cannot assign to templatestring ⟨$"a"⟩'],
    "p if { some x; true }": ["1:8 declared var x unused ⟨some x⟩"],
    "p if { some _; true }": ["1:8 declared var _ unused ⟨some _⟩"],
    "p if { every x in [1] { true } }": ["1:25 declared var x unused ⟨true⟩"],
    "p if { y := [1 | some x; true]; y }": ["1:18 declared var x unused ⟨some x⟩"],
}

STRICTLY = {
    "p if { x := 1; true }": ["1:8 assigned var x unused ⟨x := 1⟩"],
    "p if { [x, y] := [1, 2]; y == 2 }": ["1:8 assigned var x unused ⟨[x, y] := [1, 2]⟩"],
    "p := x if { x := 1; y := 2 }": ["1:21 assigned var y unused ⟨y := 2⟩"],
    "p contains x if { x := 1 }": [],
    "p[x] := y if { x := 1; y := 2 }": [],
    "p if { _ := 1 }": [],
    "p if { x := 1; y := [z | z := x]; y }": [],
    "p if { y := [z | z := 1; x := 2]; y }": ["1:26 assigned var x unused ⟨x := 2⟩"],
    "f(x) := 1": ["1:1 unused argument x. (hint: use _ (wildcard variable) instead) ⟨f(x) := 1⟩"],
    "f(x) := x": [],
    "f(_) := 1": [],
    "f(x, x) := 1": [],
    "f(x) := 1 if { true } else := x": [],
    "f(x) := [x | x := 1]": ["1:1 unused argument x. (hint: use _ (wildcard variable) instead) ⟨f(x) := [x | x := 1]⟩"],
}

ALLOWED = [
    "p if { x := 1; y := [x | x := 2]; y; x }",
    "p if { x = 1; y := [x | some x in [2]]; y }",
    "p if { every x in [1] { x == 1 }; x := 2; x }",
    "import rego.v2\n\np if { { x := 1; x } or { x := 2; x } }",
    "import rego.v2\n\np if { not { x := 1; x == 2 }; x := 2; x }",
    "q := 1\n\np if { q := 2; q == 2 }",
    'p if { some [x, {"k": y}] in input; x == y }',
]


@pytest.mark.parametrize("text", DECLARATIONS)
def test_declarations(text: str) -> None:
    """A variable is declared once, before it is mentioned, by a pattern of variables, and not in vain."""
    assert reported(text) == DECLARATIONS[text]


@pytest.mark.parametrize("text", STRICTLY)
def test_what_is_unused_when_strict(text: str) -> None:
    """Strictly, assigned variables and arguments are mentioned somewhere."""
    assert reported(text, options=STRICT) == STRICTLY[text]


@pytest.mark.parametrize("text", ALLOWED)
def test_bodies_have_variables_of_their_own(text: str) -> None:
    """A body inside another one can declare a name again."""
    assert reported(text) == []


def names(text: str) -> list[str]:
    """The references and variables of the last rule of a module, resolved, in the order of the text."""
    program, _ = resolve_names(Program(modules_of(text), CheckOptions()))
    return list(_names(program.modules["0.rego"].rules[-1]))


def _names(rule: Any) -> Iterator[str]:
    for node in walk(rule, lambda node: type(node) is not Ref):
        if isinstance(node, Ref):
            yield ".".join(part.name if isinstance(part, Var) else getattr(part, "value", "?") for part in node.terms)
        elif isinstance(node, Var):
            yield node.name


RESOLVED = {
    "p if { x := q; x }\nq := 1\np if q": ["data.test.p", "data.test.q"],
    "import data.a.b\nimport input.c as d\np if b.x == d[b]": ["data.test.p", "equal", "data.a.b.x", "input.c.?"],
    "q := 1\np if { q := 2; q }": ["data.test.p", "assign", "q#1", "q#1"],
    "q := 1\np if { every y in [1] { q := y; q > 1 }; q }": [
        *("data.test.p", "y#1", "assign", "q#2", "y#1", "gt", "q#2", "q"),
    ],
    "f(x) := x\np := f(y) if { some y; input[y] }": ["data.test.p", "data.test.f", "y#2", "input.y#2"],
    "p if { x = 1; y := [x | x := x2; x2 = x3] }": [
        *("data.test.p", "eq", "x", "assign", "y#2", "x#1", "assign", "x#1", "x2", "eq", "x2", "x3"),
    ],
    "p if { some k, v in input; k == v }": [
        *("data.test.p", "internal.member_3", "k#1", "v#2", "input", "equal", "k#1", "v#2"),
    ],
    "f(x, [y, _]) := x + y": ["data.test.f", "x#1", "y#2", "$0", "plus", "x#1", "y#2"],
    "f(x) := x\nr := 1\np if { f(1) with f as count with input.x as r }": [
        *("data.test.p", "data.test.f", "data.test.f", "count", "input.x", "data.test.r"),
    ],
}


@pytest.mark.parametrize("text", RESOLVED)
def test_names_are_resolved(text: str) -> None:
    """Rules and imports are full references, declared variables have names of their own."""
    assert names(text) == RESOLVED[text]


def test_lines_that_only_declare_vanish() -> None:
    """What is left of a body of such lines alone is `true`."""
    (rule,) = checked("p if { some x, y; x = 1; y = 2 }").modules["0.rego"].rules
    assert [line.span.text for line in rule.body] == ["x = 1", "y = 2"]


def test_what_does_not_change_is_not_copied() -> None:
    """A body without names of rules or declarations is the one that was parsed."""
    modules = modules_of("p if { input.x == 1; not input.y }")
    program, _ = resolve_names(Program(modules, CheckOptions()))
    assert program.modules["0.rego"].rules[0].body is modules["0.rego"].rules[0].body


def test_rules_of_other_files_of_the_package_are_known() -> None:
    """A name can stand for a rule of another file."""
    modules = checked("package a\np if q", "package a\nq := 1").modules
    assert modules["0.rego"].rules[0].body[0].term == modules["1.rego"].rules[0].head.ref
