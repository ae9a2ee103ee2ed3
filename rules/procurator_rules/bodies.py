"""Reading lines and braces once their place is known: as expressions, bodies, sets, objects, comprehensions."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from lark.lexer import Token

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import find_operator, membership_with_key, operator_ref, term_of_chain
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
    SetComprehension,
    SetTerm,
    SomeDecl,
    Term,
    With,
)
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import keyword_error, operator_error

ASSIGNMENTS: Final = frozenset({"EQ", "ASSIGN"})
PIPES: Final = frozenset({"PIPE"})
END_OF_LINE: Final = "expected \\n or ; or }"


# Terms


def term_of(chain: RawChain, reading: Reading, note: str = "") -> Term:
    """The term that a chain stands for; the note says what was expected instead of `=` and `:=`."""
    if len(chain) == 1:
        return operand_term(chain[0], reading)
    reading.longest = max(reading.longest, len(chain) // 2)
    for place in range(0, len(chain), 2):
        if type(chain[place]) in _UNREAD:
            chain[place] = operand_term(chain[place], reading)
    return term_of_chain(chain, reading.source, lambda token: operator_error(reading.source, token, note))  # type: ignore[arg-type]


def operand_term(operand: Any, reading: Reading) -> Term:
    """An operand as a term: braces become a collection, groups an error."""
    read = _UNREAD.get(type(operand))
    return operand if read is None else read(operand, reading)  # type: ignore[no-any-return]


def _group_term(group: Group, reading: Reading) -> Term:
    raise _not_a_term(group.line, reading, group.span)


def _not_a_term(line: Line, reading: Reading, span: Span) -> PolicyError:
    if isinstance(line, Negated):
        return keyword_error(reading.source, line.keyword)
    if isinstance(line, Logical):
        word = str(next(part for part in line.parts if isinstance(part, Token)))
        return PolicyError(PARSE, f"`{word}` has no value: it cannot be used as a term", at=span)
    return PolicyError(PARSE, "non-terminated expression", at=span)


def line_term(line: Line, reading: Reading, note: str = "") -> Term:
    """The term that a member of a collection or an operand in brackets stands for."""
    if type(line) is list:
        return term_of(line, reading, note)
    raise _misplaced(line, reading)


def _misplaced(line: Any, reading: Reading) -> PolicyError:
    """The error for a line where only a term can stand."""
    if isinstance(line, Negated):
        return keyword_error(reading.source, line.keyword)
    if isinstance(line, Logical | Modified):
        return PolicyError(PARSE, "unexpected keyword in a term", at=line_expr(line, reading).span)
    if isinstance(line, Piped):
        return operator_error(reading.source, line.pipe, "")
    word = {SomeDecl: "some", Every: "every"}.get(type(line.term), "with")
    return PolicyError(
        PARSE, f"unexpected {word} keyword", at=Span(line.span.source, line.span.start, line.span.start + len(word))
    )


def join_pair(first: RawChain, second: RawChain, reading: Reading) -> RawChain:
    """`k, v in xs` from what stands before and after the comma; an assignment before it stays outside."""
    place = find_operator(first, ASSIGNMENTS) + 1  # type: ignore[arg-type]
    key = term_of(first[place:], reading)
    return [*first[:place], membership_with_key(key, term_of(second, reading))]


# Lines


def line_expr(line: Line, reading: Reading) -> Expr:
    """The expression that a line of a body stands for."""
    return _LINES[type(line)](line, reading)


def _chain_expr(chain: RawChain, reading: Reading) -> Expr:
    if len(chain) == 1:
        operand = chain[0]
        if type(operand) is Group:
            return line_expr(operand.line, reading)
        term = operand_term(operand, reading)
        return Expr(term, span=term.span)
    place = find_operator(chain, ASSIGNMENTS)  # type: ignore[arg-type]
    if place < 0:
        term = term_of(chain, reading)
        return Expr(term, span=term.span)
    operator = chain[place]
    assert isinstance(operator, Token)
    left = term_of(chain[:place], reading)
    right = term_of(chain[place + 1 :], reading, END_OF_LINE)
    span = Span(reading.source, left.span.start, right.span.end)
    name = "assign" if operator.type == "ASSIGN" else "eq"
    call = Call(operator_ref(name, reading.span(operator)), (left, right), infix=True, span=span)
    return Expr(call, span=span)


def _ready_expr(expr: Expr, _reading: Reading) -> Expr:
    return expr


def _negated_expr(line: Negated, reading: Reading) -> Expr:
    inner = line.line
    start = line.keyword.start_pos or 0
    if isinstance(inner, Negated):
        raise keyword_error(reading.source, inner.keyword)
    if isinstance(inner, Expr) and isinstance(inner.term, SomeDecl | Every):
        word = "some" if isinstance(inner.term, SomeDecl) else "every"
        at = Span(inner.span.source, inner.span.start, inner.span.start + len(word))
        raise PolicyError(PARSE, f"unexpected {word} keyword: illegal negation of '{word}'", at=at)
    if "not" not in reading.active:
        expr = line_expr(inner, reading)
        span = Span(reading.source, start, expr.span.end)
        if not is_plain(expr):
            raise PolicyError(
                PARSE, "non-terminated expression", at=expr.span, hint="`import future.keywords.not` to negate a group"
            )
        return Expr(expr.term, negated=True, span=span)
    body, explicit, end = _operand_body(inner, reading, "not ")
    span = Span(reading.source, start, end)
    return Expr(Not(body, explicit, span=span), span=span)


def is_plain(expr: Expr) -> bool:
    """Whether an expression is a bare term, neither negated nor modified nor a statement."""
    return not (expr.negated or expr.withs or isinstance(expr.term, SomeDecl | Every | Not | LogicalAnd | LogicalOr))


def _modified_expr(line: Modified, reading: Reading) -> Expr:
    expr = line_expr(line.line, reading)
    span = Span(reading.source, expr.span.start, line.withs[-1].span.end)
    return Expr(expr.term, expr.negated, (*expr.withs, *line.withs), span=span)


def _logical_expr(line: Logical, reading: Reading) -> Expr:
    parts = list(line.parts)
    withs: list[With] = []
    last = parts[-1]
    if isinstance(last, Modified):
        withs, parts[-1] = last.withs, last.line
    _refuse_inner_modifiers(parts, reading)
    reading.longest = max(reading.longest, len(parts) // 2)
    alternatives = [_fold(group, "and", LogicalAnd, reading) for group in _split(parts, "OR")]
    body, explicit, span = alternatives[0]
    for right, explicit_right, right_span in alternatives[1:]:
        span = Span(reading.source, span.start, right_span.end)
        body = (Expr(LogicalOr(body, right, explicit, explicit_right, span=span), span=span),)
        explicit = False
    expr = body[0]
    if not withs:
        return expr
    return Expr(expr.term, expr.negated, tuple(withs), span=Span(reading.source, span.start, withs[-1].span.end))


def _split(parts: "list[Line | Token]", kind: str) -> "list[list[Line]]":
    groups: list[list[Line]] = [[]]
    for part in parts:
        if not isinstance(part, Token):
            groups[-1].append(part)
        elif part.type == kind:
            groups.append([])
    return groups


def _fold(lines: "list[Line]", operator: str, node: type[LogicalAnd], reading: Reading) -> tuple[Body, bool, Span]:
    body, explicit, end = _operand_body(lines[0], reading, "", operator)
    span = Span(reading.source, body[0].span.start, end)
    for line in lines[1:]:
        right, explicit_right, end = _operand_body(line, reading, "", operator)
        span = Span(reading.source, span.start, end)
        body = (Expr(node(body, right, explicit, explicit_right, span=span), span=span),)
        explicit = False
    return body, explicit, span


def _refuse_inner_modifiers(parts: "list[Line | Token]", reading: Reading) -> None:
    for place, part in enumerate(parts):
        if isinstance(part, Modified):
            word = str(parts[place + 1]) if place + 1 < len(parts) else str(parts[place - 1])
            raise PolicyError(
                PARSE,
                f"`with` modifier is not allowed on operand of `{word}`",
                at=part.withs[0].span,
                hint="Wrap the operand in `(...)` or `{...}` to scope, or move `with` after the "
                f"`{word}` expression to apply it to the whole expression",
            )


def _operand_body(line: Line, reading: Reading, prefix: str, operator: str = "") -> tuple[Body, bool, int]:
    """An operand of `not`, `and` or `or`: its body, whether that stands in braces, and where it ends."""
    if type(line) is list and type(line[0]) is Braces:
        braces = line[0]
        if len(line) > 1:
            raise _brace_led(line, reading, prefix, operator)
        _refuse_ambiguous_union(braces, reading)
        return body_of(braces, reading), True, braces.span.end
    if type(line) is list and len(line) == 1 and type(line[0]) is Group:
        group = line[0]
        return (line_expr(group.line, reading),), False, group.span.end
    expr = line_expr(line, reading)
    return (expr,), False, expr.span.end


def _brace_led(chain: RawChain, reading: Reading, prefix: str, operator: str) -> PolicyError:
    term = term_of(list(chain), reading)
    if prefix:
        kind = {SetTerm: "set", Object: "object"}.get(type(operand_term(chain[0], reading)), "setcomprehension")
        return PolicyError(
            PARSE,
            f"`{{...}}` in an operand position must contain expression(s), got: {kind}",
            at=term.span,
            hint=f"write `{prefix}({term.span.text})` to negate the value, "
            f"or `{prefix}{{{term.span.text}}}` for a body holding it",
        )
    return PolicyError(
        PARSE,
        f"operand of `{operator}` cannot begin with `{{` unless the braces hold a body",
        at=term.span,
        hint=f"wrap the operand to keep the value: `({term.span.text}) {operator} ...`",
    )


def _refuse_ambiguous_union(braces: Braces, reading: Reading) -> None:
    first = braces.items[0] if braces.items else None
    if type(first) is list and find_operator(first, PIPES) > 0 and find_operator(first, ASSIGNMENTS) < 0:  # type: ignore[arg-type]
        raise PolicyError(
            PARSE,
            "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension",
            at=braces.span,
            hint=f"write `({braces.span.text})` for the comprehension, or put the set union in brackets",
        )


_LINES: Final[dict[type, Callable[[Any, Reading], Expr]]] = {
    list: _chain_expr,
    Expr: _ready_expr,
    Negated: _negated_expr,
    Piped: lambda line, reading: _raise(operator_error(reading.source, line.pipe, "")),
    Modified: _modified_expr,
    Logical: _logical_expr,
}


def _raise(error: PolicyError) -> Expr:
    raise error


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
    if type(line) in (Pair, Expr) or (type(line) is Logical and _leading_pipe(line)):
        return line
    return line_expr(line, reading)


def _leading_pipe(line: Logical) -> bool:
    first = line.parts[0]
    return type(first) is list and len(first) > 1 and find_operator(first, PIPES) == 1  # type: ignore[arg-type]


def body_of(braces: Braces, reading: Reading) -> Body:
    """Braces as a body."""
    if not braces.items:
        raise PolicyError(PARSE, "found empty body", at=reading.source.location(braces.span.end - 1))
    return body_of_items(braces.items, braces.commas, reading)


def body_of_items(items: Sequence[Any], commas: Sequence[Token], reading: Reading) -> Body:
    """The items of braces as lines of a body; a comma is right only in `k, v in xs`."""
    for item in items:
        if type(item) is Pair:
            raise operator_error(reading.source, item.colon, END_OF_LINE)
    if commas:
        items = _join_members(list(items), list(commas), reading)
    return tuple(line_expr(item, reading) for item in items)


def _join_members(items: list[Any], commas: list[Token], reading: Reading) -> list[Any]:
    """Rejoin what a comma parted: `k, v in xs` came as two items."""
    joined: list[Any] = []
    comma = 0
    for item in items:
        if (
            joined
            and comma < len(commas)
            and _end_of(joined[-1], reading) <= (commas[comma].start_pos or 0) < _start(item)
        ):
            joined[-1] = _member_line(joined[-1], item, commas[comma], reading)
            comma += 1
        else:
            joined.append(item)
    if comma < len(commas):
        raise operator_error(reading.source, commas[comma], END_OF_LINE)
    return joined


def _start(line: Any) -> int:
    return line[0].span.start if type(line) is list else line.span.start if type(line) is Expr else _inner_start(line)


def _inner_start(line: Any) -> int:
    return _start(line.line if type(line) is Modified else line.chain)


def _end_of(line: Any, reading: Reading) -> int:
    return line[-1].span.end if type(line) is list else line_expr(line, reading).span.end  # type: ignore[no-any-return]


def _member_line(first: Any, second: Any, comma: Token, reading: Reading) -> Any:
    tail = second.withs if type(second) is Expr else ()
    chain = [second.term] if type(second) is Expr and isinstance(second.term, Call) else second
    if type(first) is not list or type(chain) is not list:
        raise operator_error(reading.source, comma, END_OF_LINE)
    try:
        joined = join_pair(first, chain, reading)
    except PolicyError as error:
        raise operator_error(reading.source, comma, END_OF_LINE) from error
    return Modified(joined, list(tail)) if tail else joined


def brace_term(braces: Braces, reading: Reading) -> Term:
    """Braces as a term: an object, a set or a comprehension."""
    items = braces.items
    if not items:
        return Object((), span=braces.span)
    if type(items[0]) is Pair:
        return _object(braces, reading)
    if not braces.leading_comma and (parts := split_comprehension(items[0], reading)):
        try:
            body = body_of_items([parts[1], *items[1:]], braces.commas, reading)
        except PolicyError:
            if not braces.commas or braces.lines:
                raise
        else:
            return SetComprehension(parts[0], body, span=braces.span)
    return SetTerm(_members(braces, "non-terminated set", reading), span=braces.span)


def _members(braces: Braces, note: str, reading: Reading) -> tuple[Term, ...]:
    if braces.lines:
        raise _line_break(braces, note, reading)
    return tuple(line_term(item, reading, note) for item in braces.items)  # type: ignore[arg-type]


def _line_break(braces: Braces, note: str, reading: Reading) -> PolicyError:
    """The error for items that no comma parts, where members were expected."""
    commas = [comma.start_pos or 0 for comma in braces.commas]
    for left, right in zip(braces.items, braces.items[1:], strict=False):
        end, start = _end_of(left, reading), _start(right)
        if not any(end <= comma < start for comma in commas):
            at = reading.source.text.find(";", end, start)
            where = (at, ";") if at >= 0 else (start, "identifier")
            return PolicyError(PARSE, f"unexpected {where[1]} token: {note}", at=reading.source.location(where[0]))
    return PolicyError(PARSE, note, at=braces.span)


def split_comprehension(line: Any, reading: Reading) -> tuple[Term, Any] | None:
    """Head and first line of the body, where a line holds `head | line`; else None."""
    if type(line) is Piped:
        place = find_operator(line.chain, PIPES)  # type: ignore[arg-type]
        if place < 0:
            return term_of(line.chain, reading), line.line
        # `head | a | some x` can only be an error: the body's line cannot begin with a term.
        raise operator_error(reading.source, line.pipe, END_OF_LINE)
    if type(line) is Logical and _leading_pipe(line):
        head, first = split_comprehension(line.parts[0], reading) or (None, None)
        assert head is not None
        return head, Logical([first, *line.parts[1:]])
    withs: Any = ()
    chain = line
    if type(line) is Modified:
        chain, withs = line.line, line.withs
    if type(chain) is not list:
        return None
    place = find_operator(chain, PIPES)  # type: ignore[arg-type]
    if place != 1:
        return None
    rest = chain[2:]
    return operand_term(chain[0], reading), Modified(rest, withs) if withs else rest


def _object(braces: Braces, reading: Reading) -> Term:
    first = braces.items[0]
    assert isinstance(first, Pair)
    if not braces.leading_comma and (parts := split_comprehension(first.value, reading)):
        if len(braces.items) == 1 or type(braces.items[1]) is not Pair:
            body = body_of_items([parts[1], *braces.items[1:]], braces.commas, reading)
            return ObjectComprehension(line_term(first.key, reading), parts[0], body, span=braces.span)
    if braces.lines:
        raise _line_break(braces, "non-terminated object", reading)
    pairs = []
    for item in braces.items:
        if type(item) is not Pair:
            raise PolicyError(PARSE, 'expected ":"', at=line_expr(item, reading).span)  # type: ignore[arg-type]
        pairs.append((line_term(item.key, reading), line_term(item.value, reading, "non-terminated object")))
    return Object(tuple(pairs), span=braces.span)


def bracket_term(brackets: Braces, reading: Reading) -> Term:
    """`[ … ]` as an array or a comprehension."""
    items = brackets.items
    if items and not brackets.leading_comma and (parts := split_comprehension(items[0], reading)):
        try:
            body = body_of_items([parts[1], *items[1:]], brackets.commas, reading)
        except PolicyError:
            if not brackets.commas or brackets.lines:
                raise
        else:
            return ArrayComprehension(parts[0], body, span=brackets.span)
    return Array(_members(brackets, 'expected "," or "]"', reading), span=brackets.span)


_UNREAD: Final[dict[type, Callable[[Any, Reading], Term]]] = {Braces: brace_term, Group: _group_term}
