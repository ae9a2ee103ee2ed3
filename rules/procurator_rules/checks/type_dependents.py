"""What depends on a document: the rules that a modifier makes something else of."""

from collections.abc import Iterator
from functools import cached_property

from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import Key, Node, key_of
from procurator_rules.checks.text import ref_text
from procurator_rules.checks.type_places import Place
from procurator_rules.nodes import Ref, Var
from procurator_rules.types import ANY

Path = tuple[Key, ...]


class DependentTypes:
    """For each target of a modifier a tree in which all that depends on it can be anything; each made once."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._made: dict[str, Place | None] = {}

    def replaced_by(self, target: Ref) -> Place | None:
        """The tree for a target, None if no rule depends on it."""
        key = ref_text(target.terms)
        if key not in self._made:
            self._made[key] = self._make(target)
        return self._made[key]

    def _make(self, target: Ref) -> Place | None:
        head = target.terms[0]
        if not isinstance(head, Var) or head.name != "data":
            return None
        node, path, whole = _follow(self._program.tree, target)
        replaced = list(_paths(node, path)) if whole else [path] * bool(node.definitions)
        tree = Place()
        for dependent in self._dependents(replaced):
            function = dependent == path and any(one.is_function for one in node.definitions)
            # A replaced function keeps its type, which its replacement is checked against.
            if not function:
                tree.put(("data", *dependent), ANY)
        return tree if tree.children else None

    def _dependents(self, replaced: list[Path]) -> list[Path]:
        """The paths of some rules and of all that depend on them."""
        waiting = list(replaced)
        seen: dict[Path, None] = {}
        while waiting:
            current = waiting.pop()
            if current not in seen:
                seen[current] = None
                waiting += self._referring(current)
        return list(seen)

    def _referring(self, path: Path) -> Iterator[Path]:
        """The paths of the rules that refer to a document, to more than it or to a part of it."""
        for length in range(len(path) + 1):
            yield from self._references.get((path[:length], True), ())
        yield from self._references.get((path, False), ())

    @cached_property
    def _references(self) -> dict[tuple[Path, bool], list[Path]]:
        """For each node and whether all below it is meant, the paths of the rules that refer to it."""
        found: dict[tuple[Path, bool], list[Path]] = {}
        for name, module in self._program.modules.items():
            for rule, branches in zip(module.rules, self._program.facts[name], strict=True):
                _, origin, _ = _follow(self._program.tree, rule.head.ref)
                for branch in branches:
                    for ref in branch.refs:
                        _, path, whole = _follow(self._program.tree, ref)
                        found.setdefault((path, whole), []).append(origin)
        return found


def _follow(tree: Node, ref: Ref) -> tuple[Node, Path, bool]:
    """How far a reference leads down the tree, and whether it means all that is below."""
    node = tree
    path: list[Key] = []
    for term in ref.terms[1:]:
        key = key_of(term)
        below = None if key is None else node.children.get(key)
        if key is None or below is None:
            return node, tuple(path), key is None
        node = below
        path.append(key)
    return node, tuple(path), True


def _paths(node: Node, path: Path) -> Iterator[Path]:
    waiting = [(node, path)]
    while waiting:
        current, at = waiting.pop()
        if current.definitions:
            yield at
        waiting += [(below, (*at, key)) for key, below in current.children.items()]
