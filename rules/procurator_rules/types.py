"""The type language: what a term can be, as far as that is known before anything is evaluated.

null  boolean  number  string            scalars
array<string, number>  array[string]     items by position, and the type of all further items
object<a: number>[string: any]           values of constant keys, and the types of all further keys and values
set[number]  set                         members; the empty set
any<number, string>  any                 one of several; anything
(number, string) => boolean              a function

None stands for what is not known yet and is printed `???`. Types that say the same compare equal, and have a total
order in which a union lists its members.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain
from typing import ClassVar, Final, Self, TypeAlias

from procurator_rules import constants
from procurator_rules.constants import Key

Order: TypeAlias = tuple[object, ...]
Pairs: TypeAlias = set[tuple[int, int]]

# Types are cut off where they stop being of use, so that no chain of rules can make one deep or large without end.
MAX_DEPTH: Final = 48
MAX_SIZE: Final = 50_000
MAX_MEMBERS: Final = 128


class Type:
    """What values a term can have. Types are immutable once built.

    Attributes:
        depth: how many levels of types stand inside one another.
        size: how many types it is made of.
        incomplete: whether something inside is not known.
        promised: whether a schema vouches for something inside.
    """

    __slots__ = ("_order", "depth", "incomplete", "promised", "size")
    rank: ClassVar[int]
    name: ClassVar[str]
    depth: int
    size: int
    incomplete: bool
    promised: bool

    def __init__(self, children: Iterable["Type | None"] = ()) -> None:
        depth, size, incomplete, promised = 0, 1, False, False
        for child in children:
            if child is None:
                incomplete = True
                continue
            size += child.size
            depth = max(depth, child.depth)
            incomplete = incomplete or child.incomplete
            promised = promised or child.promised
        self.depth, self.size, self.incomplete, self.promised = depth + 1, size, incomplete, promised
        self._order: Order | None = None

    @property
    def order(self) -> Order:
        """What types are sorted and compared by."""
        if self._order is None:
            self._order = (self.rank, *self._order_of_parts())
        return self._order

    def _order_of_parts(self) -> Order:
        return ()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Type) and self.order == other.order)

    def __hash__(self) -> int:
        return hash(self.order)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return self.name

    def resolved(self) -> "Type":
        """The type itself, or what a reference to a recursive type stands for."""
        return self

    def select(self, _key: Key) -> "Type | None":
        """The type of the value at a constant key; None where there cannot be one."""
        return None

    def keys(self) -> "Type | None":
        """The type of what the collection can be indexed with; None for what is no collection."""
        return None

    def values(self) -> "Type | None":
        """The type of what the collection holds; None for what is no collection."""
        return None

    @property
    def holds_nothing(self) -> bool:
        """Whether it is the type of an empty collection."""
        return False

    def overlaps_alike(self, _other: Self, _assumed: Pairs) -> bool:
        """Whether a value can be of both types, given that the other is of the same class."""
        return True


Inferred: TypeAlias = Type | None


def _order(a: Inferred) -> Order:
    return (-1,) if a is None else a.order


class Null(Type):
    """`null`."""

    __slots__ = ()
    rank = constants.NULL
    name = "null"


class Boolean(Type):
    """`true` or `false`."""

    __slots__ = ()
    rank = constants.BOOLEAN
    name = "boolean"


class Number(Type):
    """A number."""

    __slots__ = ()
    rank = constants.NUMBER
    name = "number"


class String(Type):
    """A string."""

    __slots__ = ()
    rank = constants.STRING
    name = "string"


class Array(Type):
    """An array: the types of its first items, and the type of all items after those, if there can be any."""

    __slots__ = ("dynamic", "static")
    rank = constants.ARRAY
    name = "array"

    def __init__(self, static: Sequence[Inferred] = (), dynamic: Inferred = None) -> None:
        super().__init__((*static, dynamic) if dynamic is not None else static)
        if self.depth > MAX_DEPTH or self.size > MAX_SIZE:
            super().__init__()
            static, dynamic = (), ANY
        self.static: Final = tuple(static)
        self.dynamic: Final = dynamic

    def _order_of_parts(self) -> Order:
        return (() if self.dynamic is None else (self.dynamic.order,), tuple(map(_order, self.static)))

    def __str__(self) -> str:
        return composite(
            self.name, [text(item) for item in self.static], "" if self.dynamic is None else str(self.dynamic)
        )

    def select(self, key: Key) -> Inferred:
        """The item at a position that is a whole number."""
        index = key[1] if key[0] == Number.rank else None
        if not isinstance(index, Decimal) or index < 0 or index != index.to_integral_value():
            return None
        return self.static[int(index)] if index < len(self.static) else self.dynamic

    def keys(self) -> Type:
        """Positions are numbers."""
        return NUMBER

    def values(self) -> Inferred:
        """Any of the items."""
        return union(*self.static, self.dynamic)

    @property
    def holds_nothing(self) -> bool:
        """Whether there are no items at all."""
        return not self.static and self.dynamic is None

    def overlaps_alike(self, other: Self, assumed: Pairs) -> bool:
        """Item by item; further items only count where both can have them."""
        length = max(len(self.static), len(other.static))
        pairs = [(item(self, i), item(other, i)) for i in range(length)]
        if not all(overlaps(a, b, assumed) for a, b in pairs):
            return False
        return self.dynamic is None or other.dynamic is None or overlaps(self.dynamic, other.dynamic, assumed)


def item(array: Array, index: int) -> Inferred:
    """The type of the item at a position."""
    return array.static[index] if index < len(array.static) else array.dynamic


class Object(Type):
    """An object: the types of the values of constant keys, sorted by key, and of all other keys and their values.

    Attributes:
        is_promised: whether a schema vouches that there are no other keys.
    """

    __slots__ = ("_keys", "_values", "by_key", "dynamic", "is_promised", "static")
    rank = constants.OBJECT
    name = "object"

    def __init__(
        self,
        static: Iterable[tuple[Key, Inferred]] = (),
        dynamic: tuple[Inferred, Inferred] | None = None,
        *,
        is_promised: bool = False,
    ) -> None:
        by_key = dict(static)
        super().__init__(chain(by_key.values(), dynamic or ()))
        if self.depth > MAX_DEPTH or self.size > MAX_SIZE:
            super().__init__()
            by_key, dynamic = {}, (ANY, ANY)
        self.by_key: Final = by_key
        self.is_promised: Final = is_promised
        self.promised = self.promised or is_promised
        self.static: Final = tuple(sorted(by_key.items(), key=_key_of_property))
        self.dynamic: Final = dynamic
        self._keys: Inferred = None
        self._values: Inferred = None

    def _order_of_parts(self) -> Order:
        dynamic = () if self.dynamic is None else (_order(self.dynamic[0]), _order(self.dynamic[1]))
        return (dynamic, tuple((key, _order(value)) for key, value in self.static))

    def __str__(self) -> str:
        properties = [f"{constants.bare(key)}: {text(value)}" for key, value in self.static]
        dynamic = "" if self.dynamic is None else f"{text(self.dynamic[0])}: {text(self.dynamic[1])}"
        return composite(self.name, properties, dynamic)

    def select(self, key: Key) -> Inferred:
        """The value of a known key, else that of all others."""
        if key in self.by_key:
            return self.by_key[key]
        if self.dynamic is not None and contains(self.dynamic[0], type_of_key(key)):
            return self.dynamic[1]
        return None

    def keys(self) -> Inferred:
        """Any of the keys."""
        if self._keys is None:
            self._keys = union(*(type_of_key(key) for key in self.by_key), self.dynamic and self.dynamic[0])
        return self._keys

    def values(self) -> Inferred:
        """Any of the values."""
        if self._values is None:
            self._values = union(*self.by_key.values(), self.dynamic and self.dynamic[1])
        return self._values

    @property
    def holds_nothing(self) -> bool:
        """Whether it cannot have any key."""
        return not self.static and self.dynamic is None

    def overlaps_alike(self, other: Self, assumed: Pairs) -> bool:
        """Key by key: a key that only one has does not matter where either can have more keys than are listed."""
        mine, theirs = (one.dynamic[1] if one.dynamic else None for one in (self, other))
        closed = mine is None and theirs is None
        return (
            all(self._fits(key, value, other, closed, assumed) for key, value in self.by_key.items())
            and all(
                other._fits(key, value, self, closed, assumed)
                for key, value in other.by_key.items()
                if key not in self.by_key
            )
            and (mine is None or theirs is None or overlaps(mine, theirs, assumed))
        )

    def _fits(self, key: Key, value: Inferred, other: "Object", closed: bool, assumed: Pairs) -> bool:
        theirs = other.select(key)
        return not closed if theirs is None else overlaps(value, theirs, assumed)


def _key_of_property(item: tuple[Key, Inferred]) -> Key:
    return item[0]


class Set(Type):
    """A set; without a type of members the empty set."""

    __slots__ = ("of",)
    rank = constants.SET
    name = "set"

    def __init__(self, of: Inferred = None) -> None:
        super().__init__((of,))
        if self.depth > MAX_DEPTH or self.size > MAX_SIZE:
            of = ANY
            super().__init__((of,))
        self.of: Final = of

    def _order_of_parts(self) -> Order:
        return () if self.of is None else (self.of.order,)

    def __str__(self) -> str:
        return "set" if self.of is None else f"set[{self.of}]"

    def select(self, key: Key) -> Inferred:
        """The member itself."""
        member = type_of_key(key)
        if self.of == member:
            return self.of
        return member if isinstance(self.of, Union) and contains(self.of, member) else None

    def keys(self) -> Inferred:
        """A set is indexed with its members."""
        return self.of

    def values(self) -> Inferred:
        """The members."""
        return self.of

    @property
    def holds_nothing(self) -> bool:
        """Whether it is the empty set."""
        return self.of is None

    def overlaps_alike(self, other: Self, assumed: Pairs) -> bool:
        """By their members; the empty set is a set of everything."""
        return self.of is None or other.of is None or overlaps(self.of, other.of, assumed)


class Union(Type):
    """One of several types, sorted; without members any type at all."""

    __slots__ = ("of",)
    rank = 7
    name = "any"

    def __init__(self, of: Sequence[Type] = ()) -> None:
        super().__init__(of)
        self.incomplete = False
        self.of: Final = tuple(of)

    def _order_of_parts(self) -> Order:
        return (tuple(member.order for member in self.of),)

    def __str__(self) -> str:
        return f"any<{', '.join(map(str, self.of))}>" if self.of else "any"

    def select(self, key: Key) -> Inferred:
        """Whatever the members that have the key hold there."""
        return union(*(member.resolved().select(key) for member in self.of)) if self.of else ANY

    def keys(self) -> Inferred:
        """The keys of the members that are collections."""
        return union(*(member.resolved().keys() for member in self.of)) if self.of else ANY

    def values(self) -> Inferred:
        """What the members that are collections hold."""
        return union(*(member.resolved().values() for member in self.of)) if self.of else ANY

    def contains(self, other: Type) -> bool:
        """Whether the type is one of the members."""
        if not self.of:
            return not isinstance(other, Function)
        at = bisect_left(self.of, other.order, key=_order)
        return at < len(self.of) and self.of[at] == other


class Function(Type):
    """A function: parameters, further parameters of one type, and result; None as the result of what yields nothing.

    Attributes:
        labels: the documented names of the parameters and then the result, empty where one has none.
    """

    __slots__ = ("args", "labels", "result", "variadic")
    rank = 8
    name = "function"

    def __init__(
        self,
        args: Sequence[Inferred],
        result: Inferred = None,
        variadic: Inferred = None,
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__((*args, result))
        self.args: Final = tuple(args)
        self.result: Final = result
        self.variadic: Final = variadic
        self.labels: Final = tuple(labels)

    def _order_of_parts(self) -> Order:
        return (len(self.args), tuple(map(_order, self.args)), _order(self.result), _order(self.variadic))

    def __str__(self) -> str:
        return f"{parameters(self.args, self.variadic)} => {text(self.result)}"

    def overlaps_alike(self, other: Self, assumed: Pairs) -> bool:
        """Whether one can replace the other: the parameters overlap one by one."""
        if len(self.args) != len(other.args):
            return False
        return all(overlaps(a, b, assumed) for a, b in zip(self.args, other.args, strict=True))


class Recursive(Type):
    """A reference to a type from within itself, as recursive schemas have them."""

    __slots__ = ("label", "target")
    rank = -1
    name = "recursive"

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label: Final = label
        self.target: Type = ANY

    def _order_of_parts(self) -> Order:
        return (self.label,)

    def __str__(self) -> str:
        return f"recursive({self.label})"

    def resolved(self) -> Type:
        """The type it refers to."""
        return self.target

    def select(self, key: Key) -> Inferred:
        """As the type referred to."""
        return self.target.select(key)

    def keys(self) -> Inferred:
        """As the type referred to."""
        return self.target.keys()

    def values(self) -> Inferred:
        """As the type referred to."""
        return self.target.values()

    @property
    def holds_nothing(self) -> bool:
        """As the type referred to."""
        return self.target.holds_nothing


NULL: Final = Null()
BOOLEAN: Final = Boolean()
NUMBER: Final = Number()
STRING: Final = String()
ANY: Final = Union()

SCALARS: Final[Mapping[str, Type]] = {kind.name: kind for kind in (NULL, BOOLEAN, NUMBER, STRING)}


def text(a: Inferred) -> str:
    """The type as it is printed, `???` for what is not known."""
    return "???" if a is None else str(a)


def composite(name: str, static: Sequence[str], dynamic: str) -> str:
    """`name<static>[dynamic]`."""
    return f"{name}{'<' + ', '.join(static) + '>' if static else ''}{'[' + dynamic + ']' if dynamic else ''}"


def parameters(args: Iterable[Inferred], variadic: Inferred = None) -> str:
    """`(a, b, c...)`."""
    further = [] if variadic is None else [f"{variadic}..."]
    return f"({', '.join([*map(text, args), *further])})"


def unknown(a: Inferred) -> bool:
    """Whether the type, or something inside it, is not known."""
    return a is None or a.incomplete


def contains(a: Inferred, b: Type) -> bool:
    """Whether a is the same as b or a union with b in it."""
    return a.contains(b) if isinstance(a, Union) else a == b


def union(*types: Inferred) -> Inferred:
    """The type of what is of one of the types; None adds nothing. A function has no union with another type."""
    known = [a for a in types if a is not None]
    if len(known) < 2:
        return known[0] if known else None
    if any(isinstance(a, Function) for a in known):
        return _union_of_functions(known)
    members: dict[Type, Type] = {}
    for a in known:
        parts = a.of if isinstance(a, Union) else (a,)
        if not parts:
            return ANY
        for part in parts:
            members.setdefault(part, part)
    if len(members) == 1:
        return next(iter(members))
    return ANY if len(members) > MAX_MEMBERS else Union(sorted(members, key=_order))


def _union_of_functions(types: Sequence[Type]) -> Inferred:
    result = types[0]
    for other in types[1:]:
        if not isinstance(result, Function) or not isinstance(other, Function) or len(result.args) != len(other.args):
            return None
        args = [union(a, b) for a, b in zip(result.args, other.args, strict=True)]
        result = Function(args, union(result.result, other.result), union(result.variadic, other.variadic))
    return result


def overlaps(a: Inferred, b: Inferred, assumed: Pairs | None = None) -> bool:
    """Whether a value can be of both types; what is not known overlaps with nothing.

    Args:
        a: a type.
        b: another type.
        assumed: pairs of recursive types that are being compared further out.
    """
    if a is None or b is None:
        return False
    if a is b:
        return True
    assumed = set() if assumed is None else assumed
    if isinstance(a, Recursive) or isinstance(b, Recursive):
        if (id(a), id(b)) in assumed:
            return True
        assumed.add((id(a), id(b)))
        a, b = a.resolved(), b.resolved()
    if isinstance(a, Union) or isinstance(b, Union):
        return _member_overlaps(a, b, assumed) or _member_overlaps(b, a, assumed)
    return type(a) is type(b) and a.overlaps_alike(b, assumed)


def _member_overlaps(a: Type, b: Type, assumed: Pairs) -> bool:
    if not isinstance(a, Union) or isinstance(b, Function):
        return False
    return not a.of or any(overlaps(member, b, assumed) for member in a.of)


def type_of_key(key: Key) -> Type:
    """The type of a constant key."""
    kind, value = key
    if not isinstance(value, tuple):
        return _SCALAR_OF_KEY[kind]
    if kind == constants.OBJECT:
        return Object((name, type_of_key(held)) for name, held in zip(value[::2], value[1::2], strict=True))
    return Array([type_of_key(part) for part in value])


_SCALAR_OF_KEY: Final[Mapping[int, Type]] = {kind.rank: kind for kind in SCALARS.values()}
