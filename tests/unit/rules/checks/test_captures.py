"""What `print`, template strings and negations may mention, and what `with` may replace."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import ALL, STRICT, reported

TEMPLATES = {
    'p if { $"{x + 1}" == "a" }': ["1:11 var x is undeclared ⟨x⟩"],
    'p if { $"{input.x[_]}" == "a" }': ["1:11 var _ is undeclared ⟨_⟩"],
    'p if { $"{input.x[i]} {y.z}" == "a" }': ["1:11 var i is undeclared ⟨i⟩", "1:24 var y is undeclared ⟨y⟩"],
    'f(x) := $"{x + 1} {y + 1}"': ["1:20 var y is undeclared ⟨y⟩"],
    'p if { $"{walk(input)}" == "a" }': [
        "1:11 illegal call to relation built-in 'walk' that may cause multiple outputs ⟨walk(input)⟩"
    ],
    'p if { $"{x}" == "a" }': ["1:8 var x is unsafe ⟨x⟩"],
    'p := $"{$"{x}"}"': ["1:9 var x is unsafe ⟨x⟩"],
    'p if { $"{print(1)}" == "" }': ["1:11 print(1) used as value ⟨print(1)⟩"],
    'p := $"{x + 1}" if { x := 1 }': [],
    'p if { x := 1; every y in [1] { $"{y + 1} {x + 1}" == "a" } }': [],
    'p := [y | some x in [1]; y := $"{x + 1}"]': [],
    'p if { y := $"{x + 1}"; x = 1; y }': [],
}

PRINTS = {
    "p if { print(x) }": ["1:14 var x is undeclared ⟨x⟩"],
    "p if { print(input.x[_]) }": ["1:14 var _ is undeclared ⟨_⟩"],
    "p if { print(x, [y]); print(z) }": ["1:14 var x is undeclared ⟨x⟩", "1:17 var y is undeclared ⟨y⟩"],
    "p if { some x, y; print(x, y) }": ["1:25 var x is undeclared ⟨x⟩", "1:28 var y is undeclared ⟨y⟩"],
    "p if { x := [1 | print(y); input.z]; y = 2; x }": ["1:24 var y is undeclared ⟨y⟩"],
    "p if { every z in [1] { print(q, z) } }": ["1:31 var q is undeclared ⟨q⟩"],
    "p if { print(x); x = 1 }": ["1:14 var x is undeclared ⟨x⟩"],
    "p if { print([x | x := 1]) }": [],
    "p if { print([x | true]) }": ["1:14 var x is unsafe ⟨x⟩"],
    "p if { x := 1; print(x) }": [],
    "f(x) if { print(x) }": [],
    "p if { x := print(1); x }": ["1:13 print(1) used as value ⟨print(1)⟩"],
}

NOWHERE = "with keyword target must reference existing input, data, or a function"
REPLACING = "with keyword replacing built-in function:"

WITHS = {
    "p if { true with foo as 1 }": [f"1:18 {NOWHERE} ⟨foo⟩"],
    "p if { true with foo.bar as 1 }": [f"1:18 {NOWHERE} ⟨foo.bar⟩"],
    "p if { true with foo as 1; true with bar as 2 }": [f"1:18 {NOWHERE} ⟨foo⟩"],
    "p if { x := [1 | true with foo as 1]; x }": [f"1:28 {NOWHERE} ⟨foo⟩"],
    "p if { true with walk as 1 }": [f"1:18 {REPLACING} target must not be a relation ⟨walk⟩"],
    "p if { true with print as 1 }": [f"1:18 {REPLACING} target must not be a void function ⟨print⟩"],
    "p if { true with eq as 1 }": [f'1:18 {REPLACING} replacement of "eq" invalid ⟨eq⟩'],
    "p if { true with rego.metadata.rule as 1 }": [
        f'1:18 {REPLACING} replacement of "rego.metadata.rule" invalid ⟨rego.metadata.rule⟩'
    ],
    "p if { true with internal.print as 1 }": [
        f'1:18 {REPLACING} replacement of internal function "internal.print" invalid ⟨internal.print⟩'
    ],
    "p if { true with q.r as 1 }\nq := 1": ["1:18 with keyword cannot partially replace virtual document(s) ⟨q.r⟩"],
    "p if { true with q as 1 with data.x.y as 2 with input.z as 3 }\nq := 1": [],
    "p if { count(input) == 1 with count as 1 }": [],
    "p if { f(input) with f as count }\nf(x) := x": [],
    "p if { lower(input) with lower as f }\nf(x) := x": [],
}

IMPOSSIBLE = (
    "negation of multi-value rule data.test.deny is always false, as it is never undefined "
    "(hint: use count(data.test.deny) == 0 to check for an empty set)"
)
DENY = 'deny contains "x" if input.x\n'

NEGATIONS = {
    f"{DENY}p if not deny": [f"2:6 {IMPOSSIBLE} ⟨not deny⟩"],
    f"{DENY}p := [1 | not deny]": [f"2:11 {IMPOSSIBLE} ⟨not deny⟩"],
    f"import rego.v2\n{DENY}p if {{ not {{ deny }} }}": [f"3:8 {IMPOSSIBLE} ⟨not {{ deny }}⟩"],
    f'{DENY}p if not deny["x"]': [],
    f"{DENY}p if count(deny) == 0": [],
    f"{DENY}p if {{ not deny with data.test.deny as false }}": [],
    "q if input.x\np if not q": [],
}


@pytest.mark.parametrize("text", TEMPLATES)
def test_template_strings(text: str) -> None:
    """An expression mentions variables that have values, and gives one value."""
    assert reported(text) == TEMPLATES[text]


@pytest.mark.parametrize("text", PRINTS)
def test_prints(text: str) -> None:
    """Operands mention variables that have values; a call of `print` is no value."""
    assert reported(text) == PRINTS[text]


def test_erased_prints_are_not_checked() -> None:
    """Where calls of `print` are erased, what is in them does not matter."""
    options = replace(ALL, print_statements=False)
    assert reported("p if { print(x) }", options=options) == []


@pytest.mark.parametrize("text", WITHS)
def test_withs(text: str) -> None:
    """`with` replaces documents and functions; the first mistake of each body is reported."""
    assert reported(text) == WITHS[text]


def test_forbidden_functions_cannot_be_replaced() -> None:
    """Nor can they replace others."""
    options = replace(ALL, unsafe_builtins=frozenset({"http.send"}))
    message = f'1:18 {REPLACING} target must not be unsafe: "http.send"'
    assert reported("p if { true with http.send as 1 }", options=options) == [f"{message} ⟨http.send⟩"]
    assert reported("p if { true with count as http.send }", options=options) == [f"{message} ⟨count⟩"]


@pytest.mark.parametrize("text", NEGATIONS)
def test_negations_of_sets(text: str) -> None:
    """A set is never undefined, so to negate it is a mistake, when strict; OPA lets it pass."""
    assert reported(text, options=STRICT) == NEGATIONS[text]
    assert reported(text) == []
