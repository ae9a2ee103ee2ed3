"""All rules by path: a tree whose branches are the constant first parts of the references in rule heads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from procurator_rules.nodes import (
    Array,
    Boolean,
    Module,
    Null,
    Number,
    Object,
    Ref,
    Rule,
    SetTerm,
    String,
    Term,
    Var,
)
from procurator_rules.visitor import walk

Key: TypeAlias = str | tuple[str, str]

SCALARS: Final = frozenset({Null, Boolean, Number, String})
CONSTANT_KINDS: Final = SCALARS | {Array, Object, SetTerm}


def key_of(term: Term) -> Key | None:
    """What a constant part of a path is looked up by; None for any other term."""
    if type(term) is String:
        return term.value
    if type(term) is Number:
        return ("number", term.text)
    if type(term) is Boolean:
        return ("boolean", str(term.value))
    return ("null", "") if type(term) is Null else None


@dataclass(eq=False, slots=True)
class Definition:
    """One rule with its place.

    Attributes:
        rule: with its names resolved.
        module: the name of its module.
        index: its number in the module.
        prefix: the constant first part of its path, without `data`.
    """

    rule: Rule
    module: str
    index: int
    prefix: tuple[Key, ...]

    @property
    def is_ground(self) -> bool:
        """Whether the whole path is constant."""
        return len(self.prefix) + 1 == len(self.rule.head.ref.terms)

    @property
    def is_function(self) -> bool:
        """Whether the rule takes arguments."""
        return bool(self.rule.head.args)

    @property
    def is_multi_value(self) -> bool:
        """Whether the rule makes a set."""
        return self.rule.head.key is not None


@dataclass(eq=False, slots=True)
class Node:
    """One place in the tree: the rules whose constant first part ends here, and what is below."""

    definitions: list[Definition] = field(default_factory=list)
    children: dict[Key, "Node"] = field(default_factory=dict)

    def find(self, path: tuple[Key | None, ...]) -> "Node | None":
        """The node at a path below this one; None if there is none or a part is not constant."""
        node: Node | None = self
        for key in path:
            if key is None or node is None:
                return None
            node = node.children.get(key)
        return node

    def below(self) -> Iterator["Node"]:
        """This node and all below it, parents first, children by key."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(node.children[key] for key in sorted(node.children, key=str, reverse=True))


def prefix_of(ref: Ref) -> tuple[Key, ...]:
    """The constant first part of a reference to `data`, without it."""
    found: list[Key] = []
    for term in ref.terms[1:]:
        key = key_of(term)
        if key is None:
            break
        found.append(key)
    return tuple(found)


def build(modules: Mapping[str, Module]) -> Node:
    """The tree of the rules of modules whose names are resolved; the root stands for `data`."""
    root = Node()
    for name, module in modules.items():
        if not module.rules:
            _node(root, prefix_of(module.package.path))
        for index, rule in enumerate(module.rules):
            prefix = prefix_of(rule.head.ref)
            _node(root, prefix).definitions.append(Definition(rule, name, index, prefix))
    return root


def _node(root: Node, prefix: tuple[Key, ...]) -> Node:
    node = root
    for key in prefix:
        node = node.children.setdefault(key, Node()) if key not in node.children else node.children[key]
    return node


def find_exact(root: Node, ref: Ref) -> Node | None:
    """The node that a reference leads to, if all of it is constant and begins with `data`."""
    head = ref.terms[0]
    if type(head) is not Var or head.name != "data":
        return None
    return root.find(tuple([key_of(term) for term in ref.terms[1:]]))


def is_always_defined(definitions: list[Definition]) -> bool:
    """Whether rules of one path have a value whatever the input: a default, a set, a single constant."""
    if not definitions or definitions[0].is_function:
        return False
    if definitions[0].is_multi_value or any(one.rule.default for one in definitions):
        return True
    return len(definitions) == 1 and _is_constant(definitions[0].rule)


def _is_constant(rule: Rule) -> bool:
    if rule.body:
        return False
    value = rule.head.value
    return value is None or all(type(node) in CONSTANT_KINDS for node in walk(value))
