"""The checks of policies: one stage a file, run in order.

    check          modules: names resolved, bodies in order, everything wrong with them reported
    check_query    the same for a query against checked modules

A stage takes the program as the stages before it leave it, and returns it with what it changed and the mistakes it
found. Stages go on after mistakes that have no consequences for others; the first stage with graver ones is the last.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from procurator_rules.capabilities import Capabilities
from procurator_rules.checks import deprecated, functions, metadata
from procurator_rules.checks.captures import check_prints, check_query_captures, check_templates
from procurator_rules.checks.conflicts import check_conflicts
from procurator_rules.checks.imports import check_duplicates as check_duplicate_imports
from procurator_rules.checks.imports import check_unused as check_unused_imports
from procurator_rules.checks.modules import import_names
from procurator_rules.checks.negations import check_negations
from procurator_rules.checks.overrides import check_arguments, check_overrides
from procurator_rules.checks.program import CheckOptions, Errors, Program
from procurator_rules.checks.recursion import check_recursion
from procurator_rules.checks.rule_tree import Key, Node, prefix_of
from procurator_rules.checks.safety import order_query, order_rules
from procurator_rules.checks.scope import resolve_names, scope_query
from procurator_rules.checks.types import check_query_types, check_types
from procurator_rules.checks.withs import check_query_withs, check_withs
from procurator_rules.errors import COMPILE, PolicyError, raise_all
from procurator_rules.nodes import Body, Import, Module, Package, Ref, Rule, String, Var

__all__ = ["STAGES", "CheckOptions", "Checked", "CheckedQuery", "Program", "Stage", "check", "check_query"]

Outcome: TypeAlias = tuple[Program, list[PolicyError]]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        name: what it is called in reports of its time.
        run: does it.
        goes_on: whether later stages run in spite of its mistakes.
    """

    name: str
    run: Callable[[Program], Outcome]
    goes_on: bool = False


def _finding(find: Callable[[Program], list[PolicyError]]) -> Callable[[Program], Outcome]:
    """A stage that only looks."""
    return lambda program: (program, find(program))


STAGES: Final[tuple[Stage, ...]] = (
    Stage("arguments", _finding(check_arguments)),
    Stage("resolve names", resolve_names),
    Stage("unused imports", _finding(check_unused_imports), goes_on=True),
    Stage("overrides", _finding(check_overrides), goes_on=True),
    Stage("duplicate imports", _finding(check_duplicate_imports), goes_on=True),
    Stage("unused variables", _finding(lambda program: list(program.unused)), goes_on=True),
    Stage("declarations", _finding(lambda program: list(program.misdeclared))),
    Stage("template strings", _finding(check_templates)),
    Stage("void calls", _finding(functions.void_calls)),
    Stage("print", _finding(check_prints)),
    Stage("annotations", _finding(metadata.stage)),
    Stage("modifiers", _finding(check_withs)),
    Stage("conflicts", _finding(check_conflicts)),
    Stage("functions", _finding(functions.stage)),
    Stage("negations", _finding(check_negations), goes_on=True),
    Stage("safety", order_rules),
    Stage("recursion", check_recursion),
    Stage("types", check_types, goes_on=True),
    Stage("unsafe built-ins", _finding(deprecated.unsafe), goes_on=True),
    Stage("deprecated built-ins", _finding(deprecated.stage), goes_on=True),
)
"""The stages in the order in which they run."""


@dataclass(frozen=True)
class Checked:
    """Modules that are in order.

    Attributes:
        modules: by name, names resolved and bodies in order.
        rules: the rules and functions by the constant first part of their path, without `data`; the rules of one
            path stand in the order of module names and of their text.
        order: the paths of `rules`, each after those that its rules depend on.
        types: the types found.
        capabilities: what the modules may use.
        options: how they were checked.
        program: all that the stages found out.
    """

    modules: Mapping[str, Module]
    rules: Mapping[tuple[Key, ...], tuple[Rule, ...]]
    order: tuple[tuple[Key, ...], ...]
    types: Any
    capabilities: Capabilities
    options: CheckOptions
    program: Program


@dataclass(frozen=True)
class CheckedQuery:
    """A query whose names are resolved and whose lines are in order."""

    body: Body


def check(modules: Mapping[str, Module], options: CheckOptions = CheckOptions()) -> Checked:  # noqa: B008
    """Check modules against each other.

    Args:
        modules: by the names under which errors report them.
        options: how strictly, and against what.

    Raises:
        PolicyError: something is wrong with them; PolicyErrors for several mistakes.
    """
    program = Program({name: modules[name] for name in sorted(modules)}, options)
    errors = Errors(options.max_errors)
    for stage in STAGES:
        program, found = stage.run(program)
        (errors.note if stage.goes_on else errors.fatal)(found)
        if errors.stop:
            break
    raise_all(errors.found)
    return _checked(program)


def _checked(program: Program) -> Checked:
    rules: dict[tuple[Key, ...], list[Rule]] = {}
    for module in program.modules.values():
        for rule in module.rules:
            rules.setdefault(prefix_of(rule.head.ref), []).append(rule)
    by_path = {path: tuple(found) for path, found in rules.items()}
    options = program.options
    order = program.order or tuple(by_path)
    return Checked(program.modules, by_path, order, program.types, options.capabilities, options, program)


QUERY_MODULE: Final = Module(Package(Ref((Var("data"),))))


def check_query(
    body: Body, checked: Checked, imports: tuple[Import, ...] = (), package: Package | None = None
) -> CheckedQuery:
    """Check a query against modules.

    Args:
        body: the query.
        checked: the modules.
        imports: what names in the query stand for.
        package: the package whose rules the query can name.

    Raises:
        PolicyError: something is wrong with it; PolicyErrors for several mistakes.
    """
    if not body:
        raise PolicyError(COMPILE, "empty query cannot be compiled")
    program, options = checked.program, checked.options
    names = {**_exported(program, package), **import_names(imports)}
    scoped = scope_query(body, names, frozenset(options.capabilities.builtins), strict=options.strict)
    raise_all(scoped.errors)
    # Stages that look at calls find those of the query where they find those of a rule.
    query = replace(program, modules={"": QUERY_MODULE}, facts={"": ((scoped.facts,),)})
    raise_all(check_query_captures(program, scoped.body))
    raise_all(functions.void_calls(query))
    raise_all(check_query_withs(program, scoped.body))
    raise_all(functions.stage(query))
    ordered, problems = order_query(program, scoped.body, names)
    raise_all(problems)
    raise_all(check_query_types(program, ordered))
    raise_all(deprecated.unsafe(query))
    raise_all(deprecated.stage(query) if options.strict else ())
    return CheckedQuery(ordered)


def _exported(program: Program, package: Package | None) -> dict[str, Ref]:
    if package is None:
        return {}
    node: Node | None = program.tree.find(prefix_of(package.path))
    names = [key for key in node.children if isinstance(key, str)] if node is not None else []
    return {name: Ref((*package.path.terms, String(name))) for name in names}
