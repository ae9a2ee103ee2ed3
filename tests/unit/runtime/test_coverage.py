"""Coverage: what of a policy an evaluation has evaluated, at OPA's places."""

from __future__ import annotations

from typing import Any

import pytest
from following import Followed

from procurator.runtime.course import Course
from procurator.runtime.coverage import Coverage, coverage
from procurator.runtime.pieces import Range


def report(policy: str, query: str, document: Any) -> Coverage:
    """The coverage of one policy by one query."""
    followed = Followed(policy, query)
    course = Course(followed.pieces)
    followed.run(document, course)
    course.end()
    return coverage(course, {"p.rego": followed.pieces})


def text(policy: str, place: Range) -> str:
    """The text at a place, its first line if there are several."""
    line = policy.split("\n")[place.row - 1]
    return line[place.column - 1 : place.end_column - 1 if place.row == place.end_row else None]


def outcome(lines: str, document: Any, query: str = "data.p.r") -> tuple[list[str], list[str], list[str]]:
    """The texts that are covered, that are not, and that are not as OPA's index leaves them out."""
    policy = f"package p\n\n{lines}\n"
    file = report(policy, query, document).files["p.rego"]
    uncovered = sorted(file.uncovered)
    return (
        [text(policy, place) for place in file.covered],
        [text(policy, place) for place in uncovered if not file.uncovered[place]],
        [text(policy, place) for place in uncovered if file.uncovered[place]],
    )


CASES: list[tuple[str, Any, tuple[list[str], list[str], list[str]]]] = [
    ("r if input.x", {"x": 1}, (["r", "input.x"], [], [])),
    ("r if input.x", {}, ([], ["r"], ["input.x"])),
    ("r if input.x > 1", {"x": 1}, (["input.x", "input.x > 1"], ["r"], [])),
    ("r if {\n  input.x > 1\n  input.y > 1\n}", {"x": 1, "y": 2}, (
        ["input.x", "input.x > 1"], ["r", "input.y > 1"], [],
    )),
    ('r if input.x == "a"', {"x": "b"}, ([], ["r"], ['input.x == "a"'])),
    ('r if "a" == input.x', {"x": "b"}, ([], ["r"], ['"a" == input.x'])),
    ("r if input.x in {1, 2}", {"x": 3}, ([], ["r"], ["input.x in {1, 2}"])),
    ("r if not input.x", {}, (["r", "not input.x"], [], [])),
    ("r := 1", {}, (["r := 1", "1"], [], [])),
    ("r := input.x", {}, ([], ["r := input.x"], ["input.x"])),
    ("default r := 1", {}, (["default", "r := 1"], [], [])),
    ("default r := 1\n\nr := 2 if input.x", {"x": 1}, (["r := 2", "input.x"], ["default", "r := 1"], [])),
    ("r := count(input.x) + 1", {"x": [1]}, (
        ["r := count(input.x) + 1", "count(input.x)", "count(input.x) + 1", "input.x"], [], [],
    )),
    ("r := {x | some x in input.xs; x > 1}", {"xs": [1]}, (
        ["r := {x | some x in input.xs; x > 1}", "{x | some x in input.xs; x > 1}", "some x in input.xs", "x > 1"],
        [],
        [],
    )),
    ("r contains x if {\n  some x in [1]\n  y := x * 2\n  y > 5\n}", {}, (
        ["some x in [1]", "[1]", "y := x * 2", "x * 2", "y > 5"], ["r contains x"], [],
    )),
    ("r if {\n  every x in input.xs { x > 1 }\n}", {"xs": []}, (
        ["r", "every x in input.xs { x > 1 }", "input.xs"], [], [],
    )),
    ('r := "a" if {\n  input.x == 1\n} else := "b" if {\n  input.x == 2\n} else := "c"', {"x": 2}, (
        ['else := "b"', "input.x == 2"], ['r := "a"', 'else := "c"'], ["input.x == 1"],
    )),
    ("r := f(1)\n\nf(x) := 1 if x == 2\n\nf(x) := 3 if x == 1", {}, (
        ["r := f(1)", "f(1)", "f(x) := 3", "x == 1"], ["f(x) := 1"], ["x == 2"],
    )),
    ("r if {\n  x := 1\n  true\n  x < 0\n}", {}, (["x := 1", "true", "x < 0"], ["r"], [])),
    ("r if {\n  some x\n  input.xs[x] == 2\n}", {"xs": [1, 2]}, (["r", "input.xs[x] == 2"], [], [])),
    ('r if {\n  print("a", input.x)\n}', {}, (["r", 'print("a", input.x)', '"a"', "input.x"], [], [])),
    ("r := x if {\n  x := input with input as 1\n}", {}, (["r := x", "x := input with input as 1"], [], [])),
    ("r[k] := 1 if some k, _ in input.map", {"map": {"a": 1}}, (["r[k] := 1", "some k, _ in input.map"], [], [])),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "document", "wanted"), CASES)
def test_places(lines: str, document: Any, wanted: tuple[list[str], list[str], list[str]]) -> None:
    """Heads count when the rule holds, lines when they are evaluated; OPA's index leaves bodies out unseen."""
    assert outcome(lines, document) == wanted


def test_what_nobody_asks_for_is_not_covered() -> None:
    assert outcome("r := 1\n\nq if input.x", {}, "data.p.r") == (["r := 1", "1"], ["q", "input.x"], [])


def test_the_report_counts_rows() -> None:
    policy = "package p\n\nr if {\n  input.x > 1\n  input.y > 1\n}\n\nq := 1\n"
    assert report(policy, "data.p.r", {"x": 1}).record() == {
        "files": {
            "p.rego": {
                "covered": [
                    {"start": {"row": 4, "col": 3}, "end": {"row": 4, "col": 10}},
                    {"start": {"row": 4, "col": 3}, "end": {"row": 4, "col": 14}},
                ],
                "not_covered": [
                    {"start": {"row": 3, "col": 1}, "end": {"row": 3, "col": 2}},
                    {"start": {"row": 5, "col": 3}, "end": {"row": 5, "col": 14}},
                    {"start": {"row": 8, "col": 1}, "end": {"row": 8, "col": 7}},
                    {"start": {"row": 8, "col": 6}, "end": {"row": 8, "col": 7}},
                ],
                "covered_lines": 1,
                "not_covered_lines": 3,
                "coverage": 25,
            }
        },
        "covered_lines": 1,
        "not_covered_lines": 3,
        "coverage": 25,
    }


def test_a_policy_without_rules_has_nothing_to_cover() -> None:
    assert report("package p\n", "data.p", {}).record() == {
        "files": {"p.rego": {}},
        "covered_lines": 0,
        "not_covered_lines": 0,
        "coverage": 0,
    }
