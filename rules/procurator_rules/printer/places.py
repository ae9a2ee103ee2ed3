"""Where nodes stand in the text, as far as the layout asks: rows, brackets around terms, rows of closing brackets."""

import re
from typing import Final, NamedTuple

from procurator_rules.keywords import ALWAYS, FUTURE
from procurator_rules.nodes import (
    Array,
    Call,
    Every,
    Expr,
    Head,
    LogicalAnd,
    LogicalOr,
    Not,
    Object,
    Ref,
    Rule,
    SetTerm,
    SomeDecl,
)
from procurator_rules.spans import NO_SOURCE, Source, Span

BLANK: Final = " \t\r\n"


COLLECTIONS: Final = (Array, Object, SetTerm)
STATEMENTS: Final = (SomeDecl, Every, Not, LogicalAnd, LogicalOr)
_MAYBE_BRACKETED: Final = "(\n \t"


class Place(NamedTuple):
    """Where something stands: the row it begins in and the offsets of its text; row 0 where no text stands behind."""

    row: int
    start: int
    end: int


NOWHERE: Final = Place(0, 0, 0)


def anchor(node: object) -> Span:
    """The span by whose row a term counts: that of its leftmost part."""
    while True:
        if type(node) is Call:
            node = node.args[0] if node.infix else node.operator
        elif type(node) is Ref:
            head = node.terms[0]
            if type(head) is not Call and type(head) is not Ref:
                return head.span if head.span.source is not NO_SOURCE else node.span
            node = head
        else:
            return node.span  # type: ignore[attr-defined, no-any-return]  # every node has a span


def place_of(node: object) -> Place:
    """The place of a term."""
    span = node.span  # type: ignore[attr-defined]  # every node has a span
    if span.source is NO_SOURCE:
        return NOWHERE
    start, end = span.start, span.end
    if type(node) in COLLECTIONS and span.source.text[start - 1] in _MAYBE_BRACKETED:
        start, end = bracketed(node)
    return Place(anchor(node).row, start, end)


def bracketed(node: object) -> tuple[int, int]:
    """The offsets of a term's text with the round brackets around it; an argument's call brackets are not its own."""
    start, end = unbracketed(node)
    text = node.span.source.text  # type: ignore[attr-defined]  # every node has a span
    while True:
        before, after = _skip_back(text, start), _skip_blank(text, end)
        if text[before - 1 : before] != "(" or text[after : after + 1] != ")" or _is_call(text, before - 1):
            return start, end
        start, end = before - 1, after + 1


def unbracketed(node: object) -> tuple[int, int]:
    """The offsets of a term's text without the round brackets around it."""
    if type(node) is Call and node.infix:
        return bracketed(node.args[0])[0], bracketed(node.args[-1])[1]
    span: Span = node.span  # type: ignore[attr-defined]  # every node has a span
    return span.start, span.end


def in_brackets(node: object) -> bool:
    """Whether round brackets of its own stand around a term."""
    span: Span = node.span  # type: ignore[attr-defined]  # every node has a span
    return span.source is not NO_SOURCE and bracketed(node) != unbracketed(node)


def place_of_line(node: Expr) -> Place:
    """The place of a line of a body."""
    source = node.span.source
    if source is NO_SOURCE:
        return NOWHERE
    start = line_start(node)
    return Place(source.row(start), start, node.span.end)


def line_start(node: Expr) -> int:
    """The offset at which a line of a body begins: with round brackets, and with the brace of a first operand."""
    text, start = node.span.source.text, node.span.start
    while type(said := node.term) is LogicalAnd or type(said) is LogicalOr:
        if said.explicit_left:
            start = max(0, text.rfind("{", 0, said.left[0].span.start))
            break
        node = said.left[0]
    before = _skip_back(text, start)
    while before and text[before - 1] == "(":
        start = before - 1
        before = _skip_back(text, start)
    return start


def line_end(node: Expr | Head | Rule) -> int:
    """The offset at which a line of a body, a head or a rule ends, round brackets included."""
    text, end = node.span.source.text, node.span.end
    after = _skip_blank(text, end)
    while text[after : after + 1] == ")":
        end = after + 1
        after = _skip_blank(text, end)
    return end


def end_row(node: Expr) -> int:
    """The row in which a line of a body ends, round brackets included."""
    return node.span.source.row(line_end(node) - 1)


def closing_row(source: Source, place: Place, pair: str, skipped: str = "") -> int:
    """The row of the bracket that closes the first bracket of a text, counted as OPA counts; -1 without one.

    OPA counts brackets in strings and comments like any other, and no line breaks before the first bracket. A skipped
    pair of brackets is stepped over before.
    """
    at, breaks = place.start, 0
    if skipped:
        at, breaks = _past(source.text, skipped, at, place.end)
        at = min(at, place.end)
    at = source.text.find(pair[0], at, place.end)
    if at < 0:
        return -1
    end, more = _past(source.text, pair, at, place.end)
    return place.row + breaks + more if end < place.end else -1


_BRACKETS: Final = {pair: re.compile(f"[\\{pair[0]}\\{pair[1]}\n]") for pair in ("()", "[]", "{}")}


def _past(text: str, pair: str, at: int, end: int) -> tuple[int, int]:
    """Where the first bracket is closed, or the end, and how many line breaks stand between."""
    level = breaks = 0
    for match in _BRACKETS[pair].finditer(text, at, end):
        character = match.group()
        if character == pair[0]:
            level += 1
        elif character == "\n":
            breaks += level > 0
        elif level:
            level -= 1
            if not level:
                return match.start(), breaks
    return end, breaks


def _is_call(text: str, bracket: int) -> bool:
    word = _WORD_BEFORE.search(text, max(0, bracket - 12), bracket)
    return word is not None and word.group() not in ALWAYS | FUTURE


_WORD_BEFORE: Final = re.compile(r"[\w.\])}\"`]+\Z")


def _skip_back(text: str, at: int) -> int:
    """The offset behind what stands before white space and comments."""
    while True:
        end = at
        while at and text[at - 1] in BLANK:
            at -= 1
        # Only what ends an earlier line can be a comment.
        if text.find("\n", at, end) < 0:
            return at
        line = text.rfind("\n", 0, at) + 1
        comment = _COMMENTED.match(text, line, at) if text.find("#", line, at) >= 0 else None
        if comment is None:
            return at
        at = comment.end() - 1


_COMMENTED: Final = re.compile(r"""(?>[^"`#\n]++|"(?:[^"\\\n]|\\.)*+"|`[^`]*+`)*+#""")


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


_BLANK: Final = re.compile(r"(?:\s++|#[^\n]*+)*+")


def last_row_before(span: Span) -> int:
    """The row of the last visible character before a span."""
    return span.source.row(_skip_back(span.source.text, span.start) - 1)
