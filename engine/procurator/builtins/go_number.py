"""Floats as Go's verb %g prints them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

STRCONV_LIMIT: Final = 6
FMT_LIMIT: Final = 21


def general(number: float, limit: int) -> str:
    """The shortest digits that name the float; with an exponent below 1e-4 and from ten to the power `limit` on."""
    decimal = Decimal(repr(number)).normalize()
    exponent = decimal.adjusted()
    if number and not -4 <= exponent < limit:
        digits = "".join(map(str, decimal.as_tuple().digits))
        mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
        return f"{'-' if number < 0 else ''}{mantissa}e{exponent:+03d}"
    return f"{decimal:f}"
