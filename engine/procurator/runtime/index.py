"""Tables that find the rules an input can match, among any number of rules of one shape.

A row is what tells one rule from another: its constants. An index gives the rows whose test a value passes, in the order
of the rules: by hash for equality and membership, by bisection for ranges, by the lengths in use for prefixes.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from procurator.runtime.support import members
from procurator.values import Key, Set, Value, compare, key_of

Row = tuple[Any, ...]
Rows = Sequence[Row]

CROWDED: Final = 32
"""Entries per row from which on an index of ranges is not worth its memory."""


def by_key(pairs: Iterable[tuple[Value, Row]]) -> Mapping[Key, Rows]:
    """Rows by the canonical key of the one value each of them admits."""
    table: dict[Key, list[Row]] = {}
    for value, row in pairs:
        table.setdefault(key_of(value), []).append(row)
    return table


def by_member(pairs: Iterable[tuple[Value, Row]]) -> Mapping[Key, Rows]:
    """Rows by the canonical keys of the values each of them admits."""
    table: dict[Key, list[Row]] = {}
    for collection, row in pairs:
        for key in {key_of(value) for value in members(collection)}:
            table.setdefault(key, []).append(row)
    return table


class PrefixIndex:
    """Rows by the prefix that each of them asks for."""

    __slots__ = ("_lengths", "_longest", "_look_up", "_table")

    def __init__(self, pairs: Iterable[tuple[str, Row]]) -> None:
        self._table: dict[str, list[Row]] = {}
        for prefix, row in pairs:
            self._table.setdefault(prefix, []).append(row)
        self._lengths = sorted({len(prefix) for prefix in self._table})
        self._longest = self._lengths[-1]
        self._look_up = self._table.get

    def find(self, value: Value) -> Rows:
        """The rows whose prefix a value begins with; none for what is no string."""
        if type(value) is not str:
            return ()
        found: Rows = ()
        look_up = self._look_up
        for length in self._lengths if len(value) >= self._longest else self._lengths_up_to(len(value)):
            rows = look_up(value[:length])
            if rows is not None:
                found = [*found, *rows] if found else rows
        return found

    def _lengths_up_to(self, size: int) -> Sequence[int]:
        return [length for length in self._lengths if length <= size]


Bounds = tuple[Value, bool, Value, bool]
"""Lower bound, whether it is admitted, upper bound, whether it is admitted."""


class RangeIndex:
    """Rows by the range of numbers that each of them admits."""

    __slots__ = ("_bounds", "_segments")

    def __init__(self, pairs: Sequence[tuple[Bounds, Row]]) -> None:
        self._bounds = sorted({bound for (low, _, high, _), _ in pairs for bound in (low, high)})
        place = {bound: number for number, bound in enumerate(self._bounds)}
        # Segment 2 i lies below bound i, segment 2 i + 1 is the bound itself.
        self._segments: list[list[Row]] = [[] for _ in range(2 * len(self._bounds) + 1)]
        for (low, with_low, high, with_high), row in pairs:
            first = 2 * place[low] + (1 if with_low else 2)
            last = 2 * place[high] + (1 if with_high else 0)
            for segment in range(first, last + 1):
                self._segments[segment].append(row)

    @staticmethod
    def is_worth_it(bounds: Sequence[Bounds]) -> bool:
        """Whether the ranges overlap little enough for a list of rows for each segment."""
        points = sorted({bound for low, _, high, _ in bounds for bound in (low, high)})
        place = {bound: number for number, bound in enumerate(points)}
        entries = sum(2 * (place[high] - place[low]) + 1 for low, _, high, _ in bounds)
        return entries <= CROWDED * len(bounds)

    def find(self, value: Value) -> Rows:
        """The rows whose range holds a value; none for what is no number, for it is below or above all numbers."""
        if type(value) is not int and type(value) is not float:
            return () if type(value) in _NO_NUMBERS else self._find_exact(value)
        bounds = self._bounds
        place = bisect_left(bounds, value)
        if place < len(bounds) and bounds[place] == value:
            return self._segments[2 * place + 1]
        return self._segments[2 * place]

    def _find_exact(self, value: Value) -> Rows:
        for place, bound in enumerate(self._bounds):
            order = compare(value, bound)
            if order <= 0:
                return self._segments[2 * place + (1 if order == 0 else 0)]
        return ()


_NO_NUMBERS: Final = frozenset({str, bool, type(None), list, dict, Set})

MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "equal": by_key,
    "member": by_member,
    "prefix": PrefixIndex,
    "range": RangeIndex,
}
"""What makes the table of each kind of test."""
