"""The order that Rego gives to terms: members of sets and keys of objects stand in it where no row tells them apart."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Boolean,
    Call,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    String,
    TemplateString,
    Term,
    Var,
)

Key: TypeAlias = tuple[Any, ...]
"""The rank of a kind of term, and what orders the terms of that kind."""


def key_of(term: Term) -> Key:
    """What orders a term among others; equal for terms that are the same to Rego."""
    rank, payload = _RANKS[type(term)]
    return (rank, payload(term))


def distinct(terms: Sequence[Term]) -> list[Term]:
    """The first of all terms that are the same."""
    found: dict[Key, Term] = {}
    for term in terms:
        found.setdefault(key_of(term), term)
    return list(found.values())


def _keys(terms: Iterable[Term]) -> Key:
    return tuple(map(key_of, terms))


def _body(body: Iterable[Any]) -> tuple[str, ...]:
    # Any order will do that is equal for equal bodies; spans take no part in what a node shows.
    return tuple(map(repr, body))


_RANKS: Final[dict[type, tuple[int, Callable[[Any], Any]]]] = {
    Null: (0, lambda _: 0),
    Boolean: (1, lambda term: term.value),
    Number: (2, lambda term: Decimal(term.text)),
    String: (3, lambda term: term.value),
    TemplateString: (4, repr),
    Var: (5, lambda term: term.name),
    Ref: (6, lambda term: _keys(term.terms)),
    Array: (7, lambda term: _keys(term.items)),
    Object: (8, lambda term: tuple(sorted(map(_keys, term.items)))),
    SetTerm: (9, lambda term: tuple(sorted(_keys(term.items)))),
    ArrayComprehension: (10, lambda term: (key_of(term.head), _body(term.body))),
    ObjectComprehension: (11, lambda term: (key_of(term.key), key_of(term.value), _body(term.body))),
    SetComprehension: (12, lambda term: (key_of(term.head), _body(term.body))),
    Call: (13, lambda term: (key_of(term.operator), *_keys(term.args))),
}
