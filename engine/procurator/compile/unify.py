"""Unification, decided when compiling: which variables a pattern binds and what it has to check.

Bodies arrive ordered, so of two sides at most one has a variable unbound at any place, or both are patterns of one
shape.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from procurator.compile.constants import constant_value
from procurator.compile.plan import Compare, Constant, Get, IsArray, IsObject, Operand
from procurator.compile.scope import Scope
from procurator.values import UNDEFINED, equal
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Call,
    Object,
    ObjectComprehension,
    SetComprehension,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.visitor import walk

Lower: TypeAlias = Callable[[Term, Scope], Operand]

_CLOSURES: Final = frozenset({ArrayComprehension, SetComprehension, ObjectComprehension})
_GLOBALS: Final = frozenset({"data", "input"})


def has_unbound(term: Term, scope: Scope) -> bool:
    """Whether a term has a variable that nothing has bound yet; what closures hold is their own affair."""
    if type(term) is Var:
        return term.name not in scope.names
    for node in walk(term, lambda node: type(node) not in _CLOSURES and not _is_call(node)):
        if type(node) is Var and node.name not in scope.names and node.name not in _GLOBALS:
            return True
    return False


def _is_call(node: Any) -> bool:
    # Operands of calls are bound before; operators are no variables.
    return type(node) in (Call, TemplateString)


def unify_terms(left: Term, right: Term, scope: Scope, lower: Lower) -> None:
    """Add the steps of `left = right`."""
    if not is_pattern(left, scope):
        left, right = right, left
    if not is_pattern(left, scope):
        compare_equal(lower(left, scope), lower(right, scope), scope, left)
    elif not is_pattern(right, scope):
        unify(left, lower(right, scope), scope, lower)
    else:
        _unify_patterns(left, right, scope, lower)


def is_pattern(term: Term, scope: Scope) -> bool:
    """Whether unifying with a term binds variables by its shape: references bind theirs by being looked up."""
    if isinstance(term, Var):
        return term.name not in scope.names
    if isinstance(term, Array):
        return any(is_pattern(item, scope) for item in term.items)
    if isinstance(term, Object):
        return any(is_pattern(value, scope) for _, value in term.items)
    return False


def _unify_patterns(left: Any, right: Any, scope: Scope, lower: Lower) -> None:
    """Both sides bind: arrays element by element, objects value by value."""
    if isinstance(left, Array) and isinstance(right, Array):
        if len(left.items) != len(right.items):
            _fail(scope, left)
            return
        for one, other in zip(left.items, right.items, strict=True):
            unify_terms(one, other, scope, lower)
    elif isinstance(left, Object) and isinstance(right, Object):
        _unify_objects(left, right, scope, lower)
    elif isinstance(right, Var) and not isinstance(left, Var):
        unify(right, lower(left, scope), scope, lower)
    else:
        unify(left, lower(right, scope), scope, lower)


def _unify_objects(left: Object, right: Object, scope: Scope, lower: Lower) -> None:
    if len(left.items) != len(right.items):
        _fail(scope, left)
        return
    others = [(constant_value(key), value) for key, value in right.items]
    for key, value in left.items:
        known = constant_value(key)
        match = next((other for name, other in others if known is not UNDEFINED and equal(name, known)), None)
        if match is None:
            _fail(scope, left)
            return
        unify_terms(value, match, scope, lower)


def _fail(scope: Scope, term: Term) -> None:
    scope.steps.append(Compare("equal", Constant(False), Constant(True), span=term.span))


def unify(pattern: Term, operand: Operand, scope: Scope, lower: Lower) -> None:
    """Add the steps that match an operand with a pattern and bind the pattern's variables."""
    if isinstance(pattern, Var) and pattern.name not in scope.names:
        scope.names[pattern.name] = operand
    elif isinstance(pattern, Array) and is_pattern(pattern, scope):
        scope.steps.append(IsArray(operand, len(pattern.items), span=pattern.span))
        for index, item in enumerate(pattern.items):
            _unify_part(item, operand, Constant(index), scope, lower)
    elif isinstance(pattern, Object) and is_pattern(pattern, scope):
        scope.steps.append(IsObject(operand, len(pattern.items), span=pattern.span))
        for key, value in pattern.items:
            _unify_part(value, operand, lower(key, scope), scope, lower)
    else:
        compare_equal(operand, lower(pattern, scope), scope, pattern)


def _unify_part(pattern: Term, whole: Operand, key: Operand, scope: Scope, lower: Lower) -> None:
    if isinstance(pattern, Var) and pattern.name.startswith("$"):
        # A wildcard asks for no value; for an object the key has still to be there.
        scope.names[pattern.name] = scope.compute(Get(whole, (key,)), pattern.span)
        return
    unify(pattern, scope.compute(Get(whole, (key,)), pattern.span), scope, lower)


def compare_equal(left: Operand, right: Operand, scope: Scope, at: Term) -> None:
    """Add a test that two operands are equal."""
    scope.steps.append(Compare("equal", left, right, span=at.span))
