"""The modifiers of lines: what `with` can replace."""

from collections.abc import Iterator
from typing import Any, Final

from procurator_rules.checks.patterns import NESTED_BODIES
from procurator_rules.checks.program import Program, function_name
from procurator_rules.checks.rule_tree import key_of
from procurator_rules.checks.text import ref_text
from procurator_rules.constants import quoted
from procurator_rules.errors import COMPILE, TYPE, PolicyError
from procurator_rules.nodes import Body, Expr, Ref, Var, With
from procurator_rules.visitor import children

IRREPLACEABLE: Final = frozenset({"eq", "rego.metadata.chain", "rego.metadata.rule"})
BUILTIN: Final = "with keyword replacing built-in function:"


def check_withs(program: Program) -> list[PolicyError]:
    """Modifiers that replace what cannot be replaced: the first of each body."""
    errors: list[PolicyError] = []
    for name, module in program.modules.items():
        for rule, facts in zip(module.rules, program.facts[name], strict=True):
            if any(_problem(program, line) for branch in facts for line in branch.withs):
                for node in (rule.head, *rule.elses):
                    errors += _below(program, node)
                errors += _in_body(program, rule.body)
    return errors


def check_query_withs(program: Program, body: Body) -> list[PolicyError]:
    """The same for a query."""
    return _in_body(program, body)


def _in_body(program: Program, body: Body) -> list[PolicyError]:
    for line in body:
        error = _problem(program, line)
        if error is not None:
            return [error]
    return [error for line in body for error in _below(program, line)]


def _below(program: Program, node: Any) -> Iterator[PolicyError]:
    """What is wrong in the bodies inside a node."""
    body = getattr(node, "body", None)
    bodies = NESTED_BODIES[type(node)](node) if type(node) in NESTED_BODIES else () if body is None else (body,)
    for one in bodies:
        yield from _in_body(program, one)
    inside = {id(line) for one in bodies for line in one}
    for child in children(node):
        if id(child) not in inside:
            yield from _below(program, child)


def _problem(program: Program, line: Expr) -> PolicyError | None:
    for one in line.withs:
        error = _modifier(program, one)
        if error is not None:
            return error
    return None


def _modifier(program: Program, one: With) -> PolicyError | None:
    target = one.target
    name = function_name(target) if isinstance(target, Ref) else target.name if isinstance(target, Var) else ""
    if name in program.options.unsafe_builtins:
        return PolicyError(COMPILE, f"{BUILTIN} target must not be unsafe: {quoted(name)}", at=target.span)
    head = target.terms[0] if isinstance(target, Ref) else None
    root = head.name if isinstance(head, Var) else ""
    if root == "input":
        return None
    if root == "data" and isinstance(target, Ref):
        return _document(program, target)
    if name in program.options.capabilities.builtins:
        return _builtin(program, one, name)
    message = "with keyword target must reference existing input, data, or a function"
    return PolicyError(TYPE, message, at=target.span)


def _document(program: Program, target: Ref) -> PolicyError | None:
    node = program.tree
    for term in target.terms[1:-1]:
        key = key_of(term)
        below = None if key is None else node.children.get(key)
        if below is None:
            return None
        if below.definitions:
            message = "with keyword cannot partially replace virtual document(s)"
            return PolicyError(COMPILE, message, at=target.span)
        node = below
    return None


def _builtin(program: Program, one: With, name: str) -> PolicyError | None:
    declaration = program.options.capabilities.builtins[name]
    decl: Any = declaration["decl"]
    if name in IRREPLACEABLE:
        problem = f"replacement of {quoted(name)} invalid"
    elif name.startswith("internal."):
        problem = f"replacement of internal function {quoted(name)} invalid"
    elif declaration.get("relation") is True:
        problem = "target must not be a relation"
    elif decl.get("result") is None:
        problem = "target must not be a void function"
    elif isinstance(one.value, Ref) and function_name(one.value) in program.options.unsafe_builtins:
        problem = f"target must not be unsafe: {quoted(ref_text(one.value.terms))}"
    else:
        return None
    return PolicyError(COMPILE, f"{BUILTIN} {problem}", at=one.target.span)
