"""From flat chains of operands and operators to terms, with OPA's precedence.

From tight to loose: `* / %`, `+ -`, `&`, `|`, comparisons, `in`; all group to the left.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias, TypeGuard

from procurator_rules.nodes import Call, Ref, String, Term, Var
from procurator_rules.spans import Source, Span
from procurator_rules.tokens import Token

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

Chain: TypeAlias = Sequence[Any]
"""Operand, operator, operand, …: even places hold terms, odd ones tokens."""


def operator_ref(name: str, span: Span) -> Ref:
    """The reference by which a call names a built-in; `internal.member_2` is a path of two."""
    from_dots = name.split(".")
    return Ref((Var(from_dots[0], span=span), *(String(part, span=span) for part in from_dots[1:])), span=span)


def infix_call(left: Term, operator: str, right: Term, at: Span) -> Call:
    """`left operator right`; at is the span of the operator."""
    span = Span(at.source, left.span.start, right.span.end)
    return Call(operator_ref(INFIX[operator], at), (left, right), infix=True, span=span)


def dotted(ref: Ref) -> str:
    """A reference of names as text: `internal.member_2`; empty where an operand is no name."""
    head, *rest = ref.terms
    names = [head.name if isinstance(head, Var) else ""]
    names += [part.value if isinstance(part, String) else "" for part in rest]
    return ".".join(names) if all(names) else ""


def is_member(term: Term) -> TypeGuard[Call]:
    """Whether a term is `value in collection`."""
    return isinstance(term, Call) and term.infix and len(term.operator.terms) == 2 and len(term.args) == 2


def membership_with_key(key: Term, member: Call, nested: int = 0) -> Call:
    """`key, value in collection`, from the key and the membership after the comma.

    `k, v in a in b` reads as `(k, v in a) in b`, unlike `k, (v in a) in b`.

    Args:
        key: the key.
        member: the membership.
        nested: how many memberships in the place of the value are not in brackets: the key belongs to the innermost.
    """
    outer = []
    for _ in range(nested):
        outer.append(member)
        member = member.args[0]  # type: ignore[assignment]  # the caller has counted
    span = Span(member.span.source, key.span.start, member.span.end)
    call = Call(operator_ref(MEMBER_WITH_KEY, member.operator.span), (key, *member.args), infix=True, span=span)
    for member in reversed(outer):
        call = Call(member.operator, (call, member.args[1]), infix=True, span=member.span)
    return call


def term_of_chain(chain: Chain, source: Source) -> Term | Token:
    """Apply precedence to a chain; an operator that no term can have (`=`, `:=`) is returned instead."""
    operands: list[Term] = [chain[0]]
    waiting: list[Token] = []
    for place in range(1, len(chain), 2):
        operator: Token = chain[place]
        binding = PRECEDENCE.get(operator)
        if binding is None:
            return operator
        while waiting and PRECEDENCE[waiting[-1]] >= binding:
            _apply(operands, waiting.pop(), source)
        waiting.append(operator)
        operands.append(chain[place + 1])
    while waiting:
        _apply(operands, waiting.pop(), source)
    return operands[0]


def _apply(operands: list[Term], operator: Token, source: Source) -> None:
    right = operands.pop()
    operands.append(infix_call(operands.pop(), str(operator), right, Span(source, operator.start, operator.end)))


def find_operator(chain: Chain, types: frozenset[str]) -> int:
    """The place of the first operator of one of these token types, or -1."""
    for place in range(1, len(chain), 2):
        if chain[place].type in types:
            return place
    return -1
