"""Arrays and sets."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins import arrays, sets
from procurator.values import EMPTY_SET, Set

TABLE = {**arrays.TABLE, **sets.TABLE}

CASES = [
    ("array.concat", ([1], [2]), [1, 2]),
    ("array.concat", (1, [2]), Error("operand 1 must be array but got number")),
    ("array.concat", ([], Set([2])), Error("operand 2 must be array but got set")),
    ("array.flatten", ([1, [2, [3]], [], Set([4])],), [1, 2, [3], Set([4])]),
    ("array.flatten", ({},), Error("operand 1 must be array but got object")),
    ("array.reverse", ([1, 2, 3],), [3, 2, 1]),
    ("array.reverse", ("abc",), Error("operand 1 must be array but got string")),
    ("array.slice", ([1, 2, 3, 4], 1, 3), [2, 3]),
    ("array.slice", ([1, 2, 3, 4], -5, 10), [1, 2, 3, 4]),
    ("array.slice", ([1, 2, 3, 4], 3, 1), []),
    ("array.slice", ([1, 2, 3, 4], 0, -1), []),
    ("array.slice", ([1, 2, 3, 4], 1.0, 2), [2]),
    ("array.slice", ([1], 1.5, 2), Error("operand 2 must be integer number but got floating-point number")),
    ("array.slice", ([1], 0, 2**63), Error("operand 3 must be integer number but got floating-point number")),
    ("array.slice", ([1], "a", 2), Error("operand 2 must be number but got string")),
    ("and", (Set([1, 2]), Set([2.0, 3])), Set([2])),
    ("and", (1, Set()), Error("operand 1 must be set but got number")),
    ("or", (Set([1]), Set([1.0, True])), Set([1, True])),
    ("or", (Set(), []), Error("operand 2 must be set but got array")),
    ("set_diff", (Set([1, 2]), Set([1])), Set([2])),
    ("intersection", (Set([Set([1, 2]), Set([2, 3])]),), Set([2])),
    ("intersection", (EMPTY_SET,), EMPTY_SET),
    ("intersection", (Set([1]),), Error("operand 1 must be set but got number")),
    ("intersection", ([],), Error("operand 1 must be set but got array")),
    ("union", (Set([Set([1, 2]), Set([2, 3])]),), Set([1, 2, 3])),
    ("union", (EMPTY_SET,), EMPTY_SET),
    ("union", (Set([1]),), Error("operand 1 must be set but got number")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)
