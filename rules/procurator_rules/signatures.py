"""What each built-in function takes and gives: read from the capabilities when first asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from procurator_rules.capabilities import Capabilities, Declaration
from procurator_rules.constants import key_of
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.types import SCALARS, Array, Function, Inferred, Object, Set, Type, Union, union


@dataclass(frozen=True, slots=True)
class Signature:
    """A built-in function.

    Attributes:
        name: the dotted name it is called by.
        type: its parameters and result.
        infix: the operator it can be written as, else empty.
        relation: whether one call can have several results.
        deprecated: whether Rego v1 refuses it.
        nondeterministic: whether the same arguments can give another result.
    """

    name: str
    type: Function
    infix: str = ""
    relation: bool = False
    deprecated: bool = False
    nondeterministic: bool = False

    @property
    def arity(self) -> int:
        """How many arguments it takes, further ones of a variadic function not counted."""
        return len(self.type.args)


class Signatures(Mapping[str, Signature]):
    """The signatures that capabilities declare, by name; each is read once, when it is looked up."""

    def __init__(self, declarations: Mapping[str, Declaration]) -> None:
        self._declarations = declarations
        self._read: dict[str, Signature] = {}

    def __getitem__(self, name: str) -> Signature:
        signature = self._read.get(name)
        if signature is None:
            signature = self._read[name] = _signature(name, self._declarations[name])
        return signature

    def __contains__(self, name: object) -> bool:
        return name in self._declarations

    def __iter__(self) -> Iterator[str]:
        return iter(self._declarations)

    def __len__(self) -> int:
        return len(self._declarations)


@lru_cache(maxsize=16)
def signatures_of(capabilities: Capabilities) -> Signatures:
    """The signatures of the built-in functions that capabilities allow."""
    return Signatures(capabilities.builtins)


def _signature(name: str, declaration: Declaration) -> Signature:
    infix = declaration.get("infix")
    try:
        decl = type_from_json(declaration.get("decl"))
    except (RecursionError, TypeError) as error:
        raise _illegal(name) from error
    if not isinstance(decl, Function):
        raise _illegal(name)
    return Signature(
        name,
        decl,
        infix if isinstance(infix, str) else "",
        relation=declaration.get("relation") is True,
        deprecated=declaration.get("deprecated") is True,
        nondeterministic=declaration.get("nondeterministic") is True,
    )


def _illegal(name: str) -> PolicyError:
    return PolicyError(PARSE, f"illegal capabilities: the decl of {name} is not the type of a function")


def type_from_json(declaration: object) -> Type:
    """A type from OPA's JSON notation, such as `{"type": "array", "dynamic": {"type": "string"}}`.

    Raises:
        TypeError: it is not in the notation.
    """
    if not isinstance(declaration, Mapping):
        raise TypeError(f"not a type: {declaration!r}")
    read = _READERS.get(declaration.get("type"))
    if read is None:
        raise TypeError(f"unsupported type {declaration.get('type')!r}")
    return read(declaration)


def _optional(declaration: object) -> Inferred:
    return None if declaration is None else type_from_json(declaration)


def _list(declaration: Mapping[str, object], key: str) -> list[object]:
    value = declaration.get(key) or []
    if not isinstance(value, list):
        raise TypeError(f"{key} is not a list: {value!r}")
    return value


def _array(declaration: Mapping[str, object]) -> Type:
    return Array([type_from_json(item) for item in _list(declaration, "static")], _optional(declaration.get("dynamic")))


def _object(declaration: Mapping[str, object]) -> Type:
    properties = [_property(entry) for entry in _list(declaration, "static")]
    dynamic = declaration.get("dynamic")
    return Object(((key_of(key), value) for key, value in properties), _property_types(dynamic))


def _property(entry: object) -> tuple[object, Type]:
    if not isinstance(entry, Mapping):
        raise TypeError(f"not a property: {entry!r}")
    return entry.get("key"), type_from_json(entry.get("value"))


def _property_types(entry: object) -> tuple[Type, Type] | None:
    if entry is None:
        return None
    if not isinstance(entry, Mapping):
        raise TypeError(f"not a property: {entry!r}")
    return type_from_json(entry.get("key")), type_from_json(entry.get("value"))


def _any(declaration: Mapping[str, object]) -> Type:
    return union(*(type_from_json(member) for member in _list(declaration, "of"))) or Union()


def _function(declaration: Mapping[str, object]) -> Type:
    args, result = _list(declaration, "args"), declaration.get("result")
    return Function(
        [type_from_json(arg) for arg in args],
        _optional(result),
        _optional(declaration.get("variadic")),
        tuple(map(_label, [*args, result])),
    )


def _label(declaration: object) -> str:
    name = declaration.get("name") if isinstance(declaration, Mapping) else None
    return name if isinstance(name, str) else ""


def _scalar(declaration: Mapping[str, object]) -> Type:
    return SCALARS[str(declaration["type"])]


_READERS: Final[Mapping[object, Callable[[Mapping[str, object]], Type]]] = {
    **dict.fromkeys(SCALARS, _scalar),
    "array": _array,
    "object": _object,
    "set": lambda declaration: Set(_optional(declaration.get("of"))),
    "any": _any,
    "function": _function,
}
