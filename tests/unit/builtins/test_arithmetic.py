"""Comparison, arithmetic, ranges and bits."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.arithmetic import MAX_RANGE, TABLE
from procurator.values import Set

BIG = 18446744073709551617

CASES = [
    ("equal", (1, 1.0), True),
    ("equal", (1, True), False),
    ("neq", ([1, {"a": Set([2])}], [1.0, {"a": Set([2.0])}]), False),
    ("gt", (1, "a"), False),
    ("gt", ([2], [1, 5]), True),
    ("gte", (Set([1, 2]), Set([2, 1])), True),
    ("lt", ({"a": 1}, {"b": 0}), True),
    ("lte", (None, False), True),
    ("plus", (1, 2), 3),
    ("plus", (0.1, 0.2), 0.3),
    ("plus", (True, 1), Error("operand 1 must be number but got boolean")),
    ("plus", (1, "a"), Error("operand 2 must be number but got string")),
    ("minus", (5, 7), -2),
    ("minus", (2.5, 0.5), 2),
    ("minus", (Set([1, 2]), Set([2.0])), Set([1])),
    ("minus", ("a", 1), Error("operand 1 must be one of {number, set} but got string")),
    ("minus", (1, Set([1])), Error("operand 2 must be number but got set")),
    ("minus", (Set([1]), 1), Error("operand 2 must be set but got number")),
    ("minus", (Set([1]), "a"), Error("operand 2 must be number but got string")),
    ("mul", (BIG, 3), 55340232221128654851),
    ("mul", (1.5, 3), 4.5),
    ("mul", (1 << 4_000_000, 1 << 4_000_000), Error("number too big")),
    ("div", (15.3, 3), 5.1),
    ("div", (6, 3), 2),
    ("div", (1, 0), Error("divide by zero")),
    ("div", (1, 0.0), Error("divide by zero")),
    ("rem", (-7, 3), -1),
    ("rem", (7, 0), Error("modulo by zero")),
    ("rem", (1.5, 7), Error("modulo on floating-point number")),
    ("abs", (-5,), 5),
    ("abs", (2,), 2),
    ("abs", ("a",), Error("operand 1 must be number but got string")),
    ("round", (-2.5,), -3),
    ("ceil", (1.2,), 2),
    ("floor", (-1.2,), -2),
    ("floor", (True,), Error("operand 1 must be number but got boolean")),
    ("numbers.range", (1, 3), [1, 2, 3]),
    ("numbers.range", (2, -1), [2, 1, 0, -1]),
    ("numbers.range", (1.0, 1), [1]),
    ("numbers.range", ("a", 1), Error("operand 1 must be integer but got string")),
    ("numbers.range", (1, 1.5), Error("operand 2 must be integer number but got floating-point number")),
    ("numbers.range", (1, 10**12), Error(f"range of more than {MAX_RANGE} numbers")),
    ("numbers.range_step", (1, 6, 2), [1, 3, 5]),
    ("numbers.range_step", (-5, -11, 3), [-5, -8, -11]),
    ("numbers.range_step", (0, 10**12, 10**12), [0, 10**12]),
    ("numbers.range_step", (1, 5, 0), Error("numbers.range_step: step must be a positive integer")),
    ("numbers.range_step", (1, 5, "a"), Error("operand 3 must be integer but got string")),
    ("bits.and", (12, 10), 8),
    ("bits.and", (1.0, 1), 1),
    ("bits.and", (1.5, 1), Error("operand 1 must be integer number but got floating-point number")),
    ("bits.and", (True, 1), Error("operand 1 must be integer but got boolean")),
    ("bits.or", (-5, BIG), -5),
    ("bits.xor", (-5, 3), -8),
    ("bits.negate", (5,), -6),
    ("bits.lsh", (-5, 3), -40),
    ("bits.lsh", (1, -1), Error("operand 2 must be an unsigned integer number but got a negative integer")),
    ("bits.lsh", (1, 10**12), Error("number too big")),
    ("bits.rsh", (-5, 1), -3),
    ("bits.rsh", (5, 10**30), 0),
    ("bits.rsh", (1, -1), Error("operand 2 must be an unsigned integer number but got a negative integer")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)
