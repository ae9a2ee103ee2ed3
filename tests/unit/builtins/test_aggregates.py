"""Aggregates and membership."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.aggregates import TABLE
from procurator.values import EMPTY_SET, UNDEFINED, Set

MIXED = [Set([1]), {"a": 1}, [1], "a", 1, True, None]

CASES = [
    ("count", ([1, [2, 3]],), 2),
    ("count", ({"a": 1},), 1),
    ("count", (Set([1, 1.0]),), 1),
    ("count", ("añ😀",), 3),
    ("count", (None,), Error("operand 1 must be one of {array, object, set, string} but got null")),
    ("sum", ([1, 2, 3],), 6),
    ("sum", ([],), 0),
    ("sum", (Set([1, 2.5]),), 3.5),
    ("sum", ([1, "a"],), Error("operand 1 must be array of numbers but got array containing string")),
    ("sum", ([True],), Error("operand 1 must be array of numbers but got array containing boolean")),
    ("sum", (1,), Error("operand 1 must be one of {set, array} but got number")),
    ("product", ([2, 3],), 6),
    ("product", (EMPTY_SET,), 1),
    ("product", ([0.7, 0.1],), 0.06999999999999999),
    ("product", (Set([1, "a"]),), Error("operand 1 must be set of numbers but got set containing string")),
    ("product", ([1 << 2_000_000] * 3,), Error("number too big")),
    ("max", ([2, 10, 3],), 10),
    ("max", (MIXED,), Set([1])),
    ("max", ([1, 1.0],), 1.0),
    ("max", ([],), UNDEFINED),
    ("max", ("abc",), Error("operand 1 must be one of {set, array} but got string")),
    ("min", (["b", "a"],), "a"),
    ("min", (Set(MIXED),), None),
    ("min", ([1.0, 1],), 1),
    ("min", (EMPTY_SET,), UNDEFINED),
    ("sort", (MIXED,), MIXED[::-1]),
    ("sort", (Set([3, 1.5, 2]),), [1.5, 2, 3]),
    ("sort", ({"a": 1},), Error("operand 1 must be one of {set, array} but got object")),
    ("all", ([True, True],), True),
    ("all", ([True, 1],), False),
    ("all", (EMPTY_SET,), True),
    ("all", ("x",), Error("operand 1 must be one of {array, set} but got string")),
    ("any", ([1, "true"],), False),
    ("any", (Set([1, True]),), True),
    ("any", ([],), False),
    ("any", ({"a": True},), Error("operand 1 must be one of {array, set} but got object")),
    ("internal.member_2", ("b", ["a", "b"]), True),
    ("internal.member_2", (1, [1.0]), True),
    ("internal.member_2", (True, [1]), False),
    ("internal.member_2", (10**23, [1e23]), True),
    ("internal.member_2", ("a", {"x": "a"}), True),
    ("internal.member_2", ("x", {"x": "a"}), False),
    ("internal.member_2", ([1], Set([[1.0]])), True),
    ("internal.member_2", ("a", "abc"), False),
    ("internal.member_3", ("x", "a", {"x": "a"}), True),
    ("internal.member_3", (0, "a", ["a"]), True),
    ("internal.member_3", (1, "a", ["a"]), False),
    ("internal.member_3", (1, 1.0, Set([1])), True),
    ("internal.member_3", (1, 2, Set([1, 2])), False),
    ("internal.member_3", (0, "a", "a"), False),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)
