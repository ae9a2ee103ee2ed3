"""Amounts with a unit: `units.parse` ("10Mi", "1.5k", "100m") and `units.parse_bytes` ("1KiB")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from procurator.bigfloat import ratio, rounded, truncate
from procurator.builtins.operands import BuiltinError, string
from procurator.numbers import MAX_EXPONENT, Number, parse_decimal
from procurator.values import Value

# An `e` belongs to the amount only when an exponent may follow; otherwise it is the unit exa.
_AMOUNT: Final = re.compile(r"(?:[0-9.+-]|[eE](?=[0-9+-]))*")
_EXPONENT: Final = re.compile(r"[eE][+-]?([0-9]*)")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_PREFIXES: Final = "kmgtpe"
_DECIMAL: Final = {prefix: 1000**power for power, prefix in enumerate(_PREFIXES, start=1)}
_BINARY: Final = {f"{prefix}i": 1024**power for power, prefix in enumerate(_PREFIXES, start=1)}

_BYTES: Final[Mapping[str, int]] = {
    "": 1,
    **_DECIMAL,
    **_BINARY,
    **{f"{unit}b": size for unit, size in (_DECIMAL | _BINARY).items()},
}
# The first letter may be of either case, except that a small m is a thousandth; OPA takes that for the binary float.
_UNITS: Final[Mapping[str, Fraction]] = {
    "": Fraction(1),
    **{unit: Fraction(size) for unit, size in (_DECIMAL | _BINARY).items()},
    **{unit.capitalize(): Fraction(size) for unit, size in (_DECIMAL | _BINARY).items()},
    "m": Fraction(0.001),
}


def parse(text: Value) -> Number:
    """The number an amount with a decimal or binary unit stands for."""
    amount, unit = _split("units.parse", string(text, 1).replace('"', ""), "no amount provided")
    unit = unit[:1] + unit[1:].lower()
    if unit not in _UNITS:
        raise BuiltinError(f"units.parse: unit {unit} not recognized")
    value = _fraction(amount, "units.parse: could not parse amount to a number") * _UNITS[unit]
    return value.numerator if value.denominator == 1 else _ten_places(value)


def parse_bytes(text: Value) -> int:
    """The number of bytes an amount with a unit stands for; units in any case, what stands behind the point dropped."""
    amount, unit = _split("units.parse_bytes", string(text, 1).lower().replace('"', ""), "no byte amount provided")
    if unit not in _BYTES:
        raise BuiltinError(f"units.parse_bytes: byte unit {unit} not recognized")
    value = _fraction(amount, "units.parse_bytes: could not parse byte amount to a number")
    mantissa, exponent = ratio(value.numerator, value.denominator)
    return truncate(*rounded(mantissa * _BYTES[unit], exponent))


def _split(name: str, text: str, missing: str) -> tuple[str, str]:
    if " " in text:
        raise BuiltinError(f"{name}: spaces not allowed in resource strings")
    found = _AMOUNT.match(text)
    amount = found[0] if found else ""
    if any(len(digits) > 6 or int(digits or 0) > MAX_EXPONENT for digits in _EXPONENT.findall(amount)):
        raise BuiltinError(f"{name}: exponent too large")
    if not amount:
        raise BuiltinError(f"{name}: {missing}")
    return amount, text[len(amount) :]


def _fraction(amount: str, error: str) -> Fraction:
    if not _NUMBER.fullmatch(amount):
        raise BuiltinError(error)
    return Fraction(amount)


def _ten_places(value: Fraction) -> Number:
    """The value at ten places behind the point, halves away from zero."""
    scaled = abs(value) * 10**10
    units = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if value < 0 else ""
    return parse_decimal(f"{sign}{units}e-10")


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "units.parse": parse,
    "units.parse_bytes": parse_bytes,
}
