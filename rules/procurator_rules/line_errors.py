"""What is said about a line that cannot stand where it stands, such as `not x` as a member of a set."""

from collections.abc import Mapping
from typing import Any, Final

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import dotted
from procurator_rules.lines import Braces, Line, Logical, Modified, Negated, Piped
from procurator_rules.nodes import Body, Call, Expr, LogicalAnd, LogicalOr, Term
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import KIND_NAMES, unexpected
from procurator_rules.tokens import Token, after_space

_WITH_HINT: Final = (
    "Wrap the operand in `(...)` or `{...}` to scope, or move `with` after the `%s` expression to apply it to the "
    "whole expression"
)


def not_a_term(line: Line, reading: Reading, note: str) -> PolicyError:
    """The error for a line where only a term can stand; the note says what was expected behind its first part."""
    if isinstance(line, Negated):
        return unexpected(reading, line.keyword.start)
    if isinstance(line, Piped):
        return unexpected(reading, after_space(reading.source.text, line.pipe.end))
    if isinstance(line, Modified):
        return unexpected(reading, line.withs[0].span.start, note)
    at = _first_operator(line)
    if at is None:
        return unexpected(reading, line.span.start)  # type: ignore[union-attr]  # what is left is an expression
    return unexpected(reading, at, note, "`and` and `or` have no value: they cannot be used as a term")


def _first_operator(line: Line) -> int | None:
    """The offset of the first `and` or `or` of a line."""
    if isinstance(line, Logical):
        return next(part.start for part in line.parts if isinstance(part, Token))
    at = None
    while isinstance(line, Expr) and isinstance(line.term, LogicalAnd | LogicalOr):
        line = line.term.left[-1]
        text, at = line.span.source.text, line.span.end
        while text[at := after_space(text, at)] in ")}":
            at += 1
    return at


def with_on_operand(line: Modified, operator: str) -> PolicyError:
    """`a with … or b`."""
    message = f"`with` modifier is not allowed on operand of `{operator}`"
    return PolicyError(PARSE, message, at=line.withs[0].span, hint=_WITH_HINT % operator)


def brace_led(span: Span, operator: str) -> PolicyError:
    """`{1, 2} or b`."""
    return PolicyError(
        PARSE,
        f"operand of `{operator}` cannot begin with `{{` unless the braces hold a body",
        at=span,
        hint=f"wrap the operand to keep the value: `({span.text}) {operator} ...`",
    )


def negated_value(span: Span, operand: str, first: Term) -> PolicyError:
    """`not {1, 2} | x`: the operand's text, and the value that its braces hold."""
    return PolicyError(
        PARSE,
        f"`{{...}}` in an operand position must contain expression(s), got: {KIND_NAMES[type(first)]}",
        at=span,
        hint=f"write `not ({operand})` to negate the value, or `not {{{operand}}}` for a body holding it",
    )


def refuse_void(body: Body, operator: str, reading: Reading) -> None:
    """Note an operand that does nothing but call functions without a result, such as `print`."""
    names = [_void_name(expr, reading) for expr in body]
    if all(names):
        hint = (
            f"`{names[0]}` produces no value and always succeeds, so the operand can never fail; "
            "move it out of the operand, or add an expression that can fail"
        )
        message = f"operand of `{operator}` cannot consist only of calls to `{names[0]}`"
        reading.mistakes.append(PolicyError(PARSE, message, at=body[0].span, hint=hint))


def _void_name(expr: Expr, reading: Reading) -> str:
    """The name of the built-in that an expression calls, if that has no result."""
    if expr.negated or not isinstance(expr.term, Call):
        return ""
    name = dotted(expr.term.operator)
    declaration = reading.capabilities.builtins.get(name, {}).get("decl")
    return name if isinstance(declaration, Mapping) and "result" not in declaration else ""


def ambiguous_union(braces: Braces, first: Any, prefix: str) -> PolicyError:
    """`not {a | b}`."""
    text, at = braces.span.text, braces.span.start
    union = f"{text[: first.span.start - at]}({first.span.text}){text[first.span.end - at :]}"
    return PolicyError(
        PARSE,
        "ambiguous `{ ... | ... }` operand: read as a body holding a set-union expression, not as a comprehension",
        at=braces.span,
        hint=f"write `{prefix}({text})` for the comprehension, or `{prefix}{union}` for the set union",
    )
