"""`units.parse` and `units.parse_bytes`."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from outcomes import Error, check, outcome

from procurator.builtins.units import TABLE


def refused(text: str) -> Error:
    return Error(f"units.parse: {text}")


def refused_bytes(text: str) -> Error:
    return Error(f"units.parse_bytes: {text}")


CASES = [
    ("units.parse", ("10",), 10),
    ("units.parse", ("10K",), 10_000),
    ("units.parse", ('"10Ki"',), 10_240),
    ("units.parse", ("10KI",), 10_240),
    ("units.parse", ("10mI",), 10_485_760),
    ("units.parse", ("2M",), 2_000_000),
    ("units.parse", ("100m",), 0.1),
    ("units.parse", ("10.5m",), 0.0105),
    ("units.parse", ("1000000000000m",), Decimal("1000000000.0000000208")),
    ("units.parse", ("1.1Mi",), 1153433.6),
    ("units.parse", ("0.333333333333m",), 0.0003333333),
    ("units.parse", ("-0.00000000005",), -1e-10),
    ("units.parse", ("1e3k",), 1_000_000),
    ("units.parse", ("1e-3k",), 1),
    ("units.parse", ("1E",), 10**18),
    ("units.parse", ("1e5e",), 10**23),
    ("units.parse", (".5k",), 500),
    ("units.parse", ("00012",), 12),
    ("units.parse", ("",), refused("no amount provided")),
    ("units.parse", ("Ki",), refused("no amount provided")),
    ("units.parse", ("1 0",), refused("spaces not allowed in resource strings")),
    ("units.parse", ("10mm",), refused("unit mm not recognized")),
    ("units.parse", ("0x1",), refused("unit x1 not recognized")),
    ("units.parse", ("1.2.3",), refused("could not parse amount to a number")),
    ("units.parse", ("1e+k",), refused("could not parse amount to a number")),
    ("units.parse", ("1e1234567",), refused("exponent too large")),
    ("units.parse", ("1e999999",), refused("exponent too large")),
    ("units.parse", (5,), Error("operand 1 must be string but got number")),
    ("units.parse_bytes", ("10",), 10),
    ("units.parse_bytes", ("1.5KiB",), 1536),
    ("units.parse_bytes", ('"100"kb',), 100_000),
    ("units.parse_bytes", ("5K",), 5000),
    ("units.parse_bytes", ("1e-5",), 0),
    ("units.parse_bytes", ("0.9999999999999999999999",), 1),
    ("units.parse_bytes", ("1e30",), 1000000000000000000024696061952),
    ("units.parse_bytes", ("-5mb",), -5_000_000),
    ("units.parse_bytes", ("",), refused_bytes("no byte amount provided")),
    ("units.parse_bytes", ("1foo",), refused_bytes("byte unit foo not recognized")),
    ("units.parse_bytes", ("1e3 kb",), refused_bytes("spaces not allowed in resource strings")),
    ("units.parse_bytes", ("1--5",), refused_bytes("could not parse byte amount to a number")),
    ("units.parse_bytes", ("1e1234567",), refused_bytes("exponent too large")),
]


@pytest.mark.parametrize(("name", "operands", "wanted"), CASES)
def test_cases(name: str, operands: tuple[Any, ...], wanted: Any) -> None:
    """Each call gives the value or the error beside it."""
    check(outcome(TABLE, name, *operands), wanted)
