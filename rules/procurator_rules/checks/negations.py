"""Negated references to rules that make sets: never undefined, so the line never holds."""

from collections.abc import Iterator

from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import find_exact
from procurator_rules.checks.text import line_span, ref_text
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import Expr, Not, Ref


def check_negations(program: Program) -> list[PolicyError]:
    """Impossible negations, when strict."""
    if not program.options.strict:
        return []
    return [
        error
        for name in program.modules
        for rule in program.facts[name]
        for facts in rule
        for line in facts.negations
        for error in _problem(program, line)
    ]


def _problem(program: Program, line: Expr) -> Iterator[PolicyError]:
    # A body of one line is negated as that line is.
    inner = line.term.body[0] if isinstance(line.term, Not) and len(line.term.body) == 1 else line
    negated, withs = inner.term, (*line.withs, *inner.withs)
    # A modifier can replace the set by something that is undefined.
    if withs or not isinstance(negated, Ref):
        return
    node = find_exact(program.tree, negated)
    if node is None or not any(one.is_multi_value and one.is_ground for one in node.definitions):
        return
    name = ref_text(negated.terms)
    message = (
        f"negation of multi-value rule {name} is always false, as it is never undefined "
        f"(hint: use count({name}) == 0 to check for an empty set)"
    )
    yield PolicyError(COMPILE, message, at=line_span(line))
