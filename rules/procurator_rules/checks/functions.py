"""Calls of functions that do not exist, or with more or fewer arguments than they take."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from procurator_rules.checks.facts import Facts
from procurator_rules.checks.nearest import nearest_function
from procurator_rules.checks.program import Program, function_name
from procurator_rules.checks.rule_tree import Node
from procurator_rules.checks.text import line_span, ref_text
from procurator_rules.checks.type_errors import argument_error
from procurator_rules.constants import STRING as STRING_KEY
from procurator_rules.errors import TYPE, PolicyError
from procurator_rules.nodes import (
    Array,
    Boolean,
    Call,
    Expr,
    Null,
    Number,
    Object,
    Ref,
    SetTerm,
    String,
    TemplateString,
    Var,
)
from procurator_rules.signatures import Signatures, signatures_of
from procurator_rules.spans import Span
from procurator_rules.types import ANY, BOOLEAN, NULL, NUMBER, STRING, Inferred
from procurator_rules.types import Array as ArrayType
from procurator_rules.types import Object as ObjectType
from procurator_rules.types import Set as SetType


def stage(program: Program) -> list[PolicyError]:
    """Undefined functions and wrong numbers of arguments."""
    calls = _Calls(program)
    return [error for facts in branches(program) for error in calls.problems(facts)]


def void_calls(program: Program) -> list[PolicyError]:
    """Calls that stand for a value although the function has none, such as `x := print(1)`."""
    signatures = signatures_of(program.options.capabilities)
    void = {name for name in ("print", "internal.print") if name in signatures}
    return [
        PolicyError(TYPE, f"{call.span.text} used as value", at=call.span)
        for facts in branches(program)
        for call in facts.calls
        if function_name(call.operator) in void
    ]


def branches(program: Program) -> Iterator[Facts]:
    """The facts of all branches of all rules, modules by name, the rest in the order of the text."""
    for name in program.modules:
        for rule in program.facts[name]:
            yield from rule


class _Calls:
    """Looks functions up, each name once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._signatures: Signatures = signatures_of(program.options.capabilities)
        self._arities: dict[str, tuple[int, bool]] = {}

    def problems(self, facts: Facts) -> Iterator[PolicyError]:
        """What is wrong with the calls of a branch."""
        for line in facts.lines:
            call = line.term
            if isinstance(call, Call):
                yield from self._problem(call, line)
        for call in facts.calls:
            yield from self._problem(call, call)

    def _problem(self, call: Call, where: Expr | Call) -> Iterable[PolicyError]:
        arity, variadic = self._arity(call.operator)
        given, stands_alone = len(call.args), where is not call
        if given == arity or (stands_alone and given == arity + 1 > 0) or (variadic and given > arity):
            return ()
        at = line_span(where) if isinstance(where, Expr) else where.span
        if arity < 0:
            return (self._undefined(call.operator, at),)
        return (self._mismatch(call, arity, at, stands_alone=stands_alone),)

    def _arity(self, operator: Ref) -> tuple[int, bool]:
        """How many arguments, and whether more are fine."""
        name = function_name(operator)
        known = self._arities.get(name) if name else None
        if known is None:
            signature = self._signatures.get(name)
            variadic = signature is not None and signature.type.variadic is not None
            known = (self._program.arity(operator), variadic)
            if name:
                self._arities[name] = known
        return known

    def _undefined(self, operator: Ref, at: Span) -> PolicyError:
        shown = ref_text(operator.terms)
        close = nearest_function(shown, self._known())
        hint = None if close is None else f"did you mean `{close}`?"
        return PolicyError(TYPE, f"undefined function {shown}", at=at, hint=hint)

    def _known(self) -> list[str]:
        """The names that an unknown function could have been meant by."""
        builtins = [name for name in self._signatures if not name.startswith("internal.")]
        return builtins + list(_functions(self._program.tree, "data"))

    def _mismatch(self, call: Call, arity: int, at: Span, *, stands_alone: bool) -> PolicyError:
        name = function_name(call.operator)
        if name in self._signatures:
            have = [*map(_type, call.args), *([] if stands_alone else [None])]
            signature = self._signatures[name].type
            return argument_error(at, name, "arity mismatch", have, signature, with_result=False)
        given, plural = len(call.args), "" if len(call.args) == 1 else "s"
        message = f"function {ref_text(call.operator.terms)} has arity {arity}, got {given} argument{plural}"
        return PolicyError(TYPE, message, at=at)


def _functions(tree: Node, prefix: str) -> Iterator[str]:
    """The full names of the functions among rules."""
    waiting = [(tree, prefix)]
    while waiting:
        node, path = waiting.pop()
        if node.definitions and node.definitions[0].is_function:
            yield path
        waiting += [(below, f"{path}.{key}") for key, below in node.children.items() if isinstance(key, str)]


def _type(term: Any) -> Inferred:
    """The type of an argument as far as it shows by itself."""
    read = _TYPES.get(type(term))
    return None if read is None else read(term)


def _object(term: Object) -> Inferred:
    return ObjectType(((STRING_KEY, key.value), _type(value)) for key, value in term.items if isinstance(key, String))


def _ref(term: Ref) -> Inferred:
    head = term.terms[0]
    return ANY if isinstance(head, Var) and head.name in ("data", "input") else None


_TYPES: Final[Mapping[type, Callable[[Any], Inferred]]] = {
    Null: lambda _: NULL,
    Boolean: lambda _: BOOLEAN,
    Number: lambda _: NUMBER,
    String: lambda _: STRING,
    TemplateString: lambda _: STRING,
    Array: lambda term: ArrayType([_type(item) for item in term.items]),
    SetTerm: lambda term: SetType(_type(term.items[0]) if term.items else None),
    Object: _object,
    Ref: _ref,
}
