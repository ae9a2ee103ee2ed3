"""Arrays: `array.concat`, `array.flatten`, `array.reverse`, `array.slice`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from procurator.builtins.operands import array, integer
from procurator.values import Value


def concat(a: Value, b: Value) -> list[Value]:
    """The elements of both arrays."""
    return array(a, 1) + array(b, 2)


def flatten(value: Value) -> list[Value]:
    """The array with the arrays in it replaced by their elements, one level deep."""
    flat: list[Value] = []
    for item in array(value, 1):
        if isinstance(item, list):
            flat += item
        else:
            flat.append(item)
    return flat


def reverse(value: Value) -> list[Value]:
    """The elements from last to first."""
    return array(value, 1)[::-1]


def slice_(value: Value, start: Value, stop: Value) -> list[Value]:
    """The elements from `start` up to but without `stop`; both are clamped to the array."""
    items = array(value, 1)
    return items[max(integer(start, 2), 0) : max(integer(stop, 3), 0)]


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "array.concat": concat,
    "array.flatten": flatten,
    "array.reverse": reverse,
    "array.slice": slice_,
}
