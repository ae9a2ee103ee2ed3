"""Rules that refer to themselves, and the order of those that do not."""

from __future__ import annotations

import pytest
from reports import checked, reported

RECURSIVE = {
    "p if p": ["1:1 rule data.test.p is recursive: data.test.p -> data.test.p ⟨p if p⟩"],
    "p if q\nq if p": [
        "1:1 rule data.test.p is recursive: data.test.p -> data.test.q -> data.test.p ⟨p if q⟩",
        "2:1 rule data.test.q is recursive: data.test.q -> data.test.p -> data.test.q ⟨q if p⟩",
    ],
    "f(x) := f(x - 1)": ["1:1 rule data.test.f is recursive: data.test.f -> data.test.f ⟨f(x) := f(x - 1)⟩"],
    "p := [1 | p]": ["1:1 rule data.test.p is recursive: data.test.p -> data.test.p ⟨p := [1 | p]⟩"],
    'p := $"{p}"': ['1:1 rule data.test.p is recursive: data.test.p -> data.test.p ⟨p := $"{p}"⟩'],
    "p if { true with data.test.p as 1 }": [
        "1:1 rule data.test.p is recursive: data.test.p -> data.test.p ⟨p if { true with data.test.p as 1 }⟩",
    ],
    "p := 1 if { input.x } else := 2 if { p }": [
        "1:23 rule data.test.p is recursive: data.test.p -> data.test.p ⟨else := 2 if { p }⟩",
    ],
    "p := data": ["1:1 rule data.test.p is recursive: data.test.p -> data.test.p ⟨p := data⟩"],
    "p if data.test[x]": ["1:1 rule data.test.p is recursive: data.test.p -> data.test.p ⟨p if data.test[x]⟩"],
    "p[x] := 1 if { p[x] }": [
        "1:1 rule data.test.p[x] is recursive: data.test.p[x] -> data.test.p[x] ⟨p[x] := 1 if { p[x] }⟩",
    ],
    "p if { data[input] }": [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p (data[input] refers to data.test.p "
            'if input is "test") ⟨p if { data[input] }⟩'
        ),
    ],
    "p if { x := input.x; data.test[x] }": [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p (data.test[x] refers to data.test.p "
            'if x is "p" (x comes from input.x)) ⟨p if { x := input.x; data.test[x] }⟩'
        ),
    ],
    'p if { some x in ["q", "p"]; data.test[x] }': [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p (data.test[x] refers to data.test.p "
            'if x is "p" (x is one of ["q", "p"])) ⟨p if { some x in ["q", "p"]; data.test[x] }⟩'
        ),
    ],
    "p if { x := lower(input.x); data.test[x] }": [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p (data.test[x] refers to data.test.p "
            'if x is "p" (x is computed by lower)) ⟨p if { x := lower(input.x); data.test[x] }⟩'
        ),
    ],
    "p if { x := count(input.x); data.test[x] }": [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p "
            "(data.test[x] could refer to data.test.p) ⟨p if { x := count(input.x); data.test[x] }⟩"
        ),
    ],
    "f(x) := data.test[x]": [
        (
            "1:1 rule data.test.f may be recursive: data.test.f -> data.test.f (data.test[x] refers to data.test.f "
            'if x is "f" (x is an argument of data.test.f)) ⟨f(x) := data.test[x]⟩'
        ),
    ],
    "p if { data.test[q] }\nq := 1": [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p (data.test[data.test.q] refers to "
            'data.test.p if data.test.q is "p" (rule values aren\'t known at compile time)) ⟨p if { data.test[q] }⟩'
        ),
    ],
    "p if { x := input.x; y := input.y; data[x][y] }": [
        (
            "1:1 rule data.test.p may be recursive: data.test.p -> data.test.p (data[x][y] refers to data.test.p "
            'if x is "test" (x comes from input.x) and y is "p" (y comes from input.y)) '
            "⟨p if { x := input.x; y := input.y; data[x][y] }⟩"
        ),
    ],
}

ALLOWED = [
    'p if { some x in ["q", "r"]; data.test[x] }\nq := 1',
    'p if { x := "q"; data.test[x] }\nq := 1',
    'p["a"] := 1 if { p.b }\np["b"] := 1 if { p.c }',
    'p[x].a := 1 if { x := p[y].b }\np[x].b := 1 if { x := "k" }',
    "p if { data.other[x] }",
]


@pytest.mark.parametrize("text", RECURSIVE)
def test_recursive_rules(text: str) -> None:
    """The way back to the rule, and of one that depends on values what they must be."""
    assert reported(text) == RECURSIVE[text]


@pytest.mark.parametrize("text", ALLOWED)
def test_rules_that_cannot_meet_themselves(text: str) -> None:
    """References with other constants, or with variables that have other values, lead elsewhere."""
    assert reported(text) == []


def test_a_cycle_over_three_files() -> None:
    """Each rule of it is reported."""
    texts = ("package a\n\np := data.b.q", "package b\n\nq := data.c", "package c\n\nr := data.a.p")
    assert reported(*texts) == [
        "1:1 rule data.a.p is recursive: data.a.p -> data.b.q -> data.c.r -> data.a.p ⟨p := data.b.q⟩",
        "1.rego:1:1 rule data.b.q is recursive: data.b.q -> data.c.r -> data.a.p -> data.b.q ⟨q := data.c⟩",
        "2.rego:1:1 rule data.c.r is recursive: data.c.r -> data.a.p -> data.b.q -> data.c.r ⟨r := data.a.p⟩",
    ]


def test_the_order_of_rules() -> None:
    """Each path comes after those that its rules refer to."""
    order = checked("p if q\nq if r[_]\nr contains x if x := s(1)\ns(x) := x").order
    assert order == (("test", "s"), ("test", "r"), ("test", "q"), ("test", "p"))


def test_long_chains_of_rules() -> None:
    """Two thousand rules in a row, and two thousand in a circle, are no matter of depth."""
    chain = "\n".join(f"p{i} if p{i + 1}" for i in range(2000))
    assert reported(f"{chain}\np2000 := 1") == []
    first = reported(f"{chain}\np2000 if p0")[0]
    assert first.startswith("1:1 rule data.test.p0 is recursive: data.test.p0 -> data.test.p1 -> data.test.p2 -> ")
