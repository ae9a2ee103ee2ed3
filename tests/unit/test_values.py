"""Values at run time: keys, order, equality, sets, JSON in and out."""

from __future__ import annotations

import copy
import enum
import pickle
from collections import OrderedDict
from decimal import Decimal
from typing import Any

import pytest

from procurator.numbers import number_text, parse_number
from procurator.values import (
    EMPTY_SET,
    KEY_FALSE,
    KEY_TRUE,
    OBJECT,
    SET,
    UNDEFINED,
    DepthError,
    Set,
    compare,
    dumps,
    equal,
    key_of,
    loads,
    lookup,
    number,
    ordered,
    ordered_keys,
    sort_key,
    type_name,
    value_of,
)

EXACT_TENTH = Decimal("0.1000000000000000055511151231257827021181583404541015625")


class Level(enum.IntEnum):
    HIGH = 3


# Every value is less than all that stand in later lines; values in one line are equal.
ASCENDING: list[list[Any]] = [
    [None],
    [False],
    [True],
    [-(10**30)],
    [-1.5],
    [0, 0.0, -0.0],
    [0.1, Decimal("0.1")],
    [EXACT_TENTH],
    [1, 1.0, Decimal("1.00")],
    [3, Level.HIGH],
    [2**53, float(2**53)],
    [2**53 + 1],
    [10**23, 1e23, Decimal("1E+23")],
    [Decimal("1E+400"), 10**400],
    [""],
    ["A"],
    ["a"],
    ["aa"],
    ["\ufffd"],
    ["\U00010000"],
    [[]],
    [[1], [1.0]],
    [[1, 0]],
    [[2]],
    [["a"]],
    [{}, OrderedDict()],
    [{1: "x"}, {1.0: "x"}],
    [{"a": 1}, {"a": 1.0}],
    [{"a": 1, "b": 0}],
    [{"a": 2}],
    [{"b": 0}],
    [EMPTY_SET, Set()],
    [Set([0, 5])],
    [Set([1]), Set([1.0])],
    [Set([1, 2]), Set([2, 1, 2.0])],
    [Set([Set()])],
]
PAIRS = [
    (i, j, a, b) for i, line in enumerate(ASCENDING) for a in line for j, other in enumerate(ASCENDING) for b in other
]


def test_order_and_equality_agree_with_the_list() -> None:
    """`compare`, `equal`, `key_of` and `sort_key` all say the same of any two values."""
    for i, j, a, b in PAIRS:
        assert compare(a, b) == (i > j) - (i < j), (a, b)
        assert equal(a, b) is (i == j), (a, b)
        assert (key_of(a) == key_of(b)) is (i == j), (a, b)
        assert ((sort_key(a) > sort_key(b)) - (sort_key(a) < sort_key(b))) == (i > j) - (i < j), (a, b)


def test_the_key_gives_the_value_back() -> None:
    """A key stands for its value, and equal keys hash alike."""
    for line in ASCENDING:
        assert len({key_of(value) for value in line}) == 1
        for value in line:
            assert equal(value_of(key_of(value)), value)


def test_keys_of_scalars() -> None:
    """Strings and integers are their own keys; true and false have keys that no number has."""
    assert [key_of(value) for value in ("a", 1, None, 1.5, 1.0, 1e23)] == ["a", 1, None, 1.5, 1, 10**23]
    assert key_of(True) is KEY_TRUE
    assert key_of(False) is KEY_FALSE
    assert key_of([True, {"a": Set([1])}]) == (
        KEY_TRUE,
        (OBJECT, frozenset({("a", (SET, frozenset({1})))})),
    )


def test_markers_survive_copies() -> None:
    """A copied or pickled key is the same key."""
    key = key_of([True, False, {"a": Set()}])
    assert pickle.loads(pickle.dumps(key)) == key  # noqa: S301  # made in the line itself
    assert copy.deepcopy(UNDEFINED) is UNDEFINED
    assert repr(UNDEFINED) == "UNDEFINED"
    assert not UNDEFINED


def test_type_names() -> None:
    """Each type has its name; what is no Rego value has none."""
    names = [type_name(value) for value in (None, True, 1, 1.5, Decimal(1), "", [], {}, Set())]
    assert names == ["null", "boolean", "number", "number", "number", "string", "array", "object", "set"]
    with pytest.raises(TypeError, match=r"^not a Rego value: bytes$"):
        type_name(b"")


# Sets


def test_a_set_keeps_the_first_of_equals_and_iterates_in_order() -> None:
    """Members are told apart as Rego does."""
    members = Set(["b", 1.0, 1, True, None, "a", [1], {"x": 1}])
    assert list(members) == [None, True, 1.0, "a", "b", [1], {"x": 1}]
    assert repr(Set(["b", "a"])) == "Set(['a', 'b'])"
    assert str(next(iter(Set([1.0, 1])))) == "1.0"


def test_set_algebra() -> None:
    """Union, intersection and difference go by key."""
    a, b = Set([1, 2, True]), Set([2.0, 3])
    assert a.union(b) == Set([True, 1, 2, 3])
    assert a.intersection(b) == Set([2])
    assert a.difference(b) == Set([True, 1])
    assert (True in b, 2 in b, 2.0 in a, len(a)) == (False, True, True, 3)
    assert hash(a.union(b)) == hash(b.union(a))
    assert a != b
    assert a != [1, 2, True]


# References


@pytest.mark.parametrize(
    ("value", "key", "wanted"),
    [
        ({"a": 1}, "a", 1),
        ({"a": 1}, "b", UNDEFINED),
        ({1: "x"}, 1.0, "x"),
        ({1: "x"}, True, UNDEFINED),
        ({KEY_TRUE: "x"}, True, "x"),
        ({(1, 2): "x"}, [1, 2], "x"),
        ([7, 8], 1, 8),
        ([7, 8], 1.0, 8),
        ([7, 8], 1.5, UNDEFINED),
        ([7, 8], "1", UNDEFINED),
        ([7, 8], True, UNDEFINED),
        ([7, 8], -1, UNDEFINED),
        ([7, 8], 2, UNDEFINED),
        (Set([7]), 7.0, 7.0),
        (Set([7]), 8, UNDEFINED),
        ("abc", 0, UNDEFINED),
        (None, "a", UNDEFINED),
    ],
)
def test_lookup(value: Any, key: Any, wanted: Any) -> None:
    """A reference finds keys of objects, indexes of arrays and members of sets."""
    assert lookup(value, key) is wanted or lookup(value, key) == wanted


def test_ordering_of_members_and_keys() -> None:
    """Lists of one type and mixed ones come in Rego's order."""
    assert ordered(["b", "a"]) == ["a", "b"]
    assert ordered([3, 1, 2]) == [1, 2, 3]
    assert ordered([1e23, 10**23 - 1, Decimal("0.5")]) == [Decimal("0.5"), 10**23 - 1, 1e23]
    assert ordered([[], "a", 1, True, None]) == [None, True, 1, "a", []]
    assert ordered_keys({"b": 1, "a": 2}) == ["a", "b"]
    assert ordered_keys({"b": 1, (1,): 2, 3: 4, KEY_TRUE: 5, None: 6}) == [None, KEY_TRUE, 3, "b", (1,)]


# JSON


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        ([True, False], "[true,false]"),
        ({"b": 1, "a": [1.5, "x"]}, '{"a":[1.5,"x"],"b":1}'),
        (Set(["b", "a", 1]), '[1,"a","b"]'),
        ({10: "a", 9: "b", "x": "c"}, '{"10":"a","9":"b","x":"c"}'),
        ({1: "number", "1": "string"}, '{"1":"string"}'),
        ({KEY_TRUE: 1, None: 2, (1, "<"): 3}, '{"[1,\\"<\\"]":3,"null":2,"true":1}'),
        (10**30, "1" + "0" * 30),
        (0.1, "0.1"),
        (1.0, "1.0"),
        (1e-7, "1e-07"),
        (1e23, "1e+23"),
        (Decimal("0.33333333333333333334"), "0.33333333333333333334"),
        (Decimal("2E+308"), "2e308"),
        (Decimal("0.000012345678901234567890"), "1.2345678901234567890e-05"),
        ('<"é\\\n\x00\u2028', '"<\\"é\\\\\\n\\u0000\u2028"'),
        ("a\udcffb", '"a\N{REPLACEMENT CHARACTER}b"'),
    ],
)
def test_dumps(value: Any, text: str) -> None:
    """Compact text, keys and sets in order, no digit lost."""
    assert dumps(value) == text


def test_dumps_pretty() -> None:
    """Two spaces a level; empty containers stay on their line."""
    assert dumps({"a": [1, {}], "b": Set([Set()]), "c": []}, pretty=True) == (
        '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": [\n    []\n  ],\n  "c": []\n}'
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_number_cannot_be_written(value: Any) -> None:
    """NaN and infinity are no JSON."""
    with pytest.raises(ValueError, match=r"^not a number: "):
        dumps([value])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("1.50", 1.5),
        ("-0", 0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("2e308", Decimal("2E+308")),
        ("1e-400", Decimal("1E-400")),
        ('{"a":1,"a":2}', {"a": 2}),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83dx\ude00"', "\ufffdx\ufffd"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd😀"),
        (r'"\\ud83d"', r"\ud83d"),
    ],
)
def test_loads(text: str, value: Any) -> None:
    """Integers are ints; a point or an exponent makes a float, or a Decimal where no float prints as the number."""
    assert loads(text) == value
    assert type(loads(text)) is type(value)


def test_integers_of_many_digits() -> None:
    """Python's limit on the digits of an integer is none of Rego's."""
    digits = "1" + "0" * 6000
    assert dumps(loads(f'{{"a":[{digits}]}}')) == f'{{"a":[{digits}]}}'
    assert parse_number(digits) == 10**6000
    assert number_text(10**6000) == digits


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("NaN", "invalid number: NaN"),
        ("[-Infinity]", "invalid number: -Infinity"),
        ("1e99999", "invalid number: number too big"),
        ("1e-99999", "invalid number: number too big"),
        ("1e9999999999999999999999", "invalid number: number too big"),
        ("01", "Extra data: line 1 column 2 (char 1)"),
        ("", "Expecting value: line 1 column 1 (char 0)"),
        ('"\t"', "Invalid control character at: line 1 column 2 (char 1)"),
    ],
)
def test_loads_refuses(text: str, error: str) -> None:
    """What is no JSON, and numbers whose digits would be the work, are errors."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the text is compared below
        loads(text)
    assert str(caught.value) == error


def test_normal_form_of_numbers() -> None:
    """Integral numbers become ints, decimals become floats where a float prints as they do."""
    values = [Decimal("1.00"), Decimal("0.50"), 2.0, Decimal("1E+3"), 7, Decimal("0.1000000000000000000001")]
    assert [repr(number(value)) for value in values] == [
        "1", "0.5", "2", "1000", "7", "Decimal('0.1000000000000000000001')",
    ]  # fmt: skip


# Depth


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "work",
    [
        key_of,
        sort_key,
        dumps,
        lambda value: dumps(value, pretty=True),
        lambda value: equal(value, nested(100_000)),
        lambda value: compare(value, nested(100_000)),
        lambda value: ordered([value, value, 1]),
        lambda _: loads("[" * 100_000),
    ],
)
def test_deep_values_are_an_error_of_their_own(work: Any) -> None:
    """Nesting without end is a ValueError, not the end of Python's stack."""
    with pytest.raises(DepthError, match=r"^value is nested too deeply$"):
        work(nested(100_000))
