"""Which rules refer to which: the graph of all rules, its cycles, and an order in which each comes after what it needs.

Rules of one path with variables at the same places are one vertex: a reference selects all of them or none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from procurator_rules.checks.facts import Facts
from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import CONSTANT_KINDS, Definition, Key, Node, key_of
from procurator_rules.nodes import Term
from procurator_rules.visitor import walk

Shape: TypeAlias = tuple[Key | None, ...]
"""What is constant of a reference to `data`, without it; None stands for all else."""


@dataclass(eq=False, slots=True)
class Vertex:
    """Rules of one path and shape; without rules, what several references lead to.

    Attributes:
        path: the constant first part of their path.
        shape: the whole path.
        definitions: the rules, in the order of the tree.
        targets: what they refer to.
    """

    path: tuple[Key, ...] = ()
    shape: Shape = ()
    definitions: list[Definition] = field(default_factory=list)
    targets: list["Vertex"] = field(default_factory=list)


def shape_of(terms: tuple[Term, ...]) -> Shape:
    """The shape of a reference."""
    return tuple([_constant(term) for term in terms[1:]])


def _constant(term: Term) -> Key | None:
    key = key_of(term)
    if key is None and is_constant(term):
        # No part of a rule's path is composite, so this one finds nothing.
        return ("composite", repr(term))
    return key


def is_constant(term: Any) -> bool:
    """Whether there is nothing to evaluate in a term."""
    return all(type(node) in CONSTANT_KINDS for node in walk(term))


class Graph:
    """The vertices of a program and what they refer to.

    Attributes:
        vertices: those with rules, by path.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.by_node: dict[int, list[Vertex]] = {}
        self._below: dict[int, Vertex] = {}
        self._by_shape: dict[Shape, Vertex] = {}
        self.vertices: list[Vertex] = []
        waiting: list[tuple[Node, tuple[Key, ...]]] = [(program.tree, ())]
        while waiting:
            node, path = waiting.pop()
            if node.definitions:
                self._add(node, path)
            waiting += [(below, (*path, key)) for key, below in node.children.items()]
        for vertex in self.vertices:
            for definition in vertex.definitions:
                for facts in self.branches(definition):
                    vertex.targets += self.referred(facts)

    def _add(self, node: Node, path: tuple[Key, ...]) -> None:
        by_shape: dict[Shape, Vertex] = {}
        for definition in node.definitions:
            terms = definition.rule.head.ref.terms
            shape = path if definition.is_ground else shape_of(terms)
            by_shape.setdefault(shape, Vertex(path, shape)).definitions.append(definition)
        self.by_node[id(node)] = list(by_shape.values())
        self.vertices += by_shape.values()

    def branches(self, definition: Definition) -> tuple[Facts, ...]:
        """The facts of the branches of a rule."""
        return self.program.facts[definition.module][definition.index]

    def referred(self, facts: Facts) -> Iterator[Vertex]:
        """What the references of a branch lead to."""
        return (self.target(shape_of(ref.terms)) for ref in facts.refs)

    def target(self, shape: Shape) -> Vertex:
        """What a reference of a shape leads to; one vertex for all references of that shape."""
        known = self._by_shape.get(shape)
        if known is None:
            known = self._by_shape[shape] = Vertex(targets=list(self._selected(shape)))
        return known

    def _selected(self, shape: Shape) -> Iterator[Vertex]:
        """The rules that a reference can select, and what is below the documents that it can mean."""
        waiting = [(self.program.tree, 0)]
        while waiting:
            node, at = waiting.pop()
            if at == len(shape):
                yield self._everything(node)
                continue
            key = shape[at]
            found = node.children.values() if key is None else filter(None, (node.children.get(key),))
            for below in found:
                for vertex in self.by_node.get(id(below), ()):
                    if _may_meet(vertex.shape, shape, at + 1):
                        yield vertex
                waiting.append((below, at + 1))

    def _everything(self, node: Node) -> Vertex:
        """The vertex that leads to all rules at a node and below."""
        known = self._below.get(id(node))
        if known is not None:
            return known
        top = self._below[id(node)] = Vertex()
        waiting = [(node, top)]
        while waiting:
            current, vertex = waiting.pop()
            vertex.targets += self.by_node.get(id(current), ())
            for below in current.children.values():
                inner = self._below.get(id(below))
                if inner is None:
                    inner = self._below[id(below)] = Vertex()
                    waiting.append((below, inner))
                vertex.targets.append(inner)
        return top


def _may_meet(rule: Shape, ref: Shape, start: int) -> bool:
    """Whether a rule and a reference can mean the same document, as far as their constants tell."""
    return all(
        one == other or one is None or other is None for one, other in zip(rule[start:], ref[start:], strict=False)
    )


def components(vertices: Iterable[Vertex]) -> Iterator[list[Vertex]]:
    """The strongly connected components, each after those that it refers to (Tarjan, without recursion)."""
    index: dict[Vertex, int] = {}
    low: dict[Vertex, int] = {}
    open_: list[Vertex] = []
    is_open: set[Vertex] = set()
    for start in vertices:
        if start in index:
            continue
        index[start] = low[start] = len(index)
        open_.append(start)
        is_open.add(start)
        work = [(start, iter(start.targets))]
        while work:
            vertex, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    open_.append(target)
                    is_open.add(target)
                    work.append((target, iter(target.targets)))
                    break
                if target in is_open:
                    low[vertex] = min(low[vertex], index[target])
            else:
                work.pop()
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[vertex])
                if low[vertex] == index[vertex]:
                    yield _closed(vertex, open_, is_open)


def _closed(root: Vertex, open_: list[Vertex], is_open: set[Vertex]) -> list[Vertex]:
    component = [open_.pop()]
    while component[-1] is not root:
        component.append(open_.pop())
    is_open.difference_update(component)
    return component


def is_cycle(component: list[Vertex]) -> bool:
    """Whether the vertices of a component refer to themselves, directly or by way of others."""
    return len(component) > 1 or component[0] in component[0].targets
