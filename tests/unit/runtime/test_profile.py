"""Profiles: how often each row was evaluated, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from following import Followed

from procurator.runtime.course import Course
from procurator.runtime.profile import ProfileLine, profile, spread

POLICY = """package p

r contains y if {
	some x in input.xs
	y := x + 1
	y > 2
}

default d := 1

q if count(r) > 1
"""


def lines(query: str, document: Any, order: tuple[str, ...] = (), limit: int = 0) -> list[ProfileLine]:
    followed = Followed(POLICY, query)
    course = Course(followed.all_pieces)
    followed.run(document, course)
    course.end()
    return profile(course, followed.all_pieces, order, limit)


COUNTS: list[tuple[str, dict[str, tuple[int, int, int]]]] = [
    (
        "data.p.q",
        {
            "data.p.q": (1, 1, 1),
            "p.rego:4": (1, 1, 1),
            "p.rego:5": (6, 6, 2),
            "p.rego:6": (3, 2, 1),
            "p.rego:11": (3, 3, 3),
        },
    ),
    ("data.p.d; 1 == 2", {"data.p.d": (2, 1, 2), "p.rego:9": (1, 1, 1)}),
    ("data.p.nope", {"data.p.nope": (1, 0, 1)}),
]


@pytest.mark.parametrize(("query", "counts"), COUNTS)
def test_rows_are_counted(query: str, counts: dict[str, tuple[int, int, int]]) -> None:
    """Evaluations, those that held, and pieces that were evaluated, for each row of a text."""
    found = lines(query, {"xs": [1, 2, 3]})
    assert {line.place: (line.evaluated, line.redone, line.pieces) for line in found} == counts
    assert all(line.time_ns > 0 for line in found if line.place != "p.rego:9")


def test_rows_are_sorted_and_cut_off() -> None:
    document = {"xs": [1, 2, 3]}
    by_time = [line.time_ns for line in lines("data.p.q", document)]
    assert by_time == sorted(by_time, reverse=True)
    by_count = [line.evaluated for line in lines("data.p.q", document, ("num_eval",), 3)]
    assert by_count == [6, 3, 3]
    places = [line.place for line in lines("data.p.q", document, ("file", "line"))]
    assert places == ["p.rego:11", "p.rego:6", "p.rego:5", "p.rego:4", "data.p.q"]


def test_a_record_is_opas() -> None:
    [line] = [line for line in lines("data.p.q", {"xs": [1]}) if line.row == 6]
    record = line.record()
    assert record.pop("total_time_ns") == line.time_ns
    assert record == {
        "num_eval": 1,
        "num_redo": 0,
        "num_gen_expr": 1,
        "location": {"file": "p.rego", "row": 6, "col": 2},
    }


def test_times_of_several_runs_are_spread() -> None:
    runs = [lines("data.p.d", {}) for _ in range(3)]
    times = [run[0].time_ns for run in runs]
    first = spread(runs)[0].record()
    stats = first.pop("total_time_ns_stats")
    assert (stats["min"], stats["max"], stats["count"]) == (min(times), max(times), 3)
    assert first == runs[0][0].counts()
