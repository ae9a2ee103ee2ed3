"""Names that hide `input` or `data`: of arguments, of rules, of variables."""

from procurator_rules.checks.modules import ROOTS, is_root
from procurator_rules.checks.patterns import is_assignment
from procurator_rules.checks.program import Program
from procurator_rules.checks.text import line_span, ref_text, shown_name
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import Array, Expr, Module, Object, Ref, Rule, Term, Var


def check_arguments(program: Program) -> list[PolicyError]:
    """Arguments called `input` or `data`."""
    return [
        PolicyError(COMPILE, f"args must not shadow {root} (use a different variable name)", at=rule.span)
        for module in program.modules.values()
        for rule in module.rules
        if rule.head.args and (root := _root_in(rule.head.args))
    ]


def _root_in(args: tuple[Term, ...]) -> str:
    """The first document whose name is taken by an argument, or a part of one."""
    waiting = list(reversed(args))
    while waiting:
        node = waiting.pop()
        if isinstance(node, Array):
            waiting.extend(reversed(node.items))
        elif isinstance(node, Object):
            waiting.extend(part for pair in reversed(node.items) for part in pair)
        elif isinstance(node, Ref) and is_root(node):
            return ref_text(node.terms)
    return ""


def check_overrides(program: Program) -> list[PolicyError]:
    """Rules and variables called `input` or `data`, in Rego v1 and, when strict, in all modules."""
    errors: list[PolicyError] = []
    for name, module in program.modules.items():
        if program.options.strict or module.rego_version >= 1:
            errors += [error for rule in module.rules for error in _rule(module, rule)]
            facts = program.facts[name]
            errors += [error for rule in facts for branch in rule for line in branch.lines for error in _line(line)]
    return errors


def _rule(module: Module, rule: Rule) -> list[PolicyError]:
    name = rule.head.ref.terms[len(module.package.path.terms)]
    shown = name.value if not isinstance(name, Var) and hasattr(name, "value") else ""
    if shown not in ROOTS:
        return []
    return [PolicyError(COMPILE, f"rules must not shadow {shown} (use a different rule name)", at=rule.span)]


def _line(line: Expr) -> list[PolicyError]:
    if not is_assignment(line.term):
        return []
    target = line.term.args[0]
    name = target.terms[0] if isinstance(target, Ref) and is_root(target) else target
    if not isinstance(name, Var) or shown_name(name.name) not in ROOTS:
        return []
    message = f"variables must not shadow {shown_name(name.name)} (use a different variable name)"
    return [PolicyError(COMPILE, message, at=line_span(line))]
