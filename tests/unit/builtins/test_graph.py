"""Graphs, and walking trees."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.graph import MAX_PATHS, TABLE, walk
from procurator.values import EMPTY_SET, KEY_TRUE, Set

GRAPH = {"a": ["b", "c"], "b": Set(["a", "d"]), "c": None, 1: ["a"]}
COMPLETE = {node: list("abcdefghijkl") for node in "abcdefghijkl"}

CASES = [
    ("graph.reachable", (GRAPH, ["a"]), Set(["a", "b", "c"])),
    ("graph.reachable", (GRAPH, Set([1, "z"])), Set([1, "a", "b", "c"])),
    ("graph.reachable", (GRAPH, []), EMPTY_SET),
    ("graph.reachable", (1, []), Error("operand 1 must be object but got number")),
    ("graph.reachable", ({}, "a"), Error("operand 2 must be {array, set} but got string")),
    ("graph.reachable_paths", (GRAPH, ["a"]), Set([["a", "b"], ["a", "c"]])),
    ("graph.reachable_paths", (GRAPH, ["c", "z"]), Set([["c"]])),
    ("graph.reachable_paths", ({"a": ["a"]}, ["a"]), Set([["a", "a"]])),
    ("graph.reachable_paths", ({"a": ["gone"]}, ["a"]), Set([["a"]])),
    ("graph.reachable_paths", ({"a": []}, ["a"]), Set([["a"]])),
    ("graph.reachable_paths", ({}, 1), Error("operand 2 must be {array, set} but got number")),
    ("graph.reachable_paths", (COMPLETE, ["a"]), Error(f"more than {MAX_PATHS} paths")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)


def test_walk_gives_every_value_with_its_path() -> None:
    """Depth first, the value itself first, keys in order."""
    assert list(walk({"b": [1, Set([2])], "a": {}, KEY_TRUE: None})) == [
        [[], {"b": [1, Set([2])], "a": {}, KEY_TRUE: None}],
        [[True], None],
        [["a"], {}],
        [["b"], [1, Set([2])]],
        [["b", 0], 1],
        [["b", 1], Set([2])],
        [["b", 1, 2], 2],
    ]
    assert list(walk("x")) == [[[], "x"]]
