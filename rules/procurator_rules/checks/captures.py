"""What `print` and template strings capture: only variables that have values where they stand.

An operand that is undefined does not stop a line with one of these, so an unknown variable in it would go unnoticed.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from procurator_rules.checks.binding import Part, Reader
from procurator_rules.checks.mentions import outer_variables_of_term
from procurator_rules.checks.modules import ROOTS
from procurator_rules.checks.patterns import CLOSURES, NESTED_BODIES, is_operator, names
from procurator_rules.checks.program import Program, function_name
from procurator_rules.checks.rule_tree import find_exact, is_always_defined
from procurator_rules.checks.text import shown_name
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import (
    ArrayComprehension,
    Body,
    Call,
    Every,
    Expr,
    ObjectComprehension,
    Ref,
    Rule,
    SetComprehension,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.visitor import walk

Safe = frozenset[str]

COMPREHENSIONS: Final = frozenset({ArrayComprehension, SetComprehension, ObjectComprehension})


class _Outputs(Reader):
    """Reads lines for what they bind alone, whether or not they could be evaluated."""

    def settle(self, part: Part, binds: bool) -> None:
        """Finish a part: what it binds is safe."""
        if binds:
            self.safe |= part.bound


def check_templates(program: Program) -> list[PolicyError]:
    """Unknown variables and relations in template strings."""
    errors: list[PolicyError] = []
    for rule, branch, body, parts in _branches(program):
        if branch.templates:
            safe = _outputs(program, body, _arguments(rule))
            for node in (*body, *parts):
                _templates(program, node, safe, errors)
    return errors


def check_prints(program: Program) -> list[PolicyError]:
    """Unknown variables among the operands of `print`: for each body the first line that has one."""
    if not program.options.print_statements:
        return []
    return [
        error
        for rule, branch, body, parts in _branches(program)
        if any(map(_is_print, branch.lines))
        for error in _prints(program, (*body, *(Expr(part) for part in parts)), _arguments(rule))
    ]


def check_query_captures(program: Program, body: Body) -> list[PolicyError]:
    """The same for a query."""
    safe = _outputs(program, body, ROOTS)
    errors: list[PolicyError] = []
    for line in body:
        _templates(program, line, safe, errors)
    return errors or (_prints(program, body, ROOTS) if program.options.print_statements else [])


def _branches(program: Program) -> Iterator[tuple[Rule, Any, Body, tuple[Term, ...]]]:
    """All branches of rules: the facts, the body and the terms of the head."""
    for name, module in program.modules.items():
        package = len(module.package.path.terms)
        for rule, facts in zip(module.rules, program.facts[name], strict=True):
            head = rule.head
            parts = [part for part in (*head.ref.terms[package + 1 :], head.key, head.value) if part is not None]
            yield rule, facts[0], rule.body, tuple(parts)
            for one, branch in zip(rule.elses, facts[1:], strict=True):
                yield rule, branch, one.body, () if one.value is None else (one.value,)


def _arguments(rule: Rule) -> Safe:
    return ROOTS.union(name for arg in rule.head.args or () for name in names(arg))


def _outputs(program: Program, body: Body, safe: Safe) -> Safe:
    """What is safe after a body, its lines taken in the order of the text."""
    reader = _Outputs(program, set(safe))
    for expr in body:
        reader.read(expr)
    return frozenset(reader.safe)


def _templates(program: Program, node: Any, safe: Safe, errors: list[PolicyError]) -> None:
    """Check the template strings in a node and in the bodies below it."""
    waiting = [(node, safe)]
    while waiting:
        top, known = waiting.pop()
        for part in walk(top, lambda one: type(one) not in CLOSURES or type(one) is TemplateString):
            if type(part) is TemplateString:
                errors += _template(program, part, known)
            elif type(part) in CLOSURES:
                waiting += _inside(program, part, known)


def _inside(program: Program, closure: Any, safe: Safe) -> Iterator[tuple[Any, Safe]]:
    """What is inside a closure, each with what is safe there."""
    if type(closure) in COMPREHENSIONS:
        known = _outputs(program, closure.body, safe)
        heads = (closure.key, closure.value) if type(closure) is ObjectComprehension else (closure.head,)
        yield from ((part, known) for part in (*heads, *closure.body))
        return
    if type(closure) is Every:
        yield closure.domain, safe
        safe = safe.union(part.name for part in (closure.key, closure.value) if type(part) is Var)
    for body in NESTED_BODIES[type(closure)](closure):
        known = _outputs(program, body, safe)
        yield from ((line, known) for line in body)


def _template(program: Program, template: TemplateString, safe: Safe) -> Iterator[PolicyError]:
    for part in template.parts:
        if type(part) is Expr and type(part.term) is not Var:
            yield from _captured(program, part.term, safe)


def _captured(program: Program, term: Any, safe: Safe) -> Iterator[PolicyError]:
    if type(term) is Call:
        name = function_name(term.operator)
        declaration = program.options.capabilities.builtins.get(name)
        if declaration is not None and declaration.get("relation") is True:
            message = f"illegal call to relation built-in '{name}' that may cause multiple outputs"
            yield PolicyError(COMPILE, message, at=term.span)
            return
    if type(term) is Ref:
        node = find_exact(program.tree, term)
        if node is not None and is_always_defined(node.definitions):
            return
    yield from _undeclared(term, safe)


def _undeclared(term: Any, safe: Safe) -> Iterator[PolicyError]:
    """The variables of a term that have no values."""
    first: dict[str, Var] = {}
    for var in outer_variables_of_term(term):
        if var.name not in safe:
            first.setdefault(var.name, var)
    for name, var in first.items():
        place = term.span.location
        at = place and replace(place, start=var.span.start, end=var.span.end)
        yield PolicyError(COMPILE, f"var {shown_name(name)} is undeclared", at=at)


def _is_print(line: Expr) -> bool:
    return type(line.term) is Call and is_operator(line.term.operator, "print")


def _prints(program: Program, body: Body, safe: Safe) -> list[PolicyError]:
    """Check the calls of `print` in a body: those in bodies inside it go first."""
    before = [safe]
    for line in body:
        found = [error for inner, known in _closed(line, before[-1]) for error in _prints(program, inner, known)]
        if found:
            return found
        # What is declared by then is known by name, whether or not it can be evaluated.
        declared = frozenset(name for name in names(line) if "#" in name)
        before.append(_outputs(program, (line,), before[-1]) | declared)
    for line, known in zip(body, before, strict=False):
        if _is_print(line):
            operands: Any = line.term
            found = [error for arg in operands.args for error in _undeclared(arg, known)]
            if found:
                return found
    return []


def _closed(line: Expr, safe: Safe) -> Iterator[tuple[Body, Safe]]:
    """The bodies directly inside a line, each with what is safe before it."""
    for node in walk(line, lambda one: type(one) not in CLOSURES):
        kind = type(node)
        if kind in COMPREHENSIONS:
            yield node.body, safe
        elif kind in NESTED_BODIES:
            declared = [node.key, node.value] if kind is Every else []
            known = safe.union(part.name for part in declared if type(part) is Var)
            yield from ((body, known) for body in NESTED_BODIES[kind](node))
