"""The lines of bodies in an order in which every variable has a value before it is needed.

Lines keep their order as far as possible, and none is taken apart: where that is not enough, `flatten` splits lines
first, and `unsafe` says what is wrong where no order exists.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from procurator_rules.checks.binding import Reader
from procurator_rules.checks.mentions import visible_variables
from procurator_rules.checks.program import Program
from procurator_rules.checks.rebuild import replace_nodes
from procurator_rules.nodes import (
    ArrayComprehension,
    Body,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    ObjectComprehension,
    SetComprehension,
    Term,
    Var,
)

Heads = tuple[Term, ...]

NOTHING: Final[frozenset[str]] = frozenset()


class Stuck(Exception):  # noqa: N818
    """There is no order of whole lines."""


def order_body(program: Program, body: Body, heads: Heads, safe: set[str]) -> tuple[Body, Heads]:
    """A body in order, and the terms that are evaluated after it.

    Args:
        program: what is known of functions and rules.
        body: its lines.
        heads: the terms for which it is evaluated.
        safe: the names of the variables that have values before it; those that it binds are added.

    Raises:
        Stuck: some lines cannot be placed.
    """
    reader = Reader(program, safe)
    reader.visible = _Visible(body)
    placed: list[Expr] = []
    pending = [(expr, NOTHING) for expr in body]
    while pending:
        waiting = []
        for expr, missing in pending:
            if missing and missing.isdisjoint(reader.safe):
                waiting.append((expr, missing))
            elif reader.read(expr):
                placed.append(_settled(program, expr, reader.closures) if reader.closures else expr)
            else:
                waiting.append((expr, frozenset([var.name for var in reader.stuck])))
        if len(waiting) == len(pending):
            raise Stuck
        pending = waiting
    return body if all(map(_same, placed, body)) else tuple(placed), _order_heads(program, heads, reader)


def _order_heads(program: Program, heads: Heads, reader: Reader) -> Heads:
    ordered: list[Term] = []
    for head in heads:
        if type(head) is Var:
            if head.name not in reader.safe:
                raise Stuck
            ordered.append(head)
            continue
        if not reader.read_term(head):
            raise Stuck
        ordered.append(_settled(program, head, reader.closures) if reader.closures else head)
    return heads if all(map(_same, ordered, heads)) else tuple(ordered)


class _Visible:
    """The names of the variables that a body mentions outside of closures, found when first asked for."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._names: frozenset[str] | None = None

    def __call__(self) -> frozenset[str]:
        if self._names is None:
            self._names = frozenset(var.name for expr in self._body for var in visible_variables(expr))
        return self._names


def _same(new: object, old: object) -> bool:
    return new is old


def _settled(program: Program, node: Any, closures: list[tuple[Any, frozenset[str]]]) -> Any:
    """A line or a term with the bodies inside it in order."""
    replacements = {}
    for closure, safe in closures:
        new = CLOSURES[type(closure)](program, closure, safe)
        if new is not closure:
            replacements[id(closure)] = new
    return replace_nodes(node, replacements) if replacements else node


def _comprehension(program: Program, node: Any, safe: frozenset[str]) -> Any:
    body, (head,) = order_body(program, node.body, (node.head,), set(safe))
    return node if body is node.body and head is node.head else replace(node, head=head, body=body)


def _object_comprehension(program: Program, node: ObjectComprehension, safe: frozenset[str]) -> ObjectComprehension:
    body, (key, value) = order_body(program, node.body, (node.key, node.value), set(safe))
    if body is node.body and key is node.key and value is node.value:
        return node
    return replace(node, key=key, value=value, body=body)


def _every(program: Program, node: Every, safe: frozenset[str]) -> Every:
    declared = {part.name for part in (node.key, node.value) if type(part) is Var}
    body, _ = order_body(program, node.body, (), declared | safe)
    return node if body is node.body else replace(node, body=body)


def _not(program: Program, node: Not, safe: frozenset[str]) -> Not:
    body, _ = order_body(program, node.body, (), set(safe))
    return node if body is node.body else replace(node, body=body)


def _logical(program: Program, node: Any, safe: frozenset[str]) -> Any:
    left, _ = order_body(program, node.left, (), set(safe))
    right, _ = order_body(program, node.right, (), set(safe))
    return node if left is node.left and right is node.right else replace(node, left=left, right=right)


def _captured(program: Program, node: Expr, safe: frozenset[str]) -> Expr:
    """An operand of `print` or an expression of a template string, evaluated on its own."""
    (ordered,), _ = order_body(program, (node,), (), set(safe))
    return ordered


CLOSURES: Final[Mapping[type, Callable[[Program, Any, frozenset[str]], Any]]] = {
    ArrayComprehension: _comprehension,
    SetComprehension: _comprehension,
    ObjectComprehension: _object_comprehension,
    Every: _every,
    Not: _not,
    LogicalAnd: _logical,
    LogicalOr: _logical,
    Expr: _captured,
}
"""How the bodies of each kind of closure are ordered."""
