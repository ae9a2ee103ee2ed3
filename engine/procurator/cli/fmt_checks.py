"""What keeps a policy from being printed as Rego v1, beyond its syntax."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from procurator_rules.capabilities import DEFAULT
from procurator_rules.checks.imports import check_duplicates
from procurator_rules.checks.program import CheckOptions, Program, function_name
from procurator_rules.errors import COMPILE, PARSE, TYPE, PolicyError
from procurator_rules.keywords import ALWAYS, V1
from procurator_rules.nodes import Call, Expr, Module, Ref, Rule, Var
from procurator_rules.visitor import walk

ROOTS: Final = frozenset({"input", "data"})
DEPRECATED: Final = frozenset(name for name, entry in DEFAULT.builtins.items() if entry.get("deprecated") is True)


def v1_problems(module: Module) -> list[PolicyError]:
    """Imports that hide one another, names of documents and keywords that are taken, deprecated built-ins."""
    program = Program({module.source.name: module}, CheckOptions(strict=True))
    found = check_duplicates(program)
    for rule in module.rules:
        for node in walk(rule):
            check = CHECKS.get(type(node))
            if check is not None:
                found.extend(check(node))
    return found


def _rule(rule: Rule) -> Iterator[PolicyError]:
    head = rule.head
    name = head.ref.terms[0]
    if isinstance(name, Var) and name.name in ROOTS:
        message = f"rules must not shadow {name.name} (use a different rule name)"
        yield PolicyError(COMPILE, message, at=rule.span)
    if isinstance(name, Var) and len(head.ref.terms) == 1 and name.name in ALWAYS | V1:
        yield PolicyError(PARSE, f"{name.name} keyword cannot be used for rule name", at=rule.span)
    for arg in head.args or ():
        if root := _root(arg):
            yield PolicyError(COMPILE, f"args must not shadow {root} (use a different variable name)", at=arg.span)


def _line(line: Expr) -> Iterator[PolicyError]:
    call = line.term
    if (
        isinstance(call, Call)
        and function_name(call.operator) == "assign"
        and call.args
        and (root := _root(call.args[0]))
    ):
        message = f"variables must not shadow {root} (use a different variable name)"
        yield PolicyError(COMPILE, message, at=line.span)


def _call(call: Call) -> Iterator[PolicyError]:
    name = function_name(call.operator)
    if name in DEPRECATED:
        yield PolicyError(TYPE, f"deprecated built-in function calls in expression: {name}", at=call.span)


def _root(term: object) -> str:
    """The document that a bare name stands for, or nothing."""
    if isinstance(term, Ref) and len(term.terms) == 1:
        term = term.terms[0]
    return term.name if isinstance(term, Var) and term.name in ROOTS else ""


CHECKS: Final[dict[type, Callable[[Any], Iterator[PolicyError]]]] = {Rule: _rule, Expr: _line, Call: _call}
