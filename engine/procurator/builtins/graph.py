"""Graphs and trees: `graph.reachable`, `graph.reachable_paths`, `walk`. A graph maps each node to its neighbours."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from procurator.builtins.operands import BuiltinError, OperandError, object_
from procurator.values import DepthError, Key, Set, Value, key_of, ordered_keys, value_of

# The number of simple paths grows with the factorial of the nodes; more than these are refused.
MAX_PATHS: Final = 1 << 18

_Graph = dict[Key, Value]


def reachable(graph: Value, initial: Value) -> Set:
    """The nodes of the graph that can be reached from the initial ones, these included."""
    edges, queue = object_(graph, 1), deque(_initial(initial))
    reached: dict[Key, Value] = {}
    while queue:
        node = queue.popleft()
        key = key_of(node)
        if key in edges and key not in reached:
            reached[key] = node
            queue.extend(_vertices(edges[key]))
    return Set.of(reached)


def reachable_paths(graph: Value, initial: Value) -> Set:
    """The paths from the initial nodes to where they end: at a leaf, outside the graph, or before a node they hold."""
    edges = object_(graph, 1)
    paths: dict[Key, Value] = {}
    for node in _initial(initial):
        if key_of(node) in edges:
            for path in _paths(edges, node):
                paths[key_of(path)] = path
                if len(paths) > MAX_PATHS:
                    raise BuiltinError(f"more than {MAX_PATHS} paths")
    return Set.of(paths)


def _paths(edges: _Graph, start: Value) -> Iterator[list[Value]]:
    neighbours = list(_vertices(edges[key_of(start)]))
    if not neighbours:
        yield [start]
    # A neighbour of the start is followed even when it is the start itself; beyond that, no node comes twice.
    stack: list[tuple[Value, list[Value], frozenset[Key]]] = [
        (neighbour, [start], frozenset([key_of(start)])) for neighbour in neighbours
    ]
    while stack:
        node, path, seen = stack.pop()
        key = key_of(node)
        if key not in edges:
            yield path
            continue
        path, seen = [*path, node], seen | {key}
        neighbours = list(_vertices(edges[key]))
        fresh = [neighbour for neighbour in neighbours if key_of(neighbour) not in seen]
        stack += [(neighbour, path, seen) for neighbour in fresh]
        if not neighbours or len(fresh) < len(neighbours):
            yield path


def _initial(value: Value) -> Iterable[Value]:
    if isinstance(value, (list, Set)):
        return value
    raise OperandError(2, "{array, set}", value)


def _vertices(value: Value) -> Iterable[Value]:
    return value if isinstance(value, (list, Set)) else ()


DEEPEST: Final = 4096
"""Levels to which values are walked: a path is as long as its place is deep, and there is a path for every place."""


def walk(value: Value) -> Iterator[list[Value]]:
    """All `[path, value]` pairs in a value, itself first, depth first; a relation, so each pair is one outcome."""
    stack: list[tuple[list[Value], Value]] = [([], value)]
    while stack:
        path, node = stack.pop()
        yield [path, node]
        children = _children(node)
        if children and len(path) == DEEPEST:
            raise DepthError
        stack += [([*path, key], child) for key, child in reversed(children)]


def _children(node: Value) -> list[tuple[Value, Value]]:
    if isinstance(node, dict):
        return [(value_of(key), node[key]) for key in ordered_keys(node)]
    if isinstance(node, list):
        return list(enumerate(node))
    return [(member, member) for member in node] if isinstance(node, Set) else []


TABLE: Final[Mapping[str, Callable[..., Value]]] = {
    "graph.reachable": reachable,
    "graph.reachable_paths": reachable_paths,
    "walk": walk,
}
