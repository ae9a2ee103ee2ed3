"""From the lines of a body to steps."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from procurator.compile.link import Linker
from procurator.compile.plan import (
    Compare,
    Either,
    ForEvery,
    Name,
    Negation,
    Operand,
    Print,
    Register,
    Replace,
    Scan,
    Truthy,
)
from procurator.compile.rule_tree import constant_path, root_name
from procurator.compile.scope import Scope
from procurator.compile.terms import (
    call_operator,
    lower,
    lower_all,
    lowering,
    operator_name,
    optional,
    source_of,
    unify_key,
)
from procurator.compile.unify import has_unbound, unify, unify_terms
from procurator_rules.nodes import (
    Array,
    Body,
    Call,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    Object,
    Ref,
    SetTerm,
    SomeDecl,
    String,
    Term,
    Var,
    With,
)
from procurator_rules.spans import Span

COMPARISONS: Final = frozenset({"equal", "neq", "lt", "lte", "gt", "gte"})


def add_body(body: Body, scope: Scope, link: Linker) -> None:
    """Add the lines of a body in their order."""
    for expr in body:
        add_line(expr, scope, link)


def add_line(expr: Expr, scope: Scope, link: Linker) -> None:
    """Add one line: its modifiers, its negation, its term."""
    frame = scope.frame
    if expr.withs:
        enter_withs(expr.withs, scope, link)
    if expr.negated:
        _negated(expr, scope, link)
    else:
        _add_term(expr.term, scope, link)
    scope.frame = frame


def _add_term(term: Any, scope: Scope, link: Linker) -> None:
    add = _STATEMENTS.get(type(term))
    if add is not None:
        add(term, scope, link)
    else:
        scope.steps.append(Truthy(lower(term, scope, link), span=term.span))


# Calls as lines


def _call_line(term: Call, scope: Scope, link: Linker) -> None:
    name = operator_name(term.operator)
    special = _CALLS.get(name)
    if special is not None and not _is_replaced(name, scope, link):
        special(term, scope, link)
        return
    arity = _arity(name, link)
    if arity is not None and len(term.args) == arity + 1:
        # The last operand takes the result.
        args = lower_all(term.args[:-1], scope, link)
        result = call_operator(term, args, scope, link)
        unify(term.args[-1], result, scope, lowering(link))
        return
    result = lower(term, scope, link)
    scope.steps.append(Truthy(result, span=term.span))


def _is_replaced(name: Name, scope: Scope, link: Linker) -> bool:
    variant = link.variants[scope.frame]
    return name in variant.values or any(target == name for target, _ in variant.mocks)


def _arity(name: Name, link: Linker) -> int | None:
    if name[0] == "data":
        node = link.tree.find(name[1:])
        return len(node.entries[0].rule.head.args or ()) if node and node.entries else None
    declaration = link.capabilities.builtins.get(".".join(name))
    if declaration is None:
        return None
    function = declaration.get("decl")
    return None if not isinstance(function, dict) or "variadic" in function else len(function.get("args") or ())


def _compare_line(term: Call, scope: Scope, link: Linker) -> None:
    if len(term.args) == 3:
        _call_as_value(term, scope, link)
        return
    left, right = lower_all(term.args, scope, link)
    scope.steps.append(Compare(operator_name(term.operator)[0], left, right, span=term.span))


def _call_as_value(term: Call, scope: Scope, link: Linker) -> None:
    args = lower_all(term.args[:-1], scope, link)
    result = call_operator(term, args, scope, link)
    unify(term.args[-1], result, scope, lowering(link))


def _unify_line(term: Call, scope: Scope, link: Linker) -> None:
    if len(term.args) == 3:
        _call_as_value(term, scope, link)
        return
    unify_terms(term.args[0], term.args[1], scope, lowering(link))


def _print_line(term: Call, scope: Scope, link: Linker) -> None:
    scope.steps.append(Print(tuple([optional(arg, scope, link) for arg in term.args]), span=term.span))


_CALLS: Final[dict[Name, Callable[[Call, Scope, Linker], None]]] = {
    **{(name,): _compare_line for name in COMPARISONS},
    ("eq",): _unify_line,
    ("assign",): _unify_line,
    ("print",): _print_line,
    ("internal", "print"): _print_line,
}


# Negation, quantifiers, alternatives


def _negated(expr: Expr, scope: Scope, link: Linker) -> None:
    """`not term` of old: calls among the operands are computed outside of the negation."""
    term: Any = expr.term
    if isinstance(term, Call):
        # What an equality compares is looked up inside of the negation; the operands of other calls are not.
        hoist = _hoist_inside if operator_name(term.operator) in _EQUALITIES else _hoist
        args = tuple([hoist(arg, scope, link) for arg in term.args])
        term = replace(term, args=args)
    elif isinstance(term, Ref):
        term = _hoist_in_ref(term, scope, link)
    elif not isinstance(term, Var):
        term = _hoist(term, scope, link)
    inner = scope.nested()
    _add_term(term, inner, link)
    scope.steps.append(Negation(tuple(inner.steps), span=expr.span))


def _hoist(term: Term, scope: Scope, link: Linker) -> Term:
    """The term with its calls replaced by variables that hold their results."""
    change = _HOIST.get(type(term))
    return term if change is None else change(term, scope, link)


def _hoist_call(term: Call, scope: Scope, link: Linker) -> Term:
    args = tuple([_hoist(arg, scope, link) for arg in term.args])
    name = f"call#{scope.counter.registers}"
    scope.names[name] = lower(replace(term, args=args), scope, link)
    return Var(name, span=term.span)


def _hoist_inside(term: Term, scope: Scope, link: Linker) -> Term:
    return _hoist_in_ref(term, scope, link) if isinstance(term, Ref) else _hoist(term, scope, link)


def _hoist_ref(term: Ref, scope: Scope, link: Linker) -> Term:
    name = f"ref#{scope.counter.registers}"
    scope.names[name] = lower(_hoist_in_ref(term, scope, link), scope, link)
    return Var(name, span=term.span)


def _hoist_in_ref(term: Ref, scope: Scope, link: Linker) -> Ref:
    return replace(term, terms=tuple([_hoist(part, scope, link) for part in term.terms]))


def _hoist_items(term: Any, scope: Scope, link: Linker) -> Term:
    return replace(term, items=tuple([_hoist(item, scope, link) for item in term.items]))  # type: ignore[no-any-return]  # of the same class


def _hoist_object(term: Object, scope: Scope, link: Linker) -> Term:
    items = [(_hoist(key, scope, link), _hoist(value, scope, link)) for key, value in term.items]
    return replace(term, items=tuple(items))


_EQUALITIES: Final = frozenset({("eq",), ("equal",)})

_HOIST: Final[dict[type, Callable[[Any, Scope, Linker], Term]]] = {
    Call: _hoist_call,
    Ref: _hoist_ref,
    Array: _hoist_items,
    SetTerm: _hoist_items,
    Object: _hoist_object,
}


def _not(term: Not, scope: Scope, link: Linker) -> None:
    inner = scope.nested()
    add_body(term.body, inner, link)
    scope.steps.append(Negation(tuple(inner.steps), span=term.span))


def _and(term: LogicalAnd, scope: Scope, link: Linker) -> None:
    for body in (term.left, term.right):
        _either((body,), scope, link, term.span)


def _or(term: LogicalOr, scope: Scope, link: Linker) -> None:
    _either((term.left, term.right), scope, link, term.span)


def _either(bodies: tuple[Body, ...], scope: Scope, link: Linker, span: Span) -> None:
    blocks = []
    for body in bodies:
        inner = scope.nested()
        add_body(body, inner, link)
        blocks.append(tuple(inner.steps))
    scope.steps.append(Either(tuple(blocks), span=span))


def _every(term: Every, scope: Scope, link: Linker) -> None:
    domain = lower(term.domain, scope, link)
    inner = scope.nested()
    key = _declare(term.key, inner)
    value = _declare(term.value, inner)
    add_body(term.body, inner, link)
    scope.steps.append(ForEvery(domain, key, value, tuple(inner.steps), span=term.span))


def _declare(name: Term | None, scope: Scope) -> Register | None:
    if not isinstance(name, Var):
        return None
    register = scope.counter.register()
    scope.names[name.name] = register
    return register


def _some(term: SomeDecl, scope: Scope, link: Linker) -> None:
    """`some k, v in xs`: try each member that the patterns match."""
    call = term.symbols[0]
    if not isinstance(call, Call):
        return
    *patterns, collection = call.args
    source, keys = _collection(collection, scope, link)
    value = scope.counter.register()
    key = scope.counter.register() if len(patterns) == 2 else None
    scope.steps.append(Scan(source, keys, key, value, span=term.span))
    if key is not None:
        unify_key(patterns[0], key, scope, link)
    unify_key(patterns[-1], value, scope, link)


def _collection(term: Term, scope: Scope, link: Linker) -> Any:
    """Where the members of a collection are: a reference need not be looked up first."""
    if isinstance(term, Ref) and root_name(term) in ("data", "input") and not has_unbound(term, scope):
        source, rest = source_of(term, scope, link)
        return source, tuple([lower(key, scope, link) for key in rest])
    return lower(term, scope, link), ()


_STATEMENTS: Final[dict[type, Callable[[Any, Scope, Linker], None]]] = {
    Call: _call_line,
    Not: _not,
    LogicalAnd: _and,
    LogicalOr: _or,
    Every: _every,
    SomeDecl: _some,
}


# with


def enter_withs(withs: tuple[With, ...], scope: Scope, link: Linker) -> None:
    """Make a frame for the modifiers of a line and go on in it."""
    parent = scope.frame
    variant = link.variants[parent]
    inputs: list[tuple[tuple[str, ...], Operand]] = []
    values: list[tuple[Name, Operand]] = []
    for modifier in withs:
        target = modifier.target
        name = operator_name(target) if isinstance(target, Ref) else (target.name,)  # type: ignore[union-attr]  # no other target passes the checks
        function = _replacing_function(modifier.value, link) if _is_function(name, link) else None
        if function is not None:
            variant = replace(variant, mocks=(*_without(variant.mocks, name), (name, function)))
            continue
        operand = lower(modifier.value, scope, link)
        if name[0] == "input":
            inputs.append((name[1:], operand))
        elif _is_function(name, link):
            values.append((name, operand))
            variant = replace(variant, values=tuple(sorted({*variant.values, name})))
        else:
            values.append((name, operand))
            variant = replace(variant, documents=tuple(sorted({*_not_below(variant.documents, name), name})))
    frame = scope.counter.frame()
    link.variants[frame] = variant
    scope.steps.append(Replace(frame, parent, tuple(inputs), tuple(values), span=withs[0].span))
    scope.frame = frame


def _without(mocks: tuple[tuple[Name, Name], ...], name: Name) -> tuple[tuple[Name, Name], ...]:
    return tuple(pair for pair in mocks if pair[0] != name)


def _not_below(names: tuple[Name, ...], name: Name) -> tuple[Name, ...]:
    return tuple(other for other in names if other[: len(name)] != name)


def _is_function(name: Name, link: Linker) -> bool:
    if name[0] == "data":
        return link.function(name[1:]) is not None
    return name[0] != "input"


def _replacing_function(value: Term, link: Linker) -> Name | None:
    """What a function is replaced by, if that is a function, or a document of rules: it is looked up by each call."""
    if isinstance(value, Var):
        return (value.name,) if value.name in link.capabilities.builtins else None
    if not isinstance(value, Ref) or not all(isinstance(part, String) for part in value.terms[1:]):
        return None
    name = (root_name(value), *constant_path(value))
    if name[0] == "data":
        return name if link.tree.find(name[1:]) is not None else None
    return name if ".".join(name) in link.capabilities.builtins else None
