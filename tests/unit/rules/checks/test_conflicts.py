"""Rules that cannot stand side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from reports import ALL, reported

TYPES = {
    "p := 1\n\np contains 2": ["1:1 conflicting rules data.test.p found ⟨p := 1⟩"],
    "p := 1\n\np(x) := x": ["1:1 conflicting rules data.test.p found ⟨p := 1⟩"],
    "p(x, y) := x + y\n\np(x) := x": ["1:1 conflicting rules data.test.p found ⟨p(x, y) := x + y⟩"],
    "p[x] := 1 if x := 2\n\np := 3": ["1:1 conflicting rules data.test.p found ⟨p[x] := 1 if x := 2⟩"],
    "p[x] contains 1 if x := 2\n\np contains 3": [
        "1:1 conflicting rules data.test.p found ⟨p[x] contains 1 if x := 2⟩"
    ],
    "default p := 1\n\ndefault p := 2\n\np := 3 if input.x": [
        "1:1 multiple default rules data.test.p found at 0.rego:3, 0.rego:5 ⟨package test⟩",
    ],
    "p.q := 1\n\np := 2": [
        "3:1 rule data.test.p conflicts with:\n  rule data.test.p.q at 0.rego:3 ⟨p := 2⟩",
    ],
    "p.q.r := 1\n\np.q.s contains 2\n\np.q.r.t := 2\n\np := 2": [
        "1:1 rule data.test.p.q.r conflicts with:\n  rule data.test.p.q.r.t at 0.rego:7 ⟨p.q.r := 1⟩",
        (
            "7:1 rule data.test.p conflicts with:\n  rule data.test.p.q.r at 0.rego:3\n"
            "  rule data.test.p.q.s at 0.rego:5 ⟨p := 2⟩"
        ),
    ],
    "p[x].y := 1 if x := 2\n\np.f(x) := 3 if x": [
        "1:1 rule data.test.p[x].y conflicts with:\n  rule data.test.p.f at 0.rego:5 ⟨p[x].y := 1 if x := 2⟩",
    ],
    'p["a b"].c := 1\n\np["a b"] := 2': [
        '3:1 rule data.test.p["a b"] conflicts with:\n  rule data.test.p["a b"].c at 0.rego:3 ⟨p["a b"] := 2⟩',
    ],
    "p.if := 1\n\np.if.x := 2": [
        '1:1 rule data.test.p["if"] conflicts with:\n  rule data.test.p["if"].x at 0.rego:5 ⟨p.if := 1⟩',
    ],
}

ACROSS = {
    ("package a\n\ndefault x := 1", "package a\n\ndefault x := 2"): [
        "1:1 multiple default rules data.a.x found at 0.rego:3, 1.rego:3 ⟨package a⟩",
    ],
    ("package a\n\nb.c := 1", "package a.b\n\nc := 1 if input.x"): [],
    ("package a\n\nb := 1", "package a.b\n\nc := 1"): [
        "1:1 package a.b conflicts with rule b defined at 0.rego:3 ⟨package a⟩",
        "1:1 rule data.a.b conflicts with:\n  rule data.a.b.c at 1.rego:3 ⟨b := 1⟩",
    ],
}

ALLOWED = [
    "p := 1 if input.x\n\np := 2 if input.y\n\ndefault p := 3",
    "p contains 1\n\np contains 2",
    "p[x] := 1 if x := 2\n\np.y := 3",
    "p.q := 1\n\np.r contains 2\n\np.s(x) := x",
    "f(1) := 2\n\nf(2) := 3\n\ndefault f(_) := 4",
    "p[x].y := 1 if x := 2\n\np.z.y := 3",
]


@pytest.mark.parametrize("text", TYPES)
def test_rules_of_different_kinds(text: str) -> None:
    """Rules of one path are of one kind, take the same number of arguments, and are not inside a value."""
    assert reported(text) == TYPES[text]


@pytest.mark.parametrize("texts", ACROSS)
def test_rules_of_several_files(texts: tuple[str, ...]) -> None:
    """So are those of several files; a package is no rule of another one."""
    assert sorted(reported(*texts)) == sorted(ACROSS[texts])


@pytest.mark.parametrize("text", ALLOWED)
def test_rules_that_go_together(text: str) -> None:
    """What differs only in constants or lies beyond a variable is no conflict."""
    assert reported(text) == []


def test_rules_where_base_documents_are() -> None:
    """A rule cannot hide data that is loaded; what lies behind a variable or below a rule is not asked about."""
    asked: list[tuple[str, ...]] = []

    def exists(path: tuple[str, ...]) -> bool:
        asked.append(path)
        return path == ("test", "roles", "admin")

    text = 'roles.admin := 1\n\nroles.viewer := 2\n\nroles[x].y := 3 if x := "z"'
    assert reported(text, options=replace(ALL, path_exists=exists)) == [
        "1:1 conflicting rule for data path test/roles/admin found ⟨roles.admin := 1⟩",
    ]
    assert sorted(asked) == [("test", "roles"), ("test", "roles", "admin"), ("test", "roles", "viewer")]
