"""Writers of rules: heads, bodies in line or in braces, `else` branches."""

from collections.abc import Sequence
from typing import Final

from procurator_rules.nodes import Body, Boolean, Else, Expr, Ref, Rule, SetTerm, Term, Var
from procurator_rules.printer.groups import EXPRESSION, RULE, TERM
from procurator_rules.printer.page import Page, Piece, Pieces
from procurator_rules.printer.places import NOWHERE, Place, closing_row, line_end
from procurator_rules.printer.plain import plain
from procurator_rules.printer.statements import begins_with_brace
from procurator_rules.printer.terms import ref_pieces, sequence, term
from procurator_rules.spans import NO_SOURCE
from procurator_rules.visitor import walk

TRUE: Final = Boolean(True)
TRUE_BODY: Final[Body] = (Expr(TRUE),)


def rules(page: Page, nodes: Sequence[Rule]) -> Pieces:
    """Rules with blank lines between, except where rules of one line stand in rows next to each other."""
    pieces: list[Piece] = []
    for at, node in enumerate(nodes):
        pieces.append((rule, node))
        after = nodes[at + 1] if at + 1 < len(nodes) else None
        if after is None or not _adjacent(page, node, after):
            pieces.append((Page.blank_line,))
        else:
            pieces.append((Page.end_line,))
    return pieces


def _adjacent(page: Page, node: Rule, after: Rule) -> bool:
    if NO_SOURCE in (node.span.source, after.span.source) or after.span.row != node.span.row + 1:
        return False
    if node.span.end_row > node.span.row:
        return False
    return _is_one_liner(page, node) and _is_one_liner(page, after)


def _is_one_liner(page: Page, node: Rule) -> bool:
    if node.default or node.elses or len(node.body) > 1 or (node.body and is_set(node.body[0])):
        return False
    return page.style.uses_if and (page.style.uses_contains or node.head.key is None)


def rule(page: Page, node: Rule) -> Pieces:
    """A rule that can be kept as it was written, should comments stand in its way."""
    span = node.span
    if not page.has_comments or span.source is NO_SOURCE:
        return _rule(page, node)
    return [(Page.visit, page.row(node)), (_grouped, node)]


def _grouped(page: Page, node: Rule) -> Pieces:
    if not page.style.translates:
        page.open_group(RULE, node.span.start, line_end(node))
    return [*(_rule(page, node) or ()), *([] if page.style.translates else [(Page.close_group,)])]


def _rule(page: Page, node: Rule) -> Pieces:
    place = _place(node.span)
    constant = is_constant(node.body) and not node.elses
    pieces: list[Piece] = []
    if node.chained and place.row and page.fixed is None:
        # The head of a chained body counts as standing where the body begins.
        pieces = [(Page.set_fixed, place), *_head(page, node, constant), (Page.set_fixed, None)]
    elif page.has_comments and place.row:
        pieces = [(_grouped_head, node, constant)]
    else:
        pieces = _head(page, node, constant)
    if node.default or constant:
        return [*pieces, (Page.end_line,)]
    head_end = place.row if node.chained else _end_row(node)
    return [*pieces, *_body(page, node, head_end, place), *_elses(node, place)]


def _grouped_head(page: Page, node: Rule, constant: bool) -> Pieces:
    page.open_group(EXPRESSION, node.span.start if node.default else node.head.span.start, line_end(node.head))
    return [*_head(page, node, constant), (Page.close_group,)]


def is_constant(body: Body) -> bool:
    """Whether a body is left out: there is none, or it is `true`."""
    return not body or body == TRUE_BODY


def _place(span: object) -> Place:
    if span.source is NO_SOURCE:  # type: ignore[attr-defined]
        return NOWHERE
    return Place(span.row, span.start, span.end)  # type: ignore[attr-defined]


def _end_row(node: Rule) -> int:
    span = node.head.span
    return 0 if span.source is NO_SOURCE else span.end_row


# Heads


def _head(page: Page, node: Rule, constant: bool) -> list[Piece]:
    head = node.head
    pieces: list[Piece] = ["default "] if node.default else []
    if page.style.reference_heads or len(head.ref.terms) == 1:
        return [*pieces, *ref_pieces(page, head.ref.terms), *_after_name(page, node, constant)]
    return [*pieces, (_two_parts, node, constant)]


def _two_parts(page: Page, node: Rule, constant: bool) -> Pieces:
    """A name of two parts, the second in brackets in one line; a comment there keeps the head as it is."""
    head = node.head
    first, second = head.ref.terms
    if page.fixed is None and page.comments.next_row and page.comments.next_row == page.row(second):
        page.open_group(TERM, head.span.start, line_end(head))
        page.keep_text()
        return None
    return [*plain(page, first), "[", (plain, second), "]", *_after_name(page, node, constant)]


def _after_name(page: Page, node: Rule, constant: bool) -> list[Piece]:
    """Arguments, member or value."""
    head = node.head
    pieces: list[Piece] = []
    if head.args:
        # OPA knows only the name of a function that is declared without value and body.
        known = head.ref.span if head.value is None and not node.body else head.span
        pieces += ("(", (_args, head.args, page.fixed or _place(known)), ")")
    if head.key is not None:
        pieces += (" contains ", (term, head.key)) if page.style.uses_contains else ("[", (term, head.key), "]")
    elif _shows_value(page, node, constant):
        pieces += (" := " if head.assign or page.style.v1 else " = ", (term, head.value or TRUE))
    return pieces


def _args(page: Page, args: Sequence[Term], place: Place) -> Pieces:
    return sequence(page, args, page.fixed or place, "()", lambda node: ((term, node),))


def _shows_value(page: Page, node: Rule, constant: bool) -> bool:
    head = node.head
    if head.value is None:
        # A value that is understood appears where the body goes.
        bare = not node.body and not node.default and (head.args is not None or not page.style.v1)
        return constant and not is_keyed(node) and not bare
    return constant or node.default or head.value != TRUE or is_keyed(node)


def is_keyed(node: Rule) -> bool:
    """Whether OPA takes the last operand of a name for the key of an object or a set."""
    head = node.head
    if head.key is not None:
        return True
    if len(head.ref.terms) != 2 or head.args is not None or node.default:
        return False
    if not node.has_if:
        return True
    return any(type(part) in (Ref, Var) for part in walk(head.ref.terms[1]))


# Bodies


def _body(page: Page, node: Rule, head_end: int, place: Place) -> list[Piece]:
    body = node.body
    uses_if = page.style.uses_if and (page.style.uses_contains or node.head.key is None)
    if uses_if and _fits_in_line(page, body, head_end):
        return [" if ", (line_in_head, body[0]), (Page.end_line,)]
    skipped = "()" if node.head.args else "[]" if is_keyed(node) else ""
    opening: Piece = (_open_body, " if {" if uses_if else " {", page.row(body[0]))
    return [opening, *_braces(body, uses_if, place, skipped)]


def _open_body(page: Page, text: str, row: int) -> Pieces:
    """The opening brace; after a head that was kept as it stood, what comes next follows in the line, as in OPA."""
    if not page.kept_text or not (page.comments.next_row or page.comment_waits):
        return (text, (Page.end_line,))
    page.free_comment()
    if page.comments.next_row < row:
        return (f"{text} ", (Page.indent,), (Page.visit_above, row), (Page.dedent,))
    return (f"{text} \t",)


def _fits_in_line(page: Page, body: Body, head_end: int) -> bool:
    if len(body) != 1 or page.row(body[0]) not in (head_end, 0):
        return False
    return not is_set(body[0])


def is_set(expr: Expr) -> bool:
    """Whether a line is a set, whose braces would be read as those of a body."""
    return not expr.negated and type(expr.term) is SetTerm


def line_in_head(page: Page, expr: Expr) -> Pieces:
    """The only line of a body, in the line of the head."""
    return page.body_line(expr)


def _braces(body: Body, lead: bool, place: Place, skipped: str) -> list[Piece]:
    return [
        (Page.indent,),
        (Page.body, body, lead),
        (_visit_end, place, skipped),
        (Page.dedent,),
        "}",
    ]


def _visit_end(page: Page, place: Place, skipped: str) -> None:
    if page.has_comments and place.row:
        row, last = closing_row(page.source, place, "{}", skipped), page.source.row(place.end - 1)
        if row != last and 0 < page.comments.next_row <= last:
            # OPA takes another row for that of the closing brace, and perhaps a third when it reads what it printed.
            page.settled = False
        page.visit(row)


# else


def _elses(node: Rule, place: Place) -> list[Piece]:
    pieces: list[Piece] = []
    before = place
    for at, branch in enumerate(node.elses):
        pieces.append((_else, branch, before, at == len(node.elses) - 1))
        before = _place(branch.span)
    return pieces


def _else(page: Page, branch: Else, before: Place, last: bool) -> Pieces:
    """One branch: in the line of the brace before it unless it begins a line in the text, or comments stand above."""
    place = _place(branch.span)
    pieces: list[Piece] = []
    above = (place.row and 0 < page.comments.next_row < place.row) or page.comment_waits
    if not above and page.in_line and _follows_in_line(page, place, before):
        pieces.append(" ")
    else:
        pieces.append((Page.blank_line,))
    pieces += ((Page.visit, place.row), "else")
    constant = is_constant(branch.body) and last
    if branch.value is not None and (constant or branch.value != TRUE):
        value_end = branch.value.span.end if place.row else 0
        value: Piece = (term, branch.value, place._replace(end=value_end))
        pieces += (" := " if branch.assign or page.style.v1 else " = ", value)
    elif constant:
        pieces.append(" := true" if page.style.v1 else " = true")
    return [*pieces, (Page.end_line,)] if constant else [*pieces, *_else_body(page, branch, place)]


def _follows_in_line(page: Page, place: Place, before: Place) -> bool:
    if place.row <= before.row:
        return not place.row
    text = page.source.text
    return bool(text[text.rfind("\n", 0, place.start) + 1 : place.start].strip())


def _else_body(page: Page, branch: Else, place: Place) -> list[Piece]:
    body = branch.body
    head_end = place.row
    if branch.value is not None and place.row:
        head_end = branch.value.span.end_row
    pieces: list[Piece] = []
    # What follows `else … if` without braces counts as standing where the branch begins.
    fixed = place if place.row and not branch.braces else None
    fixed = None if page.fixed is not None else fixed
    start: Sequence[Piece] = ((Page.set_fixed, fixed),) if fixed else ()
    end: Sequence[Piece] = ((Page.set_fixed, None),) if fixed else ()
    if page.style.uses_if:
        pieces.append(" if")
        row = place.row if fixed else page.row(body[0])
        # Braces after `else … if` are always those of a body.
        braced = is_set(body[0]) or (begins_with_brace(body[0]) and not body[0].negated)
        if len(body) == 1 and row in (head_end, 0) and not braced:
            return [*pieces, " ", *start, (line_in_head, body[0]), *end, (Page.end_line,)]
    return [*pieces, " {", (Page.end_line,), *start, *_braces(body, False, place, ""), *end]
