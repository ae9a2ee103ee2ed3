"""`json.patch`."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.json_patch import TABLE
from procurator.values import UNDEFINED, Set

DOCUMENT = {"a": [1, 2], "b": {"c": {"d": 3}}, "s": Set([1, {"x": 1}])}


def add(path: Any, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def remove(path: Any) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def replace(path: Any, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def move(source: Any, path: Any) -> dict[str, Any]:
    return {"op": "move", "from": source, "path": path}


def duplicate(source: Any, path: Any) -> dict[str, Any]:
    return {"op": "copy", "from": source, "path": path}


def holds(path: Any, value: Any) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


CASES = [
    (DOCUMENT, [], DOCUMENT),
    ([1, 2], [add("1", 9)], [1, 9, 2]),
    ([1, 2], [add("-", 9), add(["-"], 10), add(["1.0"], 0)], [1, 0, 2, 9, 10]),
    ({"a": 1}, [add("/", 2), add("a", 3), add([1], 4)], {"": 2, "a": 3, 1: 4}),
    ({}, [add("a", {}), add("a/b", []), add("a/b/0", 1), add("a/b/0", 0)], {"a": {"b": [0, 1]}}),
    ({"a~/b": {}}, [add("a~0~1b/c", 1)], {"a~/b": {"c": 1}}),
    ({"s": Set([1])}, [add(["s", 2], 2), remove(["s", 1])], {"s": Set([2])}),
    ({"s": Set([{"x": 1}])}, [add(["s", {"x": 1}, "y"], 2)], {"s": Set([{"x": 1, "y": 2}])}),
    ([1, 2, 3], [remove("0"), replace("1", 9)], [2, 9]),
    ({"a": 1}, [replace("", 7)], 7),
    ({"a": 1}, [remove(""), add("", 5)], 5),
    ({"a": 1}, [remove("")], UNDEFINED),
    ([1, 2], [move("0", "-")], [2, 1]),
    ({"a": {"b": 1}}, [duplicate("a", "a/c"), add("a/c/b", 2), add("a/d", 3)], {"a": {"b": 1, "c": {"b": 2}, "d": 3}}),
    ({"a": [1.0]}, [holds("a/0", 1), holds("", {"a": [1]})], {"a": [1.0]}),
    ({"a": 1}, [holds("a", "x")], Error('value from EditTree != patch value.\n\nExpected: "x"\n\nFound: 1')),
    ({"a": [1]}, [add("a/9", 3)], Error("index for array insertion out of bounds")),
    ({"a": [1]}, [add("a/-1", 3)], Error("index for array insertion out of bounds")),
    ({"a": [1]}, [remove("a/-")], Error("index for array delete out of bounds")),
    ({"a": [1]}, [add("a/01", 3)], Error("leading zeros are not allowed in JSON paths")),
    ({"a": [1]}, [add("a/x", 3)], Error("invalid string for indexing")),
    ({"a": [1]}, [add(["a", True], 3)], Error("invalid type for indexing")),
    ({"a": [1]}, [add(["a", 1.5], 3)], Error("invalid number type for indexing")),
    ({"a": [1]}, [holds("a/7", 1)], Error("path 7 does not exist in array term [1]")),
    ({"a": 1}, [remove("b")], Error('cannot delete child key "b" that does not exist')),
    ({"a": 1}, [remove("b/c")], Error('path "b" does not exist in object term {"a": 1}')),
    ({"a": 1}, [add("a/b", 1)], Error("expected composite type, found value: 1 (type: ast.Number)")),
    (
        {"a": "s"},
        [add("a/b/c", 1)],
        Error('expected composite type for path "b", found value: "s" (type: ast.String)'),
    ),
    (Set([1]), [add([2], 3)], Error("set key 2 does not equal value to be inserted 3")),
    (Set([1]), [remove([2])], Error("cannot delete child key 2 that does not exist")),
    (Set([1]), [holds("x", 1)], Error("path x does not exist in set term {1}")),
    ({"a": 1}, [remove(""), add("a", 1)], Error("deleted node encountered during insert operation")),
    ({"a": 1}, [remove(""), remove("")], Error("deleted node encountered during delete operation")),
    ({"a": 1}, [remove(""), holds("", 1)], Error("nil value encountered where composite value was expected")),
    ({}, [1], Error("must be an array of JSON-Patch objects, but at least one element is not an object")),
    ({}, [{"op": "add"}], Error("missing required attribute 'path'")),
    ({}, [{"path": "a"}], Error("missing required attribute 'op'")),
    ({}, [{"op": "add", "path": "a"}], Error("missing required attribute 'value'")),
    ({}, [{"op": "copy", "path": "a"}], Error("missing required attribute 'from'")),
    ({}, [{"op": 1, "path": "a"}], Error("attribute 'op' must be a string but found: number")),
    ({}, [{"op": "put", "path": "a"}], Error("unrecognized op: 'put'")),
    (
        {},
        [add(3, 1)],
        Error("operand 2 must be one of {set, array} containing string paths or array of path segments but got number"),
    ),
    ({}, 1, Error("operand 2 must be array but got number")),
]


@pytest.mark.parametrize(("document", "operations", "wanted"), CASES)
def test_cases(document: Any, operations: Any, wanted: Any) -> None:
    """The operations make the document the one beside them, or fail so."""
    check(outcome(TABLE, "json.patch", document, operations), wanted)


def test_the_document_stays_as_it_is() -> None:
    """Neither the document nor the values of the operations are changed."""
    document, value = {"a": {"b": [1]}}, {"x": [1]}
    operations = [add("a/b/0", 0), add("c", value), add("c/x/0", 0), duplicate("c", "d"), add("d/x/0", 9)]
    assert TABLE["json.patch"](document, operations) == {"a": {"b": [0, 1]}, "c": {"x": [0, 1]}, "d": {"x": [9, 0, 1]}}
    assert (document, value) == ({"a": {"b": [1]}}, {"x": [1]})
