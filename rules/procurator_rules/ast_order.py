"""OPA's order of terms, by which members of sets and keys of objects are sorted: over the JSON form of the tree."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

from procurator_rules.nodes import Number

Key: TypeAlias = Any
"""A tuple that compares as the term does: the rank of the type, then what tells terms of that type apart."""

EXPRESSION: Final = 100


class Order:
    """The keys of terms; those of collections are kept, because what holds a collection asks for its key again."""

    def __init__(self) -> None:
        # With each key its value, which must stay alive for its id to stay its own.
        self._known: dict[int, tuple[Any, Key]] = {}

    def sorted_members(self, members: list[Any]) -> list[Any]:
        """The members of a set in order, each once."""
        found: dict[Key, Any] = {}
        for member in members:
            found.setdefault(self.key(member), member)
        return [found[key] for key in sorted(found)]

    def sorted_pairs(self, pairs: list[Any]) -> list[Any]:
        """The pairs of an object in the order of their keys; equal keys stay as they are."""
        return sorted(pairs, key=lambda pair: self.key(pair[0]))

    def key(self, term: Mapping[str, Any]) -> Key:
        """The key of a term in JSON."""
        rank, payload = RANKS[term["type"]]
        value = term["value"]
        if payload is None:
            return (rank, value)
        if id(value) not in self._known:
            self._known[id(value)] = (value, (rank, payload(self, value)))
        return self._known[id(value)][1]

    def keys(self, terms: Iterable[Mapping[str, Any]]) -> Key:
        """The keys of several terms."""
        return tuple(map(self.key, terms))

    def pairs(self, pairs: Iterable[Iterable[Mapping[str, Any]]]) -> Key:
        """The keys of the pairs of an object."""
        return tuple(map(self.keys, pairs))

    def comprehension(self, parts: Mapping[str, Any]) -> Key:
        """The key of a comprehension: its head, then its body."""
        head = tuple(self.key(parts[name]) for name in ("key", "value", "term") if name in parts)
        return (head, tuple(map(self.expression, parts["body"])))

    def template(self, parts: Mapping[str, Any]) -> Key:
        """The key of a template string."""
        pieces = parts["parts"]
        return (
            parts["multi_line"],
            len(pieces),
            tuple(self.expression(piece) if "terms" in piece else self.key(piece) for piece in pieces),
        )

    def expression(self, expression: Mapping[str, Any]) -> Key:
        """The key of one line of a body; lines that are statements compare by their text."""
        terms = expression["terms"]
        if isinstance(terms, list):
            inner = (2, self.keys(terms))
        elif "value" in terms and "type" in terms:
            inner = (1, self.key(terms))
        else:
            inner = (3, repr(terms))
        return (EXPRESSION, int(expression["index"].text), expression.get("negated", False), inner)


def _decimal(_order: Order, value: Number) -> Decimal:
    return Decimal(value.text)


RANKS: Final[Mapping[str, tuple[int, Callable[[Order, Any], Key] | None]]] = {
    "null": (0, lambda _order, _value: None),
    "boolean": (1, None),
    "number": (2, _decimal),
    "string": (3, None),
    "templatestring": (4, Order.template),
    "var": (5, None),
    "ref": (6, Order.keys),
    "array": (7, Order.keys),
    "object": (8, Order.pairs),
    "set": (9, Order.keys),
    "arraycomprehension": (10, Order.comprehension),
    "objectcomprehension": (11, Order.comprehension),
    "setcomprehension": (12, Order.comprehension),
    "call": (13, Order.keys),
}
"""The rank of each type, and what makes its key; without it the value itself is the key."""
