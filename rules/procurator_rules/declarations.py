"""`some`, `every` and `with`: from the terms that the grammar has read to nodes, with the checks of OPA's parser."""

from dataclasses import dataclass
from typing import Final

from procurator_rules.bodies import body_of, operand_term
from procurator_rules.errors import PolicyError
from procurator_rules.expressions import is_member, membership_with_key
from procurator_rules.hints import missing_in
from procurator_rules.lines import Braces
from procurator_rules.nodes import Call, Every, Expr, Ref, SomeDecl, Term, Var
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import Misplaced, unexpected
from procurator_rules.tokens import IDENTIFIER, Token, after_space, token_at

_MEMBERSHIP: Final = "expected `x in xs` or `x, y in xs` expression"
_QUANTIFIED: Final = "expected `x[, y] in xs { ... }` expression"


def some_expr(keyword: Token, terms: list[Term], reading: Reading) -> Expr:
    """`some x, y` or `some k, v in xs`."""
    span = Span(reading.source, keyword.start, terms[-1].span.end)
    membership = _membership(terms)
    if membership is not None:
        call, taken = membership
        if taken < len(terms):
            raise Misplaced(after_space(span.source.text, call.span.end))
        return Expr(SomeDecl((call,), span=span), span=span)
    if isinstance(terms[0], Call):
        raise _behind(terms[0], reading, _MEMBERSHIP)
    symbols = tuple([_symbol(term, keyword, reading) for term in terms])
    return Expr(SomeDecl(symbols, span=span), span=span)


def _membership(terms: list[Term]) -> tuple[Call, int] | None:
    """`v in xs` or `k, v in xs` at the beginning of some terms, and how many of them it takes."""
    if is_member(first := terms[0]):
        return first, 1
    second = terms[1] if len(terms) > 1 else first
    return (membership_with_key(first, second), 2) if is_member(second) else None


def _symbol(term: Term, keyword: Token, reading: Reading) -> Var:
    if isinstance(term, Var):
        return term
    first = term.terms[0] if isinstance(term, Ref) and len(term.terms) == 1 else term
    if isinstance(first, Var):
        return first
    found = token_at(reading.source, term.span.start)
    if found.name != IDENTIFIER or reading.is_keyword(reading.source.text[found.start : found.end]):
        raise unexpected(reading, found.start, "expected var", missing_in(keyword.start, reading))
    # Here OPA has read a variable, and goes on with what follows it.
    raise Misplaced(after_space(reading.source.text, found.end))


def _behind(term: Term, reading: Reading, note: str) -> PolicyError:
    return unexpected(reading, after_space(reading.source.text, term.span.end), note)


@dataclass(frozen=True, slots=True)
class Quantifier:
    """`every k, v in xs`, before its body."""

    keyword: Token
    names: tuple[Var, ...]
    domain: Term


def quantifier(keyword: Token, terms: list[Term], reading: Reading) -> Quantifier:
    """`every k, v in xs`."""
    membership = _membership(terms)
    if membership is None:
        raise _behind(terms[0], reading, _QUANTIFIED)
    call, taken = membership
    if taken < len(terms):
        raise _behind(call, reading, "missing body")
    *names, domain = call.args
    variables = []
    for what, name in zip(("key", "value")[-len(names) :], names, strict=True):
        if not isinstance(name, Var):
            raise _behind(domain, reading, f"expected {what} to be a variable")
        variables.append(name)
    return Quantifier(keyword, tuple(variables), domain)


def every_expr(opened: Quantifier, braces: Braces, reading: Reading) -> Expr:
    """`every k, v in xs { … }`."""
    span = Span(reading.source, opened.keyword.start, braces.span.end)
    key = opened.names[0] if len(opened.names) > 1 else None
    every = Every(key, opened.names[-1], opened.domain, body_of(braces, reading), span=span)
    return Expr(every, span=span)


def with_target(term: Term, reading: Reading) -> Term:
    """What `with` replaces: a name or a reference."""
    target = operand_term(term, reading)
    first = (
        target.terms[0] if isinstance(target, Ref) else target.operator.terms[0] if isinstance(target, Call) else target
    )
    if not isinstance(first, Var) or reading.is_keyword(first.name):
        raise unexpected(reading, target.span.start, "expected ident")
    if isinstance(target, Call):
        raise _behind(target, reading, "expected with target path")
    return target
