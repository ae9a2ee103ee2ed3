"""Types and conversions: `to_number`, `is_string`, `type_name` and the deprecated casts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

from procurator.builtins.operands import BuiltinError, OperandError, collection
from procurator.numbers import Number, number, parse_number
from procurator.render import quote
from procurator.values import Set, Value, type_name

_PLAIN_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_DIGITS: Final = r"[0-9]+(?:_[0-9]+)*"
_DECIMAL: Final = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?[0-9]+)?")
_HEX: Final = r"[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*"
_HEX_FLOAT: Final = re.compile(rf"[+-]?0[xX]_?(?:{_HEX}\.?(?:{_HEX})?|\.{_HEX})[pP][+-]?[0-9]+")
# Half a unit beyond the greatest float; from here on Go's ParseFloat gives infinity.
_FLOAT_LIMIT: Final = 2**1024 - 2**970


def _is(name: str) -> Callable[[Value], bool]:
    def check(value: Value) -> bool:
        return type_name(value) == name

    return check


def _cast(name: str) -> Callable[[Value], Value]:
    def cast(value: Value) -> Value:
        return collection(value, 1, name)

    return cast


def cast_array(value: Value) -> list[Value]:
    """The members of an array or a set as an array."""
    return list(collection(value, 1, "array", "set"))


def cast_set(value: Value) -> Set:
    """The members of an array or a set as a set."""
    members = collection(value, 1, "array", "set")
    return members if isinstance(members, Set) else Set(members)


def to_number(value: Value) -> Number:
    """The number a string spells; null and false are 0, true is 1."""
    if isinstance(value, str):
        return int(value) if _PLAIN_INT.fullmatch(value) else _number_of_text(value)
    kind = type_name(value)
    if kind == "number":
        return value  # type: ignore[no-any-return]  # seen to be a number
    if kind in ("null", "boolean"):
        return int(bool(value))
    raise OperandError(1, "one of {null, boolean, number, string}", value)


def _number_of_text(text: str) -> Number:
    """A number in Go's spelling, which allows a sign, `_` between digits, a bare point, and hexadecimal floats."""
    if text.lstrip("+-").lower() in ("inf", "infinity", "nan"):
        raise OperandError(1, "valid number string", text)
    digits = text.replace("_", "")
    if _HEX_FLOAT.fullmatch(text):
        return number(float.fromhex(digits))
    if not _DECIMAL.fullmatch(text):
        raise BuiltinError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax")
    if _too_big(digits):
        raise BuiltinError(f"strconv.ParseFloat: parsing {quote(text)}: value out of range")
    try:
        return parse_number(digits)
    except ValueError as error:
        raise BuiltinError(str(error)) from None


def _too_big(digits: str) -> bool:
    try:
        return not -_FLOAT_LIMIT < Decimal(digits) < _FLOAT_LIMIT
    except InvalidOperation:  # an exponent of twenty digits
        return "-" not in digits[1:]


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "cast_array": cast_array,
    "cast_boolean": _cast("boolean"),
    "cast_null": _cast("null"),
    "cast_object": _cast("object"),
    "cast_set": cast_set,
    "cast_string": _cast("string"),
    "is_array": _is("array"),
    "is_boolean": _is("boolean"),
    "is_null": _is("null"),
    "is_number": _is("number"),
    "is_object": _is("object"),
    "is_set": _is("set"),
    "is_string": _is("string"),
    "to_number": to_number,
    "type_name": type_name,
}
