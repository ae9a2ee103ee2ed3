"""What holds for all values: one order, keys that invert, JSON that loses nothing, arithmetic that is exact."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from functools import cmp_to_key
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from procurator import numbers
from procurator.numbers import exact, number, number_text, parse_number
from procurator.values import Set, compare, dumps, equal, key_of, loads, ordered, sort_key, value_of

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40).map(number)
SPECIAL = [0, -0.0, 1, 1.0, 2**53, float(2**53), 2**53 + 1, 10**23, 1e23, 0.1]
ALL_NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-9999, 9999).map(lambda cents: cents / 100),
    st.sampled_from(SPECIAL),
    DECIMALS,
)


@st.composite
def drawn(draw: st.DrawFn, strategy: str) -> Any:
    """A value of a strategy by its name, which keeps the names of larger strategies short."""
    return draw(STRATEGIES[strategy])


NUMBERS = drawn("number")
STRATEGIES = {
    "number": ALL_NUMBERS,
    "scalar": st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=5)),
}
VALUES = st.recursive(
    drawn("scalar"),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(inner.map(key_of), inner, max_size=3),
        st.lists(inner, max_size=3).map(Set),
    ),
    max_leaves=8,
)
# JSON has no sets, and object keys are strings; a lone surrogate is no character.
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES, VALUES, VALUES)
def test_compare_is_a_total_order(a: Any, b: Any, c: Any) -> None:
    """Reflexive, antisymmetric and transitive."""
    assert compare(a, a) == 0
    assert compare(a, b) == -compare(b, a)
    if compare(a, b) <= 0 and compare(b, c) <= 0:
        assert compare(a, c) <= 0


@given(VALUES, VALUES)
def test_order_equality_and_keys_agree(a: Any, b: Any) -> None:
    """`equal`, `compare`, `sort_key` and `key_of` draw the same lines."""
    same = compare(a, b) == 0
    assert equal(a, b) is same
    assert (key_of(a) == key_of(b)) is same
    assert (sort_key(a) > sort_key(b)) - (sort_key(a) < sort_key(b)) == compare(a, b)


@given(VALUES)
def test_a_key_stands_for_its_value(value: Any) -> None:
    """`value_of` inverts `key_of`, and equal keys hash alike."""
    key = key_of(value)
    assert equal(value_of(key), value)
    assert hash(key_of(value_of(key))) == hash(key)


@given(st.lists(VALUES, max_size=6))
def test_ordered_sorts_by_compare(values: list[Any]) -> None:
    """The fast paths of one type give the same order."""
    assert list(map(key_of, ordered(values))) == list(map(key_of, sorted(values, key=cmp_to_key(compare))))


@given(st.lists(VALUES, max_size=5), st.lists(VALUES, max_size=5))
def test_sets_are_sets(a: list[Any], b: list[Any]) -> None:
    """The algebra of Python's sets on keys."""
    left, right = Set(a), Set(b)
    keys = set(map(key_of, a)), set(map(key_of, b))
    assert set(left.union(right).items) == keys[0] | keys[1]
    assert set(left.intersection(right).items) == keys[0] & keys[1]
    assert set(left.difference(right).items) == keys[0] - keys[1]


@given(JSON)
def test_json_survives_a_round_trip(value: Any) -> None:
    """No digit and no character is lost, pretty or not."""
    assert equal(loads(dumps(value)), value)
    assert equal(loads(dumps(value, pretty=True)), value)


@given(NUMBERS)
def test_a_number_is_its_text(value: Any) -> None:
    """The text of a number is the number, and the normal form is equal to it."""
    assert exact(parse_number(number_text(value))) == exact(value)
    assert equal(number(value), value)


# Arithmetic

PAIRS = st.tuples(NUMBERS, NUMBERS)


def fraction(value: Any) -> Fraction:
    return Fraction(exact(value))


def close(result: Any, wanted: Fraction, *parts: Fraction) -> bool:
    """Within four units in the last of 64 binary places of the greatest number at hand."""
    return abs(fraction(result) - wanted) <= 4 * max(map(abs, (wanted, *parts))) / 2**63


@given(st.integers(), st.integers())
def test_integers_are_exact(a: int, b: int) -> None:
    """Sums, differences, products and rests of integers lose nothing."""
    assert (numbers.add(a, b), numbers.subtract(a, b), numbers.multiply(a, b)) == (a + b, a - b, a * b)
    if b:
        assert numbers.remainder(a, b) == a - b * (abs(a) // abs(b)) * (1 if (a < 0) == (b < 0) else -1)


@given(PAIRS)
def test_sums_and_products_are_close_to_exact(pair: tuple[Any, Any]) -> None:
    """The error stays within the rounding of the operands and of the result."""
    a, b = map(fraction, pair)
    assert close(numbers.add(*pair), a + b, a, b)
    assert close(numbers.subtract(*pair), a - b, a, b)
    assert close(numbers.multiply(*pair), a * b)
    if b:
        assert close(numbers.divide(*pair), a / b)


@given(NUMBERS)
def test_rounding_to_integers(value: Any) -> None:
    """Of a number that 64 bits hold these are what mathematics says, but for OPA's ways around zero."""
    exactly = fraction(value)
    if exactly.denominator & (exactly.denominator - 1) or abs(exactly) >= 2**50 or -1 < exactly < 0:
        return
    assert numbers.floor(value) == math.floor(exactly)
    assert numbers.ceil(value) == math.ceil(exactly)
    assert numbers.truncated(value) == math.trunc(exactly)
    assert abs(numbers.round_half_away(value) - exactly) <= Fraction(1, 2)
    assert equal(numbers.abs_(value), number(Decimal(abs(exact(value)))))
