"""Which values the variables of a body can have, as far as constants in it tell, and where they come from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from procurator_rules.checks.dependencies import is_constant
from procurator_rules.checks.patterns import is_assignment, is_operator, names
from procurator_rules.checks.program import function_name
from procurator_rules.nodes import (
    Array,
    Body,
    Call,
    Expr,
    Number,
    Object,
    Ref,
    Rule,
    SetTerm,
    SomeDecl,
    Term,
    Var,
)
from procurator_rules.visitor import children

MAX_VALUES: Final = 64
"""So many references one is taken for at most, where its variables can have several values."""

Values = tuple[Term, ...]
GENERATED: Final = Var("#")


@dataclass(frozen=True, slots=True)
class Mention:
    """A reference to `data` in a branch.

    Attributes:
        ref: as written; with its key where `some … in` takes members of it.
        at: the number of its line, that after the last for the head.
    """

    ref: Ref
    at: int


def mentions(body: Body, parts: tuple[Term, ...]) -> Iterator[Mention]:
    """The references to `data` in a branch: of its body, then of the terms of its head."""
    for at, line in enumerate(body):
        for ref in _refs(line):
            yield Mention(ref, at)
    for part in parts:
        for ref in _refs(part):
            yield Mention(ref, len(body))


def _refs(node: Any) -> Iterator[Ref]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        if type(part) is Ref and type(part.terms[0]) is Var and part.terms[0].name == "data":
            yield part
        if type(part) is SomeDecl and type(part.symbols[0]) is Call:
            waiting.extend(reversed(_member(part.symbols[0])))
        else:
            waiting.extend(reversed(children(part)))


def _member(call: Call) -> tuple[Any, ...]:
    """The patterns of `some k, v in xs`, and `xs[k]`."""
    *patterns, domain = call.args
    if type(domain) is not Ref:
        return call.args
    key = patterns[0] if len(patterns) > 1 else GENERATED
    return (*patterns, Ref((*domain.terms, key), span=domain.span))


def equalities(line: Expr) -> Iterator[tuple[Term, Term]]:
    """The two sides of a line that unifies; `some v in xs` unifies v with `xs[_]`."""
    term = line.term
    if line.negated or line.withs:
        return
    if is_assignment(term) or (type(term) is Call and is_operator(term.operator, "eq") and len(term.args) == 2):
        yield term.args[0], term.args[1]
    elif isinstance(term, SomeDecl) and isinstance(term.symbols[0], Call):
        *patterns, domain = term.symbols[0].args
        key = patterns[0] if len(patterns) > 1 else GENERATED
        base = domain.terms if isinstance(domain, Ref) else (domain,)
        yield patterns[-1], Ref((*base, key), span=domain.span)


def known_values(body: Body) -> list[tuple[int, str, Values]]:
    """The variables that lines give constant values, each with its line: the first for each variable."""
    known: dict[str, Values] = {}
    found: list[tuple[int, str, Values]] = []
    for at, line in enumerate(body):
        for left, right in equalities(line):
            for one, other in ((left, right), (right, left)):
                values = values_of(other, known) if isinstance(one, Var) else None
                if isinstance(one, Var) and values is not None:
                    if one.name not in known:
                        known[one.name] = values
                        found.append((at, one.name, values))
                    break
    return found


def values_of(term: Term, known: Mapping[str, Values]) -> Values | None:
    """The constants that a term can be; None where that is not known."""
    if isinstance(term, Var):
        return known.get(term.name)
    if isinstance(term, Ref):
        return _values_of_ref(term, known)
    return (term,) if is_constant(term) else None


def _values_of_ref(ref: Ref, known: Mapping[str, Values]) -> Values | None:
    values = values_of(ref.terms[0], known)
    for operand in ref.terms[1:]:
        if values is None:
            return None
        found: list[Term] = []
        for value in values:
            inside = members(value) if not is_constant(operand) else _member_at(value, operand)
            if inside is None:
                return None
            found += inside
        if len(found) > MAX_VALUES:
            return None
        values = tuple(found)
    return values


def members(value: Term) -> Values | None:
    """The items, members or values of a constant collection; None for what is none."""
    if isinstance(value, Array | SetTerm):
        return value.items
    return tuple([inner for _, inner in value.items]) if isinstance(value, Object) else None


def _member_at(value: Term, key: Term) -> Values:
    if isinstance(value, Object):
        return tuple([inner for outer, inner in value.items if outer == key])
    if isinstance(value, SetTerm):
        return tuple([member for member in value.items if member == key])
    if isinstance(value, Array) and isinstance(key, Number) and key.text.isdigit():
        return value.items[int(key.text) :][:1]
    return ()


def expanded(ref: Ref, known: Mapping[str, Values]) -> list[Ref]:
    """The references that one stands for, with the known values of its variables in their places."""
    found: list[tuple[Term, ...]] = [ref.terms]
    for i, operand in enumerate(ref.terms):
        values = None if i == 0 or is_constant(operand) else values_of(operand, known)
        if values and len(found) * len(values) <= MAX_VALUES:
            found = [(*terms[:i], value, *terms[i + 1 :]) for terms in found for value in values]
    return [Ref(terms, span=ref.span) for terms in found]


def names_before(rule: Rule, body: Body, parts: tuple[Term, ...], at: int) -> frozenset[str]:
    """The names of the variables that can have values at a line: those of the head and of the lines before."""
    nodes = (*(rule.head.args or ()), *parts, *body[:at])
    return frozenset(name for node in nodes for name in names(node))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a variable gets its value.

    Attributes:
        kind: `input`, `rule`, `collection`, `builtin`, `key` of the head or `argument`.
        source: the reference or collection, if it comes from one.
        name: that of the built-in.
    """

    kind: str
    source: Term | None = None
    name: str = ""


def origin_of(name: str, rule: Rule, body: Body) -> Origin | None:
    """Where a variable gets its value, found in the lines before a reference and in the head."""
    bindings: dict[str, Term] = {}
    for line in body:
        for left, right in equalities(line):
            if isinstance(left, Var):
                bindings.setdefault(left.name, right)
            if isinstance(right, Var):
                bindings.setdefault(right.name, left)
    for _ in range(len(body) + 1):
        term = bindings.get(name)
        if not isinstance(term, Var):
            break
        name = term.name
    origin = None if term is None else _origin_of_term(term, bindings)
    return origin or _origin_in_head(name, rule)


def _origin_of_term(term: Term, bindings: Mapping[str, Term]) -> Origin | None:
    if isinstance(term, Call):
        return Origin("builtin", name=function_name(term.operator))
    if not isinstance(term, Ref):
        return None
    head = term.terms[0]
    root = head.name if isinstance(head, Var) else ""
    if root in ("input", "data"):
        constant = next((i for i, part in enumerate(term.terms) if i and not is_constant(part)), len(term.terms))
        return Origin("input" if root == "input" else "rule", Ref(term.terms[:constant], span=term.span))
    collection: Term | None = head
    for _ in range(len(bindings) + 1):
        if isinstance(collection, Var):
            collection = bindings.get(collection.name)
    composite = isinstance(collection, Array | SetTerm | Object) and is_constant(collection)
    is_member = len(term.terms) == 2 and not is_constant(term.terms[1])
    return Origin("collection", collection) if composite and is_member else None


def _origin_in_head(name: str, rule: Rule) -> Origin | None:
    if any(isinstance(arg, Var) and arg.name == name for arg in rule.head.args or ()):
        return Origin("argument")
    keys = (*rule.head.ref.terms[1:], rule.head.key)
    return Origin("key") if any(isinstance(key, Var) and key.name == name for key in keys) else None
