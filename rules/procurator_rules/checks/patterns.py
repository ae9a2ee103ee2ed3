"""Which variables a pattern binds, and which names the lines of a body declare."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard

from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Call,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    SomeDecl,
    TemplateString,
    Var,
)
from procurator_rules.visitor import walk

CLOSURES: Final = frozenset(
    {ArrayComprehension, SetComprehension, ObjectComprehension, TemplateString, Every, Not, LogicalAnd, LogicalOr}
)
"""Kinds of nodes with bodies that see the variables around them."""

NESTED_BODIES: Final[Mapping[type, Callable[[Any], tuple[Body, ...]]]] = {
    Every: lambda node: (node.body,),
    Not: lambda node: (node.body,),
    LogicalAnd: lambda node: (node.left, node.right),
    LogicalOr: lambda node: (node.left, node.right),
}
"""The bodies of statements."""


def is_assignment(term: object) -> TypeGuard[Call]:
    """Whether a term is `pattern := value`."""
    return type(term) is Call and is_operator(term.operator, "assign") and len(term.args) == 2


def is_operator(operator: Ref, name: str) -> bool:
    """Whether the operator of a call is the built-in of that name, one without a dot."""
    terms = operator.terms
    return len(terms) == 1 and type(terms[0]) is Var and terms[0].name == name


def names(node: Any, *, closures: bool = True) -> Iterator[str]:
    """The names of all variables in a node, those in its closures only if wanted."""
    enter = None if closures else _outside_closures
    return (part.name for part in walk(node, enter) if type(part) is Var)


def _outside_closures(node: Any) -> bool:
    return type(node) not in CLOSURES


def bound_names(pattern: Any) -> Iterator[str]:
    """The names of the variables that a pattern gives values: none in keys of objects, heads of references, calls."""
    waiting = [pattern]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is Var:
            yield node.name
        elif kind is Object:
            waiting.extend(value for _, value in reversed(node.items))
        elif kind is Ref:
            waiting.extend(reversed(node.terms[1:]))
        elif kind is Array or kind is SetTerm:
            waiting.extend(reversed(node.items))


def unified_names(pattern: Any) -> Iterator[str]:
    """The names of the variables that a pattern binds when it is unified with a known value."""
    return bound_names(pattern) if type(pattern) in (Var, Array, Object) else iter(())


def declared_names(body: Body) -> frozenset[str]:
    """The names that `:=` and `some` declare in a body and in the bodies of its statements."""
    found: set[str] = set()
    waiting = [body]
    while waiting:
        for expr in waiting.pop():
            term = expr.term
            if is_assignment(term):
                found.update(names(term.args[0]))
            elif type(term) is SomeDecl:
                found.update(_declared_by_some(term))
            elif type(term) in NESTED_BODIES:
                waiting.extend(NESTED_BODIES[type(term)](term))
    return frozenset(found)


def _declared_by_some(declaration: SomeDecl) -> Iterator[str]:
    for symbol in declaration.symbols:
        patterns = symbol.args[:-1] if type(symbol) is Call else (symbol,)
        for pattern in patterns:
            yield from names(pattern)


def place_of_declaration(body: Body, name: str, *, assigned: bool) -> Expr:
    """The first line of a body that declares a variable, by `:=` if it is assigned; else the first line."""
    lines = [line for line in body if is_assignment(line.term)] if assigned else body
    return next((line for line in lines if name in declared_names((line,))), body[0])
