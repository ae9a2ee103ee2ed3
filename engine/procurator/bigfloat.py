"""Binary floats of a chosen mantissa, and the shortest decimal that names one.

A pair (mantissa, exponent) stands for mantissa * 2 ** exponent. Results are rounded to the nearest, ties to even.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final, TypeAlias

__all__ = ["MANTISSA", "Binary", "plus", "ratio", "rounded", "shortest_digits", "split", "truncate"]

Binary: TypeAlias = "tuple[int, int]"

MANTISSA: Final = 64
_PRINTABLE: Final = 10_000  # bits of an integer that Python prints without complaint
_STEPS: Final = (18, 15, 8)


def plus(a: Binary, b: Binary) -> Binary:
    """The sum of two binary floats."""
    (m, e), (n, f) = a, b
    return rounded((m << (e - f)) + n, f) if e > f else rounded(m + (n << (f - e)), e)


def rounded(mantissa: int, exponent: int, bits: int = MANTISSA) -> Binary:
    """The nearest mantissa of so many bits, ties to the even one."""
    drop = mantissa.bit_length() - bits
    if drop <= 0:
        return mantissa, exponent
    size = abs(mantissa)
    kept, half = size >> drop, 1 << (drop - 1)
    rest = size - (kept << drop)
    kept += rest > half or (rest == half and kept & 1)
    if kept >> bits:
        kept, drop = kept >> 1, drop + 1
    return (-kept if mantissa < 0 else kept), exponent + drop


def ratio(numerator: int, denominator: int) -> Binary:
    """The quotient of two integers, rounded once: the last bit tells whether anything was left over."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    shift = max(0, MANTISSA + 2 - numerator.bit_length() + denominator.bit_length())
    quotient, rest = divmod(abs(numerator) << shift, denominator)
    mantissa = quotient << 1 | (rest != 0)
    return rounded(-mantissa if numerator < 0 else mantissa, -shift - 1)


def split(mantissa: int, exponent: int) -> tuple[int, bool]:
    """The part before the point, and whether there is one behind it."""
    whole = truncate(mantissa, exponent)
    return whole, exponent < 0 and whole << -exponent != mantissa


def truncate(mantissa: int, exponent: int) -> int:
    """The integer part, towards zero."""
    if exponent >= 0:
        return mantissa << exponent
    return -(-mantissa >> -exponent) if mantissa < 0 else mantissa >> -exponent


def shortest_digits(mantissa: int, exponent: int, bits: int) -> tuple[str, int]:
    """Digits and the place of the point from their start.

    The halfway points to both neighbours bound the decimals that may be chosen; they count themselves when the
    mantissa is even, for ties go there.
    """
    widen = bits - mantissa.bit_length()
    mantissa, exponent = mantissa << widen, exponent - widen - 1
    half = 1 << exponent if exponent >= 0 else _power_of_five(-exponent)
    value = 2 * mantissa * half
    x, low, high = _text(value).rstrip("0"), _text(value - half).rstrip("0"), _text(value + half).rstrip("0")
    point = len(_text(value)) + min(exponent, 0)
    inclusive = mantissa % 2 == 0
    for i in range(_shared(x, low, high), len(x)):
        digit, under, over = x[i], low[i : i + 1] or "0", high[i : i + 1] or "0"
        down = under != digit or (inclusive and i + 1 == len(low))
        up = digit != over and (inclusive or int(digit) + 1 < int(over) or i + 1 < len(high))
        if down or up:
            return _cut(x, i + 1, point, up=up and (not down or _rounds_up(x, i + 1)))
    return x, point


@lru_cache(maxsize=1024)
def _power_of_five(exponent: int) -> int:
    return 5**exponent  # type: ignore[no-any-return]  # the exponent is positive


def _text(value: int) -> str:
    return str(value) if value.bit_length() < _PRINTABLE else str(Decimal(value))


def _shared(x: str, low: str, high: str) -> int:
    """A number of digits that all three share, so that none of them can be the last to keep."""
    for count in _STEPS:
        if len(low) > count and x[:count] == low[:count] == high[:count]:
            return count
    return 0


def _rounds_up(digits: str, keep: int) -> bool:
    """Whether the digits cut off make half a unit or more; of exactly half, the even digit stays."""
    rest = digits[keep:]
    return rest > "5" or (rest == "5" and int(digits[keep - 1]) % 2 == 1)


def _cut(digits: str, keep: int, point: int, *, up: bool) -> tuple[str, int]:
    kept = str(int(digits[:keep]) + up)
    return kept.rstrip("0"), point + len(kept) - keep
