"""Rego numbers: exact text in and out, order, and OPA's arithmetic.

A number is an `int` (exact at any size), a `float` (the decimal its repr shows) or a `Decimal` (when neither of them
can hold it). Arithmetic is exact on integers; anything else runs, as in OPA, on binary floats of 64 bit mantissa and
gives the shortest decimal that names the result.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import lru_cache, reduce
from typing import Final, TypeAlias, TypeGuard, cast

from procurator.bigfloat import MANTISSA, Binary, plus, ratio, rounded, shortest_digits, split, truncate

__all__ = [
    "MAX_BITS",
    "Number",
    "abs_",
    "add",
    "ceil",
    "compare_numbers",
    "divide",
    "equal_numbers",
    "exact",
    "floor",
    "multiply",
    "multiply_whole",
    "nearest",
    "number",
    "number_text",
    "parse_decimal",
    "parse_long",
    "parse_number",
    "product",
    "remainder",
    "round_half_away",
    "subtract",
    "total",
    "truncated",
]

Number: TypeAlias = "int | float | Decimal"

# A power of ten beyond this is refused, as in OPA (a binary exponent above 1e5): its digits alone would be the work.
MAX_EXPONENT: Final = 30103
# Products of integers stop growing here; squaring in a chain of rules would otherwise eat the memory.
MAX_BITS: Final = 1 << 22

_NARROW: Final = 53
_SMALL: Final = 1 << 63
_SMALL_INT: Final = 1 << 31
_FLOAT_EXACT: Final = 2.0**53
_INT_DIGITS: Final = 4000


# Text and normal form


def exact(value: Number) -> int | Decimal:
    """The number a value stands for, in a form that Python compares exactly."""
    return Decimal(repr(value)) if isinstance(value, float) else value


def number(value: Number) -> Number:
    """The normal form: an int when integral, else the float that prints as this decimal, else the Decimal."""
    if type(value) is int:
        return value
    decimal = Decimal(exact(value))
    _check_size(decimal)
    whole = int(decimal)
    if whole == decimal:
        return whole
    near = float(decimal)
    return near if Decimal(repr(near)) == decimal else decimal


def parse_number(text: str) -> Number:
    """The number a JSON or Rego literal spells; `1.0` and `1e3` stay floats, so that they print as floats."""
    if "." in text or "e" in text or "E" in text:
        near = float(text)
        return near if repr(near) == text else parse_decimal(text)
    return int(text) if len(text) < _INT_DIGITS else parse_long(text)


def parse_long(text: str) -> int:
    """An integer of any number of digits; `int` refuses more than a few thousand."""
    return int(Decimal(text))


def parse_decimal(text: str) -> Number:
    """The number of a text with a point or an exponent: a float, or a Decimal when no float prints as it."""
    try:
        decimal = Decimal(text)
    except InvalidOperation:
        raise ValueError("invalid number: number too big") from None
    _check_size(decimal)
    near = float(decimal)
    return near if Decimal(repr(near)) == decimal else decimal


def _check_size(decimal: Decimal) -> None:
    if not decimal.is_finite():
        raise ValueError(f"not a number: {decimal}")
    if not -MAX_EXPONENT <= decimal.adjusted() <= MAX_EXPONENT and decimal:
        raise ValueError("invalid number: number too big")


def number_text(value: Number) -> str:
    """The shortest decimal text of a number, as JSON spells it."""
    if isinstance(value, float):
        text = float.__repr__(value)
        if text[-1] in "fn":
            raise ValueError(f"not a number: {text}")
        return text
    if isinstance(value, int):
        return _int_text(value)
    return _decimal_text(value)


def _int_text(value: int) -> str:
    try:
        return int.__repr__(value)
    except ValueError:  # more digits than Python cares to print; Decimal has no such limit
        return format(Decimal(value), "f")


def _decimal_text(value: Decimal) -> str:
    """Plain digits, but a written exponent stays, and below 0.0001 there is one of two digits, as Go prints floats."""
    if not value.is_finite():
        raise ValueError(f"not a number: {value}")
    if value.adjusted() < -4:
        mantissa, _, exponent = format(value, "e").partition("e")
        return f"{mantissa}e{int(exponent):03d}"
    return str(value).replace("E+", "e")


# Order


def compare_numbers(a: Number, b: Number) -> int:
    """-1, 0 or 1."""
    if type(a) is not type(b) and not _safe(a, b):
        a, b = exact(a), exact(b)
    return (a > b) - (a < b)


def equal_numbers(a: Number, b: Number) -> bool:
    """Whether two numbers are the same decimal: 1 and 1.0 are."""
    if type(a) is type(b) or _safe(a, b):
        return a == b
    return exact(a) == exact(b)


def _safe(a: Number, b: Number) -> bool:
    """Whether Python compares an int and a float as decimals: it does unless both leave the range of exact floats."""
    if type(a) is Decimal or type(b) is Decimal:
        return False
    return -_FLOAT_EXACT < a < _FLOAT_EXACT or -_FLOAT_EXACT < b < _FLOAT_EXACT


# Arithmetic


def add(a: Number, b: Number) -> Number:
    """The sum."""
    x, y = _whole(a), _whole(b)
    return _add_binary(_binary(a), _binary(b)) if x is None or y is None else x + y


def subtract(a: Number, b: Number) -> Number:
    """The difference."""
    x, y = _whole(a), _whole(b)
    if x is not None and y is not None:
        return x - y
    mantissa, exponent = _binary(b)
    return _add_binary(_binary(a), (-mantissa, exponent))


def multiply(a: Number, b: Number) -> Number:
    """The product; ValueError when an integer would pass `MAX_BITS`."""
    x, y = (a, b) if type(a) is int and type(b) is int else (_whole(a), _whole(b))
    if x is not None and y is not None:
        return multiply_whole(x, y)
    (m, e), (n, f) = _binary(a), _binary(b)
    return _shortest(*rounded(m * n, e + f))


def multiply_whole(a: int, b: int) -> int:
    """The product of integers, as long as it stays within `MAX_BITS`."""
    if a.bit_length() + b.bit_length() > MAX_BITS:
        raise ValueError("number too big")
    return a * b


def divide(a: Number, b: Number) -> Number:
    """The quotient: an int when b divides a, otherwise the shortest decimal of the binary quotient."""
    if not b:
        raise ZeroDivisionError("divide by zero")
    if type(a) is int and type(b) is int and -_SMALL < a < _SMALL and a % b == 0:
        return a // b
    (m, e), (n, f) = _binary(a), _binary(b)
    mantissa, exponent = ratio(m, n)
    return _shortest(mantissa, exponent + e - f)


def remainder(a: Number, b: Number) -> int:
    """The rest of an integer division, with the sign of a."""
    x, y = _whole(a), _whole(b)
    if x is None or y is None:
        raise ValueError("modulo on floating-point number")
    if not y:
        raise ZeroDivisionError("modulo by zero")
    rest = abs(x) % abs(y)
    return -rest if x < 0 else rest


def total(values: Iterable[Number]) -> Number:
    """The sum: exact when all are integers, else rounded at every step."""
    numbers = list(values)
    wholes = [_whole(value) for value in numbers]
    if None not in wholes:
        return sum(cast("list[int]", wholes))
    result = (0, 0)
    for value in numbers:
        result = plus(result, _binary(value))
    return _shortest(*result)


def product(values: Iterable[Number]) -> Number:
    """The product: exact when all are integers, else with OPA's narrower mantissa of 53 bits."""
    numbers = list(values)
    wholes = [_whole(value) for value in numbers]
    if None not in wholes:
        return reduce(multiply_whole, cast("list[int]", wholes), 1)
    m, e = 1, 0
    for value in numbers:
        n, f = _binary(value)
        m, e = rounded(m * n, e + f, _NARROW)
    return _shortest(m, e, _NARROW)


def abs_(a: Number) -> Number:
    """The number without its sign; an integer of more than 64 bits is rounded to them, as in OPA."""
    if _is_small(a):
        return abs(a)
    mantissa, exponent = _binary(a)
    return _shortest(abs(mantissa), exponent)


def round_half_away(a: Number) -> int:
    """The nearest integer; of two, the one away from zero."""
    if _is_small(a):
        return int(a)
    mantissa, exponent = _binary(a)
    return truncate(*plus((mantissa, exponent), (-1 if mantissa < 0 else 1, -1)))


def truncated(a: Number) -> int:
    """The part before the point; of anything but an int after rounding to 64 bits."""
    return a if type(a) is int else truncate(*_binary(a))


def ceil(a: Number) -> int:
    """The integer above, except that between -1 and 0 it is 1: OPA takes zero for the integer below."""
    if _is_small(a):
        return int(a)
    whole, fraction = split(*_binary(a))
    return whole + 1 if fraction and whole >= 0 else whole


def floor(a: Number) -> int:
    """The integer below, except that between -1 and 0 it is 0: OPA loses the sign of zero."""
    if _is_small(a):
        return int(a)
    whole, fraction = split(*_binary(a))
    return whole - 1 if fraction and whole < 0 else whole


def nearest(value: Fraction) -> Number:
    """The shortest decimal of a fraction, as if it were the quotient of two big floats."""
    return _shortest(*ratio(value.numerator, value.denominator))


def _is_small(a: Number) -> TypeGuard[int]:
    return type(a) is int and -_SMALL_INT < a < _SMALL_INT


def _whole(value: Number) -> int | None:
    """The integer a number is equal to, if it is one."""
    if isinstance(value, int):
        return value
    if isinstance(value, float) and not value.is_integer():
        return None
    whole = int(exact(value))
    return whole if whole == exact(value) else None


def _binary(value: Number) -> Binary:
    if isinstance(value, int):
        return rounded(value, 0)
    return _binary_of_float(value) if isinstance(value, float) else ratio(*value.as_integer_ratio())


@lru_cache(maxsize=4096)
def _binary_of_float(value: float) -> Binary:
    return ratio(*Decimal(repr(value)).as_integer_ratio())


def _add_binary(a: Binary, b: Binary) -> Number:
    return _shortest(*plus(a, b))


def _shortest(mantissa: int, exponent: int, bits: int = MANTISSA) -> Number:
    """The number with the fewest digits among those that round to this binary float."""
    if not mantissa:
        return 0
    whole, fraction = split(mantissa, exponent)
    if not fraction and whole.bit_length() <= bits:
        return whole
    digits, point = shortest_digits(abs(mantissa), exponent, bits)
    sign = "-" if mantissa < 0 else ""
    if point >= len(digits):
        return parse_long(f"{sign}{digits}e{point - len(digits)}")
    text = f"{sign}0.{digits}e{point}"
    # 15 digits survive the way through a float, so the float prints as this decimal.
    return float(text) if len(digits) <= 15 and -300 < point < 300 else parse_decimal(text)
