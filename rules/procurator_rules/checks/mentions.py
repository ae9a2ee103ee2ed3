"""Which variables a node mentions, seen from a certain side."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from procurator_rules.checks.locals import is_generated
from procurator_rules.nodes import (
    Array,
    Call,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    Object,
    Ref,
    SetTerm,
    SomeDecl,
    TemplateString,
    Var,
    With,
)
from procurator_rules.visitor import children


def bound_in_operand(operand: Any) -> Iterator[str]:
    """The names of the variables that an operand of a known reference gets values for."""
    waiting = [operand]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is Var:
            yield node.name
        elif kind is Ref:
            waiting.extend(node.terms[1:])
        elif kind is not Call and kind is not TemplateString:
            waiting.extend(children(node))


def given_names(arg: Any) -> Iterator[str]:
    """The names of the variables in the last operand of a call, the one that takes its result."""
    waiting = [arg]
    while waiting:
        node = waiting.pop()
        kind = type(node)
        if kind is Var:
            yield node.name
        elif kind is Ref:
            waiting.extend(node.terms[1:])
        elif kind is Object:
            waiting.extend(value for _, value in node.items)
        elif kind is Array:
            waiting.extend(node.items)


def outer_variables(expr: Any) -> Iterator[Var]:
    """The variables of a line outside of its closures, in the order of the text."""
    waiting: list[Any] = [expr]
    while waiting:
        node = waiting.pop()
        if type(node) is Var:
            yield node
        else:
            waiting.extend(reversed(_OUTER.get(type(node), _nothing)(node)))


def outer_variables_of_term(term: Any) -> Iterator[Var]:
    """The variables of a term outside of its closures and template strings, in the order of the text."""
    waiting: list[Any] = [term]
    while waiting:
        node = waiting.pop()
        if type(node) is Var:
            yield node
        elif type(node) is not TemplateString:
            waiting.extend(reversed(_OUTER.get(type(node), _nothing)(node)))


def visible_variables(expr: Expr) -> Iterator[Var]:
    """The same, and those of operands without braces, which see the variables of the body around them."""
    yield from outer_variables(expr)
    for body in implicit_bodies(expr.term):
        for line in body:
            yield from (var for var in outer_variables(line) if not is_generated(var.name))


def implicit_bodies(term: Any) -> Iterator[tuple[Expr, ...]]:
    """The bodies of a `not`, `and` or `or` that are not written in braces."""
    if type(term) is Not and not term.explicit:
        yield term.body
    elif type(term) in (LogicalAnd, LogicalOr):
        if not term.explicit_left:
            yield term.left
        if not term.explicit_right:
            yield term.right


def _nothing(_node: Any) -> tuple[Any, ...]:
    return ()


def _with(node: With) -> tuple[Any, ...]:
    target: Any = node.target
    return (*(target.terms[1:] if type(target) is Ref else ()), node.value)


_OUTER: Final[Mapping[type, Callable[[Any], tuple[Any, ...]]]] = {
    Ref: children,
    Array: children,
    SetTerm: children,
    Object: children,
    Call: lambda node: node.args,
    SomeDecl: children,
    Expr: children,
    With: _with,
    Every: lambda node: (node.domain,),
    TemplateString: lambda node: tuple(
        [part.term for part in node.parts if type(part) is Expr and type(part.term) is Var]
    ),
}
"""What is outside of closures in each kind of node."""
