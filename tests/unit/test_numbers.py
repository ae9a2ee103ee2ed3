"""Arithmetic, digit by digit what OPA prints."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from procurator import numbers
from procurator.numbers import nearest, number_text, parse_number

BINARY = [
    (numbers.add, "1", "2", "3"),
    (numbers.add, "0.1", "0.2", "0.3"),
    (numbers.add, "2.5", "2.5", "5"),
    (numbers.add, "18446744073709551617", "1", "18446744073709551618"),
    (numbers.add, "18446744073709551617", "0.5", "18446744073709551616"),
    (numbers.add, "1e1000", "1", "1" + "0" * 999 + "1"),
    (numbers.subtract, "0.3", "0.1", "0.20000000000000000002"),
    (numbers.subtract, "0.1", "0.3", "-0.20000000000000000002"),
    (numbers.subtract, "1.5", "1.5", "0"),
    (numbers.multiply, "1e3", "2", "2000"),
    (numbers.multiply, "0.1", "3", "0.3"),
    (numbers.multiply, "0.00001", "1.5", "1.49999999999999999995e-05"),
    (numbers.multiply, "-1.5", "0", "0"),
    (numbers.divide, "15.3", "3", "5.1"),
    (numbers.divide, "1", "3", "0.33333333333333333334"),
    (numbers.divide, "2", "3", "0.6666666666666666667"),
    (numbers.divide, "6", "0.1", "60"),
    (numbers.divide, "7", "2", "3.5"),
    (numbers.divide, "-8", "2", "-4"),
    (numbers.divide, "0", "-5", "0"),
    (numbers.divide, "18446744073709551617", "1", "18446744073709551616"),
    (numbers.divide, "36893488147419103235", "2", "18446744073709551618"),
    (numbers.remainder, "-7", "3", "-1"),
    (numbers.remainder, "7", "-3", "1"),
    (numbers.remainder, "7.0", "2", "1"),
    (numbers.remainder, "10", "18446744073709551616", "10"),
]

UNARY = [
    (numbers.abs_, "-5", "5"),
    (numbers.abs_, "-0.5", "0.5"),
    (numbers.abs_, "-18446744073709551617", "18446744073709551616"),
    (numbers.abs_, "36893488147419103235", "36893488147419103236"),
    (numbers.round_half_away, "2.5", "3"),
    (numbers.round_half_away, "-2.5", "-3"),
    (numbers.round_half_away, "0.4999", "0"),
    (numbers.round_half_away, "0.49999999999999999999999", "1"),
    (numbers.round_half_away, "18446744073709551617", "18446744073709551616"),
    (numbers.ceil, "1.5", "2"),
    (numbers.ceil, "-1.5", "-1"),
    (numbers.ceil, "-0.5", "1"),
    (numbers.ceil, "7", "7"),
    (numbers.floor, "1.5", "1"),
    (numbers.floor, "-1.5", "-2"),
    (numbers.floor, "-0.5", "0"),
    (numbers.floor, "1e21", "1000000000000000000000"),
    (numbers.truncated, "-10.7", "-10"),
    (numbers.truncated, "1e30", "1000000000000000000024696061952"),
]

FOLDS = [
    (numbers.total, [], "0"),
    (numbers.total, ["0.1", "0.2", "0.3"], "0.6"),
    (numbers.total, ["18446744073709551617", "1"], "18446744073709551618"),
    (numbers.product, [], "1"),
    (numbers.product, ["0.1", "0.2"], "0.02"),
    (numbers.product, ["0.7", "0.1"], "0.06999999999999999"),
    (numbers.product, ["18446744073709551617", "0.5"], "9223372036854776000"),
    (numbers.product, ["18446744073709551617", "2"], "36893488147419103234"),
]


@pytest.mark.parametrize(("operation", "a", "b", "wanted"), BINARY)
def test_two_operands(operation: Callable[..., Any], a: str, b: str, wanted: str) -> None:
    """Integers are exact; anything else is rounded to a mantissa of 64 bits and printed as short as can be."""
    assert number_text(operation(parse_number(a), parse_number(b))) == wanted


@pytest.mark.parametrize(("operation", "a", "wanted"), UNARY)
def test_one_operand(operation: Callable[..., Any], a: str, wanted: str) -> None:
    """Beyond 64 bits these round integers too, and between -1 and 0 they do what OPA does."""
    assert number_text(operation(parse_number(a))) == wanted


@pytest.mark.parametrize(("operation", "values", "wanted"), FOLDS)
def test_folds(operation: Callable[..., Any], values: list[str], wanted: str) -> None:
    """Sums round at every step; products do so to 53 bits."""
    assert number_text(operation(map(parse_number, values))) == wanted


@pytest.mark.parametrize(
    ("operation", "operands", "error"),
    [
        (numbers.divide, (1, 0), "divide by zero"),
        (numbers.divide, (1, 0.0), "divide by zero"),
        (numbers.remainder, (1, 0), "modulo by zero"),
        (numbers.remainder, (1, 0.0), "modulo by zero"),
        (numbers.remainder, (1.5, 2), "modulo on floating-point number"),
        (numbers.multiply, (1 << 4_000_000, 1 << 4_000_000), "number too big"),
        (numbers.multiply, (parse_number("1e-30000"), parse_number("1e-30000")), "invalid number: number too big"),
    ],
)
def test_errors(operation: Callable[..., Any], operands: tuple[Any, ...], error: str) -> None:
    """What cannot be computed, and what would only be computed at length, is refused."""
    with pytest.raises((ValueError, ZeroDivisionError)) as caught:
        operation(*operands)
    assert str(caught.value) == error


def test_results_are_in_normal_form() -> None:
    """An integral result is an int; a decimal is a float when the float prints as it does."""
    assert type(numbers.add(2.5, 2.5)) is int
    assert type(numbers.add(0.25, 0.5)) is float
    assert number_text(nearest(Fraction(1, 8))) == "0.125"
    assert number_text(nearest(Fraction(-2, 3))) == "-0.6666666666666666667"
