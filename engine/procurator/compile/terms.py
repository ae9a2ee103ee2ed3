"""From terms to operands: steps are added to a scope until the value of a term is in a register."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from procurator.compile.constants import constant_value
from procurator.compile.link import Linker
from procurator.compile.plan import (
    CallBuiltin,
    CallUnit,
    Comprehend,
    Constant,
    Get,
    MakeArray,
    MakeObject,
    MakeSet,
    Name,
    Operand,
    Optional,
    Register,
    Replacement,
    Scan,
    Source,
    Template,
    UnitKey,
)
from procurator.compile.rule_tree import constant_path, root_name
from procurator.compile.scope import Scope
from procurator.compile.unify import Lower, has_unbound, unify
from procurator.values import UNDEFINED
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Call,
    Expr,
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


def lower(term: Term, scope: Scope, link: Linker) -> Operand:
    """The operand that holds a term's value once the steps added to the scope have run."""
    value = constant_value(term)
    if value is not UNDEFINED:
        return Constant(value)
    return _LOWER[type(term)](term, scope, link)


def lowering(link: Linker) -> Lower:
    """`lower` with a linker, for unification, which knows none."""
    return lambda term, scope: lower(term, scope, link)


def _var(term: Var, scope: Scope, _link: Linker) -> Operand:
    return scope.names[term.name]


def _array(term: Array, scope: Scope, link: Linker) -> Operand:
    items = tuple([lower(item, scope, link) for item in term.items])
    return scope.compute(MakeArray(items), term.span)


def _set(term: SetTerm, scope: Scope, link: Linker) -> Operand:
    return scope.compute(MakeSet(tuple([lower(item, scope, link) for item in term.items])), term.span)


def _object(term: Object, scope: Scope, link: Linker) -> Operand:
    items = tuple([(lower(key, scope, link), lower(value, scope, link)) for key, value in term.items])
    return scope.compute(MakeObject(items, span=term.span), term.span)


def _closure(kind: str, term: Any, key: Term | None, value: Term, scope: Scope, link: Linker) -> Operand:
    inner = scope.nested()
    link.add_body(term.body, inner, link)
    key_operand = None if key is None else lower(key, inner, link)
    value_operand = lower(value, inner, link)
    at = term.span if key is None else key.span
    return scope.compute(Comprehend(kind, tuple(inner.steps), key_operand, value_operand, span=at), term.span)


def _template(term: TemplateString, scope: Scope, link: Linker) -> Operand:
    parts: list[str | Optional] = []
    for part in term.parts:
        if isinstance(part, String):
            parts.append(part.value)
        else:
            parts.append(optional(part, scope, link))
    return scope.compute(Template(tuple(parts), span=term.span), term.span)


def optional(part: Term | Expr, scope: Scope, link: Linker) -> Optional:
    """A value that may turn out undefined without failing anything."""
    inner = scope.nested()
    if isinstance(part, Expr):
        if part.withs:
            link.enter_withs(part.withs, inner, link)
        part = part.term  # type: ignore[assignment]  # the parser admits only terms here
    value = lower(part, inner, link)  # type: ignore[arg-type]  # so this is one
    return Optional(tuple(inner.steps), value)


# References


def _ref(term: Ref, scope: Scope, link: Linker) -> Operand:
    source, keys = source_of(term, scope, link)
    return walk_keys(source, keys, scope, link, term)


def source_of(term: Ref, scope: Scope, link: Linker) -> tuple[Source, tuple[Term, ...]]:
    """Where a reference begins, and the terms that select from there."""
    head = term.terms[0]
    if root_name(term) in ("input", "data"):
        source, used = link.source(term, scope)
        return source, term.terms[used:]
    return lower(head, scope, link), term.terms[1:]


def walk_keys(source: Source, keys: tuple[Term, ...], scope: Scope, link: Linker, term: Term) -> Operand:
    """Select by one key after the other; a key with unbound variables tries every member."""
    known: list[Operand] = []
    for key in keys:
        if not has_unbound(key, scope):
            known.append(lower(key, scope, link))
            continue
        found = scope.counter.register(), scope.counter.register()
        scope.steps.append(Scan(source, tuple(known), found[0], found[1], span=term.span))
        unify_key(key, found[0], scope, link)
        source, known = found[1], []
    if not known and isinstance(source, Register | Constant):
        return source
    return scope.compute(Get(source, tuple(known)), term.span)


def unify_key(key: Term, found: Register, scope: Scope, link: Linker) -> None:
    """Bind the variables of a key to the member that a scan has found."""
    if isinstance(key, Var) and key.name not in scope.names:
        scope.names[key.name] = found
    else:
        unify(key, found, scope, lowering(link))


# Calls


def _call(term: Call, scope: Scope, link: Linker) -> Operand:
    return call_operator(term, lower_all(term.args, scope, link), scope, link)


def lower_all(terms: Sequence[Term], scope: Scope, link: Linker) -> list[Operand]:
    """The operands of several terms; a variable that is still unbound is bound by another of them."""
    held = [None if type(term) is Var and term.name not in scope.names else lower(term, scope, link) for term in terms]
    return [lower(term, scope, link) if operand is None else operand for term, operand in zip(terms, held, strict=True)]


def call_operator(term: Call, args: list[Operand], scope: Scope, link: Linker) -> Operand:
    """Add the call of a term's operator with operands at hand; the operand of its result."""
    name = operator_name(term.operator)
    variant = link.variants[scope.frame]
    if name in variant.values:
        return scope.compute(Get(Replacement(name, scope.frame)), term.span)
    mock = dict(variant.mocks).get(name)
    if mock is not None and mock[0] == "data" and link.function(mock[1:]) is None:
        return lower(Ref((Var("data"), *map(String, mock[1:])), span=term.span), scope, link)
    if mock is not None:
        # Inside a mock, functions are themselves again.
        variant = replace(variant, mocks=(), values=())
        name = mock
    if name in METADATA:
        return Constant(METADATA[name](link))
    if name[0] == "data":
        unit = link.want(UnitKey(name[1:], (), variant))
        return scope.compute(CallUnit(unit, tuple(args), scope.frame), term.span)
    result = scope.compute(CallBuiltin(".".join(name), tuple(args), span=term.span), term.span)
    if not link.capabilities.builtins.get(".".join(name), {}).get("relation"):
        return result
    outcome = scope.counter.register()
    scope.steps.append(Scan(result, (), None, outcome, span=term.span))
    return outcome


def operator_name(operator: Ref) -> Name:
    """The function that an operator names."""
    return (root_name(operator), *constant_path(operator))


METADATA: Final[dict[Name, Callable[[Linker], Any]]] = {
    ("rego", "metadata", "chain"): lambda link: link.metadata(link.rule),
    ("rego", "metadata", "rule"): lambda link: next(
        (entry["annotations"] for entry in link.metadata(link.rule)[:1] if "annotations" in entry), {}
    ),
}

_LOWER: Final[dict[type, Callable[[Any, Scope, Linker], Operand]]] = {
    Var: _var,
    Ref: _ref,
    Array: _array,
    SetTerm: _set,
    Object: _object,
    ArrayComprehension: lambda t, scope, link: _closure("array", t, None, t.head, scope, link),
    SetComprehension: lambda t, scope, link: _closure("set", t, None, t.head, scope, link),
    ObjectComprehension: lambda t, scope, link: _closure("object", t, t.key, t.value, scope, link),
    TemplateString: _template,
    Call: _call,
}
