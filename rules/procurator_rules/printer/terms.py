"""Writers of terms: what stands in one line, what is broken over several, and where brackets are needed."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from procurator_rules.constants import quoted
from procurator_rules.expressions import MEMBER_WITH_KEY, dotted
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Call,
    Expr,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    String,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.printer.groups import PART, TERM
from procurator_rules.printer.order import distinct, key_of
from procurator_rules.printer.page import Page, Piece, Pieces
from procurator_rules.printer.places import Place, bracketed, closing_row, in_brackets, place_of, unbracketed
from procurator_rules.printer.spelling import BINDING, NAME, SCALARS, SYMBOLS, UNION, name_of
from procurator_rules.spans import NO_SOURCE
from procurator_rules.visitor import walk

GENERATED: Final = "__local"


def term(page: Page, node: Term, place: Place | None = None, bare: bool = False, kind: int = TERM) -> Pieces:
    """A term that can be kept as it was written, should comments stand in its way.

    With a place, it counts as standing there. It is bare if the brackets around it are written already.
    """
    if not page.has_comments:
        spelled = SCALARS.get(type(node))
        return (spelled(node),) if spelled else WRITERS[type(node)](page, node, place or page.fixed or place_of(node))
    if page.fixed is None and node.span.source is not NO_SOURCE:
        start, end = unbracketed(node) if bare else bracketed(node)
        if page.comments.next_row <= page.source.row(end - 1):
            page.open_group(kind, start, end)
            return (*_visited(page, node, place), (Page.close_group,))
    return _visited(page, node, place)


def _visited(page: Page, node: Term, place: Place | None = None) -> Sequence[Piece]:
    at = place or page.fixed or place_of(node)
    return ((Page.visit, at.row), (_write, node, at))


def _write(page: Page, node: Term, place: Place) -> Pieces:
    spelled = SCALARS.get(type(node))
    return (spelled(node),) if spelled else WRITERS[type(node)](page, node, place)


def operand(page: Page, node: Term, brackets: bool = False, row: int = 0) -> Pieces:
    """A term inside another, in brackets where asked for; with a row, it counts as standing there."""
    place = page.fixed or place_of(node)
    if row:
        place = place._replace(row=row)
    pieces: Sequence[Piece] = _write(page, node, place) or ()
    if brackets:
        pieces = ("(", *pieces, ")")
    return ((Page.visit, place.row), *pieces) if page.has_comments else pieces


# References and calls


def ref(page: Page, node: Ref, _place: Place) -> Pieces:
    """`data.users[x].name`."""
    return ref_pieces(page, node.terms)


def ref_pieces(page: Page, terms: Sequence[Term]) -> list[Piece]:
    """The operands of a reference."""
    head, *rest = terms
    pieces: list[Piece] = [(Page.visit, page.row(head))] if page.has_comments else []
    pieces.append(name_of(head) if type(head) is Var else (operand, head, operator_of(head) is not None))
    for part in rest:
        if type(part) is String:
            pieces.append(_string_part(page, part))
        elif type(part) is Var:
            pieces.append(f"[{name_of(part)}]")
        else:
            pieces += ("[", (term, part, None, False, PART), (Page.break_after_text,), "]")
    return pieces


def path_text(page: Page, terms: Sequence[Term]) -> str:
    """A reference of names, as packages and imports have it."""
    return "".join(_string_part(page, part) if type(part) is String else SCALARS[type(part)](part) for part in terms)


def _string_part(page: Page, part: String) -> str:
    value = part.value
    if not NAME.match(value):
        return f"[{quoted(value)}]"
    if value in page.style.keywords:
        source = part.span.source
        if not page.style.keywords_in_refs or source is NO_SOURCE or source.text[part.span.start] == '"':
            return f"[{quoted(value)}]"
    return f".{value}"


def operator_of(node: object) -> str | None:
    """The name of the built-in whose operator a call inside another term is printed with, or None."""
    if type(node) is not Call:
        return None
    name = dotted(node.operator)
    binding = BINDING.get(name)
    return name if binding is not None and len(node.args) == (3 if name.endswith("3") else 2) else None


def call(page: Page, node: Call, _place: Place) -> Pieces:
    """`f(a, b)`, or with an operator: nested ones in brackets, as OPA does without regard to precedence."""
    name = operator_of(node)
    if name is None:
        return plain_call(page, node)
    pieces = infix(node.args, name, nested=True)
    return ["(", *pieces, ")"] if len(node.args) == 3 else pieces


def infix(args: Sequence[Term], name: str, nested: bool, lead: bool = False) -> list[Piece]:
    """Operands with their operator between.

    Nested, all operators below are put in brackets, not only those that need it. With lead, a union that stands first
    must not look like a comprehension.
    """
    symbol = "in" if name.startswith("internal.") else SYMBOLS[name]
    *names, last = args
    pieces: list[Piece] = []
    for place, arg in enumerate(names):
        brackets = _needs_brackets(arg, name, nested, right=place > 0 or len(names) > 1)
        brackets = brackets or (lead and not place and operator_of(arg) == UNION)
        pieces += (", ",) if place else ()
        pieces.append((operand if nested else _line_operand, arg, brackets))
    brackets = _needs_brackets(last, name, nested, right=True)
    return [*pieces, f" {symbol} ", (operand if nested else _line_operand, last, brackets)]


def _line_operand(page: Page, node: Term, brackets: bool) -> Pieces:
    if not brackets:
        return term(page, node)
    return ((Page.visit, page.row(node)), "(", (term, node, None, True), ")")


def _needs_brackets(node: Term, parent: str, nested: bool, right: bool) -> bool:
    name = operator_of(node)
    if name is None or name == MEMBER_WITH_KEY:
        # The latter brings its own.
        return False
    if nested and name != "internal.member_2":
        return True
    outer, inner = BINDING.get(parent, 0), BINDING[name]
    return inner < outer or (right and inner == outer)


def plain_call(page: Page, node: Call) -> list[Piece]:
    """`f(a, b)`."""
    place = page.fixed or place_of(node.operator)
    return [*ref_pieces(page, node.operator.terms), "(", (sequence, node.args, place, "", _argument), ")"]


def _argument(node: Term) -> Sequence[Piece]:
    if operator_of(node) == UNION and in_brackets(node):
        return ("(", (term, node, None, True), ")")
    return ((term, node),)


# Collections


def array(_page: Page, node: Array, place: Place) -> Pieces:
    """`[a, b]`."""
    return ["[", (sequence, node.items, place, "[]", _member), "]"]


def set_term(page: Page, node: SetTerm, place: Place) -> Pieces:
    """`{a, b}` or `set()`."""
    items: Sequence[Term] = node.items
    if not items:
        return ("set()", (visit_closing, place, "()"))
    if len(items) > 1:
        items = distinct(items)
        if _has_generated(page, items):
            items = sorted(items, key=key_of)
    return ["{", (sequence, items, place, "{}", _member), "}"]


def object_term(_page: Page, node: Object, place: Place) -> Pieces:
    """`{key: value}`."""
    return ["{", (sequence, node.items, place, "{}", _pair), "}"]


def _member(node: Term) -> Sequence[Piece]:
    return ("(", (term, node, None, True), ")") if operator_of(node) == UNION else ((term, node),)


def _pair(pair: tuple[Term, Term]) -> Sequence[Piece]:
    return (*_member(pair[0]), ": ", *_member(pair[1]))


def sequence(
    page: Page, items: Sequence[Any], place: Place, pair: str, write: Callable[[Any], Sequence[Piece]]
) -> Pieces:
    """Items with commas between: in one line if they begin in one row, else a line for each row they begin in.

    The place is that of the whole. Arguments have no pair of brackets: OPA does not look for their closing bracket.
    """
    lines = _lines(page, items, place)
    if len(lines) == 1:
        if page.has_comments and page.comments.between(place.row, _closing(page, place, pair)) and page.keep_text():
            return None
        if not _starts_lower(page, items, place):
            return _line(lines[0], write)
    first = page.row(lines[0][0][0] if type(lines[0][0]) is tuple else lines[0][0])
    pieces: list[Piece] = [(Page.hold_comment, first), (Page.end_line,), (Page.indent,)]
    for line in lines:
        pieces += (*_line(line, write), ",", (Page.end_line,))
    return [*pieces, (visit_closing, place, pair), (Page.dedent,)]


def _line(items: Sequence[Any], write: Callable[[Any], Sequence[Piece]]) -> list[Piece]:
    pieces: list[Piece] = []
    for item in items:
        if pieces:
            pieces.append(", ")
        pieces += write(item)
    return pieces


def _lines(page: Page, items: Sequence[Any], place: Place) -> list[list[Any]]:
    if page.fixed is not None or not place.row or _has_generated(page, items):
        return [list(items)]
    lines: list[list[Any]] = [[]]
    last = 0
    for item in items:
        row = page.row(item[0] if type(item) is tuple else item)
        if row > last and lines[-1]:
            lines.append([])
        last = row or last
        lines[-1].append(item)
    return lines


def _has_generated(page: Page, items: Sequence[Any]) -> bool:
    if not page.style.generated_names:
        return False
    nodes = (node for item in items if type(item) is not tuple for node in walk(item))
    return any(type(node) is Var and node.name.startswith(GENERATED) for node in nodes)


def _starts_lower(page: Page, items: Sequence[Any], place: Place) -> bool:
    """Whether the first item begins in a row below the bracket, found as OPA finds it: by the first like text."""
    if not items:
        return False
    first = items[0][0] if type(items[0]) is tuple else items[0]
    if not place.row or (page.row(first) <= place.row and page.source.text[place.start] != "("):
        return False
    start, end = bracketed(first)
    text = page.source.text
    at = text.find(text[start:end], place.start, place.end)
    return at > place.start and text.find("\n", place.start, at) >= 0


def visit_closing(page: Page, place: Place, pair: str) -> None:
    """Place the comments above a closing bracket."""
    if page.has_comments:
        page.visit(_closing(page, place, pair))


def _closing(page: Page, place: Place, pair: str) -> int:
    return closing_row(page.source, place, pair) if pair and place.row else -1


# Comprehensions


def array_comprehension(page: Page, node: ArrayComprehension, place: Place) -> Pieces:
    """`[head | body]`."""
    return ["[", *_comprehension(page, node.head, node.body, place, "[]"), "]"]


def set_comprehension(page: Page, node: SetComprehension, place: Place) -> Pieces:
    """`{head | body}`."""
    return ["{", *_comprehension(page, node.head, node.body, place, "{}"), "}"]


def object_comprehension(page: Page, node: ObjectComprehension, place: Place) -> Pieces:
    """`{key: value | body}`."""
    value: Piece = (operand, node.value, _in_head_brackets(node.value), place.row)
    return ["{", *_member(node.key), ": ", value, " |", *braced_body(page, node.body, place.row, place, "{}"), "}"]


def _comprehension(page: Page, head: Term, body: Body, place: Place, pair: str) -> list[Piece]:
    row = page.row(head)
    pieces: list[Piece] = [(Page.end_line,)] if row > place.row else []
    pieces += ((operand, head, _in_head_brackets(head)), " |")
    return [*pieces, *braced_body(page, body, row, place, pair)]


def _in_head_brackets(node: Term) -> bool:
    # A call with three operands brings its own.
    return operator_of(node) not in (None, MEMBER_WITH_KEY)


def braced_body(page: Page, body: Body, row: int, place: Place, pair: str, lead: bool = False) -> list[Piece]:
    """A body after an opening bracket: in the same line if it begins in the row of what is before, and stays there.

    The place is the text in which the closing bracket is looked for. With lead, a union that stands first must not look
    like a comprehension.
    """
    if page.row(body[0]) > row or len(_lines(page, body, place)) > 1:
        return [
            (Page.end_line,),
            (Page.indent,),
            (Page.body, body, lead),
            (visit_closing, place, pair),
            (Page.dedent,),
        ]
    pieces: list[Piece] = []
    for expr in body:
        pieces += ("; " if pieces else " ", (Page.body_line, expr, lead and not pieces))
    return [*pieces, (visit_closing, place, pair)]


# Template strings


def template(_page: Page, node: TemplateString, _place: Place) -> Pieces:
    """`$"text {expr}"`; constants between braces become text."""
    quote = "`" if node.multi_line else '"'
    pieces: list[Piece] = ["$" + quote]
    for at, part in enumerate(node.parts):
        if type(part) is Expr:
            after = node.parts[at + 1] if at + 1 < len(node.parts) else None
            pieces += ("{", (_template_expr, part, after), "}", (Page.dedent,))
        elif type(part) is String:
            pieces.append(_template_text(part.value, node.multi_line))
        else:
            pieces.append(SCALARS[type(part)](part))
    return [*pieces, quote]


def _template_expr(page: Page, node: Expr, after: Term | Expr | None) -> Pieces:
    page.indent()
    if not page.has_comments:
        return ((Page.body_line, node),)
    end: Piece = (Page.close_braces, page.row(after)) if after is not None else ""
    return ((Page.open_braces, page.row(node)), (Page.body_line, node), end)


def _template_text(value: str, multi_line: bool) -> str:
    if multi_line:
        return f"{{{quoted(value)}}}" if "`" in value else value.replace("{", "\\{")
    return quoted(value)[1:-1].replace("{", "\\{")


WRITERS: Final[dict[type, Callable[[Page, Any, Place], Pieces]]] = {
    Ref: ref,
    Call: call,
    Array: array,
    SetTerm: set_term,
    Object: object_term,
    ArrayComprehension: array_comprehension,
    SetComprehension: set_comprehension,
    ObjectComprehension: object_comprehension,
    TemplateString: template,
}
"""The writer of each kind of term that has terms inside."""
