"""Rules that refer to themselves, directly or by way of others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from procurator_rules.checks.dependencies import Graph, Vertex, components, is_cycle, shape_of
from procurator_rules.checks.narrowing import expanded, known_values, mentions
from procurator_rules.checks.program import Program
from procurator_rules.checks.recursion_causes import Use, cause_text, selects
from procurator_rules.checks.rule_tree import Definition, Key
from procurator_rules.checks.text import ref_text
from procurator_rules.errors import RECURSION, PolicyError
from procurator_rules.nodes import Body, Ref, Rule, Term
from procurator_rules.spans import Span


def check_recursion(program: Program) -> tuple[Program, list[PolicyError]]:
    """Recursive rules; without them the order of paths in which each comes after those that its rules refer to."""
    graph = Graph(program)
    order: dict[tuple[Key, ...], None] = {}
    errors: list[PolicyError] = []
    for component in components(graph.vertices):
        order.update(dict.fromkeys(vertex.path for vertex in component if vertex.definitions))
        if is_cycle(component):
            errors += _Cycle(graph, component).errors(program.options.max_errors - len(errors))
    return replace(program, order=tuple(order)), errors


@dataclass(frozen=True, slots=True)
class Branch:
    """A body of a rule, with the terms of the head evaluated for it."""

    definition: Definition
    body: Body
    parts: tuple[Term, ...]
    span: Span

    @property
    def rule(self) -> Rule:
        """The rule."""
        return self.definition.rule


@dataclass(frozen=True, slots=True)
class Edge:
    """That a branch refers to rules.

    Attributes:
        branch: whose reference it is.
        target: the rules.
        use: the reference.
        is_static: whether it means the rules whatever its variables are.
    """

    branch: Branch
    target: Vertex
    use: Use
    is_static: bool


class _Cycle:
    """Rules of which each refers to all others, as far as their paths tell."""

    def __init__(self, graph: Graph, component: list[Vertex]) -> None:
        self.graph = graph
        self.members = [vertex for vertex in component if vertex.definitions]
        inside = set(self.members)
        self.branches = {
            vertex: [branch for one in vertex.definitions for branch in self.branches_of(one)]
            for vertex in self.members
        }
        self.edges = {id(branch): self.edges_of(branch, inside) for found in self.branches.values() for branch in found}

    def errors(self, limit: int) -> Iterator[PolicyError]:
        """The recursive branches, up to a limit if that is positive."""
        count = 0
        for vertex in self.members:
            for branch in self.branches[vertex]:
                error = self.error(branch, vertex)
                if error is not None:
                    yield error
                    count += 1
                    if count > limit > 0:
                        return

    def branches_of(self, definition: Definition) -> Iterator[Branch]:
        """The branches of a rule."""
        # What has a value at a reference is told by the order in which the lines were written.
        rule = self.graph.program.scoped[definition.module].rules[definition.index]
        package = len(self.graph.program.modules[definition.module].package.path.terms)
        operands = rule.head.ref.terms[package + 1 :]
        parts = tuple([part for part in (*operands, rule.head.key, rule.head.value) if part is not None])
        yield Branch(definition, rule.body, parts, rule.span)
        for one in rule.elses:
            yield Branch(definition, one.body, () if one.value is None else (one.value,), one.span)

    def edges_of(self, branch: Branch, inside: set[Vertex]) -> list[Edge]:
        """What a branch refers to within the cycle: static references before others."""
        known = known_values(branch.body)
        found: dict[Vertex, Edge] = {}
        for mention in mentions(branch.body, branch.parts):
            values = {name: values for at, name, values in known if at < mention.at}
            refs = expanded(mention.ref, values)
            selected = refs[0] if len(refs) == 1 else mention.ref
            use = Use(mention, selected, branch.definition, branch.body, branch.parts)
            for target in {vertex for ref in refs for vertex in self.rules(ref) if vertex in inside}:
                if target not in found or not found[target].is_static:
                    is_static = selects(use, target.definitions[0])
                    if target not in found or is_static:
                        found[target] = Edge(branch, target, use, is_static)
        return list(found.values())

    def rules(self, ref: Ref) -> Iterator[Vertex]:
        """The rules that a reference can select."""
        waiting: list[Vertex] = [self.graph.target(shape_of(ref.terms))]
        seen: set[Vertex] = set()
        while waiting:
            vertex = waiting.pop()
            if vertex.definitions:
                yield vertex
            elif vertex not in seen:
                seen.add(vertex)
                waiting += reversed(vertex.targets)

    def error(self, branch: Branch, own: Vertex) -> PolicyError | None:
        """What is wrong with a branch that leads back to its rule."""
        path = self.path(branch, own, lambda edge: edge.is_static)
        verb = "is"
        if path is None:
            path, verb = self.path(branch, own, lambda _: True), "may be"
        if path is None:
            return None
        names = [ref_text(branch.rule.head.ref.terms)]
        names += [ref_text(edge.target.definitions[0].rule.head.ref.terms) for edge in path[:-1]] + names
        message = f"rule {names[0]} {verb} recursive: {' -> '.join(names)}"
        for hop, edge in enumerate(path):
            if not edge.is_static and verb == "may be":
                target = edge.target.definitions[0] if edge is not path[-1] else branch.definition
                message += cause_text(self.graph.program, edge.use, target, names[hop] if hop else "")
                break
        return PolicyError(RECURSION, message, at=branch.span)

    def path(self, start: Branch, end: Vertex, wanted: Callable[[Edge], bool]) -> list[Edge] | None:
        """The shortest way from a branch to a vertex over such edges as are wanted."""
        came: dict[Vertex, Edge] = {}
        waiting = [edge for edge in self.edges[id(start)] if wanted(edge)]
        for edge in waiting:
            if edge.target in came:
                continue
            came[edge.target] = edge
            if edge.target is end:
                return self.way(came, start, end)
            onward = [further for branch in self.branches[edge.target] for further in self.edges[id(branch)]]
            waiting += filter(wanted, onward)
        return None

    def way(self, came: dict[Vertex, Edge], start: Branch, end: Vertex) -> list[Edge]:
        """The edges that led to a vertex, the first one first."""
        edges = [came[end]]
        origins = {id(branch): vertex for vertex, found in self.branches.items() for branch in found}
        while edges[-1].branch is not start:
            edges.append(came[origins[id(edges[-1].branch)]])
        return edges[::-1]
