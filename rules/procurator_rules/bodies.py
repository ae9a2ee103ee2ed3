"""Reading lines and braces once their place is known: as expressions, bodies, sets, objects, comprehensions."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import find_operator, is_member, membership_with_key, operator_ref, term_of_chain
from procurator_rules.hints import missing_import
from procurator_rules.keywords import LOGICAL
from procurator_rules.line_errors import (
    ambiguous_union,
    brace_led,
    negated_value,
    not_a_term,
    refuse_void,
    with_on_operand,
)
from procurator_rules.lines import Braces, Group, Line, Logical, Modified, Negated, Pair, Piped, RawChain
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
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
    Term,
)
from procurator_rules.reading import MAX_DEPTH, Reading, too_deep
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import UNCLOSED, Misplaced, unexpected
from procurator_rules.tokens import Token, after_space

ASSIGNMENTS: Final = frozenset({"EQ", "ASSIGN"})
PIPES: Final = frozenset({"PIPE"})
IN: Final = frozenset({"IN"})

BRACED: Final = frozenset({Object, SetTerm, ObjectComprehension, SetComprehension})

_AFTER_MEMBER: Final = 'expected "," or "%s"'
_FIRST_MEMBER: Final = "non-terminated set"
_FIRST_PAIR: Final = "non-terminated object"


# Terms


def term_of(chain: RawChain, reading: Reading, note: str | None = None) -> Term:
    """The term that a chain stands for.

    Args:
        chain: operands and operators.
        reading: the text it is from.
        note: what was expected where `=` or `:=` stands; by default what the brackets around tell.
    """
    if len(chain) == 1:
        return operand_term(chain[0], reading)
    if len(chain) > 2 * reading.longest:
        reading.longest = len(chain) // 2
        if reading.longest > MAX_DEPTH:
            raise too_deep(reading.span(chain[-2]))  # type: ignore[arg-type]  # odd places hold operators
    for place in range(0, len(chain), 2):
        if type(chain[place]) in _UNREAD:
            chain[place] = operand_term(chain[place], reading)
    term = term_of_chain(chain, reading.source)
    if isinstance(term, Token):
        raise Misplaced(term.start) if note is None else unexpected(reading, term.start, note)
    return term


def operand_term(operand: Any, reading: Reading) -> Term:
    """An operand as a term: braces become a collection, groups an error."""
    read = _UNREAD.get(type(operand))
    return operand if read is None else read(operand, reading)


def _group_term(group: Group, reading: Reading) -> Term:
    raise not_a_term(group.expr, reading, UNCLOSED)


def _line_term(line: Any, reading: Reading, note: str) -> Term:
    if type(line) is list:
        return term_of(line, reading, note)
    if type(line) is Pair:
        raise unexpected(reading, line.colon.start, note)
    raise not_a_term(line, reading, note)


def join_pair(first: RawChain, comma: Token, second: RawChain, reading: Reading, start: int = 0) -> RawChain:
    """`k, v in xs` from what stands before and after the comma; an assignment around it stays outside.

    Args:
        first: ends with the key.
        comma: stands between.
        second: begins with the membership.
        reading: the text they are from.
        start: where the key begins at the earliest: behind `head |` in a comprehension.
    """
    place = max(start, find_operator(first, ASSIGNMENTS) + 1)
    key, behind = first[place:], find_operator(second, ASSIGNMENTS)
    member, rest = (second[:behind], second[behind:]) if behind > 0 else (second, [])
    call = term_of(member, reading)
    if find_operator(key, IN) > 0 or not is_member(call) or (rest and place > start):
        raise Misplaced(comma.start)
    last = key[-1]
    if type(last) is Call and last.infix and len(last.operator.terms) == 2 and _is_bare(last, comma, reading):
        # `a, b in c, d in e`
        raise Misplaced(comma.start)
    nested = sum(operator.type == "IN" for operator in member[1::2]) - 1  # type: ignore[union-attr]  # all are tokens
    return [*first[:place], membership_with_key(term_of(key, reading), call, nested), *rest]


def _is_bare(term: Term, following: Token, reading: Reading) -> bool:
    """Whether no bracket stands between a term and the token that follows it."""
    return after_space(reading.source.text, term.span.end) == following.start


def member_line(first: Line, comma: Token, second: Line, reading: Reading, start: int = 0) -> Line:
    """The same for lines: the key is at the end of the first, the member at the beginning of the second."""
    if type(second) is Modified:
        return Modified(member_line(first, comma, second.line, reading, start), second.withs)
    if type(second) is Logical:
        joined = member_line(first, comma, second.parts[0], reading, start)  # type: ignore[arg-type]  # even places hold lines
        return Logical([*(joined.parts if type(joined) is Logical else (joined,)), *second.parts[1:]])
    if type(first) is Negated:
        return Negated(first.keyword, member_line(first.line, comma, second, reading))
    if type(first) is Piped:
        return Piped(first.chain, first.pipe, member_line(first.line, comma, second, reading))
    if type(first) is Logical:
        return Logical([*first.parts[:-1], member_line(first.parts[-1], comma, second, reading)])  # type: ignore[arg-type]
    if type(first) is not list or type(second) is not list:
        raise Misplaced(comma.start)
    return join_pair(first, comma, second, reading, start)


# Lines


def line_expr(line: Line, reading: Reading) -> Expr:
    """The expression that a line of a body stands for."""
    return _LINES[type(line)](line, reading)


def _chain_expr(chain: RawChain, reading: Reading) -> Expr:
    if len(chain) == 1 and type(chain[0]) is Group:
        if not reading.active & LOGICAL:
            raise not_a_term(chain[0].expr, reading, UNCLOSED)
        return chain[0].expr
    place = find_operator(chain, ASSIGNMENTS) if len(chain) > 1 else -1
    if place < 0:
        term = term_of(chain, reading)
        reading.loose_keywords.discard(term.span.start)
        return Expr(term, span=term.span)
    operator: Token = chain[place]  # type: ignore[assignment]  # odd places hold operators
    left = term_of(chain[:place], reading)
    right = term_of(chain[place + 1 :], reading)
    reading.loose_keywords.discard(left.span.start)
    span = Span(reading.source, left.span.start, right.span.end)
    name = "assign" if operator.type == "ASSIGN" else "eq"
    call = Call(operator_ref(name, reading.span(operator)), (left, right), infix=True, span=span)
    return Expr(call, span=span)


def _ready_expr(expr: Expr, _reading: Reading) -> Expr:
    return expr


def _negated_expr(line: Negated, reading: Reading) -> Expr:
    inner = line.line
    start = line.keyword.start
    first = after_space(reading.source.text, line.keyword.end)
    if first in reading.loose_keywords:
        raise unexpected(reading, first)
    if isinstance(inner, Negated):
        raise unexpected(reading, inner.keyword.start)
    if isinstance(inner, Expr) and isinstance(inner.term, SomeDecl | Every):
        word = "some" if isinstance(inner.term, SomeDecl) else "every"
        raise unexpected(reading, inner.span.start, f"illegal negation of '{word}'")
    if "not" not in reading.active:
        if type(inner) is list and len(inner) == 1 and type(inner[0]) is Group:
            raise not_a_term(inner[0].expr, reading, UNCLOSED)
        expr = line_expr(inner, reading)
        return Expr(expr.term, negated=True, span=Span(reading.source, start, expr.span.end))
    operand = _operand(inner, reading, "not")
    span = Span(reading.source, start, operand.span.end)
    return Expr(Not(operand.body, operand.explicit, span=span), span=span)


def is_plain(expr: Expr) -> bool:
    """Whether an expression is a bare term, neither negated nor modified nor a statement."""
    return not (expr.negated or expr.withs or isinstance(expr.term, SomeDecl | Every | Not | LogicalAnd | LogicalOr))


def _modified_expr(line: Modified, reading: Reading) -> Expr:
    expr = line_expr(line.line, reading)
    span = Span(reading.source, expr.span.start, line.withs[-1].span.end)
    return Expr(expr.term, expr.negated, tuple(line.withs), span=span)


def groups(line: Line) -> bool:
    """Whether round brackets around a line can make it an operand: not around `some`, nor `{ ... } with ...`."""
    if type(line) is not Modified:
        return not isinstance(line, Expr)
    inner = line.line
    return not isinstance(inner, Expr) and not (type(inner) is list and len(inner) == 1 and type(inner[0]) is Braces)


def is_declaration(line: Line) -> bool:
    """Whether a line is `some x`, which nothing can follow."""
    return isinstance(line, Expr) and isinstance(line.term, SomeDecl) and not isinstance(line.term.symbols[0], Call)


def logical_line(left: Line, operator: Token, right: Line, reading: Reading) -> Logical:
    """`left and right` or `left or right`; modifiers can only follow the whole."""
    if type(left) is Modified:
        raise Misplaced(operator.start) if type(left.line) is Logical else with_on_operand(left, str(operator))
    # `some` and `every` are lines of their own.
    if isinstance(left.line if type(left) is Piped else left, Expr):
        raise Misplaced(operator.start)
    if isinstance(right, Expr):
        raise unexpected(reading, right.span.start)
    if type(left) is not Logical:
        return Logical([left, operator, right])
    left.parts += (operator, right)
    return left


def _logical_expr(line: Logical, reading: Reading) -> Expr:
    parts = line.parts
    reading.longest = max(reading.longest, len(parts) // 2)
    if reading.longest > MAX_DEPTH:
        raise too_deep(reading.span(parts[-2]))  # type: ignore[arg-type]  # odd places hold operators
    groups: list[list[Operand]] = [[]]
    for place in range(0, len(parts), 2):
        if place and parts[place - 1].type == "OR":  # type: ignore[union-attr]  # odd places hold operators
            groups.append([])
        operator = str(parts[place - 1] if place else parts[1])
        operand = _operand(parts[place], reading, operator, first=not place)  # type: ignore[arg-type]
        refuse_void(operand.body, operator, reading)
        groups[-1].append(operand)
    return _fold([_fold(group, LogicalAnd, reading) for group in groups], LogicalOr, reading).body[0]


class Operand(NamedTuple):
    """An operand of `not`, `and` or `or`: its body, whether that stands in braces, and where."""

    body: Body
    explicit: bool
    span: Span


def _fold(operands: list[Operand], node: type[LogicalAnd | LogicalOr], reading: Reading) -> Operand:
    left = operands[0]
    for right in operands[1:]:
        span = Span(reading.source, left.span.start, right.span.end)
        term = node(left.body, right.body, left.explicit, right.explicit, span=span)
        left = Operand((Expr(term, span=span),), False, span)
    return left


def _operand(line: Line, reading: Reading, operator: str, *, first: bool = False) -> Operand:
    if type(line) is list and type(line[0]) is Braces:
        return _brace_operand(line, line[0], reading, operator, first=first)
    if type(line) is list and type(line[0]) is Group and len(line) == 1:
        return Operand((line[0].expr,), False, line[0].span)
    led = _brace_led(line, reading)
    if led is not None:
        raise _brace_led_reference(line, led, reading, operator, first=first)  # type: ignore[arg-type]  # a chain
    expr = line_expr(line, reading)
    return Operand((expr,), False, expr.span)


def _brace_led(line: Line, reading: Reading) -> Ref | None:
    """The first term of a chain if it is a reference such as `{"a": 1}.b`, without round brackets."""
    part = line[0] if type(line) is list else None
    if type(part) is not Ref or part.span.start in reading.enclosed:
        return None
    return part if type(part.terms[0]) in BRACED else None


def _brace_led_reference(
    chain: RawChain, ref: Ref, reading: Reading, operator: str, *, first: bool
) -> PolicyError | Misplaced:
    """The error for an operand such as `{"a": 1}.b == 1`, whose braces are read as a body where they can be one."""
    head, term = ref.terms[0], term_of(chain, reading, "")
    if first and operator != "not":
        return brace_led(term.span, operator)
    if type(head) is SetComprehension or (type(head) is SetTerm and len(head.items) == 1):
        return Misplaced(after_space(reading.source.text, head.span.end))
    if type(head) is Object and not head.items:
        return PolicyError(PARSE, "found empty body", at=reading.source.location(head.span.end - 1))
    return negated_value(term.span, term.span.text, ref) if operator == "not" else brace_led(term.span, operator)


def _brace_operand(chain: RawChain, braces: Braces, reading: Reading, operator: str, *, first: bool) -> Operand:
    """An operand that begins with a brace: a body and nothing else, or an error that tells what to write instead."""
    try:
        body = body_of(braces, reading)
    except PolicyError as error:
        if not braces.items:
            at = braces.span.start if first else braces.closing
            raise PolicyError(PARSE, "found empty body", at=reading.source.location(at)) from None
        try:
            term = term_of(chain, reading, "")
        except PolicyError:
            raise error from None
        if operator == "not":
            raise negated_value(braces.span, term.span.text, operand_term(braces, reading)) from None
        raise brace_led(term.span, operator) from None
    if len(chain) > 1:
        raise brace_led(term_of(chain, reading, "").span, operator) if first else Misplaced(chain[1].start)  # type: ignore[union-attr]
    if _is_union(braces.items[0], body[0]):
        raise ambiguous_union(braces, body[0], "not " if operator == "not" else "")
    return Operand(body, True, braces.span)


def _is_union(line: Any, expr: Expr) -> bool:
    """Whether a line is `a | b` without an assignment, which braces around it make look like a comprehension."""
    if type(line) is not list or len(line) == 1 or find_operator(line, ASSIGNMENTS) > 0:
        return False
    term = expr.term
    return isinstance(term, Call) and term.infix and term.operator.span.text == "|"


def _piped_expr(line: Piped, reading: Reading) -> Expr:
    raise not_a_term(line, reading, "")


_LINES: Final[dict[type, Callable[[Any, Reading], Expr]]] = {
    list: _chain_expr,
    Expr: _ready_expr,
    Negated: _negated_expr,
    Piped: _piped_expr,
    Modified: _modified_expr,
    Logical: _logical_expr,
}


# Braces and brackets


def settle(line: Any, reading: Reading) -> Any:
    """Read the braces among the operands of a line that has found its place, so that later readings stay shallow."""
    if type(line) is list:
        for place in range(0, len(line), 2):
            if type(line[place]) is Braces:
                line[place] = operand_term(line[place], reading)
        return line
    if type(line) is Piped or type(line) is Modified:
        line.line = settle(line.line, reading)
        return line
    if type(line) in (Pair, Expr) or (type(line) is Logical and has_head(line)):
        return line
    if type(line) is Negated and type(line.line) is list and type(line.line[0]) is not Braces:
        # It may still become `not k, v in xs`.
        settle(line.line, reading)
        return line
    return line_expr(line, reading)


def has_head(line: Any) -> bool:
    """Whether a line is `term | ...`, as the first of a comprehension is."""
    if type(line) is Logical:
        return has_head(line.parts[0])
    if type(line) is Piped:
        return len(line.chain) == 1
    return type(line) is list and len(line) > 1 and find_operator(line, PIPES) == 1


def body_of(braces: Braces, reading: Reading) -> Body:
    """Braces as a body."""
    if not braces.items:
        raise PolicyError(PARSE, "found empty body", at=reading.source.location(braces.closing))
    return _lines_of(braces, reading)


def _lines_of(braces: Braces, reading: Reading, first: Any = None) -> Body:
    """The items of braces as lines of a body; a comma is right only in `k, v in xs`.

    Args:
        braces: the braces.
        reading: the text they are from.
        first: what to read in place of the first item: in a comprehension, what stands behind its head.
    """
    text = braces.span.source.text
    if braces.leading_comma:
        raise unexpected(reading, after_space(text, braces.span.start + 1))
    note = f"expected \\n or ; or {text[braces.closing]}"
    try:
        return body_of_items(braces, reading, first)
    except Misplaced as misplaced:
        hint = missing_import([], misplaced.at, reading)
        raise unexpected(reading, misplaced.at, note, hint) from None


def body_of_items(braces: Braces, reading: Reading, first: Any = None) -> Body:
    """The same, where it is not known what would have been expected in place of a comma or a colon."""
    lines: list[Any] = []
    for place, item in enumerate(braces.items):
        if type(item) is Pair:
            raise Misplaced(item.colon.start)
        line = first if first is not None and place == 0 else item
        comma = braces.separators[place - 1] if place else None
        if comma is not None and comma.type == "COMMA":
            lines.append(member_line(lines.pop(), comma, line, reading))
        else:
            lines.append(line)
    if len(braces.separators) == len(braces.items):
        raise Misplaced(braces.separators[-1].start)
    return tuple([line_expr(line, reading) for line in lines])


def brace_term(braces: Braces, reading: Reading) -> Term:
    """Braces as a term: an object, a set or a comprehension."""
    items = braces.items
    if not items:
        return Object((), span=braces.span)
    if type(items[0]) is Pair:
        return _object(braces, items[0], reading)
    comprehension = _comprehension(braces, reading)
    if comprehension is not None:
        return SetComprehension(*comprehension, span=braces.span)
    return SetTerm(_members(braces, reading, _FIRST_MEMBER), span=braces.span)


def _comprehension(braces: Braces, reading: Reading) -> tuple[Term, Body] | None:
    if braces.leading_comma or not (parts := split_comprehension(braces.items[0], reading)):
        return None
    try:
        return parts[0], _lines_of(braces, reading, parts[1])
    except PolicyError:
        # `{a | b, c}` is a set of a union and `c`.
        if any(separator.type == "COMMA" for separator in braces.separators):
            return None
        raise


def _members(braces: Braces, reading: Reading, first_note: str) -> tuple[Term, ...]:
    rest_note = _AFTER_MEMBER % braces.span.source.text[braces.closing]
    members = []
    for place, item in enumerate(braces.items):
        note = rest_note if place else first_note
        members.append(_line_term(item, reading, note))
        _check_comma(braces, place, reading, note)
    return tuple(members)


def _check_comma(braces: Braces, place: int, reading: Reading, note: str) -> None:
    if place < len(braces.separators) and braces.separators[place].type != "COMMA":
        raise unexpected(reading, braces.behind(place), note)


def split_comprehension(line: Any, reading: Reading) -> tuple[Term, Any] | None:
    """Head and first line of the body, where a line holds `head | line`; else None."""
    if type(line) is Modified:
        parts = split_comprehension(line.line, reading)
        return None if parts is None else (parts[0], Modified(parts[1], line.withs))
    if type(line) is Logical and has_head(line):
        parts = split_comprehension(line.parts[0], reading)
        return None if parts is None else (parts[0], Logical([parts[1], *line.parts[1:]]))
    if type(line) is Piped:
        if len(line.chain) == 1:
            return operand_term(line.chain[0], reading), line.line
        # `head | a | some x` can only be an error: the body's line cannot begin with a term.
        raise not_a_term(line, reading, "")
    if type(line) is not list or len(line) == 1 or find_operator(line, PIPES) != 1:
        return None
    return operand_term(line[0], reading), line[2:]


def _object(braces: Braces, first: Pair, reading: Reading) -> Term:
    has_second = len(braces.items) > 1 and type(braces.items[1]) is Pair
    if not braces.leading_comma and not has_second and (parts := split_comprehension(first.value, reading)):
        body = _lines_of(replace(braces, items=[parts[1], *braces.items[1:]]), reading)
        return ObjectComprehension(_line_term(first.key, reading, _FIRST_MEMBER), parts[0], body, span=braces.span)
    pairs = []
    for place, item in enumerate(braces.items):
        after_key, after_value = (_AFTER_MEMBER % "}", _AFTER_MEMBER % "}") if place else (_FIRST_MEMBER, _FIRST_PAIR)
        if type(item) is not Pair:
            raise unexpected(reading, braces.behind(place), 'expected ":"')
        value = _line_term(item.value, reading, after_value)
        pairs.append((_line_term(item.key, reading, after_key), value))
        _check_comma(braces, place, reading, after_value)
    return Object(tuple(pairs), span=braces.span)


def bracket_term(brackets: Braces, reading: Reading) -> Term:
    """`[ … ]` as an array or a comprehension."""
    comprehension = _comprehension(brackets, reading)
    if comprehension is not None:
        return ArrayComprehension(*comprehension, span=brackets.span)
    return Array(_members(brackets, reading, _AFTER_MEMBER % "]"), span=brackets.span)


_UNREAD: Final[dict[type, Callable[[Any, Reading], Term]]] = {Braces: brace_term, Group: _group_term}
