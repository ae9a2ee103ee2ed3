"""Floats as Go's `fmt` prints them: `%v`, `%g`, `%e`, `%f`, `%b` and `%x`, without sign, width or padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

__all__ = ["VERBS", "with_point"]

# With the shortest digits, an exponent of six or more is written as one.
_SHORTEST_EXPONENT: Final = 6


def _general(value: float, precision: int | None) -> str:
    if precision is not None:
        return format(value, f".{precision}g")
    _, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    point = len(digits) + int(exponent)
    if value and not -4 < point <= _SHORTEST_EXPONENT:
        return _scientific(value, len(digits) - 1)
    return format(value, f".{max(len(digits) - point, 0) if value else 0}f")


def _scientific(value: float, precision: int | None) -> str:
    return format(value, f".{6 if precision is None else precision}e")


def _fixed(value: float, precision: int | None) -> str:
    return format(value, f".{6 if precision is None else precision}f")


def _parts(value: float) -> tuple[int, int]:
    """Mantissa and exponent as the 64 bits hold them: value = mantissa * 2 ** exponent."""
    fraction, exponent = math.frexp(value)
    exponent = max(exponent - 53, -1074)
    return int(math.ldexp(fraction, math.frexp(value)[1] - exponent)), exponent


def _binary(value: float, _precision: int | None) -> str:
    mantissa, exponent = _parts(value) if value else (0, -1074)
    return f"{mantissa}p{exponent:+d}"


def _hexadecimal(value: float, precision: int | None) -> str:
    if not value:
        return "0x0" + ("." + "0" * precision if precision else "") + "p+00"
    mantissa, exponent = _parts(value)
    # One digit before the point, and all there can be behind it.
    shift = 53 - mantissa.bit_length()
    mantissa, exponent = mantissa << shift, exponent - shift + 52
    digits = 13 if precision is None else precision
    if digits < 13:
        mantissa = _round_bits(mantissa, 4 * (13 - digits))
    if mantissa >> 53:
        mantissa, exponent = mantissa >> 1, exponent + 1
    text = f"{mantissa & ((1 << 52) - 1):013x}".ljust(digits, "0")[:digits]
    text = text.rstrip("0") if precision is None else text
    return f"0x{mantissa >> 52}{'.' if text else ''}{text}p{exponent:+03d}"


def _round_bits(value: int, drop: int) -> int:
    """The value with so many low bits rounded away, ties to even, at its old scale."""
    kept, rest = value >> drop, value & ((1 << drop) - 1)
    half = 1 << (drop - 1)
    kept += rest > half or (rest == half and kept & 1)
    return kept << drop


def with_point(text: str, digits: int, *, hexadecimal: bool) -> str:
    """The text with a point and so many significant digits, as the flag `#` wants it."""
    marks = "pP" if hexadecimal else "eEpP"
    end = next((i for i, character in enumerate(text) if character in marks), len(text))
    number, tail = text[:end], text[end:]
    digits -= len(number.replace(".", "").lstrip("0"))
    if "." not in number:
        digits -= number == "0"
        number += "."
    return number + "0" * max(digits, 0) + tail


def _upper(form: Callable[[float, int | None], str]) -> Callable[[float, int | None], str]:
    return lambda value, precision: form(value, precision).upper()


# What each verb prints of a number without its sign; the precision is None when the format gives none.
VERBS: Final[Mapping[str, Callable[[float, int | None], str]]] = {
    "E": _upper(_scientific),
    "F": _fixed,
    "G": _upper(_general),
    "X": _upper(_hexadecimal),
    "b": _binary,
    "e": _scientific,
    "f": _fixed,
    "g": _general,
    "v": _general,
    "x": _hexadecimal,
}
