"""Rego values at run time: order, equality, canonical keys, sets, JSON in and out.

Values are plain Python objects as the caller gives them, and `Set`. The keys of objects and the members of sets go by
*canonical key*: strings are their own; `true` and `1` differ, `1` and `1.0` do not; arrays, objects and sets become
tuples and frozensets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import wraps
from typing import Any, Final, NoReturn, ParamSpec, TypeAlias, TypeVar

from procurator.numbers import compare_numbers, equal_numbers, exact, number, number_text, parse_long, parse_number

__all__ = [
    "EMPTY_SET",
    "KEY_FALSE",
    "KEY_TRUE",
    "OBJECT",
    "SET",
    "UNDEFINED",
    "DepthError",
    "Key",
    "Set",
    "Undefined",
    "Value",
    "bounded",
    "compare",
    "dumps",
    "equal",
    "key_of",
    "loads",
    "lookup",
    "number",
    "ordered",
    "ordered_keys",
    "sort_key",
    "type_name",
    "value_of",
]

# Values are told apart by `type(value)` in tables, which a union could not express without a cast at every entry.
Value: TypeAlias = Any
Key: TypeAlias = Hashable
_T = TypeVar("_T")
_P = ParamSpec("_P")


class DepthError(ValueError):
    """A value is nested too deeply to be worked on."""

    def __init__(self) -> None:
        super().__init__("value is nested too deeply")


def bounded(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Let a recursive function raise DepthError where Python's stack would end."""

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return function(*args, **kwargs)
        except RecursionError:
            raise DepthError from None

    return call


class _Marker:
    """A unique object that stands in a canonical key; copies and pickles are the object itself."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def __reduce__(self) -> str:
        return self._name


class Undefined(_Marker):
    """The type of `UNDEFINED`, the outcome of an expression without a value."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return False


UNDEFINED: Final = Undefined("UNDEFINED")
KEY_TRUE: Final = _Marker("KEY_TRUE")
KEY_FALSE: Final = _Marker("KEY_FALSE")
OBJECT: Final = _Marker("OBJECT")
SET: Final = _Marker("SET")
_DECIMAL: Final = _Marker("_DECIMAL")


class _ByType(dict[type, _T]):
    """A table by type that learns the subclasses it meets."""

    def __missing__(self, kind: type) -> _T:
        for base in kind.__mro__[1:]:
            if base in self:
                self[kind] = self[base]
                return self[base]
        raise TypeError(f"not a Rego value: {kind.__name__}")


# Canonical keys


def key_of(value: Value) -> Key:
    """The canonical key of a value: equal values have equal keys, others have not."""
    if type(value) is str or type(value) is int:
        return value
    try:
        return _KEYS[type(value)](value)
    except RecursionError:
        raise DepthError from None


def _itself(value: Value) -> Key:
    return value  # type: ignore[no-any-return]  # None, str and int are hashable


def _bool_key(value: bool) -> Key:
    return KEY_TRUE if value else KEY_FALSE


def _float_key(value: float) -> Key:
    return int(exact(value)) if value.is_integer() else value


def _decimal_key(value: Decimal) -> Key:
    normal = number(value)
    # Python takes a Decimal for equal to the float of exactly that binary value, which prints as another decimal.
    return (_DECIMAL, normal) if type(normal) is Decimal and normal == float(normal) else normal


def _array_key(value: list[Value]) -> Key:
    return tuple([item if type(item) is str else key_of(item) for item in value])


def _object_key(value: dict[Key, Value]) -> Key:
    return OBJECT, frozenset([(k, v if type(v) is str else key_of(v)) for k, v in value.items()])


def _set_key(value: Set) -> Key:
    return SET, frozenset(value.items)


def value_of(key: Key) -> Value:
    """The value a canonical key stands for."""
    if type(key) is str:
        return key
    if type(key) is tuple:
        try:
            return _value_of_tuple(key)
        except RecursionError:
            raise DepthError from None
    return key is KEY_TRUE if type(key) is _Marker else key


def _value_of_tuple(key: tuple[Any, ...]) -> Value:
    restore = _RESTORE.get(key[0]) if key and type(key[0]) is _Marker else None
    return restore(key[1]) if restore else [value_of(item) for item in key]


_RESTORE: Final[Mapping[_Marker, Callable[[Any], Value]]] = {
    OBJECT: lambda pairs: {key: value_of(item) for key, item in pairs},
    SET: lambda keys: Set.of({key: value_of(key) for key in keys}),
    _DECIMAL: lambda decimal: decimal,
}


# Sets


class Set:
    """An immutable Rego set. Iterates in Rego's order; `items` maps each member's canonical key to the member."""

    __slots__ = ("_ordered", "items")

    items: dict[Key, Value]

    def __init__(self, values: Iterable[Value] = ()) -> None:
        items: dict[Key, Value] = {}
        for value in values:
            items.setdefault(value if type(value) is str else key_of(value), value)
        self.items = items
        self._ordered: list[Value] | None = None

    @classmethod
    def of(cls, items: dict[Key, Value]) -> Set:
        """The set of these members by canonical key; the dict is taken over, not copied."""
        made = cls.__new__(cls)
        made.items = items
        made._ordered = None
        return made

    def ordered(self) -> list[Value]:
        """The members in Rego's order; the list is shared and must not be changed."""
        if self._ordered is None:
            self._ordered = ordered(self.items.values())
        return self._ordered

    def __iter__(self) -> Iterator[Value]:
        return iter(self.ordered())

    def __len__(self) -> int:
        return len(self.items)

    def __contains__(self, value: Value) -> bool:
        return key_of(value) in self.items

    def __getitem__(self, value: Value) -> Value:
        """The member that equals a value, as a reference `set[value]` gives it; raises KeyError without one."""
        return self.items[key_of(value)]

    def __eq__(self, other: object) -> bool:
        return self.items.keys() == other.items.keys() if isinstance(other, Set) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self.items))

    def __repr__(self) -> str:
        return f"Set({self.ordered()!r})"

    def union(self, other: Set) -> Set:
        """Members of either set."""
        return Set.of(other.items | self.items)

    def intersection(self, other: Set) -> Set:
        """Members of both sets."""
        members = other.items
        return Set.of({key: value for key, value in self.items.items() if key in members})

    def difference(self, other: Set) -> Set:
        """Members of this set that are not in the other."""
        members = other.items
        return Set.of({key: value for key, value in self.items.items() if key not in members})


EMPTY_SET: Final = Set()

_KEYS: Final[_ByType[Callable[[Any], Key]]] = _ByType(
    {
        type(None): _itself,
        bool: _bool_key,
        int: _itself,
        float: _float_key,
        Decimal: _decimal_key,
        str: _itself,
        list: _array_key,
        dict: _object_key,
        Set: _set_key,
    }
)


# Types, equality, order

_NULL, _BOOLEAN, _NUMBER, _STRING, _ARRAY, _OBJECT, _SET = range(7)

_RANK: Final[_ByType[int]] = _ByType(
    {
        type(None): _NULL,
        bool: _BOOLEAN,
        int: _NUMBER,
        float: _NUMBER,
        Decimal: _NUMBER,
        str: _STRING,
        list: _ARRAY,
        dict: _OBJECT,
        Set: _SET,
    }
)
_TYPE_NAMES: Final = ("null", "boolean", "number", "string", "array", "object", "set")


def type_name(value: Value) -> str:
    """`null`, `boolean`, `number`, `string`, `array`, `object` or `set`."""
    return _TYPE_NAMES[_RANK[type(value)]]


def equal(a: Value, b: Value) -> bool:
    """Whether two values are the same to Rego: 1 and 1.0 are, 1 and true are not."""
    kind = type(a)
    if kind is str or (kind is int and type(b) is int):
        return a == b  # type: ignore[no-any-return]  # str and int compare to bool
    rank = _RANK[kind]
    if rank != _RANK[type(b)]:
        return False
    try:
        return _EQUAL[rank](a, b)
    except RecursionError:
        raise DepthError from None


def _same(a: Value, b: Value) -> bool:
    return a == b  # type: ignore[no-any-return]  # None, bool, str and Set compare to bool


def _equal_arrays(a: list[Value], b: list[Value]) -> bool:
    return a is b or (len(a) == len(b) and all(map(equal, a, b)))


def _equal_objects(a: dict[Key, Value], b: dict[Key, Value]) -> bool:
    if len(a) != len(b):
        return False
    for key, value in a.items():
        other = b.get(key, UNDEFINED)
        if other is not value and (other is UNDEFINED or not equal(value, other)):
            return False
    return True


_EQUAL: Final[tuple[Callable[[Any, Any], bool], ...]] = (
    _same,
    _same,
    equal_numbers,
    _same,
    _equal_arrays,
    _equal_objects,
    _same,
)


def compare(a: Value, b: Value) -> int:
    """-1, 0 or 1 in Rego's order: null, booleans, numbers, strings, arrays, objects, sets."""
    kind = type(a)
    if kind is type(b) and (kind is int or kind is str or kind is float):
        return (a > b) - (a < b)  # type: ignore[no-any-return]  # a difference of bools
    rank, other = _RANK[kind], _RANK[type(b)]
    if rank != other:
        return -1 if rank < other else 1
    try:
        return _COMPARE[rank](a, b)
    except RecursionError:
        raise DepthError from None


def _compare_plain(a: Value, b: Value) -> int:
    return 0 if a is None else (a > b) - (a < b)


def _compare_arrays(a: list[Value], b: list[Value]) -> int:
    for x, y in zip(a, b, strict=False):
        if result := compare(x, y):
            return result
    return (len(a) > len(b)) - (len(a) < len(b))


def _compare_objects(a: dict[Key, Value], b: dict[Key, Value]) -> int:
    for x, y in zip(ordered_keys(a), ordered_keys(b), strict=False):
        if result := compare(value_of(x), value_of(y)) or compare(a[x], b[y]):
            return result
    return (len(a) > len(b)) - (len(a) < len(b))


def _compare_sets(a: Set, b: Set) -> int:
    return _compare_arrays(a.ordered(), b.ordered())


_COMPARE: Final[tuple[Callable[[Any, Any], int], ...]] = (
    _compare_plain,
    _compare_plain,
    compare_numbers,
    _compare_plain,
    _compare_arrays,
    _compare_objects,
    _compare_sets,
)


def sort_key(value: Value) -> tuple[Any, ...]:
    """A key for Python's sort that gives Rego's order."""
    try:
        rank = _RANK[type(value)]
        return rank, _SORT_KEYS[rank](value)
    except RecursionError:
        raise DepthError from None


def _sort_key_of_object(value: dict[Key, Value]) -> list[tuple[Any, ...]]:
    return [(sort_key(value_of(key)), sort_key(value[key])) for key in ordered_keys(value)]


_SORT_KEYS: Final[tuple[Callable[[Any], Any], ...]] = (
    lambda _: 0,
    bool,
    exact,
    str,
    lambda array: [sort_key(item) for item in array],
    _sort_key_of_object,
    lambda members: [sort_key(item) for item in members.ordered()],
)

_PLAIN_KINDS: Final = ({str}, {int}, {float})
_STRINGS: Final = frozenset({str})


def ordered(values: Iterable[Value]) -> list[Value]:
    """The values in Rego's order."""
    items = list(values)
    if len(items) < 2:
        return items
    try:
        return sorted(items) if set(map(type, items)) in _PLAIN_KINDS else sorted(items, key=sort_key)
    except RecursionError:
        raise DepthError from None


def ordered_keys(value: Mapping[Key, Value]) -> list[Key]:
    """The canonical keys of an object in Rego's order."""
    if _STRINGS.issuperset(map(type, value)):
        return sorted(value)  # type: ignore[type-var]  # all are strings
    return sorted(value, key=lambda key: sort_key(value_of(key)))


def lookup(value: Value, key: Value) -> Value:
    """What a reference `value[key]` gives: an element, a value, a member itself, or UNDEFINED."""
    if isinstance(value, dict):
        return value.get(key if type(key) is str else key_of(key), UNDEFINED)
    if isinstance(value, list):
        index = _index(key)
        return value[index] if index is not None and 0 <= index < len(value) else UNDEFINED
    return key if isinstance(value, Set) and key in value else UNDEFINED


def _index(key: Value) -> int | None:
    if isinstance(key, float) and key.is_integer():
        return int(key)
    return key if isinstance(key, int) and not isinstance(key, bool) else None


# JSON


def dumps(value: Value, *, pretty: bool = False) -> str:
    """JSON text with every digit: sets as sorted arrays, object keys sorted, other keys as their JSON text."""
    try:
        text = _pretty(value, "\n") if pretty else _text(value)
    except RecursionError:
        raise DepthError from None
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(value: Value) -> str:
    return _WRITERS[type(value)](value)


# Half a surrogate pair is no character; it may stand for a byte that a built-in decoded.
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_quote: Final[Callable[[str], str]] = json.encoder.encode_basestring


def _array_text(value: Iterable[Value]) -> str:
    return "[" + ",".join([_text(item) for item in value]) + "]"


def _object_text(value: dict[Key, Value]) -> str:
    return "{" + ",".join([f"{_quote(key)}:{_text(item)}" for key, item in _named_items(value)]) + "}"


def _named_items(value: dict[Key, Value]) -> Iterable[tuple[str, Value]]:
    """Pairs by the text of the key; of keys with one text, such as 1 and "1", the last in Rego's order stays."""
    if _STRINGS.issuperset(map(type, value)):
        return sorted(value.items(), key=_first)  # type: ignore[arg-type]  # all keys are strings
    named = {key if isinstance(key, str) else _text(value_of(key)): value[key] for key in ordered_keys(value)}
    return sorted(named.items(), key=_first)


def _first(pair: tuple[Any, Value]) -> Any:
    return pair[0]


def _pretty(value: Value, newline: str) -> str:
    inner = newline + "  "
    match _RANK[type(value)]:
        case 4 | 6 if len(value):
            return f"[{inner}{(',' + inner).join([_pretty(item, inner) for item in value])}{newline}]"
        case 5 if value:
            lines = [f"{_quote(key)}: {_pretty(item, inner)}" for key, item in _named_items(value)]
            return f"{{{inner}{(',' + inner).join(lines)}{newline}}}"
        case _:
            return _text(value)


_WRITERS: Final[_ByType[Callable[[Any], str]]] = _ByType(
    {
        type(None): lambda _: "null",
        bool: lambda value: "true" if value else "false",
        int: number_text,
        float: number_text,
        Decimal: number_text,
        str: _quote,
        list: _array_text,
        dict: _object_text,
        Set: _array_text,
    }
)


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"invalid number: {text}")


_decode: Final = json.JSONDecoder(parse_float=parse_number, parse_constant=_refuse).decode
_decode_long: Final = json.JSONDecoder(parse_float=parse_number, parse_int=parse_long, parse_constant=_refuse).decode
_SURROGATES: Final = re.compile(r"\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u[dD][89a-fA-F]..")


def loads(text: str) -> Value:
    """The value of a JSON text, with every digit of its numbers; the last of duplicate keys counts."""
    if "\\u" in text:
        text = _SURROGATES.sub(_mend, text)
    try:
        return _decode(text)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise DepthError from None
    except ValueError:  # an integer of more digits than Python cares to read
        return _decode_long(text)


def _mend(match: re.Match[str]) -> str:
    """Go reads a lone half of a surrogate pair as U+FFFD."""
    found = match[0]
    return "\\ufffd" if len(found) == 6 else found
