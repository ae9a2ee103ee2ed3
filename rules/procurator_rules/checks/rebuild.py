"""The same tree with some of its nodes replaced."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
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
    With,
)


def rebuild(node: Any, change: Callable[[Any], Any]) -> Any:
    """A node with each part directly below it changed."""
    build = BUILD.get(type(node))
    return node if build is None else build(node, change)


def replace_nodes(node: Any, replacements: Mapping[int, Any]) -> Any:
    """A tree with nodes replaced, which are found by identity."""

    def change(part: Any) -> Any:
        new = replacements.get(id(part))
        if new is not None:
            return new
        build = BUILD.get(type(part))
        return part if build is None else build(part, change)

    return change(node)


BUILD: Final[Mapping[type, Callable[[Any, Callable[[Any], Any]], Any]]] = {
    Ref: lambda n, f: Ref(tuple(map(f, n.terms)), span=n.span),
    Array: lambda n, f: Array(tuple(map(f, n.items)), span=n.span),
    SetTerm: lambda n, f: SetTerm(tuple(map(f, n.items)), span=n.span),
    Object: lambda n, f: Object(tuple([(f(key), f(value)) for key, value in n.items]), span=n.span),
    ArrayComprehension: lambda n, f: ArrayComprehension(f(n.head), tuple(map(f, n.body)), span=n.span),
    SetComprehension: lambda n, f: SetComprehension(f(n.head), tuple(map(f, n.body)), span=n.span),
    ObjectComprehension: lambda n, f: ObjectComprehension(f(n.key), f(n.value), tuple(map(f, n.body)), span=n.span),
    Call: lambda n, f: Call(n.operator, tuple(map(f, n.args)), n.infix, span=n.span),
    TemplateString: lambda n, f: TemplateString(tuple(map(f, n.parts)), n.multi_line, span=n.span),
    With: lambda n, f: With(f(n.target), f(n.value), span=n.span),
    SomeDecl: lambda n, f: SomeDecl(tuple(map(f, n.symbols)), span=n.span),
    Every: lambda n, f: Every(n.key, n.value, f(n.domain), tuple(map(f, n.body)), span=n.span),
    Not: lambda n, f: Not(tuple(map(f, n.body)), n.explicit, span=n.span),
    LogicalAnd: lambda n, f: LogicalAnd(
        tuple(map(f, n.left)), tuple(map(f, n.right)), n.explicit_left, n.explicit_right, span=n.span
    ),
    LogicalOr: lambda n, f: LogicalOr(
        tuple(map(f, n.left)), tuple(map(f, n.right)), n.explicit_left, n.explicit_right, span=n.span
    ),
    Expr: lambda n, f: Expr(f(n.term), n.negated, tuple(map(f, n.withs)), span=n.span),
}
"""How each kind of node with others below it is put together again."""
