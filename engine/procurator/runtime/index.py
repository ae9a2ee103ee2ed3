"""Tables that find the rules an input can match, among any number of rules of one shape.

A row is what tells one rule from another: its constants, and last its number. A table gives the rows whose test a value
passes, in the order of the rules, by hash: equality and membership by canonical key, prefixes by themselves, ranges by
the bucket of numbers that a value is in. What it gives may be too much where the test itself follows, never too little.
A table of several levels is a decision tree: what one test finds is a table for the next.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from operator import itemgetter
from statistics import median_low
from typing import Any, Final

from procurator.numbers import exact
from procurator.runtime.support import members
from procurator.values import Key, Set, Value, key_of

Row = tuple[Any, ...]
Rows = Sequence[Row]

EQUAL: Final = "equal"
MEMBER: Final = "member"
HOLDS: Final = "holds"
PREFIX: Final = "prefix"
RANGE: Final = "range"

EXACT: Final = 1 << 53
"""Floats from here on stand for integers that Python's arithmetic does not give."""

WIDE: Final = 16
"""Times the usual width from which on a range is kept apart rather than in the buckets that it covers."""

Bounds = tuple[Value, bool, Value, bool]
"""Lower bound, whether it is admitted, upper bound, whether it is admitted."""

_number_of: Final = itemgetter(-1)

APART: Final = object()
"""The key of ranges that are too wide for buckets."""


@dataclass(frozen=True, slots=True)
class Level:
    """One test of a table.

    Attributes:
        kind: equal, member, holds, prefix or range.
        shift: of ranges: the binary digits that numbers of one bucket may differ in.
        wide: of ranges: the width from which on they are kept apart.
        delimiter: of prefixes: the character that ends all of them, or nothing.
        start: of prefixes: how many characters all of them have in common.
        cuts: of prefixes: how many delimiters they have after those, or else how many characters.
    """

    kind: str
    shift: int = 0
    wide: int = 0
    delimiter: str = ""
    start: int = 0
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """What a table is made from: for each row what the tests compare with, and the row.

    It is data, so that it can be kept in a file; `built` makes the table.
    """

    levels: tuple[Level, ...]
    rows: tuple[tuple[tuple[Any, ...], Row], ...]

    def built(self) -> Any:
        """The table; the rows themselves when there is no test."""
        return _built(self.levels, self.rows, 0)


def level_for(kind: str, admitted: Sequence[Any]) -> Level:
    """The level that suits what the rows admit."""
    suited = _SUITED.get(kind)
    return Level(kind) if suited is None else suited(admitted)


def keys(level: Level, admitted: Any) -> Iterable[Key]:
    """The keys under which a row stands at a level."""
    return _KEYS[level.kind](level, admitted)


def _built(levels: Sequence[Level], rows: Sequence[tuple[tuple[Any, ...], Row]], depth: int) -> Any:
    if depth == len(levels):
        return tuple([row for _, row in rows])
    level = levels[depth]
    groups: dict[Key, list[tuple[tuple[Any, ...], Row]]] = {}
    for row in rows:
        for key in keys(level, row[0][depth]):
            groups.setdefault(key, []).append(row)
    return _TABLES[level.kind](level, {key: _built(levels, group, depth + 1) for key, group in groups.items()})


def _in_order(rows: Iterable[Row]) -> Rows:
    """Rows, each once, in the order of their rules."""
    return sorted({row[-1]: row for row in rows}.values(), key=_number_of)


# Equality and membership


def _key(_level: Level, value: Value) -> Iterable[Key]:
    return (key_of(value),)


def _member_keys(_level: Level, collection: Value) -> Iterable[Key]:
    return dict.fromkeys(key_of(value) for value in members(collection))


def _plain(_level: Level, rows: dict[Key, Any]) -> dict[Key, Any]:
    return rows


class Holds(dict[Key, Any]):
    """Rows by a value that a collection has to hold."""

    __slots__ = ()

    def __init__(self, _level: Level, rows: Mapping[Key, Any]) -> None:
        super().__init__(rows)

    def find(self, value: Value) -> Rows:
        """The rows of which the collection holds the value."""
        lists = [
            rows
            for member in members(value)
            if (rows := self.get(member if type(member) is str else key_of(member))) is not None
        ]
        return _joined(lists)


def _joined(lists: Sequence[Rows]) -> Rows:
    if len(lists) < 2:
        return lists[0] if lists else ()
    return _in_order(row for rows in lists for row in rows)


# Prefixes


class Prefixes(dict[str, Any]):
    """Rows by their prefixes, which end at certain places of a value."""

    __slots__ = ("_level",)

    def __init__(self, level: Level, rows: Mapping[Any, Any]) -> None:
        super().__init__(rows)
        self._level = level

    def find(self, value: str) -> Rows:
        """The rows whose prefix a text begins with."""
        return _joined([rows for end in self._ends(value) if (rows := self.get(value[:end])) is not None])

    def _ends(self, value: str) -> Iterator[int]:
        level = self._level
        if not level.delimiter:
            yield from (length for length in level.cuts if length <= len(value))
            return
        at, wanted = level.start, set(level.cuts)
        for number in range(level.cuts[-1] + 1):
            if number in wanted:
                yield at
            at = value.find(level.delimiter, at) + 1
            if at == 0:
                return


def no_rows(_table: Prefixes) -> Rows:
    """The rows to try for what has no prefix, when errors count for nothing."""
    return ()


def all_rows(table: Prefixes) -> Rows:
    """The rows to try for what has no prefix, when each of them may end in an error."""
    return _in_order(row for rows in table.values() for row in rows)


def _prefix_level(prefixes: Sequence[str]) -> Level:
    last = {prefix[-1:] for prefix in prefixes}
    delimiter = last.pop() if len(last) == 1 else ""
    if delimiter:
        shortest = min(map(len, prefixes))
        start = _common(min(prefixes), max(prefixes))[: shortest - 1].rfind(delimiter) + 1
        cuts = sorted({prefix.count(delimiter, start) for prefix in prefixes})
        if len(cuts) <= len({len(prefix) for prefix in prefixes}):
            return Level(PREFIX, delimiter=delimiter, start=start, cuts=tuple(cuts))
    return Level(PREFIX, cuts=tuple(sorted({len(prefix) for prefix in prefixes})))


def _common(one: str, other: str) -> str:
    """What two texts begin with, and so all texts between them in the order of strings."""
    same = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return one[: min(len(one), len(other)) if same is None else same]


def _prefix_key(_level: Level, prefix: str) -> Iterable[Key]:
    return (prefix,)


# Ranges


class Buckets(dict[int, Any]):
    """Rows by the buckets of numbers that their ranges cover.

    Attributes:
        wide: the rows of ranges that are too wide for that.
    """

    __slots__ = ("_shift", "wide")

    def __init__(self, level: Level, rows: dict[Any, Any]) -> None:
        self.wide: Rows = rows.pop(APART, ())
        super().__init__(rows)
        self._shift = level.shift
        if self.wide:
            self.update((bucket, tuple(_in_order((*found, *self.wide)))) for bucket, found in rows.items())

    def find(self, value: Value) -> Rows:
        """The rows whose range may hold a value that is no int; none for what is no number."""
        kind = type(value)
        if kind in _NO_NUMBERS:
            return ()
        whole = floor(value) if kind is float and -EXACT < value < EXACT else floor(exact(value))
        found: Rows = self.get(whole >> self._shift, self.wide)
        return found


_NO_NUMBERS: Final = frozenset({str, bool, type(None), list, dict, Set})
"""A range has two bounds that are numbers: everything else is below or above both."""


def _range_level(ranges: Sequence[Bounds]) -> Level:
    usual = median_low([max(0, floor(high) - floor(low)) for low, _, high, _ in ranges])
    return Level(RANGE, shift=usual.bit_length(), wide=WIDE * (usual + 1))


def _range_keys(level: Level, bounds: Bounds) -> Iterable[Key]:
    low, high = floor(bounds[0]), floor(bounds[2])
    return (APART,) if high - low >= level.wide else range(low >> level.shift, (high >> level.shift) + 1)


_SUITED: Final[Mapping[str, Callable[[Any], Level]]] = {PREFIX: _prefix_level, RANGE: _range_level}

_KEYS: Final[Mapping[str, Callable[[Level, Any], Iterable[Key]]]] = {
    EQUAL: _key,
    MEMBER: _member_keys,
    HOLDS: _key,
    PREFIX: _prefix_key,
    RANGE: _range_keys,
}

_TABLES: Final[Mapping[str, Callable[[Level, dict[Any, Any]], Any]]] = {
    EQUAL: _plain,
    MEMBER: _plain,
    HOLDS: Holds,
    PREFIX: Prefixes,
    RANGE: Buckets,
}
