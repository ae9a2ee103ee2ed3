"""From flat chains of operands and operators to terms, with OPA's precedence.

From tight to loose: `* / %`, `+ -`, `&`, `|`, comparisons, `in`; all group to the left.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from lark.lexer import Token

from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.nodes import Call, Ref, String, Term, Var
from procurator_rules.spans import Source, Span

INFIX: Final = {
    "*": "mul",
    "/": "div",
    "%": "rem",
    "+": "plus",
    "-": "minus",
    "&": "and",
    "|": "or",
    "==": "equal",
    "!=": "neq",
    "<": "lt",
    ">": "gt",
    "<=": "lte",
    ">=": "gte",
    "in": "internal.member_2",
    "=": "eq",
    ":=": "assign",
}
"""The built-in behind each operator."""

PRECEDENCE: Final = {
    "*": 6, "/": 6, "%": 6, "+": 5, "-": 5, "&": 4, "|": 3,
    "==": 2, "!=": 2, "<": 2, ">": 2, "<=": 2, ">=": 2, "in": 1,
}  # fmt: skip
"""How tightly each operator of a term binds; `=` and `:=` are no operators of terms."""

MEMBER_WITH_KEY: Final = "internal.member_3"

Chain: TypeAlias = "list[Term | Token]"
"""Operand, operator, operand, …: operators are tokens, operands terms."""


def operator_ref(name: str, span: Span) -> Ref:
    """The reference by which a call names a built-in; `internal.member_2` is a path of two."""
    from_dots = name.split(".")
    return Ref((Var(from_dots[0], span=span), *(String(part, span=span) for part in from_dots[1:])), span=span)


def infix_call(left: Term, operator: str, right: Term, at: Span) -> Call:
    """`left operator right`; at is the span of the operator."""
    span = Span(at.source, left.span.start, right.span.end)
    return Call(operator_ref(INFIX[operator], at), (left, right), infix=True, span=span)


def membership_with_key(key: Term, member: Term) -> Term:
    """`key, value in collection`, from the key and the term after the comma.

    Raises:
        PolicyError: the term after the comma has no `in`.
    """
    if not (isinstance(member, Call) and member.infix and _is_member(member)):
        raise PolicyError(PARSE, "unexpected , token: expected \\n or ; or }", at=member.span)
    value, collection = member.args
    if isinstance(value, Call) and value.infix and _is_member(value) and not _in_brackets(value):
        # `k, v in a in b` reads as `(k, v in a) in b`.
        inner = membership_with_key(key, value)
        return Call(member.operator, (inner, collection), infix=True, span=member.span)
    span = Span(member.span.source, key.span.start, member.span.end)
    return Call(operator_ref(MEMBER_WITH_KEY, member.operator.span), (key, value, collection), infix=True, span=span)


def _in_brackets(call: Call) -> bool:
    return call.span.source.text[max(0, call.span.start - 80) : call.span.start].rstrip()[-1:] == "("


def _is_member(call: Call) -> bool:
    return len(call.operator.terms) == 2 and len(call.args) == 2


def term_of_chain(chain: Chain, source: Source, unexpected: Callable[[Token], PolicyError]) -> Term:
    """Apply precedence to a chain.

    Args:
        chain: operands and operators by turns.
        source: the text the tokens are from.
        unexpected: makes the error for an operator that no term can have (`=`, `:=`).
    """
    if len(chain) == 1:
        return chain[0]  # type: ignore[return-value]  # a chain of one holds an operand
    operands: list[Term] = [chain[0]]  # type: ignore[list-item]  # even places hold operands
    waiting: list[Token] = []
    for place in range(1, len(chain), 2):
        operator = chain[place]
        assert isinstance(operator, Token)
        binding = PRECEDENCE.get(operator)
        if binding is None:
            raise unexpected(operator)
        while waiting and PRECEDENCE[waiting[-1]] >= binding:
            _apply(operands, waiting.pop(), source)
        waiting.append(operator)
        operands.append(chain[place + 1])  # type: ignore[arg-type]  # even places hold operands
    while waiting:
        _apply(operands, waiting.pop(), source)
    return operands[0]


def _apply(operands: list[Term], operator: Token, source: Source) -> None:
    right = operands.pop()
    assert operator.start_pos is not None
    assert operator.end_pos is not None
    operands.append(
        infix_call(operands.pop(), str(operator), right, Span(source, operator.start_pos, operator.end_pos))
    )


def find_operator(chain: Sequence[Term | Token], types: frozenset[str]) -> int:
    """The place of the first operator of one of these token types, or -1."""
    for place in range(1, len(chain), 2):
        if chain[place].type in types:  # type: ignore[union-attr]  # odd places hold tokens
            return place
    return -1
