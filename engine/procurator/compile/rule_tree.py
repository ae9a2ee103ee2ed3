"""The tree of rules: which paths below `data` rules define, and how.

A node at which a rule's head goes on with an operand that is no constant string is *open*: it and all below it make one
document whose keys are known only when it is computed. Everywhere else the path alone says which rules count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from procurator_rules.nodes import Module, Ref, Rule, String, Term, Var


@dataclass(slots=True)
class RuleEntry:
    """A rule of the program.

    Attributes:
        path: the constant strings its head begins with, without `data`.
        tail: the operands of its head after those.
        number: its place in the table of rules.
    """

    rule: Rule
    module: Module
    path: tuple[str, ...]
    tail: tuple[Term, ...]
    number: int

    @property
    def is_function(self) -> bool:
        """Whether the rule defines a function."""
        return self.rule.head.args is not None

    @property
    def is_member(self) -> bool:
        """Whether the rule adds a member to a set."""
        return self.rule.head.key is not None


@dataclass(slots=True)
class Node:
    """A place in the tree."""

    path: tuple[str, ...]
    children: "dict[str, Node]" = field(default_factory=dict)
    entries: list[RuleEntry] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether keys below this node are known only at run time."""
        return any(entry.tail for entry in self.entries) or bool(self.entries and self.has_rules_below)

    @property
    def has_rules_below(self) -> bool:
        """Whether a child, or one of its children, has rules."""
        return any(child.entries or child.has_rules_below for child in self.children.values())

    def below(self) -> Iterator[RuleEntry]:
        """All rules at this node and below, in the order in which they were added to each node."""
        yield from self.entries
        for name in sorted(self.children):
            yield from self.children[name].below()


class RuleTree:
    """All rules of all modules, by path."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.root = Node(())
        self.entries: list[RuleEntry] = []
        for module in modules:
            self._node(_names(module.package.path)[0])
            for rule in module.rules:
                self._add(rule, module)

    def _add(self, rule: Rule, module: Module) -> None:
        path, tail = _names(rule.head.ref)
        entry = RuleEntry(rule, module, path, tail, len(self.entries))
        self.entries.append(entry)
        self._node(path).entries.append(entry)

    def _node(self, path: tuple[str, ...]) -> Node:
        node = self.root
        for depth, name in enumerate(path):
            if name not in node.children:
                node.children[name] = Node(path[: depth + 1])
            node = node.children[name]
        return node

    def descend(self, path: Iterable[str]) -> Node | None:
        """The furthest node along a path that rules or packages reach: an open one, one with rules, or its end.

        None when the path leaves the tree: only base data can be there.
        """
        node = self.root
        for name in path:
            if node.entries:
                return node
            following = node.children.get(name)
            if following is None:
                return None
            node = following
        return node

    def find(self, path: tuple[str, ...]) -> Node | None:
        """The node exactly at a path."""
        node: Node | None = self.root
        for name in path:
            node = node.children.get(name) if node else None
        return node


def _names(ref: Ref) -> tuple[tuple[str, ...], tuple[Term, ...]]:
    """The constant strings a reference begins with after its head, and the operands after them."""
    names: list[str] = []
    for term in ref.terms[1:]:
        if not isinstance(term, String):
            break
        names.append(term.value)
    return tuple(names), ref.terms[1 + len(names) :]


def root_name(ref: Ref) -> str:
    """`data`, `input`, or whatever variable a reference begins with; empty when it begins with something else."""
    head = ref.terms[0]
    return head.name if isinstance(head, Var) else ""


def constant_path(ref: Ref) -> tuple[str, ...]:
    """The constant strings that follow a reference's head."""
    return _names(ref)[0]
