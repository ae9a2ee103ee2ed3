"""What is known of the values in base documents: code for known shapes needs no guards.

Shapes are taken from the data when it is bound; data of another shape gets code of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from procurator.values import UNDEFINED, Value

MAX_DEPTH: Final = 6
MAX_FIELDS: Final = 40
"""Objects with more keys are maps rather than records: only what their values have in common is kept."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a value.

    Attributes:
        kind: str, list, dict, or any; int for constants of rules alone.
        member: of a list's elements or a dict's values.
        fields: keys that are always there, and what their values have.
    """

    kind: str
    member: Shape | None = None
    fields: tuple[tuple[str, Shape], ...] = ()

    def field(self, name: str) -> Shape | None:
        """The shape of a value that is certain to be there."""
        return next((shape for key, shape in self.fields if key == name), None)


ANY: Final = Shape("any")
STRING: Final = Shape("str")
INTEGER: Final = Shape("int")

EXACT: Final = 1 << 53
"""Integers from here on may equal a float that Python takes for another number."""


def is_exact_integer(value: Value) -> bool:
    """Whether Python compares a value with floats as Rego does."""
    return type(value) is int and -EXACT < value < EXACT


def shape_of(value: Value, depth: int = MAX_DEPTH) -> Shape:
    """The shape of a base document; every key of a dict shape is a string."""
    kind = type(value)
    if kind is str:
        return STRING
    if depth == 0:
        return ANY
    if kind is list:
        return Shape("list", _common(shape_of(item, depth - 1) for item in value))
    if kind is dict and all(type(key) is str for key in value):
        if len(value) <= MAX_FIELDS:
            fields = tuple((key, shape_of(item, depth - 1)) for key, item in value.items())
            return Shape("dict", _common(shape for _, shape in fields), tuple(sorted(fields, key=lambda pair: pair[0])))
        return Shape("dict", _common(shape_of(item, depth - 1) for item in value.values()))
    return ANY


def _common(shapes: Iterable[Shape]) -> Shape:
    """What all of several shapes have."""
    common: Shape | None = None
    for shape in shapes:
        common = shape if common is None or common is shape else joined(common, shape)
        if common is ANY:
            return ANY
    return ANY if common is None else common


def joined(one: Shape, other: Shape) -> Shape:
    """What is true of values of either shape."""
    if one == other:
        return one
    if one.kind != other.kind or one.kind == "any":
        return ANY
    member = None if one.member is None or other.member is None else joined(one.member, other.member)
    others = dict(other.fields)
    fields = tuple((key, joined(shape, others[key])) for key, shape in one.fields if key in others)
    return Shape(one.kind, member, fields)


def shapes_of(data: Value, paths: Iterable[tuple[str, ...]]) -> Mapping[tuple[str, ...], Shape]:
    """The shapes of the base documents at some paths."""
    return {path: _at(data, path) for path in paths}


def _at(data: Any, path: tuple[str, ...]) -> Shape:
    for name in path:
        data = data.get(name, UNDEFINED) if isinstance(data, dict) else UNDEFINED
    return shape_of(data)
