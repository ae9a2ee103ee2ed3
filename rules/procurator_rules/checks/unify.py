"""Which variables get values when two terms are unified."""

from collections.abc import Iterable, Set
from typing import Any, Final

from procurator_rules.checks.mentions import outer_variables
from procurator_rules.checks.patterns import bound_names
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Call,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    TemplateString,
    Var,
)

ASKED: Final = frozenset({Ref, Call})
"""Terms that have a value if the variables that they ask for have one."""

PATTERNS: Final = frozenset({Array, Object})

COMPREHENSIONS: Final = frozenset({ArrayComprehension, SetComprehension, ObjectComprehension})

MATCHING: Final = frozenset(
    {
        (ArrayComprehension, Array),
        (ObjectComprehension, Object),
        *((Array, kind) for kind in COMPREHENSIONS),
        *((kind, TemplateString) for kind in PATTERNS),
        *((TemplateString, kind) for kind in PATTERNS),
    }
)
"""Which terms always have a value that gives others to a pattern on the other side."""


def unify(left: Any, right: Any, known: Set[str]) -> set[str]:
    """The names of the variables that `left = right` gives values, if those in known have theirs."""
    unifier = _Unifier(known)
    waiting = [(left, right)]
    while waiting:
        a, b = waiting.pop()
        waiting.extend(reversed(unifier.pair(a, b)))
    return unifier.found


class _Unifier:
    """Pairs of terms, and which variables wait for which others."""

    def __init__(self, known: Set[str]) -> None:
        self.known = known
        self.found: set[str] = set()
        self.unknown: dict[str, set[str]] = {}

    def pair(self, a: Any, b: Any) -> list[tuple[Any, Any]]:
        """Unify two terms; returns the pairs of their parts that are to be unified."""
        kind, other = type(a), type(b)
        if kind is Var and other is Var:
            self.variables(a.name, b.name)
        elif kind is Var:
            self.variable(a.name, b)
        elif other is Var:
            self.variable(b.name, a)
        elif kind in PATTERNS and other is kind:
            return _parts(a, b)
        elif kind in PATTERNS and self.gives_values(b, (kind, other)):
            self.mark(bound_names(a))
        elif other in PATTERNS and self.gives_values(a, (kind, other)):
            self.mark(bound_names(b))
        return []

    def gives_values(self, term: Any, pair: tuple[type, type]) -> bool:
        """Whether a term has a value that a pattern can be held against."""
        kind = type(term)
        return pair in MATCHING or (kind in ASKED and self.is_known(term))

    def is_known(self, term: Any) -> bool:
        """Whether a call, or what a reference begins with, has a value."""
        asked = term.terms[0] if type(term) is Ref else term
        return all(var.name in self.known for var in outer_variables(asked))

    def has_value(self, name: str) -> bool:
        """Whether a variable has a value by now."""
        return name in self.known or name in self.found

    def variables(self, a: str, b: str) -> None:
        """Two variables: one that has a value gives it to the other."""
        if self.has_value(b):
            self.mark((a,))
        elif self.has_value(a):
            self.mark((b,))
        else:
            self.unknown.setdefault(a, set()).add(b)
            self.unknown.setdefault(b, set()).add(a)

    def variable(self, name: str, term: Any) -> None:
        """A variable and any other term."""
        kind = type(term)
        if kind in PATTERNS:
            self.variable_and_pattern(name, term)
        elif kind not in ASKED or self.is_known(term):
            self.mark((name,))

    def variable_and_pattern(self, name: str, pattern: Any) -> None:
        """A variable and an array or object: either gives the other values."""
        if self.has_value(name):
            self.mark(bound_names(pattern))
            return
        missing = {part for part in bound_names(pattern) if not self.has_value(part)}
        if missing:
            self.unknown.setdefault(name, set()).update(missing)
        else:
            self.mark((name,))

    def mark(self, variables: Iterable[str]) -> None:
        """Note that variables have values, and with them those that waited for nothing else."""
        waiting = list(variables)
        while waiting:
            name = waiting.pop()
            self.found.add(name)
            waiting.extend(self.unknown.pop(name, ()))
            for other, needed in list(self.unknown.items()):
                if name in needed:
                    needed.discard(name)
                    if not needed:
                        waiting.append(other)


def _parts(a: Any, b: Any) -> list[tuple[Any, Any]]:
    if len(a.items) != len(b.items):
        return []
    if type(a) is Array:
        return list(zip(a.items, b.items, strict=True))
    values = dict(b.items)
    return [(value, values[key]) for key, value in a.items if key in values]
