"""JSON as the gateway takes it."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from procurator.governance.refusals import Refused
from procurator.governance.strict_json import canonical, check, read
from procurator.values import DepthError, Set, dumps


def refusal(text: str | bytes) -> tuple[str, str | None, str]:
    """What reading a text is refused with: reason, field, detail."""
    with pytest.raises(Refused) as caught:
        read(text)
    return caught.value.reason, caught.value.field, caught.value.detail


LOSES = "is a number that loses digits as a double; write it as a string"

REFUSED = {
    '{"a": 1, "a": 1}': ("$.a", "`$.a` is there more than once"),
    '{"b": [{}, {"x y": 1, "x y": 2}]}': ('$.b[1]["x y"]', '`$.b[1]["x y"]` is there more than once'),
    '{"\\u0061": 1, "a": 2}': ("$.a", "`$.a` is there more than once"),
    '{"a": {"b": NaN}}': ("$.a.b", "`$.a.b` is not a number that JSON has"),
    "[Infinity]": ("$[0]", "`$[0]` is not a number that JSON has"),
    "[-Infinity]": ("$[0]", "`$[0]` is not a number that JSON has"),
    "9007199254740993": ("$", f"`$` {LOSES}"),
    "-9007199254740993": ("$", f"`$` {LOSES}"),
    "18446744073709551616": ("$", f"`$` {LOSES}"),
    "0.1000000000000000055": ("$", f"`$` {LOSES}"),
    "1e400": ("$", f"`$` {LOSES}"),
    "1e-400": ("$", f"`$` {LOSES}"),
    "1e99999999999999999999": ("$", f"`$` {LOSES}"),
    "1" * 5000: ("$", f"`$` {LOSES}"),
    '{"a": "\\ud800"}': ("$.a", "`$.a` holds half of a character"),
    '{"\\udfff": 1}': ("$", "`$` has a name that holds half of a character"),
    '{"a" 1}': ("$", "`$` is not JSON: expecting ':' delimiter, line 1 column 6"),
    "[1,": ("$", "`$` is not JSON: expecting value, line 1 column 4"),
    "1 2": ("$", "`$` is not JSON: extra data, line 1 column 3"),
    '"\x00"': ("$", "`$` is not JSON: invalid control character at, line 1 column 2"),
    "": ("$", "`$` is not JSON: expecting value, line 1 column 1"),
    "\ufeff{}": ("$", "`$` is not JSON: expecting value, line 1 column 1"),
    "\udc80": ("$", "`$` is not UTF-8"),
    "[" * 100_000: ("$", "`$` is nested more than 64 deep"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_could_be_understood_differently_is_refused_with_its_path(text: str) -> None:
    """The field is the path, and the detail a sentence that does not repeat the value."""
    field, detail = REFUSED[text]
    assert refusal(text) == ("malformed", field, detail)


def test_a_comma_at_the_end_is_refused() -> None:
    """What the detail says of it depends on the version of Python."""
    field, detail = refusal("[1,]")[1:]
    assert (field, detail.startswith("`$` is not JSON: ")) == ("$", True)


def test_bytes_have_to_be_utf_8() -> None:
    """Other encodings, which `json.loads` guesses, are not."""
    assert read('{"ä": "ö"}'.encode()) == {"ä": "ö"}
    assert refusal(b'"\xff"') == ("malformed", "$", "`$` is not UTF-8")
    assert refusal('"a"'.encode("utf-16-le"))[0] == "malformed"


def test_nesting_is_bounded() -> None:
    """64 levels are read, 65 are not, in arrays and in objects; brackets in strings do not count."""
    arrays, objects = "[" * 64 + "]" * 64, '{"a":' * 64 + "1" + "}" * 64
    assert canonical(read(arrays)) == arrays
    assert canonical(read(objects)) == objects
    assert refusal(f"[{arrays}]") == ("malformed", "$" + "[0]" * 64, f"`${'[0]' * 64}` is nested more than 64 deep")
    assert refusal('{"a":' + objects + "}")[1] == "$" + ".a" * 64
    assert read('"' + "[" * 100 + '"') == "[" * 100


def test_names_in_paths_are_cut() -> None:
    """A long name does not make a long message."""
    name = "n" * 1000
    assert refusal(f'{{"{name}": NaN}}')[1] == f'$["{"n" * 60}..."]'


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("9007199254740992", 2**53),
        ("9007199254740994", 2**53 + 2),
        ("100000000000000000000000", 10**23),
        ("1.0", 1.0),
        ("0.10", 0.1),
        ("1E5", 1e5),
        ("1e-5", 1e-5),
        ("5e-324", 5e-324),
        ("0e400", 0.0),
        ("0.30000000000000004", 0.1 + 0.2),
        ("1.7976931348623157e308", 1.7976931348623157e308),
    ],
)
def test_numbers_that_keep_their_digits_are_read(text: str, value: Any) -> None:
    """Whole numbers are ints, others floats."""
    assert read(text) == value
    assert type(read(text)) is type(value)


# Python values


class Level(IntEnum):
    """A number with a name."""

    HIGH = 1


WRONG_VALUES: list[tuple[Any, str, str]] = [
    ({"a": float("nan")}, "$.a", "is not a number that JSON has"),
    ([float("inf")], "$[0]", "is not a number that JSON has"),
    ([Decimal("sNaN")], "$[0]", "is not a number that JSON has"),
    ([Decimal("-Infinity")], "$[0]", "is not a number that JSON has"),
    ([2**53 + 1], "$[0]", LOSES),
    ([-(10**5000)], "$[0]", LOSES),
    ([Decimal("0.1000000000000000055")], "$[0]", LOSES),
    ({"a": {1: 2}}, "$.a", "has a name that is not a string"),
    ({"a": (1, 2)}, "$.a", "is of the type `tuple`, which JSON has not"),
    ([{1, 2}], "$[0]", "is of the type `set`, which JSON has not"),
    ([b"x"], "$[0]", "is of the type `bytes`, which JSON has not"),
    ([Level.HIGH], "$[0]", "is of the type `Level`, which JSON has not"),
    (["\ud800"], "$[0]", "holds half of a character"),
    ({"\ud800": 1}, "$", "has a name that holds half of a character"),
]


@pytest.mark.parametrize(("value", "field", "problem"), WRONG_VALUES)
def test_python_values_are_held_to_the_same(value: Any, field: str, problem: str) -> None:
    """What no text could give is refused; subclasses could lie about themselves."""
    with pytest.raises(Refused) as caught:
        check(value)
    assert (caught.value.reason, caught.value.field, caught.value.detail) == (
        "malformed",
        field,
        f"`{field}` {problem}",
    )


def test_a_value_that_holds_itself_is_too_deep() -> None:
    """A walk over it ends."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(Refused) as caught:
        check({"a": value}, ("action",))
    assert caught.value.field == "$.action.a" + "[0]" * 63


# Properties

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
WHOLE = st.integers() | st.integers(-(2**70), 2**70)
SCALARS = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
LITERALS = st.from_regex(
    re.compile(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?", re.ASCII), fullmatch=True
)


def numbers(value: Any) -> Iterator[Any]:
    """All the numbers in a value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif not isinstance(value, bool) and isinstance(value, int | float | Decimal):
        yield value


def keeps_digits(number: Decimal) -> bool:
    """The rule: a reader that has doubles only prints the same decimal."""
    try:
        double = float(number)
    except OverflowError:
        return False
    return Decimal(json.loads(json.dumps(repr(double)))) == number


@given(VALUES)
def test_a_text_is_read_as_the_standard_library_reads_it_unless_digits_are_lost(value: Any) -> None:
    """Values without duplicates, NaN or half characters are refused for their numbers alone."""
    text = json.dumps(value)
    if all(keeps_digits(Decimal(repr(number))) for number in numbers(value)):
        assert canonical(read(text)) == canonical(value)
        assert repr(read(text)) == repr(value)
        check(value)
    else:
        assert refusal(text)[2].endswith(LOSES)
        with pytest.raises(Refused):
            check(value)


@given(LITERALS)
@example("1e400")
@example("123456789012345678")
@example("0.000")
def test_a_literal_is_read_exactly_if_it_keeps_its_digits(literal: str) -> None:
    """However it is spelt."""
    if keeps_digits(Decimal(literal)):
        assert Decimal(repr(read(literal))) == Decimal(literal)
    else:
        assert refusal(literal) == ("malformed", "$", f"`$` {LOSES}")


@given(st.text(max_size=20) | st.lists(st.sampled_from('{}[]:,"\\ua0e.-1 NI'), max_size=12).map("".join))
@example("-Infinity")
@example("1.5e3")
def test_no_text_does_anything_but_be_read_or_refused(text: str) -> None:
    """What the standard library does not read is not read here either."""
    with suppress(Refused):
        value = read(text)
        assert canonical(value) == dumps(json.loads(text))


@given(VALUES)
def test_canonical_is_what_dumps_gives_and_stable(value: Any) -> None:
    """One text for a value, in whatever order its names came; reading it back gives it again."""
    text = canonical(value)
    assert text == dumps(value)
    assert canonical(json.loads(text)) == text
    if isinstance(value, dict):
        assert canonical(dict(reversed(value.items()))) == text


def test_canonical_writes_what_the_standard_library_cannot() -> None:
    """Decimals with their digits, sets as arrays, half characters as the replacement character."""
    assert canonical({"b": Decimal("0.10"), "a": Set(["y", "x"])}) == '{"a":["x","y"],"b":0.10}'
    assert canonical(["\ud800", "ä"]) == '["\ufffd","ä"]'
    with pytest.raises(ValueError, match=re.escape("Out of range float values are not JSON compliant")):
        canonical([float("nan")])


def test_canonical_ends_on_what_is_too_deep() -> None:
    """An error of its own rather than one of Python's stack."""
    value: list[Any] = []
    for _ in range(200_000):
        value = [value]
    with pytest.raises(DepthError):
        canonical(value)
    while value:
        value = value.pop()
