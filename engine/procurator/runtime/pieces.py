"""The pieces of policies that reports count: heads of rules, lines of bodies, and what OPA evaluates ahead of a line.

OPA takes a line apart before it evaluates it: calls inside of other terms, references that are operands of calls and
comprehensions become lines of their own, at their own place. Reports name places as OPA names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, NamedTuple

from procurator_rules.ast_locations import (
    branch_extent,
    branch_head_extent,
    extent,
    head_extent,
    line_extent,
)
from procurator_rules.checks.program import function_name
from procurator_rules.nodes import (
    Array,
    Body,
    Boolean,
    Call,
    Comprehension,
    Else,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Module,
    Not,
    Null,
    Number,
    Object,
    Ref,
    Rule,
    SetTerm,
    SomeDecl,
    String,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.spans import Span
from procurator_rules.visitor import children

INDEXED: Final = frozenset({"assign", "eq", "equal", "internal.member_2"})
EQUATIONS: Final = frozenset({"assign", "eq", "equal"})
STATEMENTS: Final = (SomeDecl, Every, Not, LogicalAnd, LogicalOr)


class Range(NamedTuple):
    """From the first character of a piece to the one after its last, by rows and columns."""

    row: int
    column: int
    end_row: int
    end_column: int

    @classmethod
    def of(cls, span: Span, text: str) -> Range:
        """Where a text stands that begins with a span."""
        row, column = span.row, span.column
        lines = text.split("\n")
        end_column = len(lines[-1]) + (column if len(lines) == 1 else 1)
        return cls(row, column, row + len(lines) - 1, end_column)


class Kind(Enum):
    """What a piece is.

    HEAD: the head of a rule or of an `else`; it counts when the rule holds.
    BODY: the body of a rule that has none; it counts when the rule is begun.
    DECLARATION: `some x`; it counts for nothing unless it is evaluated.
    """

    HEAD = "head"
    BODY = "body"
    LINE = "line"
    PART = "part"
    DECLARATION = "declaration"


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece.

    Attributes:
        shown: where OPA says it is.
        spans: the texts whose evaluation is its evaluation; a part without any is evaluated with its line.
        whole: all the text that belongs to it.
        rule: the text of the rule or `else` that it is a piece of.
        default: for what a `default` rule consists of, the path of its document without `data`.
        indexed: the texts by which OPA's index decides, before a rule is begun, that its body cannot hold.
        silent: whether its evaluation may show in nothing, as that of `x := 1` does.
        parts: what is evaluated ahead of it, in order.
        before: the line before it in its body.
        around: the line whose comprehension or statement it stands in.
    """

    kind: Kind
    shown: Range
    spans: tuple[Span, ...]
    whole: Span
    rule: Span
    default: tuple[str, ...] | None = None
    indexed: tuple[Span, ...] = ()
    silent: bool = False
    parts: tuple[Piece, ...] = ()
    before: Piece | None = None
    around: Piece | None = None


def pieces_of(module: Module) -> list[Piece]:
    """The pieces of a module, parts after the line they belong to."""
    names = _names(module)
    return [piece for rule in module.rules for piece in _rule(rule, module, names)]


def pieces_of_query(body: Body) -> list[Piece]:
    """The pieces of a query."""
    return [] if not body else list(_lines(body, _Place(body[0].span)))


class _Names(NamedTuple):
    """What variables stand for.

    Attributes:
        rules: rules of the package and imports.
        asked: imported parts of the input.
        args: arguments of the rule.
    """

    rules: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    args: frozenset[str] = frozenset()


class _Place(NamedTuple):
    """Where lines stand.

    Attributes:
        rule: the text of the rule or the `else`.
        names: what variables stand for.
        fixed: where OPA says all lines are, if that is not where they are.
        around: the line inside of which they stand.
    """

    rule: Span
    names: _Names = _Names()
    fixed: Span | None = None
    around: Piece | None = None


def _names(module: Module) -> _Names:
    imported = {one.name: one.path for one in module.imports}
    heads = (rule.head.ref.terms[0] for rule in module.rules)
    rules = frozenset(head.name for head in heads if isinstance(head, Var)) | imported.keys()
    return _Names(rules, frozenset(name for name, path in imported.items() if _is_input(path)))


def _rule(rule: Rule, module: Module, names: _Names) -> Iterator[Piece]:
    default = _path(rule, module) if rule.default else None
    head = rule.span if rule.chained else head_extent(rule)
    args = frozenset(arg.name for arg in rule.head.args or () if isinstance(arg, Var))
    place = _Place(rule.span, names._replace(args=args))
    yield Piece(Kind.HEAD, _range(head), (), head, rule.span, default)
    if rule.body:
        yield from _lines(rule.body, place)
    else:
        yield Piece(Kind.BODY, _implied(rule), (), head, rule.span, default)
    yield from _parts_of_head((rule.head.key, rule.head.value), place)
    for branch in rule.elses:
        yield from _branch(rule, branch, place.names)


def _branch(rule: Rule, branch: Else, names: _Names) -> Iterator[Piece]:
    head, whole = branch_head_extent(branch), branch_extent(rule, branch)
    yield Piece(Kind.HEAD, _range(head), (), head, branch.span)
    if branch.body:
        yield from _lines(branch.body, _Place(branch.span, names, None if branch.braces else whole))
    else:
        yield Piece(Kind.BODY, _range(whole), (), head, branch.span)
    yield from _parts_of_head((branch.value,), _Place(branch.span, names))


def _implied(rule: Rule) -> Range:
    """Where the body is that is not written: at the value, else at the name or the keyword."""
    head = rule.head
    if rule.default:
        return _range(Span(rule.span.source, rule.span.start, rule.span.start + len("default")))
    if head.contains:
        return _range(head.ref.terms[0].span)
    return _term_range(head.value) if head.value is not None else _range(head_extent(rule))


def _parts_of_head(terms: Iterable[Term | None], place: _Place) -> Iterator[Piece]:
    for term in terms:
        if term is None:
            continue
        for one in _taken_out(term, place.names):
            indexed = (one.span,) if _is_asked(one, place.names) else ()
            yield replace(_part(one, place.rule), indexed=indexed)
        for shown in _shown_operands(term):
            yield Piece(Kind.BODY, _term_range(shown), (), shown.span, place.rule)
        yield from _inner(term, place)


def _path(rule: Rule, module: Module) -> tuple[str, ...]:
    terms = (*module.package.path.terms[1:], *rule.head.ref.terms)
    return tuple(
        term.value if isinstance(term, String) else term.name if isinstance(term, Var) else "" for term in terms
    )


# Lines


def _lines(body: Body, place: _Place, *, operand: bool = False) -> Iterator[Piece]:
    before: Piece | None = None
    for expr in body:
        if isinstance(expr.term, SomeDecl) and not isinstance(expr.term.symbols[0], Call):
            continue
        kind = Kind.DECLARATION if isinstance(expr.term, SomeDecl) else Kind.LINE
        shown = place.fixed or line_extent(expr, operand=operand)
        spans = (expr.span, expr.term.span)
        ahead = list(_ahead(expr, place.names))
        shows = tuple(_shown_operands(expr.term))
        parts = tuple(_part(term, place.rule, with_line=term in shows) for term in (*ahead, *shows))
        indexed = () if place.around or expr.withs else tuple(_indexed(expr, ahead, place.names))
        line = Piece(
            kind,
            _range(shown),
            spans,
            expr.span,
            place.rule,
            indexed=indexed,
            silent=_is_silent(expr.term),
            parts=parts,
            before=before,
            around=place.around,
        )
        yield line
        yield from parts
        inside = place._replace(around=line)
        if isinstance(expr.term, LogicalAnd | LogicalOr):
            for side in (expr.term.left, expr.term.right):
                yield from _lines(side, inside, operand=True)
        else:
            for term in (expr.term, *(one.value for one in expr.withs)):
                yield from _inner(term, inside)
        before = line


def _is_silent(term: Any) -> bool:
    """Whether a line only gives names to constants and variables."""
    if isinstance(term, Call):
        return function_name(term.operator) in EQUATIONS and all(map(_is_silent, term.args))
    if isinstance(term, Array | SetTerm | Object):
        return all(map(_is_silent, _MEMBERS[type(term)](term)))
    return isinstance(term, Var | Null | Boolean | Number | String)


def _inner(node: Any, place: _Place) -> Iterator[Piece]:
    """The lines of the bodies inside a node."""
    if isinstance(node, Comprehension | Every | Not):
        yield from _lines(node.body, place)
    for child in children(node):
        if not isinstance(child, Expr):
            yield from _inner(child, place)


def _part(term: Term, rule: Span, *, with_line: bool = False) -> Piece:
    spans = () if with_line or _is_ground(term) else (term.span,)
    return Piece(Kind.PART, _term_range(term), spans, term.span, rule)


def _ahead(expr: Expr, names: _Names) -> Iterator[Term]:
    """The terms that OPA evaluates ahead of a line."""
    for one in expr.withs:
        yield from _taken_out(one.value, names)
    term = expr.term
    if isinstance(term, Every):
        yield from _within(term.domain, names)
        yield term.domain
    elif isinstance(term, SomeDecl):
        yield from _ahead_of_some(term, names)
    elif isinstance(term, Call):
        apart = function_name(term.operator) in EQUATIONS
        for arg in term.args if function_name(term.operator) != "print" else ():
            yield from _within(arg, names) if apart and not isinstance(arg, Call) else _taken_out(arg, names)
    elif not isinstance(term, STATEMENTS):
        yield from _within(term, names)


def _ahead_of_some(decl: SomeDecl, names: _Names) -> Iterator[Term]:
    """`some x in xs` looks up in `xs`, which is evaluated ahead unless it is a reference or a variable."""
    call = decl.symbols[0]
    if isinstance(call, Call):
        yield from _within(call.args[-1], names)
        yield from () if isinstance(call.args[-1], Ref | Var) else call.args[-1:]


def _shown_operands(node: Any) -> Iterator[Term]:
    """What `print` and template strings show, which is evaluated whether or not it is defined."""
    if isinstance(node, Call) and function_name(node.operator) == "print":
        yield from node.args
    elif isinstance(node, TemplateString):
        yield from (part.term for part in node.parts if isinstance(part, Expr))  # type: ignore[misc]  # always a term
    elif isinstance(node, Call | Array | SetTerm | Object):
        for child in _MEMBERS[type(node)](node):
            yield from _shown_operands(child)


def _taken_out(term: Term, names: _Names) -> Iterator[Term]:
    """The terms to evaluate before a term that stands inside of others, the term itself included if it is one."""
    yield from _within(term, names)
    is_rule = isinstance(term, Var) and term.name in names.rules
    if is_rule or isinstance(term, Call | Ref | Comprehension | TemplateString):
        yield term


def _within(term: Term, names: _Names) -> Iterator[Term]:
    for inner in _MEMBERS[type(term)](term) if type(term) in _MEMBERS else ():
        yield from _taken_out(inner, names)


_MEMBERS: Final[Mapping[type, Callable[[Any], Iterable[Term]]]] = {
    Array: lambda term: term.items,
    SetTerm: lambda term: term.items,
    Object: lambda term: [part for pair in term.items for part in pair],
    Call: lambda term: term.args,
    Ref: lambda term: term.terms[1:] if isinstance(term.terms[0], Var) else term.terms,
}
"""The terms inside of terms, but for those of bodies."""


# OPA's index


def _indexed(expr: Expr, ahead: Iterable[Term], names: _Names) -> Iterator[Span]:
    """The texts of a line that OPA indexes rules by: what asks for a part of the input, and what that has to equal."""
    yield from (term.span for term in ahead if _is_asked(term, names))
    term = expr.term
    if expr.negated or isinstance(term, STATEMENTS):
        return
    if isinstance(term, Call) and function_name(term.operator) in INDEXED and len(term.args) == 2:
        one, other = term.args
        yield from (arg.span for arg in term.args if _is_asked(arg, names))
        if (_is_keyed(one, names) and _is_ground(other)) or (_is_keyed(other, names) and _is_ground(one)):
            yield from (expr.span, term.span)
    elif _is_asked(term, names):
        yield expr.span


def _is_asked(term: Term, names: _Names) -> bool:
    """Whether a term is a known place of the input."""
    if isinstance(term, Var):
        return term.name in names.asked
    if not isinstance(term, Ref):
        return False
    head, *rest = term.terms
    is_input = isinstance(head, Var) and (head.name == "input" or head.name in names.asked)
    return is_input and all(map(_is_ground, rest))


def _is_keyed(term: Term, names: _Names) -> bool:
    """Whether OPA looks rules up by a term: a place of the input, or an argument."""
    return _is_asked(term, names) or (isinstance(term, Var) and term.name in names.args)


def _is_input(path: Term) -> bool:
    return isinstance(path, Ref) and isinstance(path.terms[0], Var) and path.terms[0].name == "input"


def _is_ground(term: Term) -> bool:
    """Whether a term is a constant."""
    if isinstance(term, Array | SetTerm | Object):
        return all(map(_is_ground, _MEMBERS[type(term)](term)))
    return isinstance(term, Null | Boolean | Number | String)


def _range(span: Span) -> Range:
    return Range.of(span, span.text)


def _term_range(term: Term) -> Range:
    return Range.of(term.span, extent(term).text)
