"""What is known of the types of variables, documents and terms at one point of a rule."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules import types
from procurator_rules.checks.rule_tree import key_of
from procurator_rules.checks.type_places import Place, constant_of
from procurator_rules.constants import ARRAY, OBJECT, Key
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Boolean,
    Call,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    String,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.types import Inferred, union

SCALARS: Final[Mapping[type, types.Type]] = {
    Null: types.NULL,
    Boolean: types.BOOLEAN,
    Number: types.NUMBER,
    String: types.STRING,
}


def scalar_type(term: Term) -> types.Type:
    """The type of a null, boolean, number or string."""
    return SCALARS[type(term)]


def constant_key(term: Term) -> Key | None:
    """The constant that a term is, sets as arrays; None for a term with something to evaluate in it."""
    if type(term) in SCALARS:
        key = key_of(term)
        return None if key is None else constant_of(key)
    if isinstance(term, Object):
        pairs = sorted([(constant_key(key), constant_key(value)) for key, value in term.items], key=_first)
        return _keys(OBJECT, [part for pair in pairs for part in pair])
    if isinstance(term, Array | SetTerm):
        items = [constant_key(item) for item in term.items]
        return _keys(ARRAY, items if isinstance(term, Array) else _sorted(items))
    return None


def _keys(kind: int, parts: list[Key | None]) -> Key | None:
    known = tuple(part for part in parts if part is not None)
    return (kind, known) if len(known) == len(parts) else None


def _sorted(parts: list[Key | None]) -> list[Key | None]:
    return sorted(parts, key=lambda part: part or (-1, None))


def _first(pair: tuple[Key | None, Key | None]) -> Key:
    return pair[0] or (-1, None)


class TypeScope:
    """The types known so far.

    Attributes:
        roots: trees of the documents that `data` and `input` stand for, what hides others first.
        frames: the types of variables by name; a body inside a term has a frame of its own, the innermost last.
        known: the types of references, calls and comprehensions that have been looked at, by identity.
    """

    def __init__(self, documents: Place) -> None:
        self.roots: tuple[Place, ...] = (documents,)
        self.frames: list[dict[str, types.Type]] = [{}]
        self.known: dict[int, Inferred] = {}
        self._types: Final[Mapping[type, Callable[[Any], Inferred]]] = {
            **dict.fromkeys(SCALARS, scalar_type),
            TemplateString: lambda _: types.STRING,
            Var: lambda node: self.variable(node.name),
            Array: lambda node: types.Array([self.type_of(item) for item in node.items]),
            Object: self._object,
            SetTerm: lambda node: types.Set(union(*[self.type_of(item) for item in node.items])),
            **dict.fromkeys((Ref, Call, ArrayComprehension, SetComprehension, ObjectComprehension), self._known),
        }

    def variable(self, name: str) -> Inferred:
        """The type of a variable."""
        for frame in reversed(self.frames):
            if name in frame:
                return frame[name]
        return None

    def assign(self, name: str, one: Inferred) -> None:
        """Say what type a variable has."""
        if one is not None:
            self.frames[-1][name] = one

    def type_of(self, node: Term) -> Inferred:
        """The type of a term all of whose parts have been looked at."""
        return self._types[type(node)](node)

    def _known(self, node: Term) -> Inferred:
        return self.known.get(id(node))

    def _object(self, node: Object) -> Inferred:
        return object_type([(key, self.type_of(key), self.type_of(value)) for key, value in node.items])


def object_type(pairs: list[tuple[Term, Inferred, Inferred]]) -> types.Type:
    """The type of an object of keys, their types and the types of the values."""
    static: list[tuple[Key, Inferred]] = []
    dynamic: tuple[Inferred, Inferred] | None = None
    for term, key, value in pairs:
        constant = constant_key(term)
        if constant is not None:
            static.append((constant, value))
        else:
            dynamic = (key, value) if dynamic is None else (union(dynamic[0], key), union(dynamic[1], value))
    return types.Object(static, dynamic)
