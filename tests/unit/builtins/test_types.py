"""Types, casts and conversions."""

from __future__ import annotations

from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.types import TABLE
from procurator.values import EMPTY_SET, Set

NAMED = [
    ("null", None),
    ("boolean", False),
    ("number", 1.5),
    ("string", ""),
    ("array", []),
    ("object", {}),
    ("set", EMPTY_SET),
]


def syntax(text: str) -> Error:
    return Error(f"strconv.ParseFloat: parsing {text}: invalid syntax")


CASES = [
    *[("type_name", (value,), name) for name, value in NAMED],
    *[(f"is_{name}", (value,), name == other) for name, _ in NAMED for other, value in NAMED],
    *[(f"cast_{name}", (value,), value) for name, value in NAMED if name != "number"],
    ("cast_array", (Set([2, 1]),), [1, 2]),
    ("cast_array", ({},), Error("operand 1 must be one of {array, set} but got object")),
    ("cast_set", ([1, 1.0],), Set([1])),
    ("cast_set", ("a",), Error("operand 1 must be one of {array, set} but got string")),
    ("cast_string", (1,), Error("operand 1 must be string but got number")),
    ("cast_null", (False,), Error("operand 1 must be null but got boolean")),
    ("to_number", (None,), 0),
    ("to_number", (False,), 0),
    ("to_number", (True,), 1),
    ("to_number", (1.5,), 1.5),
    ("to_number", ("12",), 12),
    ("to_number", ("-0",), 0),
    ("to_number", ("1.50",), 1.5),
    ("to_number", ("1e3",), 1000.0),
    ("to_number", ("+.5",), 0.5),
    ("to_number", ("1_000",), 1000),
    ("to_number", ("00012",), 12),
    ("to_number", ("0x1.8p1",), 3),
    ("to_number", ("12345678901234567890123",), 12345678901234567890123),
    ("to_number", ("",), syntax('""')),
    ("to_number", (" 1",), syntax('" 1"')),
    ("to_number", ("+-1",), syntax('"+-1"')),
    ("to_number", ("1__0",), syntax('"1__0"')),
    ("to_number", ("0x10",), syntax('"0x10"')),
    ("to_number", ("१",), syntax('"१"')),
    ("to_number", ("1\n",), syntax(r'"1\n"')),
    ("to_number", ("-Infinity",), Error("operand 1 must be valid number string but got string")),
    ("to_number", ("nan",), Error("operand 1 must be valid number string but got string")),
    ("to_number", ("1e309",), Error('strconv.ParseFloat: parsing "1e309": value out of range')),
    ("to_number", ("1e-99999",), Error("invalid number: number too big")),
    ("to_number", ([],), Error("operand 1 must be one of {null, boolean, number, string} but got array")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)
