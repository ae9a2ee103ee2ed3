"""The type language: notation, union, overlap, selection."""

from __future__ import annotations

import pytest

from procurator_rules.constants import Key, key_of, spelled
from procurator_rules.types import (
    ANY,
    BOOLEAN,
    MAX_DEPTH,
    MAX_MEMBERS,
    NULL,
    NUMBER,
    STRING,
    Array,
    Function,
    Inferred,
    Object,
    Recursive,
    Set,
    Type,
    Union,
    overlaps,
    text,
    union,
    unknown,
)


def record(**values: Inferred) -> Object:
    return Object((key_of(name), value) for name, value in values.items())


def mapping(key: Inferred, value: Inferred) -> Object:
    return Object((), (key, value))


PAIR = Array([NUMBER, STRING])
STRINGS = Array((), STRING)


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (None, "???"),
        (NULL, "null"),
        (ANY, "any"),
        (Array(), "array"),
        (PAIR, "array<number, string>"),
        (STRINGS, "array[string]"),
        (Array([NUMBER, None], BOOLEAN), "array<number, ???>[boolean]"),
        (Object(), "object"),
        (record(b=STRING, a=NUMBER), "object<a: number, b: string>"),
        (Object([(key_of("a b"), NUMBER)], (STRING, ANY)), "object<a b: number>[string: any]"),
        (Object([(key_of(2), NULL), (key_of(None), NULL)]), "object<null: null, 2: null>"),
        (Set(), "set"),
        (Set(Union([NUMBER, STRING])), "set[any<number, string>]"),
        (Function([STRING, None], BOOLEAN), "(string, ???) => boolean"),
        (Function([], None, ANY), "(any...) => ???"),
        (Recursive("#/$defs/a"), "recursive(#/$defs/a)"),
    ],
)  # fmt: skip
def test_notation(one: Inferred, wanted: str) -> None:
    """Types are printed in OPA's notation."""
    assert text(one) == wanted


@pytest.mark.parametrize(
    ("parts", "wanted"),
    [
        ([], "???"),
        ([None, NUMBER], "number"),
        ([STRING, STRING], "string"),
        ([STRING, NUMBER, NULL], "any<null, number, string>"),
        ([STRING, ANY], "any"),
        ([Union([NUMBER, STRING]), Union([BOOLEAN, STRING])], "any<boolean, number, string>"),
        ([Set(STRING), Set(NUMBER), Set()], "any<set, set[number], set[string]>"),
        ([PAIR, STRINGS, Array([NUMBER])], "any<array<number>, array<number, string>, array[string]>"),
        ([record(a=NUMBER), record(a=NUMBER)], "object<a: number>"),
        ([Function([STRING], NUMBER), Function([NUMBER], STRING)], "(any<number, string>) => any<number, string>"),
        ([Function([STRING], NUMBER), Function([], STRING)], "???"),
        ([Function([], NUMBER), STRING], "???"),
        ([record(**{f"k{i}": NUMBER}) for i in range(MAX_MEMBERS + 1)], "any"),
    ],
)
def test_union(parts: list[Inferred], wanted: str) -> None:
    """A union lists its members in order, each once; it is cut off where it gets too wide."""
    assert text(union(*parts)) == text(union(*reversed(parts))) == wanted


OVERLAPS: list[tuple[Inferred, Inferred, bool]] = [
    (NUMBER, NUMBER, True),
    (NUMBER, STRING, False),
    (NULL, BOOLEAN, False),
    (None, ANY, False),
    (ANY, NULL, True),
    (ANY, Function([], NUMBER), False),
    (Union([NUMBER, STRING]), STRING, True),
    (Union([NUMBER, STRING]), Union([NULL, BOOLEAN]), False),
    (PAIR, PAIR, True),
    (PAIR, Array([NUMBER]), False),
    (PAIR, Array((), ANY), True),
    (PAIR, STRINGS, False),
    (Array([NUMBER], STRING), PAIR, True),
    (STRINGS, Array((), NUMBER), False),
    (Array([None]), Array([NUMBER]), False),
    (record(a=NUMBER), record(a=STRING), False),
    (record(a=NUMBER), record(b=NUMBER), False),
    (record(a=NUMBER), mapping(STRING, NUMBER), True),
    (record(a=NUMBER), mapping(STRING, STRING), False),
    (record(a=NUMBER), mapping(NUMBER, STRING), True),
    (mapping(STRING, NUMBER), mapping(NUMBER, NUMBER), True),
    (mapping(STRING, NUMBER), mapping(STRING, STRING), False),
    (Object(), record(a=NUMBER), False),
    (Set(), Set(NUMBER), True),
    (Set(STRING), Set(NUMBER), False),
    (Set(STRING), STRINGS, False),
    (Function([STRING], NUMBER), Function([STRING], STRING), True),
    (Function([STRING], NUMBER), Function([STRING, STRING], NUMBER), False),
    (Function([STRING], NUMBER), Function([NUMBER], NUMBER), False),
]


@pytest.mark.parametrize(("a", "b", "wanted"), OVERLAPS)
def test_overlap(a: Inferred, b: Inferred, wanted: bool) -> None:
    """Two types overlap if a value can be of both; the order does not matter."""
    assert overlaps(a, b) is wanted
    assert overlaps(b, a) is wanted


@pytest.mark.parametrize(
    ("one", "key", "wanted"),
    [
        (PAIR, key_of(0), "number"),
        (PAIR, key_of(2), "???"),
        (PAIR, key_of(-1), "???"),
        (PAIR, key_of("0"), "???"),
        (PAIR, key_of(0.5), "???"),
        (STRINGS, key_of(99), "string"),
        (record(a=NUMBER), key_of("a"), "number"),
        (record(a=NUMBER), key_of("b"), "???"),
        (mapping(STRING, NUMBER), key_of("b"), "number"),
        (mapping(STRING, NUMBER), key_of(1), "???"),
        (mapping(ANY, NUMBER), key_of([1]), "number"),
        (Set(STRING), key_of("x"), "string"),
        (Set(Union([NUMBER, STRING])), key_of(3), "number"),
        (Set(STRING), key_of(3), "???"),
        (ANY, key_of("x"), "any"),
        (Union([STRING, record(a=NUMBER), mapping(STRING, NULL)]), key_of("a"), "any<null, number>"),
        (STRING, key_of(0), "???"),
    ],
)
def test_selection(one: Type, key: Key, wanted: str) -> None:
    """What stands at a constant key."""
    assert text(one.select(key)) == wanted


@pytest.mark.parametrize(
    ("one", "keys", "values"),
    [
        (STRING, "???", "???"),
        (PAIR, "number", "any<number, string>"),
        (Array(), "number", "???"),
        (Object([(key_of("a"), NULL), (key_of(1), NULL)], (NULL, NULL)), "any<null, number, string>", "null"),
        (Set(STRING), "string", "string"),
        (Set(), "???", "???"),
        (Union([NUMBER, STRINGS, Set(NULL)]), "any<null, number>", "any<null, string>"),
        (ANY, "any", "any"),
    ],
)  # fmt: skip
def test_keys_and_values(one: Type, keys: str, values: str) -> None:
    """What a collection can be indexed with and what it holds."""
    assert (text(one.keys()), text(one.values())) == (keys, values)


def test_recursive_types_are_followed_without_end() -> None:
    """A list of itself selects, overlaps and prints."""
    node = Recursive("node")
    node.target = record(next=node, value=NUMBER)
    assert str(node.target) == "object<next: recursive(node), value: number>"
    assert text(node.select(key_of("value"))) == "number"
    other = Recursive("other")
    other.target = record(next=other, value=NUMBER)
    assert overlaps(node, other)
    assert not overlaps(node, NUMBER)


def test_types_are_cut_off_where_they_get_deep_or_large() -> None:
    """A chain of rules cannot make a type that nothing can walk."""
    deep: Inferred = NUMBER
    wide: Inferred = NUMBER
    for _ in range(200):
        deep = Array([deep])
        wide = Array([wide, wide])
    assert deep is not None
    assert deep.depth <= MAX_DEPTH
    assert wide is not None
    assert len(str(wide)) < 1_000_000
    assert overlaps(deep, wide) in (True, False)


@pytest.mark.parametrize(
    ("one", "wanted"), [(Set(), True), (Array([None]), True), (Array(), False), (Union([Set()]), False), (ANY, False)]
)
def test_what_is_not_fully_known(one: Type, wanted: bool) -> None:
    """Something unknown inside makes the whole unknown; a union never is."""
    assert unknown(one) is wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ('a"\n\x01', '"a\\"\\n\\u0001"'),
        ([1, ["x"]], '[1, ["x"]]'),
        ({"b": 1, "a": None}, '{"a": null, "b": 1}'),
    ],
)
def test_constants_are_spelled_as_in_rego(value: object, wanted: str) -> None:
    """A key is printed as the value it stands for."""
    assert spelled(key_of(value)) == wanted


def test_equal_numbers_are_one_key() -> None:
    """1 and 1.0 are the same key, 1 and true are not."""
    assert key_of(1) == key_of(1.0) != key_of(True)
