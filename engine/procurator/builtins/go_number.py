"""Numbers as Go's verb %g prints them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from procurator.numbers import Number, exact

PLAIN: Final = range(-4, 6)
"""The powers of ten that are written without an exponent."""


def general(number: Number) -> str:
    """The shortest digits that name the number; with an exponent below 1e-4 and from 1e6 on."""
    decimal = Decimal(exact(number)).normalize()
    exponent = decimal.adjusted()
    if number and exponent not in PLAIN:
        digits = "".join(map(str, decimal.as_tuple().digits))
        mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
        return f"{'-' if number < 0 else ''}{mantissa}e{exponent:+03d}"
    return f"{decimal:f}"
