"""When one authority contains another, and whether an authority admits a call.

An authority names tools; for each tool the operations, the resources and the arguments it may be called with. Arguments
are a closed world: one that is not named is refused unless the grant is open, one that is named has to be there unless
it is optional, and null is a value like others. What a chain of delegation allows is what each of its links allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Final, TypeAlias

from procurator.governance.scope.automata import Steps
from procurator.governance.scope.combinations import AnyOf
from procurator.governance.scope.constraints import Constraint, Json, Pattern, Wildcard
from procurator.governance.scope.containment import DEFAULT_STEPS
from procurator.governance.scope.containment import contains as constraint_contains
from procurator.governance.scope.paths import PathError, normal_path, normalised

OPERATIONS: Final = ("read", "write", "execute", "delegate")

Amount: TypeAlias = "int | Decimal"

_AMOUNT: Final = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call is outside an authority.

    Attributes:
        code: `tool_not_allowed`, `operation_not_allowed`, `resource_not_allowed`, `argument_missing`,
            `unknown_field` or `constraint_not_satisfied`.
        subject: the tool, operation, resource or argument in question.
        detail: a sentence for people.
        link: which authority of a chain refuses, from the root; 0 for one alone, None where none of them does.
    """

    code: str
    subject: str
    detail: str
    link: int | None = 0


@dataclass(frozen=True, slots=True)
class Widening:
    """Where a child allows more than its parent."""

    path: str
    detail: str


@dataclass(frozen=True)
class Argument:
    """What an argument may be, and whether it may be left out."""

    constraint: Constraint
    optional: bool = False


@dataclass(frozen=True)
class Grant:
    """What one tool may be called with.

    Attributes:
        arguments: the arguments by name.
        operations: some of `OPERATIONS`.
        resources: patterns of the resources; None where any will do, or none at all.
        open: whether arguments that are not named are admitted.
    """

    arguments: Mapping[str, Argument] = field(default_factory=dict)
    operations: frozenset[str] = frozenset(OPERATIONS)
    resources: tuple[Pattern, ...] | None = None
    open: bool = False

    @cached_property
    def target(self) -> Constraint | None:
        """The resources as one constraint."""
        return None if self.resources is None else AnyOf(self.resources)

    @cached_property
    def _on_resource(self) -> Callable[[Json], bool] | None:
        return None if self.target is None else self.target.admits

    @cached_property
    def _tests(self) -> dict[str, Callable[[Json], bool]]:
        return {name: argument.constraint.admits for name, argument in self.arguments.items()}

    @cached_property
    def _required(self) -> tuple[str, ...]:
        return tuple(name for name, argument in self.arguments.items() if not argument.optional)

    def refusal(self, operation: str, resource: str | None, arguments: Mapping[str, Json]) -> Refusal | None:
        """Why a call of the tool is outside the grant; None when it is within."""
        if operation not in self.operations:
            return Refusal("operation_not_allowed", operation, f"operation `{operation}` is not granted")
        on_resource = self._on_resource
        if on_resource is not None and (resource is None or not on_resource(resource)):
            return _refused_resource(resource)
        tests = self._tests
        for name, value in arguments.items():
            test = tests.get(name)
            if test is None:
                if not self.open:
                    return Refusal("unknown_field", name, f"no argument `{name}` is granted")
            elif not test(value):
                return self._refused_argument(name, value)
        for name in self._required:
            if name not in arguments:
                return Refusal("argument_missing", name, f"argument `{name}` is missing")
        return None

    def _refused_argument(self, name: str, value: Json) -> Refusal:
        constraint = self.arguments[name].constraint
        reason = _path_problem(value) if constraint.of_paths else None
        detail = f"argument `{name}` {reason or f'does not satisfy its `{constraint.name}` constraint'}"
        return Refusal("constraint_not_satisfied", name, detail)


def _refused_resource(resource: str | None) -> Refusal:
    if resource is None:
        return Refusal("resource_not_allowed", "", "the call names no resource")
    detail = f"resource {_path_problem(resource) or 'is not granted'}"
    return Refusal("resource_not_allowed", resource, detail)


def _path_problem(value: Json) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        normal_path(value)
    except PathError as error:
        return str(error)
    return None


@dataclass(frozen=True)
class Authority:
    """What a token allows: a grant for each tool."""

    tools: Mapping[str, Grant]

    def refusal(self, tool: str, operation: str, resource: str | None, arguments: Mapping[str, Json]) -> Refusal | None:
        """Why a call is outside the authority; None when it is within."""
        grant = self.tools.get(tool)
        if grant is None:
            return Refusal("tool_not_allowed", tool, f"tool `{tool}` is not granted")
        return grant.refusal(operation, resource, arguments)

    def admits(self, tool: str, operation: str, resource: str | None, arguments: Mapping[str, Json]) -> bool:
        """Whether a call is within the authority."""
        return self.refusal(tool, operation, resource, arguments) is None


@dataclass(frozen=True)
class Effective:
    """What a chain allows, from the root to the leaf: only what every link allows. An empty chain allows nothing.

    Attributes:
        links: the authorities of the chain.
        nested: whether each link is known to be contained in the one before; the last one then speaks for all.
    """

    links: tuple[Authority, ...]
    nested: bool = False

    @cached_property
    def _by_tool(self) -> dict[str, tuple[Grant, ...]]:
        deciding = self.links[-1:] if self.nested else self.links
        return {tool: tuple(link.tools[tool] for link in deciding) for tool in self.tools}

    @cached_property
    def tools(self) -> tuple[str, ...]:
        """The tools that every link grants."""
        leaf = self.links[-1].tools if self.links else ()
        return tuple(tool for tool in leaf if all(tool in link.tools for link in self.links))

    def refusal(self, tool: str, operation: str, resource: str | None, arguments: Mapping[str, Json]) -> Refusal | None:
        """Why a call is outside the chain: what its first link says that refuses; None when it is within."""
        grants = self._by_tool.get(tool)
        if grants is not None:
            for grant in grants:
                if grant.refusal(operation, resource, arguments) is not None:
                    break
            else:
                return None
        return self._first_refusal(tool, operation, resource, arguments)

    @cached_property
    def _paths(self) -> dict[str, tuple[str, ...]]:
        """The arguments of each tool that a link knows to be paths."""
        return {tool: tuple(_path_names(link.tools[tool] for link in self.links)) for tool in self.tools}

    def misspelling(self, tool: str, resource: str | None, arguments: Mapping[str, Json]) -> Refusal | None:
        """Why a call that the chain admits is not put so that policies can compare it; None when it is.

        Two spellings of one resource are one to the chain. To a policy that compares texts they are two, and so what
        it denies could be had under the other.
        """
        if resource is not None and normalised(resource) != resource:
            return _misspelt("resource_not_allowed", resource, "resource", resource)
        for name in self._paths.get(tool, ()):
            value = arguments.get(name)
            if isinstance(value, str) and normalised(value) != value:
                return _misspelt("constraint_not_satisfied", name, f"argument `{name}`", value)
        return None

    def _first_refusal(self, tool: str, operation: str, resource: str | None, arguments: Mapping[str, Json]) -> Refusal:
        for at, link in enumerate(self.links):
            refusal = link.refusal(tool, operation, resource, arguments)
            if refusal is not None:
                return replace(refusal, link=at)
        return Refusal("tool_not_allowed", tool, "the chain is empty")

    def admits(self, tool: str, operation: str, resource: str | None, arguments: Mapping[str, Json]) -> bool:
        """Whether a call is within every link."""
        return self.refusal(tool, operation, resource, arguments) is None


def _path_names(grants: Iterable[Grant]) -> dict[str, None]:
    return {name: None for grant in grants for name, of in grant.arguments.items() if of.constraint.of_paths}


def _misspelt(code: str, subject: str, what: str, value: str) -> Refusal:
    problem = _path_problem(value) or "is not in normal form: without empty segments, `.`, `..` and a slash at the end"
    return Refusal(code, subject, f"{what} {problem}", link=None)


# Containment


def contains(parent: Authority, child: Authority) -> bool:
    """Whether the parent admits every call that the child admits; no where that cannot be decided."""
    return widening(parent, child) is None


def widening(parent: Authority, child: Authority) -> Widening | None:
    """The first place where the child allows more than the parent, or may; None when it is contained."""
    steps = Steps(DEFAULT_STEPS)
    for tool, grant in child.tools.items():
        above = parent.tools.get(tool)
        if above is None:
            return Widening(f"$.tools.{tool}", "the parent does not grant this tool")
        found = next(_widenings(above, grant, steps), None)
        if found is not None:
            return Widening(f"$.tools.{tool}{found.path}", found.detail)
    return None


def _widenings(parent: Grant, child: Grant, steps: Steps) -> Iterator[Widening]:
    for operation in sorted(child.operations - parent.operations):
        yield Widening(".operations", f"the parent does not grant `{operation}`")
    if parent.target is not None and child.target is None:
        yield Widening(".resources", "the parent's calls must name a resource")
    elif parent.target and child.target and not constraint_contains(parent.target, child.target, steps):
        yield Widening(".resources", "not contained in the parent's, or not known to be")
    if child.open and not parent.open:
        yield Widening(".*", "the parent admits no other arguments than it names")
    for name, argument in child.arguments.items():
        if name not in parent.arguments and not parent.open:
            yield Widening(f".{name}", "the parent does not admit this argument")
        elif name in parent.arguments:
            yield from _argument_widenings(name, parent.arguments[name], argument, steps)
    for name in sorted(parent.arguments.keys() - child.arguments.keys()):
        # An open child may be called with the argument or without it, a closed one without it only.
        if child.open:
            yield from _argument_widenings(name, parent.arguments[name], _ANYTHING, steps)
        elif not parent.arguments[name].optional:
            yield Widening(f".{name}", "the parent requires this argument")


_ANYTHING: Final = Argument(Wildcard(), optional=True)


def _argument_widenings(name: str, parent: Argument, child: Argument, steps: Steps) -> Iterator[Widening]:
    if child.optional and not parent.optional:
        yield Widening(f".{name}", "the parent requires this argument")
    if not constraint_contains(parent.constraint, child.constraint, steps):
        yield Widening(f".{name}", "not contained in the parent's constraint, or not known to be")


# Budgets, audiences, expiry


def amount_of(value: Json) -> Amount:
    """An amount of a budget: an int, a Decimal or a decimal text, not negative; never a float."""
    if type(value) is int and value >= 0:
        return value
    if isinstance(value, str) and _AMOUNT.fullmatch(value):
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite() and value >= 0:
        return value
    raise ValueError("is no amount: an integer or a decimal text is wanted")


def budget_contains(parent: Mapping[str, Amount] | None, child: Mapping[str, Amount] | None) -> bool:
    """Whether no amount of the child is larger, unit by unit.

    None is no budget, so no limit. A unit that a budget does not name is one of which nothing may be spent.
    """
    if parent is None:
        return True
    return child is not None and all(unit in parent and amount <= parent[unit] for unit, amount in child.items())


def audience_contains(parent: Iterable[str] | None, child: Iterable[str] | None) -> bool:
    """Whether the child is meant for no one else than the parent is; None is everybody."""
    if parent is None:
        return True
    return child is not None and _audience(child) <= _audience(parent)


def _audience(value: Iterable[str]) -> frozenset[str]:
    return frozenset({value} if isinstance(value, str) else value)


def expiry_contains(parent: Amount, child: Amount) -> bool:
    """Whether the child ends no later than the parent; both in seconds."""
    return all(type(value) in (int, Decimal) for value in (parent, child)) and child <= parent
