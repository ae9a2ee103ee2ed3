"""Numbers as Go's verb %g prints them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from procurator.numbers import Number, exact

STRCONV_LIMIT: Final = 6
FMT_LIMIT: Final = 21


def general(number: Number, limit: int) -> str:
    """The shortest digits that name the number; with an exponent below 1e-4 and from ten to the power `limit` on."""
    decimal = Decimal(exact(number)).normalize()
    exponent = decimal.adjusted()
    if number and not -4 <= exponent < limit:
        digits = "".join(map(str, decimal.as_tuple().digits))
        mantissa = f"{digits[0]}.{digits[1:]}" if digits[1:] else digits
        return f"{'-' if number < 0 else ''}{mantissa}e{exponent:+03d}"
    return f"{decimal:f}"
