"""The stages together: what stops them, what they hand on, and the same for queries."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import ALL, STRICT, checked, reported

from procurator_rules.checks import STAGES, CheckOptions, check, check_query
from procurator_rules.errors import PolicyError, PolicyErrors
from procurator_rules.nodes import Body, Import, Ref, String, Var
from procurator_rules.parser import parse_query


def test_the_order_of_stages() -> None:
    """Names first, then what is wrong with them, then bodies, dependencies and types."""
    assert [stage.name for stage in STAGES] == [
        "arguments",
        "resolve names",
        "unused imports",
        "overrides",
        "duplicate imports",
        "unused variables",
        "declarations",
        "template strings",
        "void calls",
        "print",
        "annotations",
        "modifiers",
        "conflicts",
        "functions",
        "negations",
        "safety",
        "recursion",
        "types",
        "unsafe built-ins",
        "deprecated built-ins",
    ]


def test_a_grave_mistake_is_the_last_that_is_looked_for() -> None:
    """An undefined function hides an unsafe variable, which hides recursion."""
    assert reported("p if { f(1); x > 1 }\nq if q") == ["1:8 undefined function f ⟨f(1)⟩"]
    assert reported("p if { x > 1 }\nq if q") == ["1:8 var x is unsafe ⟨x⟩"]


def test_mistakes_without_consequences_stop_nothing() -> None:
    """Unused and hidden names are reported together with what later stages find."""
    text = "import data.x\nimport data.y as x\n\np if { some z; q > 1 }"
    assert reported(text) == [
        "2:1 import must not shadow import data.x ⟨import data.y as x⟩",
        "4:8 declared var z unused ⟨some z⟩",
        "4:16 var q is unsafe ⟨q⟩",
    ]
    assert reported(text, options=STRICT) == [
        "1:1 import data.x unused ⟨import data.x⟩",
        "2:1 import data.y as x unused ⟨import data.y as x⟩",
        "2:1 import must not shadow import data.x ⟨import data.y as x⟩",
        "4:8 declared var z unused ⟨some z⟩",
        "4:16 var q is unsafe ⟨q⟩",
    ]


def test_the_number_of_errors_is_limited() -> None:
    """Ten by default, and a line that says so."""
    text = "\n".join(f"p{i} if {{ x{i} > 1 }}" for i in range(20))
    found = reported(text, options=CheckOptions())
    assert found[:10] == [f"{i + 1}:9 var x{i} is unsafe ⟨x{i}⟩" for i in range(10)]
    assert found[10:] == ["error limit reached"]
    assert len(reported(text)) == 20


def test_one_error_is_raised_alone() -> None:
    """Several are raised together."""
    with pytest.raises(PolicyError) as raised:
        checked("p if { x > 1 }")
    assert type(raised.value) is PolicyError
    with pytest.raises(PolicyErrors):
        checked("p if { x > 1; y > 1 }")


def test_rules_by_path() -> None:
    """Rules stand under the constant first part of their path, in the order of files and texts."""
    found = checked("package a\np := 1\np := 1\nq[x].y contains 1 if x := 2\nr[3].s := 4", "package a\np := 1").rules
    assert {path: [rule.span.text for rule in rules] for path, rules in found.items()} == {
        ("a", "p"): ["p := 1", "p := 1", "p := 1"],
        ("a", "q"): ["q[x].y contains 1 if x := 2"],
        ("a", "r", ("number", "3"), "s"): ["r[3].s := 4"],
    }


def test_forbidden_functions() -> None:
    """Functions that the options name are not called."""
    options = replace(ALL, unsafe_builtins=frozenset({"time.now_ns"}))
    assert reported("p := time.now_ns()", options=options) == [
        "1:6 unsafe built-in function calls in expression: time.now_ns ⟨time.now_ns()⟩"
    ]


def test_no_modules() -> None:
    """There is nothing wrong with no modules."""
    assert check({}).rules == {}


QUERIES = {
    "x > 1": ["var x is unsafe"],
    "x := 1; x := 2": ["var x assigned above"],
    "undefined_one(1)": ["undefined function undefined_one"],
    "data.test.f(1, 2, 3)": ["function data.test.f has arity 1, got 3 arguments"],
    "print(x)": ["var x is undeclared"],
    "x := print(1)": ["print(1) used as value"],
    "true with foo as 1": ["with keyword target must reference existing input, data, or a function"],
    "data.test.p = x; x > y": ["var y is unsafe"],
    "count(1)": ["count: invalid argument(s)"],
    "x = y + 1; y = data.test.p": [],
    "[x | x := data.users[_]]": [],
}


def resolved(text: str, imports: tuple[Import, ...] = (), *, within: bool = False) -> Body:
    """A query against a module, from within its package if wanted."""
    found = checked("p := 1\nf(x) := x")
    package = found.modules["0.rego"].package if within else None
    return check_query(parse_query(text), found, imports, package).body


@pytest.mark.parametrize("text", QUERIES)
def test_queries(text: str) -> None:
    """A query is checked as a body is."""
    if not QUERIES[text]:
        resolved(text)
        return
    with pytest.raises(PolicyError) as raised:
        resolved(text)
    errors = raised.value.errors if isinstance(raised.value, PolicyErrors) else (raised.value,)
    assert [error.message for error in errors] == QUERIES[text]


def test_queries_are_put_in_order() -> None:
    """Their lines too."""
    assert [line.span.text for line in resolved("x = y + 1; y = data.test.p")] == ["y = data.test.p", "x = y + 1"]


def test_queries_name_what_is_imported() -> None:
    """With imports and a package a query can use short names."""
    imports = (Import(Ref((Var("data"), String("users"))), "people"),)
    (line,) = resolved("people", imports)
    assert line.term == Ref((Var("data"), String("users")))
    (line,) = resolved("p", within=True)
    assert line.term == Ref((Var("data"), String("test"), String("p")))


def test_an_empty_query() -> None:
    """There has to be something to ask."""
    with pytest.raises(PolicyError, match="empty query cannot be compiled"):
        check_query((), checked("p := 1"))


DEEP = {
    "array": ("[", "]"),
    "call": ("count([", "])"),
    "comprehension": ("[y | y := ", "]"),
    "object": ('{"a": ', "}"),
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_nesting(kind: str) -> None:
    """What the parser accepts, the stages go through."""
    left, right = DEEP[kind]
    (told,) = reported(f"p := {left * 60}x{right * 60}")
    assert told.partition(" ")[2] == "var x is unsafe ⟨x⟩"
