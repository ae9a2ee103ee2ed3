"""Sets: `&`, `|`, `intersection`, `union`, `set_diff`; `-` stands with arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins.operands import set_
from procurator.values import EMPTY_SET, Key, Set, Value


def and_(a: Value, b: Value) -> Set:
    """`a & b`."""
    return set_(a, 1).intersection(set_(b, 2))


def or_(a: Value, b: Value) -> Set:
    """`a | b`."""
    return set_(a, 1).union(set_(b, 2))


def difference(a: Value, b: Value) -> Set:
    """Members of a that are not in b."""
    return set_(a, 1).difference(set_(b, 2))


def intersection(sets: Value) -> Set:
    """Members that all the sets of a set share; none when there are no sets."""
    first, *others = [set_(member, 1) for member in set_(sets, 1)] or [EMPTY_SET]
    for other in others:
        first = first.intersection(other)
    return first


def union(sets: Value) -> Set:
    """Members of any of the sets of a set."""
    items: dict[Key, Value] = {}
    for member in set_(sets, 1):
        items |= set_(member, 1).items
    return Set.of(items)


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "and": and_,
    "intersection": intersection,
    "or": or_,
    "set_diff": difference,
    "union": union,
}
