"""Writers of bodies and of their lines: modifiers, `some`, `every`, `not`, `and`, `or`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from procurator_rules.expressions import dotted
from procurator_rules.nodes import (
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
    Statement,
    With,
)
from procurator_rules.printer.groups import EXPRESSION
from procurator_rules.printer.page import Page, Piece, Pieces
from procurator_rules.printer.places import (
    Place,
    closing_row,
    end_row,
    last_row_before,
    line_end,
    line_start,
    place_of_line,
)
from procurator_rules.printer.spelling import SYMBOLS, UNION
from procurator_rules.printer.terms import braced_body, infix, operator_of, plain_call, term
from procurator_rules.spans import NO_SOURCE

OPERATORS: Final = {LogicalAnd: "and", LogicalOr: "or"}
BRACES: Final = (SetTerm, Object, SetComprehension, ObjectComprehension)


def body(page: Page, exprs: Body, lead: bool) -> Pieces:
    """The lines of a body, with blank lines where the text has some."""
    pieces: list[Piece] = [(Page.visit, page.row(exprs[0]))]
    for place, expr in enumerate(exprs):
        if place:
            pieces += ((_gap, exprs[place - 1], expr), (Page.expect_line,))
        pieces += ((line_of_body, expr, lead and not place), (Page.end_line,))
    return pieces


def _gap(page: Page, before: Expr, after: Expr) -> None:
    """Leave a line empty between lines of a body that have a gap between them, or a comment of its own line."""
    if page.fixed is None and NO_SOURCE not in (before.span.source, after.span.source):
        row = page.row(after)
        if row > end_row(before) + 1 or 0 < page.comments.next_row < row:
            page.blank_line()


def line_of_body(page: Page, expr: Expr, lead: bool = False) -> Pieces:
    """A line of a body that can be kept as it was written, should comments stand in its way."""
    if page.has_comments and page.fixed is None and expr.span.source is not NO_SOURCE:
        return [(Page.visit, page.row(expr)), (_grouped, expr, lead)]
    return line(page, expr, lead)


def _grouped(page: Page, expr: Expr, lead: bool) -> Pieces:
    page.open_group(EXPRESSION, line_start(expr), line_end(expr))
    return [*line(page, expr, lead), (Page.close_group,)]


def line(page: Page, expr: Expr, lead: bool, place: Place | None = None, bare: bool = False) -> list[Piece]:
    """One line: negation, what it says, modifiers.

    With lead, a union that stands first must not look like a comprehension. With a place, the line counts as standing
    there. It is bare if brackets around it are written already.
    """
    node = expr.term
    at = page.fixed or place or place_of_line(expr)
    pieces: list[Piece] = [(Page.visit, at.row)] if page.has_comments else []
    pieces += ("not ",) if expr.negated else ()
    lead = lead and not expr.negated
    write = STATEMENTS.get(type(node))
    if write is not None:
        said = write(page, node, at, lead)
        brackets = expr.negated and type(node) in OPERATORS
    else:
        brackets = lead and _is_union(expr)
        said = _call_line(page, node, lead) if type(node) is Call else [(term, node, None, bare or brackets)]
    pieces += ("(", *said, ")") if brackets else said
    return [*pieces, *_withs(page, expr)] if expr.withs else pieces


def _is_union(expr: Expr) -> bool:
    return operator_of(expr.term) == UNION


def _call_line(page: Page, node: Call, lead: bool) -> list[Piece]:
    """A call that is a whole line; `plus(1, 2, x)` is printed as `x = 1 + 2`."""
    name = dotted(node.operator)
    if operator_of(node) is not None or (name in SYMBOLS and len(node.args) == 2):
        return infix(node.args, name, nested=name.startswith("internal."), lead=lead)
    if name in SYMBOLS and len(node.args) == 3:
        *args, result = node.args
        first: Piece = (term, result)
        if lead and operator_of(result) == UNION:
            return ["(", first, ")", " = ", *infix(args, name, nested=False)]
        return [first, " = ", *infix(args, name, nested=False)]
    return plain_call(page, node)


def _withs(page: Page, expr: Expr) -> list[Piece]:
    """Modifiers in the line of what they modify, or, where the text breaks, in lines below."""
    if page.fixed is not None or NO_SOURCE in (expr.span.source, expr.withs[0].span.source):
        return [piece for one in expr.withs for piece in (" ", (with_, one))]
    last = last_row_before(expr.withs[0].span)
    pieces: list[Piece] = []
    indented = False
    for place, one in enumerate(expr.withs):
        row = page.row(one)
        if row > last or (not place and row != last):
            if not indented:
                pieces.append((Page.indent,))
            indented = True
            pieces.append((Page.end_line,))
        else:
            pieces.append(" ")
        last = row
        pieces.append((with_, one))
    return [*pieces, (Page.dedent,)] if indented else pieces


def with_(page: Page, node: With) -> Pieces:
    """`with target as value`."""
    return ((Page.visit_word, page.row(node), "with "), (term, node.target), " as ", (term, node.value))


def some(page: Page, node: SomeDecl, place: Place, _lead: bool) -> list[Piece]:
    """`some x, y` in the rows of the text, or `some k, v in xs`."""
    first = node.symbols[0]
    if type(first) is Call:
        return ["some ", *infix(first.args, dotted(first.operator), nested=True)]
    pieces: list[Piece] = ["some"]
    row = place.row
    for at, symbol in enumerate(node.symbols):
        below = page.row(symbol)
        if at:
            pieces.append(",")
        if below > row:
            pieces += (" ", (Page.end_line,), "\t") if not at else ((Page.end_line,), "\t")
            row = below
        else:
            pieces.append(" ")
        pieces.append((term, symbol))
    return pieces


def every(page: Page, node: Every, place: Place, _lead: bool) -> list[Piece]:
    """`every key, value in domain { body }`."""
    domain: list[Piece] = [(term, node.domain)]
    if (operator_of(node.domain) or "").startswith("internal.member_2"):
        domain = ["(", *domain, ")"]
    key: list[Piece] = [(term, node.key), ", "] if node.key is not None else []
    inner = braced_body(page, node.body, place.row, place, "{}")
    pieces = ["every ", *key, (term, node.value), " in ", *domain, " {", *inner]
    space = len(node.body) == 1 and page.row(node.body[0]) == place.row
    return [*pieces, " }" if space else "}"]


def not_(page: Page, node: Not, place: Place, _lead: bool) -> list[Piece]:
    """`not { body }`, or `not expr` with brackets where that would be read otherwise."""
    first = node.body[0]
    if not node.explicit and len(node.body) == 1:
        if first.withs or type(first.term) in OPERATORS or type(first.term) is Not or begins_with_brace(first):
            return ["not (", (Page.body_line, first, False, place, True), ")"]
        return ["not ", (Page.body_line, first, False, place)]
    return ["not {", *_explicit(page, node.body, place)]


def _explicit(page: Page, exprs: Body, place: Place) -> list[Piece]:
    """A body in braces, after the opening one, as an operand."""
    space = page.row(exprs[-1]) == place.row
    return [*braced_body(page, exprs, place.row, place, "{}", lead=_is_union(exprs[0])), " }" if space else "}"]


# and, or


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand of a chain.

    Attributes:
        brackets: whether it needs round brackets to be read as what it is.
        place: its text, from its opening brace on where it is written in braces.
        grouped: whether round brackets in the text would only group.
        end_row: the row it ends in.
    """

    body: Body
    explicit: bool
    brackets: bool
    place: Place
    grouped: bool
    end_row: int

    @property
    def start_row(self) -> int:
        """The row it begins in."""
        return self.place.row


def logical(page: Page, node: Statement, place: Place, lead: bool) -> list[Piece]:
    """Operands joined by `and` or `or`, broken where the text breaks, all on one further level."""
    first, others = _chain(page, node, place)
    pieces = _operand(page, first, lead)
    indented = False
    for word, operand, last in others:
        pieces.append(f" {word}")
        if operand.start_row > last:
            pieces += () if indented else ((Page.indent,),)
            pieces.append((Page.end_line,))
            indented = True
        else:
            pieces.append(" ")
        pieces += _operand(page, operand, lead=False)
    return [*pieces, (Page.dedent,)] if indented else pieces


def _operand(page: Page, operand: Operand, lead: bool) -> list[Piece]:
    if operand.explicit:
        return ["{", *_explicit(page, operand.body, operand.place)]
    inner = operand.place if operand.grouped else None
    pieces: list[Piece] = [(Page.body_line, operand.body[0], lead and not operand.brackets, inner, operand.brackets)]
    return ["(", *pieces, ")"] if operand.brackets else pieces


def _chain(page: Page, node: Any, place: Place) -> tuple[Operand, list[tuple[str, Operand, int]]]:
    """The first operand, and then operator, operand and the row in which all before the operator ends."""
    steps: list[tuple[str, Operand, int]] = []
    while True:
        word = OPERATORS[type(node)]
        right = _read_operand(page, node.right, node.explicit_right, word, True, place)
        left = _read_operand(page, node.left, node.explicit_left, word, False, place)
        steps.append((word, right, left.end_row))
        if left.explicit or left.brackets or type(node.left[0].term) not in OPERATORS:
            return left, steps[::-1]
        node = node.left[0].term


def _read_operand(page: Page, exprs: Body, explicit: bool, word: str, right: bool, whole: Place) -> Operand:
    first, last = exprs[0], exprs[-1]
    known = page.fixed is None and first.span.source is not NO_SOURCE
    if explicit or len(exprs) != 1:
        place = whole
        if known and (brace := page.source.text.rfind("{", whole.start, first.span.start)) >= 0:
            place = Place(page.source.row(brace), brace, whole.end)
        closing = closing_row(page.source, place, "{}") if place.row else 0
        return Operand(exprs, True, False, place, False, closing if closing > 0 else end_row(last) if known else 0)
    # Brackets around a plain term are its own, others only group.
    grouped = bool(first.withs) or type(first.term) in STATEMENTS
    row = first.span.row if known and grouped else page.row(first)
    place = Place(row, first.span.start, first.span.end)
    end = row if not known else _said_end_row(first) if grouped else end_row(first)
    return Operand(exprs, False, _needs_brackets(first, word, right), place, known and grouped, end)


def _said_end_row(expr: Expr) -> int:
    """The row in which an expression ends, modifiers and brackets around it left out."""
    return last_row_before(expr.withs[0].span) if expr.withs else expr.span.end_row


def _needs_brackets(expr: Expr, word: str, right: bool) -> bool:
    if expr.withs:
        return True
    if type(expr.term) is LogicalOr:
        return word == "and" or right
    if type(expr.term) is LogicalAnd:
        return word == "and" and right
    return begins_with_brace(expr)


def begins_with_brace(expr: Expr) -> bool:
    """Whether an expression is printed with a brace first, which would be read as a body."""
    node: Any = expr.term
    if type(node) is Call and len(node.args) == 3 and dotted(node.operator) in SYMBOLS:
        node = node.args[2]
    while True:
        if type(node) is Ref:
            node = node.terms[0]
        elif type(node) is Call and (operator_of(node) or (node is expr.term and dotted(node.operator) in SYMBOLS)):
            node = node.args[0]
        else:
            return isinstance(node, BRACES) and not (type(node) is SetTerm and not node.items)


STATEMENTS: Final[dict[type, Callable[[Page, Any, Place, bool], list[Piece]]]] = {
    SomeDecl: some,
    Every: every,
    Not: not_,
    LogicalAnd: logical,
    LogicalOr: logical,
}
"""The writer of each kind of line that is not a term."""
