"""Objects, and JSON by path."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins import json_paths, objects
from procurator.values import KEY_TRUE, Set

TABLE = {**objects.TABLE, **json_paths.TABLE}
NOT_KEYS = "operand 2 must be one of {object, set, array} but got "
NOT_PATHS = "operand 2 must be one of {set, array} containing string paths or array of path segments but got "
NOT_ALIKE = Error("both arguments object.subset must be of the same type or array and set")
DOCUMENT = {"a": {"b": 1, "c": [1, 2, {"d": 3}]}, "x~/y": None, 1: Set([1, 2])}

CASES = [
    ("object.get", ({"a": 1}, "a", 0), 1),
    ("object.get", ({"a": False}, "a", 0), False),
    ("object.get", ({"a": None}, "a", 0), None),
    ("object.get", ({"a": 1}, "b", [0]), [0]),
    ("object.get", ({1: "x"}, 1.0, 0), "x"),
    ("object.get", ({"a": [10, 20]}, ["a", 1], 0), 20),
    ("object.get", ({"a": [10, 20]}, ["a", "1"], 0), 0),
    ("object.get", ({"a": Set([10])}, ["a", 10], 0), 10),
    ("object.get", ({"a": 1}, ["a", "b"], 0), 0),
    ("object.get", ({"a": 1}, [], 0), {"a": 1}),
    ("object.get", ({("a",): 1}, ["a"], 0), 0),
    ("object.get", ([1], 0, 0), Error("operand 1 must be object but got array")),
    ("object.keys", ({"a": 1, (1,): 2, KEY_TRUE: 3},), Set(["a", [1], True])),
    ("object.keys", ([1],), Error("operand 1 must be object but got array")),
    ("object.filter", ({"a": 1, "b": 2, 1: 3}, ["a", 1.0, "z"]), {"a": 1, 1: 3}),
    ("object.filter", ({"a": 1, "b": 2}, Set(["b"])), {"b": 2}),
    ("object.filter", ({"a": 1, "b": 2}, {"a": {"c": 0}}), {"a": 1}),
    ("object.filter", ({"a": 1}, "a"), Error(NOT_KEYS + "string")),
    ("object.remove", ({"a": 1, "b": 2, 1: 3}, ["a", 1.0]), {"b": 2}),
    ("object.remove", ({"a": 1, "b": 2}, {"a": {"c": 0}}), {"b": 2}),
    ("object.remove", ({"a": 1}, None), Error(NOT_KEYS + "null")),
    ("object.remove", (1, []), Error("operand 1 must be object but got number")),
    ("object.union", ({"a": {"b": 1}, "c": 1}, {"a": {"d": 2}, "c": {"x": 1}}), {"a": {"b": 1, "d": 2}, "c": {"x": 1}}),
    ("object.union", ({"a": {"b": 1}}, {"a": 2}), {"a": 2}),
    ("object.union", ({}, {"a": 1}), {"a": 1}),
    ("object.union", ({}, 1), Error("operand 2 must be object but got number")),
    ("object.union_n", ([{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}],), {"a": {"c": 3}}),
    ("object.union_n", ([{"a": {"b": 1}}, {"a": {"c": 4}}],), {"a": {"b": 1, "c": 4}}),
    ("object.union_n", ([],), {}),
    ("object.union_n", ([{}, 1],), Error("operand 1 must be array of objects but got array containing number")),
    ("object.union_n", ({},), Error("operand 1 must be array but got object")),
    ("object.subset", ({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1.0}}), True),
    ("object.subset", ({"a": {"b": 1}}, {"a": {"b": 2}}), False),
    ("object.subset", ({"a": [1, 2, 3]}, {"a": [2, 3]}), True),
    ("object.subset", ({"a": [1, 2, 3]}, {"a": [1, 3]}), False),
    ("object.subset", ({"a": [1, 2]}, {"a": Set([1])}), False),
    ("object.subset", ({"a": Set([1, 2])}, {"a": Set([1])}), True),
    ("object.subset", ([1, 1, 2, 1, 1, 3], [1, 1, 3]), True),
    ("object.subset", ([1], []), True),
    ("object.subset", ([1, 2, 3], Set([3, 1])), True),
    ("object.subset", ([], Set()), False),
    ("object.subset", ([1, 1], Set([1, 2])), True),
    ("object.subset", (Set([1]), [1]), NOT_ALIKE),
    ("object.subset", (1, 1), NOT_ALIKE),
    ("json.filter", (DOCUMENT, ["a/b", "/a/c/2/d"]), {"a": {"b": 1, "c": [{"d": 3}]}}),
    ("json.filter", (DOCUMENT, ["a/b", "a"]), {"a": DOCUMENT["a"]}),
    ("json.filter", (DOCUMENT, ["a", "a/b"]), {"a": DOCUMENT["a"]}),
    ("json.filter", (DOCUMENT, Set([[1, 2], "x~0~1y/deeper"])), {1: Set([2]), "x~/y": None}),
    ("json.filter", (DOCUMENT, ["a/b/c/d", "a/z"]), {"a": {"b": 1}}),
    ("json.filter", (DOCUMENT, ["", []]), {}),
    ("json.filter", (DOCUMENT, [["a", "c", 1]]), {"a": {"c": []}}),
    ("json.filter", (DOCUMENT, [1]), Error(NOT_PATHS + "number")),
    ("json.filter", (DOCUMENT, "a"), Error("operand 2 must be one of {set, array} but got string")),
    ("json.filter", ([1], []), Error("operand 1 must be object but got array")),
    ("json.remove", ({"a": {"b": 1, "c": 2}}, ["a/b"]), {"a": {"c": 2}}),
    ("json.remove", ({"a": [1, 2, 3]}, ["a/0", "a/2"]), {"a": [2]}),
    ("json.remove", ({"a": Set([1, {"x": 1}])}, [["a", {"x": 1}, "x"], ["a", 1]]), {"a": Set([{}])}),
    ("json.remove", ({"a": 5}, ["a/b", "", "z"]), {"a": 5}),
    ("json.remove", ({"a": {"b": 1}}, ["a/b", "a"]), {}),
    ("json.remove", ({"a": 1}, Set(["a", True])), Error(NOT_PATHS + "boolean")),
    ("json.remove", ({"a": 1}, 3), Error("operand 2 must be one of {set, array} but got number")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)


def test_operands_stay_as_they_are() -> None:
    """What is returned shares nothing that was changed."""
    a, b = {"x": {"y": 1}}, {"x": {"z": 2}}
    TABLE["object.union"](a, b)
    TABLE["object.union_n"]([a, b, a])
    TABLE["json.remove"](a, ["x/y"])
    assert (a, b) == ({"x": {"y": 1}}, {"x": {"z": 2}})
