"""The types of documents by path: what rules make, what schemas say, what modifiers replace."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from procurator_rules import constants
from procurator_rules.checks.rule_tree import Key
from procurator_rules.constants import Key as Constant
from procurator_rules.types import ANY, MAX_DEPTH, STRING, Inferred, Object, Set, Type, Union, type_of_key, union

PROPERTY_KINDS: Final = frozenset({constants.STRING, constants.NUMBER, constants.BOOLEAN})
"""The kinds of keys that the type of a place lists one by one."""


class Place:
    """One place in a tree of documents.

    Attributes:
        type: what the document here is; None where only those below are known.
        children: the places below.
    """

    __slots__ = ("_extent", "children", "type")

    def __init__(self) -> None:
        self.type: Inferred = None
        self.children: dict[Key, Place] = {}
        self._extent: Type | None = None

    def at(self, path: tuple[Key, ...]) -> "Place":
        """The place at a path below, made if it is missing."""
        place = self
        place._extent = None
        for key in path:
            below = place.children.get(key)
            if below is None:
                below = place.children[key] = Place()
            place = below
            place._extent = None
        return place

    def put(self, path: tuple[Key, ...], one: Inferred) -> None:
        """Say what the document at a path is."""
        self.at(path).type = one

    def add(self, path: tuple[Key, ...], one: Type) -> None:
        """Say what a rule contributes to the document at a path; objects further up and below take it in."""
        place = self
        for i, key in enumerate(path):
            if place.type is not None:
                place.type = _inserted(place.type, path[i:], one)
            place = place.at((key,))
        place.type = merge(place.type, one)
        whole = place.type.resolved() if place.type is not None else None
        if isinstance(one.resolved(), Object) and isinstance(whole, Object) and place.children:
            for below, inner in place.leaves():
                whole = _into_object(whole, below, inner)
            place.type = whole

    def leaves(self) -> Iterator[tuple[tuple[Key, ...], Type]]:
        """The places below that have a type and none further up has, with their paths."""
        waiting: list[tuple[tuple[Key, ...], Place]] = [((key,), below) for key, below in self.children.items()]
        while waiting:
            path, place = waiting.pop()
            if place.type is not None:
                yield path, place.type
            else:
                waiting += [((*path, key), below) for key, below in place.children.items()]

    def extent(self, depth: int = 0) -> Type:
        """The type of the document here; where it is made of those below there can be more beside them."""
        if self.type is not None:
            return self.type
        if depth > MAX_DEPTH:
            return ANY
        if self._extent is None:
            properties = [(constant_of(key), below.extent(depth + 1)) for key, below in self.children.items()]
            known = [(key, below) for key, below in properties if key[0] in PROPERTY_KINDS]
            self._extent = Object(known, (STRING, ANY))
        return self._extent

    def constants(self) -> list[Constant]:
        """The keys of the places below."""
        return [constant_of(key) for key in self.children]


_KINDS: Final[Mapping[str, int]] = {
    "number": constants.NUMBER,
    "boolean": constants.BOOLEAN,
    "null": constants.NULL,
}


def constant_of(key: Key) -> Constant:
    """The constant that a part of a path stands for."""
    if isinstance(key, str):
        return (constants.STRING, key)
    kind, written = _KINDS[key[0]], key[1]
    if kind == constants.NUMBER:
        return (kind, Decimal(written))
    return (kind, written == "True") if kind == constants.BOOLEAN else (kind, None)


def _inserted(whole: Type, path: tuple[Key, ...], one: Type) -> Type:
    resolved = whole.resolved()
    return _into_object(resolved, path, one) if isinstance(resolved, Object) else whole


def _into_object(whole: Object, path: tuple[Key, ...], one: Type) -> Object:
    """An object that can also have a document at a path."""
    inner = one
    for key in reversed(path[1:]):
        inner = Object((), (type_of_key(constant_of(key)), inner))
    keys, values = whole.dynamic or (None, None)
    return Object(whole.static, (union(keys, type_of_key(constant_of(path[0]))), union(values, inner)))


def merge(a: Inferred, b: Inferred) -> Inferred:
    """The type of a document that several rules contribute to: their sets and objects become one."""
    if a is None or b is None:
        return b if a is None else a
    a, b = a.resolved(), b.resolved()
    if isinstance(a, Union) and not isinstance(b, Union):
        a, b = b, a
    if isinstance(a, Set) and isinstance(b, Set):
        return Set(union(a.of, b.of))
    if isinstance(a, Object) and not a.static:
        if isinstance(b, Object) and not b.static:
            return _merge_open_objects(a, b)
        if isinstance(b, Union) and a.dynamic is not None:
            return _merge_into_union(a.dynamic, b) or union(a, b)
    return union(a, b)


def _merge_open_objects(a: Object, b: Object) -> Object:
    if a.dynamic is None or b.dynamic is None:
        return b if a.dynamic is None else a
    return Object((), (union(a.dynamic[0], b.dynamic[0]), merge(a.dynamic[1], b.dynamic[1])))


def _merge_into_union(dynamic: tuple[Inferred, Inferred], members: Union) -> Inferred:
    for member in members.of:
        if isinstance(member, Object) and not member.static and member.dynamic is not None:
            merged = Object((), (union(member.dynamic[0], dynamic[0]), union(member.dynamic[1], dynamic[1])))
            return union(*(other for other in members.of if other is not member), merged)
    return None


def nested(keys: tuple[Inferred, ...], value: Inferred) -> Inferred:
    """Objects in one another, a key of each level given; None if something is not known."""
    for key in reversed(keys):
        if key is None or value is None:
            return None
        value = Object((), (key, value))
    return value
