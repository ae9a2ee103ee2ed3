"""Terms in one line, with members in order, strings in quotes and operators as calls: how OPA shows a term.

So a name with two parts is printed, where no rule of the module has a longer one.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from procurator_rules.constants import quoted
from procurator_rules.expressions import dotted
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Call,
    Every,
    Expr,
    Not,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    SomeDecl,
    String,
    TemplateString,
    Term,
)
from procurator_rules.printer.order import distinct, key_of
from procurator_rules.printer.page import Page, Piece
from procurator_rules.printer.spelling import NAME, SCALARS, SYMBOLS
from procurator_rules.printer.terms import operator_of


def plain(_page: Page, node: Any) -> Sequence[Piece]:
    """A term, or a line of a body."""
    spelled = SCALARS.get(type(node))
    if type(node) is String:
        return (quoted(node.value),)
    return (spelled(node),) if spelled else PLAIN[type(node)](node)


def _list(nodes: Iterable[Any], separator: str = ", ") -> list[Piece]:
    pieces: list[Piece] = []
    for node in nodes:
        if pieces:
            pieces.append(separator)
        pieces.append((plain, node))
    return pieces


def _ref(node: Ref) -> Sequence[Piece]:
    pieces: list[Piece] = [(plain, node.terms[0])]
    for part in node.terms[1:]:
        if type(part) is String and NAME.match(part.value):
            pieces.append(f".{part.value}")
        else:
            pieces += ("[", (plain, part), "]")
    return pieces


def _set(node: SetTerm) -> Sequence[Piece]:
    return ["{", *_list(sorted(distinct(node.items), key=key_of)), "}"] if node.items else ("set()",)


def _object(node: Object) -> Sequence[Piece]:
    pieces: list[Piece] = ["{"]
    for key, value in sorted(node.items, key=lambda pair: key_of(pair[0])):
        pieces += (", " if len(pieces) > 1 else "", (plain, key), ": ", (plain, value))
    return [*pieces, "}"]


def _head(_page: Page, node: Term) -> Sequence[Piece]:
    name = operator_of(node)
    if type(node) is Call and name in SYMBOLS and not name.startswith("internal."):
        return ("(", (_head, node.args[0]), f" {SYMBOLS[name]} ", (_head, node.args[1]), ")")
    return ((plain, node),)


def _object_comprehension(node: ObjectComprehension) -> Sequence[Piece]:
    return ["{", (_head, node.key), ": ", (_head, node.value), " | ", *_list(node.body, "; "), "}"]


def _expr(node: Expr) -> Sequence[Piece]:
    pieces: list[Piece] = ["not "] if node.negated else []
    said = node.term
    if type(said) is Call and dotted(said.operator) == "eq" and len(said.args) == 2:
        pieces += _list(said.args, " = ")
    else:
        pieces.append((plain, said))
    for one in node.withs:
        pieces += (" with ", (plain, one.target), " as ", (plain, one.value))
    return pieces


def _some(node: SomeDecl) -> Sequence[Piece]:
    first = node.symbols[0]
    if type(first) is Call:
        return ["some ", *_list(first.args[:-1]), " in ", (plain, first.args[-1])]
    return ["some ", *_list(node.symbols)]


def _every(node: Every) -> Sequence[Piece]:
    names = (node.value,) if node.key is None else (node.key, node.value)
    return ["every ", *_list(names), " in ", (plain, node.domain), " { ", *_list(node.body, "; "), " }"]


def _template(node: TemplateString) -> Sequence[Piece]:
    pieces: list[Piece] = ['$"']
    for part in node.parts:
        if type(part) is String:
            pieces.append(quoted(part.value)[1:-1].replace("{", "\\{"))
        else:
            pieces += ("{", (plain, part), "}") if type(part) is Expr else ((plain, part),)
    return [*pieces, '"']


PLAIN: Final[dict[type, Callable[[Any], Sequence[Piece]]]] = {
    Ref: _ref,
    Array: lambda node: ["[", *_list(node.items), "]"],
    SetTerm: _set,
    Object: _object,
    ArrayComprehension: lambda node: ["[", (_head, node.head), " | ", *_list(node.body, "; "), "]"],
    SetComprehension: lambda node: ["{", (_head, node.head), " | ", *_list(node.body, "; "), "}"],
    ObjectComprehension: _object_comprehension,
    Call: lambda node: [(plain, node.operator), "(", *_list(node.args), ")"],
    TemplateString: _template,
    Expr: _expr,
    SomeDecl: _some,
    Every: _every,
    Not: lambda node: ["not {" if node.explicit else "not ", *_list(node.body, "; "), "}" if node.explicit else ""],
}
"""What shows each kind of node that has nodes inside."""
