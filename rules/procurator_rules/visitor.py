"""Walking syntax trees: the children of a node, and all nodes below one."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Call,
    Else,
    Every,
    Expr,
    Head,
    Import,
    LogicalAnd,
    LogicalOr,
    Module,
    Not,
    Object,
    ObjectComprehension,
    Package,
    Ref,
    Rule,
    SetComprehension,
    SetTerm,
    SomeDecl,
    TemplateString,
    With,
)

CHILDREN: Final[dict[type, Callable[[Any], tuple[Any, ...]]]] = {
    Ref: lambda n: n.terms,
    Array: lambda n: n.items,
    SetTerm: lambda n: n.items,
    Object: lambda n: tuple([part for pair in n.items for part in pair]),
    ArrayComprehension: lambda n: (n.head, *n.body),
    SetComprehension: lambda n: (n.head, *n.body),
    ObjectComprehension: lambda n: (n.key, n.value, *n.body),
    Call: lambda n: (n.operator, *n.args),
    TemplateString: lambda n: n.parts,
    With: lambda n: (n.target, n.value),
    SomeDecl: lambda n: n.symbols,
    Every: lambda n: (n.value, n.domain, *n.body) if n.key is None else (n.key, n.value, n.domain, *n.body),
    Not: lambda n: n.body,
    LogicalAnd: lambda n: (*n.left, *n.right),
    LogicalOr: lambda n: (*n.left, *n.right),
    Expr: lambda n: (n.term, *n.withs),
    Head: lambda n: tuple([part for part in (n.ref, *(n.args or ()), n.key, n.value) if part is not None]),
    Else: lambda n: n.body if n.value is None else (n.value, *n.body),
    Rule: lambda n: (n.head, *n.body, *n.elses),
    Package: lambda n: (n.path,),
    Import: lambda n: (n.path,),
    Module: lambda n: (n.package, *n.imports, *n.rules),
}
"""The children of each kind of node that has some, in the order of the text."""


def children(node: Any) -> tuple[Any, ...]:
    """The nodes directly below a node."""
    below = CHILDREN.get(type(node))
    return below(node) if below is not None else ()


def walk(node: Any, enter: Callable[[Any], bool] | None = None) -> Iterator[Any]:
    """A node and all below it, parents first, in the order of the text, without recursion.

    Args:
        node: where to begin.
        enter: tells for a node whether to go on below it; always by default.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        below = CHILDREN.get(type(current))
        if below is not None and (enter is None or enter(current)):
            waiting.extend(reversed(below(current)))
