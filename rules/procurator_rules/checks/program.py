"""What the stages hand on: the modules as far as they are checked, and what is known of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from procurator_rules.capabilities import DEFAULT, Capabilities
from procurator_rules.checks.facts import Facts
from procurator_rules.checks.modules import Names
from procurator_rules.checks.rule_tree import Key, Node, find_exact
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import Module, Ref, String, Var

DEFAULT_MAX_ERRORS: Final = 10


@dataclass(frozen=True)
class CheckOptions:
    """How strictly to check, and against what.

    Attributes:
        strict: whether more than OPA refuses is a mistake: unused variables, arguments and imports, deprecated
            built-ins in modules of v0, negated sets, and types that do not fit in bodies inside lines.
        capabilities: which built-in functions and features there are.
        schemas: JSON schemas by reference, such as `schema.input`, in what form the stage of types takes them.
        max_errors: after how many errors to stop; 0 for never.
        unsafe_builtins: the names of built-in functions that must not be called.
        print_statements: whether the operands of `print` are checked; erased calls are not.
        path_exists: tells whether there is a base document at a path.
    """

    strict: bool = False
    capabilities: Capabilities = DEFAULT
    schemas: Any = None
    max_errors: int = DEFAULT_MAX_ERRORS
    unsafe_builtins: frozenset[str] = frozenset()
    print_statements: bool = True
    path_exists: Callable[[tuple[str, ...]], bool] | None = None


@dataclass(frozen=True)
class Program:
    """Modules under check.

    Attributes:
        modules: by name, sorted by it; names are resolved and bodies in order as soon as those stages have run.
        options: how to check.
        names: for each module what the names of rules and imports stand for.
        scoped: the modules with names resolved and bodies as they were written.
        facts: for each module and each of its rules those of the rule's branches.
        used: for each module the names of rules and imports that it mentions.
        misdeclared: what is wrong with declarations of variables.
        unused: variables and arguments that are declared in vain.
        tree: all rules by path.
        order: the paths of rules, those that others depend on first.
        types: what the stage of types found.
    """

    modules: Mapping[str, Module]
    options: CheckOptions
    names: Mapping[str, Names] = field(default_factory=dict)
    scoped: Mapping[str, Module] = field(default_factory=dict)
    facts: Mapping[str, tuple[tuple[Facts, ...], ...]] = field(default_factory=dict)
    used: Mapping[str, frozenset[str]] = field(default_factory=dict)
    misdeclared: tuple[PolicyError, ...] = ()
    unused: tuple[PolicyError, ...] = ()
    tree: Node = field(default_factory=Node)
    order: tuple[tuple[Key, ...], ...] = ()
    types: Any = None

    def arity(self, operator: Ref) -> int:
        """How many operands a function has; -1 if there is no such function."""
        declaration = self.options.capabilities.builtins.get(function_name(operator))
        if declaration is not None:
            declared: Any = declaration["decl"]
            return len(declared.get("args") or ())
        node = find_exact(self.tree, operator)
        if node is None or not node.definitions:
            return -1
        return len(node.definitions[0].rule.head.args or ())


def function_name(operator: Ref) -> str:
    """The dotted name of a function; empty where the reference is not one of names alone."""
    terms = operator.terms
    head = terms[0]
    if type(head) is not Var:
        return ""
    if len(terms) == 1:
        return head.name
    names = [term.value if type(term) is String else "" for term in terms[1:]]
    return ".".join((head.name, *names)) if all(names) else ""


class Errors:
    """The mistakes found so far, up to a limit.

    Attributes:
        found: the errors, in the order in which they were reported.
        stop: whether no further stage can run: the limit is reached, or later stages would report consequences.
    """

    def __init__(self, limit: int) -> None:
        self.found: list[PolicyError] = []
        self.stop = False
        self._limit = limit

    def fatal(self, errors: Iterable[PolicyError]) -> None:
        """Note mistakes after which the stage is the last one."""
        before = len(self.found)
        self.note(errors)
        self.stop = self.stop or len(self.found) > before

    def note(self, errors: Iterable[PolicyError]) -> None:
        """Note mistakes that other stages need not mind."""
        for error in errors:
            if self._limit and len(self.found) >= self._limit:
                self.found.append(PolicyError(COMPILE, "error limit reached"))
                self.stop = True
                return
            self.found.append(error)
