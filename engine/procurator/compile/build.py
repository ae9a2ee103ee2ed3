"""From checked modules and a query to a plan: builds the units that the query reaches, one after the other."""

from collections.abc import Iterable, Mapping
from typing import Any

from procurator.compile import lines
from procurator.compile.link import Linker, Metadata
from procurator.compile.plan import (
    COMPLETE,
    FUNCTION,
    PARTIAL_OBJECT,
    PARTIAL_SET,
    Block,
    Branch,
    Constant,
    Definition,
    Operand,
    Optional,
    Program,
    RuleInfo,
    Unit,
    UnitKey,
)
from procurator.compile.rule_tree import Node, RuleEntry, RuleTree
from procurator.compile.scope import Counter, Scope
from procurator.compile.terms import lower, lowering
from procurator.compile.unify import unify
from procurator_rules.capabilities import Capabilities
from procurator_rules.nodes import (
    Array,
    Body,
    Boolean,
    Call,
    Module,
    Null,
    Number,
    Ref,
    String,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.spans import Span

_COMPUTED = (Ref, Call, TemplateString)


class Builder:
    """Builds programs over one set of modules."""

    def __init__(self, modules: Iterable[Module], capabilities: Capabilities, metadata: Metadata) -> None:
        self.tree = RuleTree(modules)
        self.capabilities = capabilities
        self.metadata = metadata
        self.rules = tuple(_rule_info(entry) for entry in self.tree.entries)

    def program(self, body: Body, outputs: Mapping[str, str]) -> Program:
        """The program of a query.

        Args:
            body: the checked query.
            outputs: the variables whose values are wanted, and the names to give them by.
        """
        link = Linker(self.tree, self.capabilities, self.metadata, lines.add_body, lines.enter_withs)
        scope = Scope(Counter())
        lines.add_body(body, scope, link)
        held = tuple((shown, scope.names[name]) for name, shown in outputs.items() if name in scope.names)
        units: dict[UnitKey, Unit] = {}
        while link.waiting:
            key = link.waiting.popleft()
            units[key] = self._unit(key, link)
        entry: Block = tuple(scope.steps)
        return Program(entry, held, units, link.documents, self.rules, scope.counter.registers)

    def _unit(self, key: UnitKey, link: Linker) -> Unit:
        node = self.tree.find(key.path)
        assert node is not None  # noqa: S101  # only paths of rules are asked for
        entries = [entry for entry in node.below() if _may_match(entry, key)] if node.is_open else list(node.entries)
        wants_function = _wants_function(node)
        entries = [entry for entry in entries if entry.is_function == wants_function]
        kind = _kind(node, entries)
        counter = Counter()
        defaults = [entry for entry in entries if entry.rule.default]
        default: Optional | None = None
        parameters: tuple[Any, ...] = ()
        if kind == FUNCTION:
            parameters = tuple(counter.register() for _ in node.entries[0].rule.head.args or ())
        if defaults:
            value = defaults[0].rule.head.value
            assert value is not None  # noqa: S101  # the parser asks for it
            scope = Scope(counter)
            operand = lower(value, scope, link)
            default = Optional(tuple(scope.steps), operand)
        definitions = tuple(
            self._definition(entry, key, parameters, counter, link) for entry in entries if not entry.rule.default
        )
        span = entries[0].rule.span if entries else node.entries[0].rule.span
        return Unit(key, kind, definitions, parameters, default, counter.registers, span=span)

    def _definition(
        self, entry: RuleEntry, key: UnitKey, parameters: tuple[Any, ...], counter: Counter, link: Linker
    ) -> Definition:
        rule = entry.rule
        link.rule = rule
        bodies = [(rule.body, rule.head.value, rule.span)]
        bodies += [(branch.body, branch.value, branch.span) for branch in rule.elses]
        branches = tuple(
            self._branch(entry, key, body, value, span, Scope(counter), parameters, link)
            for body, value, span in bodies
        )
        return Definition(branches, entry.number, span=rule.head.span)

    def _branch(
        self,
        entry: RuleEntry,
        key: UnitKey,
        body: Body,
        value: Term | None,
        span: Span,
        scope: Scope,
        parameters: tuple[Any, ...],
        link: Linker,
    ) -> Branch:
        link.variants = {0: key.variant}
        to_operand = lowering(link)
        arguments = list(zip(entry.rule.head.args or (), parameters, strict=True))
        for argument, parameter in arguments:
            if not isinstance(argument, _COMPUTED):
                unify(argument, parameter, scope, to_operand)
        _bind_narrowed(entry, key, scope)
        lines.add_body(body, scope, link)
        for argument, parameter in arguments:
            # What an argument computes may need variables of the body.
            if isinstance(argument, _COMPUTED):
                unify(argument, parameter, scope, to_operand)
        keys = tuple([lower(term, scope, link) for term in _keys_below(entry, key)])
        member = entry.rule.head.key
        yielded: Operand
        if member is not None:
            yielded = lower(member, scope, link)
        else:
            yielded = Constant(True) if value is None else lower(value, scope, link)
        return Branch(tuple(scope.steps), keys, yielded, member is not None, span=span)


def _keys_below(entry: RuleEntry, key: UnitKey) -> tuple[Term, ...]:
    """The operands of a rule's head below the path of its unit."""
    names = tuple(String(name) for name in entry.path[len(key.path) :])
    return (*names, *entry.tail)


def _may_match(entry: RuleEntry, key: UnitKey) -> bool:
    """Whether a rule's head can be at the keys that a unit is narrowed to."""
    for term, name in zip(_keys_below(entry, key), key.narrowed, strict=False):
        if isinstance(term, String) and term.value != name:
            return False
        if isinstance(term, Number | Boolean | Null | Array):
            return False
    return True


def _bind_narrowed(entry: RuleEntry, key: UnitKey, scope: Scope) -> None:
    """Variables of the head are bound from the start to the keys that the unit is narrowed to."""
    for term, name in zip(_keys_below(entry, key), key.narrowed, strict=False):
        if isinstance(term, Var) and term.name not in scope.names:
            scope.names[term.name] = Constant(name)


def _wants_function(node: Node) -> bool:
    return any(entry.is_function for entry in node.entries)


def _kind(node: Node, entries: list[RuleEntry]) -> str:
    if node.is_open:
        return PARTIAL_OBJECT
    if any(entry.is_function for entry in entries):
        return FUNCTION
    return PARTIAL_SET if any(entry.is_member for entry in entries) else COMPLETE


def _rule_info(entry: RuleEntry) -> RuleInfo:
    rule = entry.rule
    fields: dict[str, object] = {}
    for annotation in rule.annotations:
        fields.update(annotation.fields)
    title, custom = fields.get("title"), fields.get("custom")
    path = ".".join(("data", *entry.path))
    return RuleInfo(
        path,
        entry.number,
        rule.span.source.name,
        rule.span.row if rule.span.source.text else 0,
        title if isinstance(title, str) else None,
        custom if isinstance(custom, Mapping) else None,
        span=rule.span,
    )
