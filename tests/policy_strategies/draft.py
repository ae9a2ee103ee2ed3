"""The state of a policy under construction.

Terms go by a rough type, so that what is drawn mostly passes the checks: `number`, `string` and so on are what type
inference would say, `any` is what comes from input and data, and `opaque` has a type that nothing here keeps track of.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

KEYS = ("a", "b", "c")
STRINGS = ("a", "b", "ab", "", "1")
NUMBERS = (0, 1, 2, 3, 1.5, -1)
SCALARS = (*STRINGS, *NUMBERS, True, False, None)

CONSTANTS: Mapping[str, Sequence[Any]] = {
    "number": NUMBERS,
    "string": STRINGS,
    "boolean": (True, False),
    "opaque": SCALARS,
}


@dataclass(slots=True)
class Scope:
    """The variables that are bound at a place, with their rough types."""

    names: dict[str, str] = field(default_factory=dict)

    def nested(self) -> Scope:
        """The scope of a body inside: what it binds stays there."""
        return Scope(dict(self.names))

    def of(self, *kinds: str) -> list[str]:
        """The variables of these types."""
        return [name for name, kind in self.names.items() if kind in kinds]


@dataclass(frozen=True, slots=True)
class RuleName:
    """A rule that later rules may refer to.

    Attributes:
        kind: the rough type of its value.
        arity: of a function; None for anything else.
    """

    name: str
    kind: str
    arity: int | None = None


@dataclass
class Draft:
    """A policy under construction.

    Attributes:
        draw: draws from a strategy.
        body: makes the lines of a body, at the most so many.
        rules: what may be referred to; only rules that are finished, so there is no recursion.
        logical: whether the module has the keywords `and`, `or` and bodies of `not`.
    """

    draw: Callable[..., Any]
    body: Callable[[Draft, Scope, int, int], list[str]]
    rules: list[RuleName] = field(default_factory=list)
    logical: bool = False
    _names: int = 0

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; the first is the simplest."""
        return options[self.draw(st.integers(0, len(options) - 1))] if len(options) > 1 else options[0]

    def chance(self, one_in: int) -> bool:
        """True once in a while."""
        return bool(self.draw(st.integers(0, one_in - 1)) == one_in - 1)

    def count(self, low: int, high: int) -> int:
        """A number of things."""
        return int(self.draw(st.integers(low, high)))

    def fresh(self, prefix: str = "v") -> str:
        """A name that nothing has yet."""
        self._names += 1
        return f"{prefix}{self._names}"

    def constant(self, kind: str) -> str:
        """A scalar as source."""
        return json.dumps(self.pick(CONSTANTS[kind]))

    def documents(self) -> list[RuleName]:
        """The rules that are no functions."""
        return [rule for rule in self.rules if rule.arity is None]

    def functions(self) -> list[RuleName]:
        """The rules that are functions."""
        return [rule for rule in self.rules if rule.arity is not None]


def documents(depth: int = 2) -> st.SearchStrategy[Any]:
    """JSON documents over a small vocabulary."""
    scalars = st.sampled_from(SCALARS)
    inner = scalars
    for _ in range(depth):
        inner = st.one_of(
            scalars,
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
        )
    return inner


def objects() -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which most of the keys that policies look up are there."""
    return st.fixed_dictionaries({"a": documents(), "b": documents()}, optional={"c": documents()})
