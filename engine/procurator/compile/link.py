"""Linking references to what they name: input, base documents, units, whole documents, replacements.

The linker also keeps the list of units and documents that something has asked for and that are still to be built.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from procurator.compile.plan import (
    PLAIN,
    Base,
    Document,
    DocumentPlan,
    Input,
    Replacement,
    Source,
    UnitKey,
    UnitValue,
    Variant,
)
from procurator.compile.rule_tree import Node, RuleTree
from procurator.compile.scope import Scope
from procurator_rules.capabilities import Capabilities
from procurator_rules.nodes import Body, Boolean, Null, Number, Ref, Rule, String, Var, With

HIDDEN: Final = frozenset({"system"})
"""Packages that the whole of `data` does not show."""


Metadata = Callable[[Rule | None], list[Mapping[str, object]]]


@dataclass(slots=True)
class Linker:
    """Resolves names for one program.

    Attributes:
        metadata: the value of `rego.metadata.chain()` for a rule, innermost first.
        add_body: adds the lines of a body to a scope: terms have bodies in them, and bodies have terms.
        enter_withs: opens a frame for modifiers and makes it the scope's.
        rule: the rule being built; None while that is the query.
        variants: what is replaced in each frame of the unit being built.
        wanted: the units asked for.
        waiting: those of them that are still to be built.
        documents: the plan of each whole document asked for.
    """

    tree: RuleTree
    capabilities: Capabilities
    metadata: Metadata
    add_body: Callable[[Body, Scope, Linker], None]
    enter_withs: Callable[[tuple[With, ...], Scope, Linker], None]
    rule: Rule | None = None
    variants: dict[int, Variant] = field(default_factory=lambda: {0: PLAIN})
    wanted: set[UnitKey] = field(default_factory=set)
    waiting: deque[UnitKey] = field(default_factory=deque)
    documents: dict[Document, DocumentPlan] = field(default_factory=dict)

    def want(self, key: UnitKey) -> UnitKey:
        """Ask for a unit."""
        if key not in self.wanted:
            self.wanted.add(key)
            self.waiting.append(key)
        return key

    def source(self, ref: Ref, scope: Scope) -> tuple[Source, int]:
        """What a reference into `input` or `data` names, and how many of its terms that takes."""
        head = ref.terms[0]
        if isinstance(head, Var) and head.name == "input":
            return Input(scope.frame), 1
        names: list[str] = []
        for term in ref.terms[1:]:
            if not isinstance(term, String):
                break
            names.append(term.value)
        source, used = self.data_source(tuple(names), scope.frame)
        if isinstance(source, Document):
            following = ref.terms[used + 1 : used + 2]
            # Rules stand under strings alone: under another constant there is only base data.
            if following and isinstance(following[0], Number | Boolean | Null):
                return Base(tuple(names)), used + 1
        return source, used + 1

    def data_source(self, names: tuple[str, ...], frame: int) -> tuple[Source, int]:
        """What a path below `data` names, and how many of its names that takes."""
        variant = self.variants[frame]
        for length in range(len(names), -1, -1):
            if ("data", *names[:length]) in variant.documents:
                return Replacement(("data", *names[:length]), frame), length
        if any(name[1 : len(names) + 1] == names for name in variant.documents):
            return self.document(names, frame), len(names)
        node = self.tree.descend(names)
        if node is None:
            return Base(names), len(names)
        depth = len(node.path)
        if node.entries:
            return self._unit(node, names[depth:], frame, variant), depth
        return self.document(node.path, frame), depth

    def _unit(self, node: Node, following: tuple[str, ...], frame: int, variant: Variant) -> Source:
        narrowed = self.narrow(node, following) if node.is_open else ()
        return UnitValue(self.want(UnitKey(node.path, narrowed, variant)), frame)

    def narrow(self, node: Node, following: tuple[str, ...]) -> tuple[str, ...]:
        """The constant keys after an open node that tell its rules apart."""
        longest = max((len(entry.path) + len(entry.tail) for entry in node.below()), default=0) - len(node.path)
        return following[:longest]

    def document(self, path: tuple[str, ...], frame: int) -> Document:
        """Ask for a whole document: base data with all rules below a path."""
        document = Document(path, frame, self.variants[frame])
        key = Document(path, 0, self.variants[frame])
        if key not in self.documents:
            self.documents[key] = DocumentPlan((), (), ())  # what it contains may lead back here
            self.documents[key] = self._document_plan(path, self.variants[frame])
        return document

    def _document_plan(self, path: tuple[str, ...], variant: Variant) -> DocumentPlan:
        objects: list[tuple[str, ...]] = []
        units: list[tuple[tuple[str, ...], UnitKey]] = []
        start = self.tree.find(path)
        waiting = [start] if start else []
        while waiting:
            node = waiting.pop()
            below = node.path[len(path) :]
            if ("data", *node.path) in variant.documents or (not path and below[:1] and below[0] in HIDDEN):
                continue
            if node.is_open or any(not entry.is_function for entry in node.entries):
                units.append((below, self.want(UnitKey(node.path, (), variant))))
                continue
            if not node.entries:
                objects.append(below)
            waiting += [node.children[name] for name in sorted(node.children, reverse=True)]
        depth = len(path) + 1
        replaced = [(name[depth:], name) for name in variant.documents if name[1:depth] == path]
        return DocumentPlan(tuple(objects), tuple(units), tuple(replaced))

    def function(self, path: tuple[str, ...]) -> Node | None:
        """The node of a function defined by rules at a path below `data`."""
        node = self.tree.find(path)
        return node if node and any(entry.is_function for entry in node.entries) else None
