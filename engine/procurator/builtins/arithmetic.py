"""Comparison, arithmetic, ranges and bits: `==`, `<`, `+`, `-` (also of sets), `abs`, `numbers.range`, `bits.and`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final

from procurator import numbers
from procurator.builtins.operands import BuiltinError, OperandError, big_integer, number
from procurator.numbers import MAX_BITS, Number
from procurator.values import Set, Value, compare, equal, type_name

# OPA counts on for as long as the caller waits; a range of more numbers than this is a mistake or an attack.
MAX_RANGE: Final = 1 << 21


# Comparison


def not_equal(a: Value, b: Value) -> bool:
    """`a != b`."""
    return not equal(a, b)


def greater(a: Value, b: Value) -> bool:
    """`a > b`, in the order of all values."""
    return compare(a, b) > 0


def greater_or_equal(a: Value, b: Value) -> bool:
    """`a >= b`, in the order of all values."""
    return compare(a, b) >= 0


def less(a: Value, b: Value) -> bool:
    """`a < b`, in the order of all values."""
    return compare(a, b) < 0


def less_or_equal(a: Value, b: Value) -> bool:
    """`a <= b`, in the order of all values."""
    return compare(a, b) <= 0


# Arithmetic


def plus(a: Value, b: Value) -> Number:
    """`a + b`."""
    if type(a) is int and type(b) is int:
        return a + b
    return _operate(numbers.add, a, b)


def minus(a: Value, b: Value) -> Number | Set:
    """`a - b`, of numbers or of sets."""
    if type(a) is int and type(b) is int:
        return a - b
    kinds = type_name(a), type_name(b)
    if kinds == ("number", "number"):
        return _operate(numbers.subtract, a, b)
    if kinds == ("set", "set"):
        difference: Set = a.difference(b)
        return difference
    if kinds[0] not in ("number", "set"):
        raise OperandError(1, "one of {number, set}", a)
    raise OperandError(2, "set" if kinds[1] == "number" else "number", b)


def times(a: Value, b: Value) -> Number:
    """`a * b`."""
    return _operate(numbers.multiply, a, b)


def divide(a: Value, b: Value) -> Number:
    """`a / b`."""
    return _operate(numbers.divide, a, b)


def remainder(a: Value, b: Value) -> Number:
    """`a % b`, of integers."""
    return _operate(numbers.remainder, a, b)


def _operate(operation: Callable[[Number, Number], Number], a: Value, b: Value) -> Number:
    try:
        return operation(number(a, 1), number(b, 2))
    except (ValueError, ZeroDivisionError) as error:
        raise BuiltinError(str(error)) from None


def _unary(operation: Callable[[Number], Number]) -> Callable[[Value], Number]:
    def apply(a: Value) -> Number:
        return a if type(a) is int and 0 <= a < 1 << 31 else operation(number(a, 1))

    return apply


# Ranges


def numbers_range(start: Value, stop: Value) -> list[int]:
    """All integers from `start` to `stop`, both included, up or down."""
    return _range(big_integer(start, 1), big_integer(stop, 2), 1)


def numbers_range_step(start: Value, stop: Value, step: Value) -> list[int]:
    """Every `step`-th integer from `start` towards `stop`."""
    first, last, stride = big_integer(start, 1), big_integer(stop, 2), big_integer(step, 3)
    if stride <= 0:
        raise BuiltinError("numbers.range_step: step must be a positive integer")
    return _range(first, last, stride)


def _range(first: int, last: int, stride: int) -> list[int]:
    if abs(last - first) // stride >= MAX_RANGE:
        raise BuiltinError(f"range of more than {MAX_RANGE} numbers")
    return list(range(first, last + 1, stride) if first <= last else range(first, last - 1, -stride))


# Bits


def _bits(operation: Callable[[int, int], int]) -> Callable[[Value, Value], int]:
    def apply(a: Value, b: Value) -> int:
        return operation(big_integer(a, 1), big_integer(b, 2))

    return apply


def bits_negate(a: Value) -> int:
    """All bits flipped, in two's complement of any width."""
    return ~big_integer(a, 1)


def _shift_left(a: int, count: int) -> int:
    if a.bit_length() + _unsigned(count) > MAX_BITS:
        raise BuiltinError("number too big")
    return a << count


def _shift_right(a: int, count: int) -> int:
    return a >> min(_unsigned(count), a.bit_length())


def _unsigned(count: int) -> int:
    if count < 0:
        raise OperandError(2, "an unsigned integer number", got="a negative integer")
    return count


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "abs": _unary(numbers.abs_),
    "bits.and": _bits(operator.and_),
    "bits.lsh": _bits(_shift_left),
    "bits.negate": bits_negate,
    "bits.or": _bits(operator.or_),
    "bits.rsh": _bits(_shift_right),
    "bits.xor": _bits(operator.xor),
    "ceil": _unary(numbers.ceil),
    "div": divide,
    "equal": equal,
    "floor": _unary(numbers.floor),
    "gt": greater,
    "gte": greater_or_equal,
    "lt": less,
    "lte": less_or_equal,
    "minus": minus,
    "mul": times,
    "neq": not_equal,
    "numbers.range": numbers_range,
    "numbers.range_step": numbers_range_step,
    "plus": plus,
    "rem": remainder,
    "round": _unary(numbers.round_half_away),
}
