"""Safety: each variable of a rule has a value before it is needed, and bodies are put in an order that sees to it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from procurator_rules import keywords
from procurator_rules.checks.flatten import EQ, Flattener
from procurator_rules.checks.locals import is_generated
from procurator_rules.checks.mentions import outer_variables
from procurator_rules.checks.nearest import did_you_mean
from procurator_rules.checks.ordering import Stuck, order_body
from procurator_rules.checks.patterns import CLOSURES, names
from procurator_rules.checks.program import Program
from procurator_rules.checks.rule_tree import SCALARS, build
from procurator_rules.checks.text import ref_text, shown_name
from procurator_rules.checks.unsafe import Search, Unplaced, culprits
from procurator_rules.errors import UNSAFE_VAR, PolicyError
from procurator_rules.nodes import Body, Call, Expr, Head, Module, Ref, Rule, Term, Var
from procurator_rules.spans import Location, Span
from procurator_rules.visitor import children, walk

RESERVED: Final = frozenset({"data", "input"})
MAX_HINTS: Final = 20
"""So many unsafe variables of one body get hints: a body with more of them has another problem than spelling."""


def order_rules(program: Program) -> tuple[Program, list[PolicyError]]:
    """Put the bodies of all rules in order; of unsafe variables those in heads go first."""
    in_heads: list[PolicyError] = []
    in_bodies: list[PolicyError] = []
    modules = {}
    for name, module in program.modules.items():
        rules = _Rules(program, module, program.names.get(name, ()), in_heads, in_bodies)
        ordered = tuple(map(rules.order, module.rules))
        modules[name] = module if all(map(_same, ordered, module.rules)) else replace(module, rules=ordered)
    if any(new is not old for new, old in zip(modules.values(), program.modules.values(), strict=True)):
        program = replace(program, modules=modules, tree=build(modules))
    return program, in_heads or in_bodies


def order_query(program: Program, body: Body, known: Collection[str]) -> tuple[Body, list[PolicyError]]:
    """Put the lines of a query in order; known are the names that it could have mentioned."""
    try:
        return order_body(program, body, (), set(RESERVED))[0], []
    except Stuck:
        flat = Flattener().body(body)
        search = Search(program)
        ordered = search.order(flat, RESERVED)
        return ordered, _errors(program, search.unplaced, "", [*known, *_mentioned(body)])


@dataclass(frozen=True, slots=True)
class _Branch:
    """What is evaluated together.

    Attributes:
        head: the head of the rule, of an `else` with its value.
        body: the lines to put in order.
        span: where a rule or an `else` stands.
    """

    head: Head
    body: Body
    span: Span


class _Rules:
    """The rules of one module."""

    def __init__(
        self,
        program: Program,
        module: Module,
        known: Collection[str],
        in_heads: list[PolicyError],
        in_bodies: list[PolicyError],
    ) -> None:
        self.program = program
        self.module = module
        self.known = known
        self.in_heads = in_heads
        self.in_bodies = in_bodies
        self.package = len(module.package.path.terms)
        self.flattener = Flattener()
        self.shared: frozenset[int] | None = None

    def order(self, rule: Rule) -> Rule:
        """A rule with its bodies in order."""
        head, body = self.branch(_Branch(rule.head, rule.body, rule.span))
        if rule.elses:
            rule = self.elses(rule)
        return rule if head is rule.head and body is rule.body else replace(rule, head=head, body=body)

    def elses(self, rule: Rule) -> Rule:
        """A rule with the bodies of its `else` branches in order."""
        ordered = []
        for one in rule.elses:
            head, body = self.branch(_Branch(replace(rule.head, value=one.value), one.body, one.span))
            same = body is one.body and head.value is one.value
            ordered.append(one if same else replace(one, value=head.value, body=body))
        return rule if all(map(_same, ordered, rule.elses)) else replace(rule, elses=tuple(ordered))

    def branch(self, branch: _Branch) -> tuple[Head, Body]:
        """A head and a body in order."""
        head = branch.head
        operands = head.ref.terms[self.package + 1 :]
        patterns = [arg for arg in head.args or () if type(arg) is not Var]
        parts = (*operands, head.key, head.value, *patterns)
        heads = tuple([term for term in parts if term is not None and type(term) not in SCALARS])
        if not heads and not branch.body:
            return head, branch.body
        safe = {*RESERVED, *_given(head)}
        try:
            body, ordered = order_body(self.program, branch.body, heads, safe)
        except Stuck:
            return self.take_apart(branch, frozenset(safe))
        return head if ordered is heads else _with_heads(head, dict(zip(map(id, heads), ordered, strict=True))), body

    def take_apart(self, branch: _Branch, safe: frozenset[str]) -> tuple[Head, Body]:
        """The same for a body whose lines must be taken apart."""
        head, body = self.flat(branch)
        safe = RESERVED.union(_given(branch.head))
        if problems := self.unsafe_in_head(head, body, safe, branch.span):
            self.in_heads += problems
            return branch.head, branch.body
        search = Search(self.program)
        ordered = search.order(body, safe)
        if search.unplaced:
            known = {*self.known, *map(shown_name, _mentioned((*branch.body, branch.head)))}
            self.in_bodies += _errors(self.program, search.unplaced, self.scope(branch), known)
            return branch.head, branch.body
        return head, ordered

    def flat(self, branch: _Branch) -> tuple[Head, Body]:
        """A head that mentions variables alone, and a body of lines without calls in them."""
        head = branch.head
        lines = list(branch.body)
        operands = [self.named(term, lines) for term in head.ref.terms[self.package + 1 :]]
        parts = (*(head.args or ()), head.key, head.value)
        body, flat = self.flattener.body_with_heads(tuple(lines), tuple([part for part in parts if part is not None]))
        new = dict(zip([id(part) for part in parts if part is not None], flat, strict=True))
        ref = Ref((*head.ref.terms[: self.package + 1], *operands), span=head.ref.span)
        return _with_heads(replace(head, ref=ref), new), body

    def named(self, term: Term, lines: list[Expr]) -> Term:
        """An operand of a head's reference: anything but a constant or a variable gets a name in the body."""
        if type(term) in SCALARS or type(term) is Var:
            return term
        name = self.flattener.new_name(term)
        lines.append(Expr(Call(EQ, (name, term), True, span=term.span), span=term.span))
        return name

    def unsafe_in_head(self, head: Head, body: Body, safe: frozenset[str], span: Span) -> list[PolicyError]:
        """The variables of a head that its body does not mention."""
        known = safe.union(var.name for line in body for var in outer_variables(line))
        parts = (head.key, head.value, *head.ref.terms[self.package + 1 :])
        found = {
            node.name: node
            for part in parts
            if part is not None
            for node in walk(part)
            if type(node) is Var and node.name not in known and not is_generated(node.name)
        }
        scope = self.scope(_Branch(head, body, span)) if found else ""
        known_names = {*self.known, *map(shown_name, known)}
        return [_unsafe(var, var.span, scope, known_names) for var in found.values()]

    def scope(self, branch: _Branch) -> str:
        """The name of a rule, where its line holds rules of other names too."""
        if self.shared is None:
            self.shared = _shared_rows(self.module)
        if branch.span.row not in self.shared:
            return ""
        return f" in rule {_rule_name(branch.head, self.package)}"


def _shared_rows(module: Module) -> frozenset[int]:
    first: dict[int, str] = {}
    shared: set[int] = set()
    package = len(module.package.path.terms)
    for rule in module.rules:
        name = _rule_name(rule.head, package)
        for span in (rule.span, *(one.span for one in rule.elses)):
            if first.setdefault(span.row, name) != name:
                shared.add(span.row)
    return frozenset(shared)


def _rule_name(head: Head, package: int) -> str:
    name: Any = head.ref.terms[package]
    operands = head.ref.terms[package + 1 :]
    constant = next((i for i, term in enumerate(operands) if type(term) not in SCALARS), len(operands))
    return ref_text((Var(name.value), *operands[:constant]))


def _given(head: Head) -> Iterator[str]:
    """The names of the variables that the arguments of a function give values: not those that references begin with."""
    waiting: list[Any] = list(head.args or ())
    while waiting:
        node = waiting.pop()
        if type(node) is Var:
            yield node.name
        elif type(node) is Ref:
            waiting += node.terms[1:]
        elif type(node) not in CLOSURES:
            waiting += children(node)


def _mentioned(nodes: tuple[Expr | Head, ...]) -> set[str]:
    return {name for node in nodes for name in names(node)}


def _with_heads(head: Head, new: dict[int, Any]) -> Head:
    """A head with terms replaced, which are found by identity."""
    ref = Ref(tuple([new.get(id(term), term) for term in head.ref.terms]), span=head.ref.span)
    args = head.args and tuple([new.get(id(term), term) for term in head.args])
    key, value = new.get(id(head.key), head.key), new.get(id(head.value), head.value)
    return replace(head, ref=ref, args=args, key=key, value=value)


def _errors(program: Program, unplaced: list[Unplaced], scope: str, known: Collection[str]) -> list[PolicyError]:
    """What to report of lines that found no place."""
    if not unplaced:
        return []
    blamed = culprits(program, unplaced)
    if not all(map(is_generated, blamed)):
        named = known if len(blamed) <= MAX_HINTS else ()
        return [_unsafe(var, line.span, scope, named) for line, var in blamed.values()]
    found: dict[int, PolicyError] = {}
    for line, _ in blamed.values():
        found[line.span.start] = PolicyError(UNSAFE_VAR, f"expression is unsafe{scope}", at=line.span)
    return list(found.values())


def _unsafe(var: Var, line: Span, scope: str, known: Collection[str]) -> PolicyError:
    """The error for a variable: at its line, as OPA has it, with the variable itself underlined."""
    name = shown_name(var.name)
    message = f"var {name} is unsafe{scope}"
    if name in keywords.FUTURE:
        message += f" (hint: `import future.keywords.{name}` to import a future keyword)"
    at: Location | None = line.location
    if at is not None and var.span.source is line.source:
        at = replace(at, start=var.span.start, end=var.span.end)
    # A name of one letter is like any other of two.
    hint = did_you_mean(name, sorted({*known} - {name})) if len(name) > 1 and known else None
    return PolicyError(UNSAFE_VAR, message, at=at, hint=hint)


def _same(new: object, old: object) -> bool:
    return new is old
