"""Where OPA says that the parts of a syntax tree stand: rows and columns as ours, the text often another piece.

OPA notes a text while it parses, so it depends on the way its parser takes: round brackets belong to what they enclose,
a keyword stands for the declaration it begins, a reference to a composite value begins with its last character.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from procurator_rules.nodes import (
    Call,
    Else,
    Every,
    Expr,
    Head,
    Import,
    LogicalAnd,
    LogicalOr,
    Not,
    Number,
    Package,
    Ref,
    Rule,
    SomeDecl,
    String,
    TemplateString,
    Term,
    Var,
    With,
)
from procurator_rules.spans import Span

Located: TypeAlias = Term | With | SomeDecl | Every | Head | Package | Import

OPENING: Final = re.compile(r"(?:(?<![\w\])}\"`])|(?<![.\w])(?:not|in|if|else|as))\(\s*\Z")
CLOSING: Final = re.compile(r"\s*\)")
NEARBY: Final = 100


def base64_text(text: str) -> str:
    """The text in Base64, which is how JSON holds bytes of Go."""
    return b64encode(text.encode()).decode()


def span_json(span: Span, *, text: bool) -> dict[str, Any]:
    """File, row, column and, if wanted, the text of a span."""
    place: dict[str, Any] = {"file": span.source.name, "row": span.row, "col": span.column}
    return place | ({"text": base64_text(span.text)} if text and span.text else {})


def location_json(node: Located) -> dict[str, Any]:
    """The location of a node: its own row and column, the text that OPA has for it."""
    shown = extent(node)
    return span_json(node.span, text=False) | ({"text": base64_text(shown.text)} if shown.text else {})


def extent(node: Located) -> Span:
    """The text that OPA has for a node."""
    if not isinstance(node, Term):
        return EXTENTS[type(node)](node) if type(node) in EXTENTS else node.span
    whole = outer(node)
    own = OPENINGS[type(node)](node) if type(node) in OPENINGS else whole
    return own if whole.end == node.span.end else whole


def outer(term: Term) -> Span:
    """All the text of a term, the round brackets around it included."""
    start = term.span.start
    if isinstance(term, Call) and term.infix and not is_unary_minus(term):
        start = outer(term.args[0]).start
    last = outer(term.args[-1]).end if isinstance(term, Call) and term.infix else term.span.end
    return _bracketed(Span(term.span.source, start, last))


def line_extent(expr: Expr, *, operand: bool) -> Span:
    """All the text of a line; of an operand that is no term without the round brackets around it."""
    inner = WHOLE[type(expr.term)](expr.term) if type(expr.term) in WHOLE else outer(expr.term)  # type: ignore[arg-type]
    start = expr.span.start if expr.negated else inner.start
    end = extent(expr.withs[-1]).end if expr.withs else inner.end
    span = Span(expr.span.source, start, end)
    return span if operand and not isinstance(expr.term, Term) else _bracketed(span)


def _logical(logical: LogicalAnd | LogicalOr) -> Span:
    text = logical.span.source.text
    if logical.explicit_left:
        start = text.rindex("{", 0, logical.left[0].span.start)
    else:
        start = _bracketed(line_extent(logical.left[0], operand=True)).start
    if logical.explicit_right:
        end = text.index("}", line_extent(logical.right[-1], operand=False).end) + 1
    else:
        end = _bracketed(line_extent(logical.right[0], operand=True)).end
    return Span(logical.span.source, start, end)


def rule_extent(rule: Rule) -> Span:
    """The text of a rule: all of it, but `default` alone stands for a default rule."""
    if rule.default:
        return _shortened(rule.span, "default")
    if not rule.body:
        return head_extent(rule)
    return Span(rule.span.source, rule.span.start, _end(rule.elses[-1] if rule.elses else rule))


def head_extent(rule: Rule) -> Span:
    """The text of a head: up to its value; of a bare `f(x)` the name alone."""
    head = rule.head
    if is_bare(rule) and head.args is not None and head.value is None:
        return head.ref.span
    last = head.value or (head.key if head.contains else None)
    return head.span if last is None else Span(head.span.source, head.span.start, outer(last).end)


def implied_body_json(rule: Rule) -> dict[str, Any]:
    """The location of the body that is not written: the value's, else that of the name or the keyword."""
    head = rule.head
    if rule.default:
        return span_json(_shortened(rule.span, "default"), text=True)
    if head.contains:
        return span_json(head.ref.terms[0].span, text=True)
    return location_json(head.value) if head.value is not None else span_json(head_extent(rule), text=True)


def branch_extent(rule: Rule, branch: Else) -> Span:
    """The text of an `else`: it and all that follow."""
    return Span(branch.span.source, branch.span.start, _end(rule.elses[-1]))


def _end(part: Rule | Else) -> int:
    if part.body and not part.braces:
        return line_extent(part.body[-1], operand=False).end
    return outer(part.value).end if isinstance(part, Else) and part.value and not part.body else part.span.end


def branch_head_extent(branch: Else) -> Span:
    """The text of the head of an `else`: up to its value."""
    start = _shortened(branch.span, "else")
    return start if branch.value is None else Span(start.source, start.start, outer(branch.value).end)


def alias_extent(one: Import) -> Span:
    """The text of the name after `as`."""
    return Span(one.span.source, one.span.end - len(one.alias or ""), one.span.end)


def is_constant(part: String) -> bool:
    """Whether a part of a template string is text between expressions, not a string in braces."""
    return part.span.source.text[part.span.start - 1] in '}"`'


def part_json(template: TemplateString, part: String) -> dict[str, Any]:
    """The location of a constant part of a template string, whose text has the marks before and after it too."""
    first = part.span.start == template.span.start + len('$"')
    span = Span(part.span.source, template.span.start if first else part.span.start, part.span.end + 1)
    place = span_json(span, text=True)
    # A part that begins with a line break belongs to the line that this one begins.
    return place if not span.text.startswith("\n") else {**place, "row": place["row"] + 1, "col": 0}


def is_bare(rule: Rule) -> bool:
    """Whether the rule is a head alone, neither `default` nor with `contains`; OPA reads it as an expression first."""
    return not (rule.body or rule.default or rule.head.contains)


def is_unary_minus(call: Call) -> bool:
    """Whether the call is `-x`, which OPA reads as `0 - x` with an operator that stands nowhere."""
    return call.infix and call.args[0].span == call.operator.span


def _shortened(span: Span, keyword: str) -> Span:
    return Span(span.source, span.start, span.start + len(keyword))


def _bracketed(span: Span) -> Span:
    """The span with the round brackets around it, unless they are those of a call."""
    text, start, end = span.source.text, span.start, span.end
    while closing := CLOSING.match(text, end):
        opening = OPENING.search(text, max(0, start - NEARBY), start)
        if opening is None:
            break
        start, end = text.rindex("(", opening.start(), start), closing.end()
    return Span(span.source, start, end)


def _some(decl: SomeDecl) -> Span:
    return Span(decl.span.source, decl.span.start, outer(decl.symbols[-1]).end)


def _ref(ref: Ref) -> Span:
    head = ref.terms[0]
    if isinstance(head, Var | Call) or not ref.terms[1:]:
        return ref.span
    return Span(ref.span.source, outer(head).end - 1, ref.span.end)


def _number(number: Number) -> Span:
    # A sign or a leading point is a token of its own, and the first token is what OPA keeps.
    return _shortened(number.span, "-") if number.text[0] in "-." else number.span


OPENINGS: Final[Mapping[type, Callable[[Any], Span]]] = {Number: _number, Ref: _ref}
"""Terms of which OPA has a part of the text alone."""

EXTENTS: Final[Mapping[type, Callable[[Any], Span]]] = {
    Every: lambda every: _shortened(every.span, "every"),
    Import: lambda one: _shortened(one.span, "import"),
    Package: lambda package: _shortened(package.span, "package"),
    SomeDecl: lambda decl: _shortened(decl.span, "some"),
    With: lambda one: Span(one.span.source, one.span.start, outer(one.value).end),
}
"""Other nodes of which OPA has another text than all of it."""

WHOLE: Final[Mapping[type, Callable[[Any], Span]]] = {
    Every: lambda every: every.span,
    LogicalAnd: _logical,
    LogicalOr: _logical,
    Not: lambda negated: negated.span,
    SomeDecl: _some,
}
"""All the text of statements."""
