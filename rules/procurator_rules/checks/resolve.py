"""The names in terms: what each kind of term does about those inside it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules.checks.facts import Facts
from procurator_rules.checks.locals import Frames
from procurator_rules.checks.modules import ROOTS, Names
from procurator_rules.checks.patterns import declared_names, names
from procurator_rules.checks.text import ref_text
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Call,
    Expr,
    Not,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    TemplateString,
    Var,
    With,
)
from procurator_rules.spans import Span

NOTHING: Final[frozenset[str]] = frozenset()


class TermResolver:
    """Resolves the names in the terms of one module; a subclass knows what to do with bodies.

    Every method returns the node it was given where nothing in it changed.
    """

    def __init__(self, known: Names, builtins: frozenset[str]) -> None:
        self.known = known
        self.builtins = builtins
        self.frames = Frames()
        self.facts = Facts()
        self.used: set[str] = set()
        self.errors: list[PolicyError] = []
        self.terms: Mapping[type, Callable[[Any], Any]] = {
            Var: self.var,
            Ref: self.ref,
            Array: self.array,
            Object: self.object,
            SetTerm: self.set,
            ArrayComprehension: self.array_comprehension,
            SetComprehension: self.set_comprehension,
            ObjectComprehension: self.object_comprehension,
            Call: self.nested_call,
            TemplateString: self.template,
        }

    def report(self, message: str, at: Span) -> None:
        """Note what is wrong with a declaration."""
        self.errors.append(PolicyError(COMPILE, message, at=at))

    def body(self, body: Body, head_names: Callable[[], frozenset[str]]) -> Body:
        """Resolve the lines of a body whose frame is open; the names are those its head mentions."""
        raise NotImplementedError

    def term(self, node: Any) -> Any:
        """Resolve any term."""
        resolve = self.terms.get(type(node))
        return node if resolve is None else resolve(node)

    def all(self, items: tuple[Any, ...]) -> tuple[Any, ...]:
        """Resolve several terms."""
        terms, changed, resolved = self.terms, False, []
        for item in items:
            resolve = terms.get(type(item))
            new = item if resolve is None else resolve(item)
            changed = changed or new is not item
            resolved.append(new)
        return tuple(resolved) if changed else items

    def var(self, node: Var) -> Var | Ref:
        """A rule or an import, or else a variable."""
        name = node.name
        if name in self.known and not self.frames.is_hidden(name):
            return self.full_ref(name, (), node.span)
        renamed = self.frames.use(name)
        return node if renamed is None else Var(renamed, span=node.span)

    def full_ref(self, name: str, operands: tuple[Any, ...], span: Span) -> Ref:
        """The reference to a rule or an import."""
        self.used.add(name)
        ref = Ref(self.known[name].terms + operands, span=span)
        self.facts.refs.append(ref)
        return ref

    def ref(self, node: Ref) -> Any:
        """A reference: its head can be a name, and each operand a term of its own."""
        terms = node.terms
        head = terms[0]
        if type(head) is not Var:
            resolved = self.all(terms)
            return node if resolved is terms else Ref(resolved, span=node.span)
        name = head.name
        if name in ROOTS:
            return self.root_ref(node, name)
        operands = self.all(terms[1:])
        if name in self.known and not self.frames.is_hidden(name):
            return self.full_ref(name, operands, node.span)
        renamed = self.frames.use(name)
        if renamed is not None:
            return Ref((Var(renamed, span=head.span), *operands), span=node.span)
        return node if operands == () or operands is terms[1:] else Ref((head, *operands), span=node.span)

    def root_ref(self, node: Ref, name: str) -> Any:
        """A reference to `input` or `data`, unless a variable has that name."""
        terms = node.terms
        local = self.frames.find(name)
        resolved = self.all(terms) if len(terms) > 1 else terms
        if local is not None and local.name is not None:
            return Var(local.name, span=node.span) if len(terms) == 1 else Ref(resolved, span=node.span)
        if resolved is not terms:
            node = Ref(resolved, span=node.span)
        if name == "data":
            self.facts.refs.append(node)
        return node

    def array(self, node: Array) -> Array:
        """An array: its items."""
        items = self.all(node.items)
        return node if items is node.items else Array(items, span=node.span)

    def set(self, node: SetTerm) -> SetTerm:
        """A set: its members."""
        items = self.all(node.items)
        return node if items is node.items else SetTerm(items, span=node.span)

    def object(self, node: Object) -> Object:
        """An object: its keys and values."""
        items = tuple([self.all(pair) for pair in node.items])
        return node if all(map(_same, items, node.items)) else Object(items, span=node.span)

    def array_comprehension(self, node: ArrayComprehension) -> ArrayComprehension:
        """`[head | body]` has a frame of its own."""
        self.frames.push(declared_names(node.body))
        body = self.body(node.body, lambda: frozenset(names(node.head)))
        head = self.term(node.head)
        self.frames.pop()
        return node if body is node.body and head is node.head else ArrayComprehension(head, body, span=node.span)

    def set_comprehension(self, node: SetComprehension) -> SetComprehension:
        """`{head | body}` has a frame of its own."""
        self.frames.push(declared_names(node.body))
        body = self.body(node.body, lambda: frozenset(names(node.head)))
        head = self.term(node.head)
        self.frames.pop()
        return node if body is node.body and head is node.head else SetComprehension(head, body, span=node.span)

    def object_comprehension(self, node: ObjectComprehension) -> ObjectComprehension:
        """`{key: value | body}` has a frame of its own."""
        self.frames.push(declared_names(node.body))
        body = self.body(node.body, lambda: frozenset(names(node.key)).union(names(node.value)))
        key, value = self.all((node.key, node.value))
        self.frames.pop()
        if body is node.body and key is node.key and value is node.value:
            return node
        return ObjectComprehension(key, value, body, span=node.span)

    def nested_call(self, node: Call) -> Call:
        """A call that stands as a term."""
        self.check_shadowed(node)
        call = self.call(node)
        self.facts.calls.append(call)
        return call

    def check_shadowed(self, node: Call) -> None:
        """Report a function whose name is that of a variable."""
        head = node.operator.terms[0]
        if type(head) is not Var:
            return
        local = self.frames.find(head.name)
        if local is not None and local.name is not None and self.is_variable(head.name):
            self.report(f"called function {ref_text(node.operator.terms)} shadowed", node.span)

    def is_variable(self, name: str) -> bool:
        """Whether a name stands for no rule or import here."""
        return name not in self.known or self.frames.is_hidden(name)

    def call(self, node: Call) -> Call:
        """A call: its operator can be a name, its operands are terms."""
        operator = self.ref(node.operator)
        if type(operator) is Var:
            operator = Ref((operator,), span=operator.span)
        args = self.all(node.args)
        if operator is node.operator and args is node.args:
            return node
        return Call(operator, args, node.infix, span=node.span)

    def template(self, node: TemplateString) -> TemplateString:
        """A template string: each expression has a frame of its own."""
        parts = tuple([self.template_part(part) if type(part) is Expr else part for part in node.parts])
        if not all(map(_same, parts, node.parts)):
            node = TemplateString(parts, node.multi_line, span=node.span)
        self.facts.templates.append(node)
        return node

    def template_part(self, part: Expr) -> Expr:
        """An expression of a template string: a call in it stands for a value."""
        self.frames.push(NOTHING)
        term, withs = self.term(part.term), self.withs(part.withs)
        self.frames.pop()
        if term is not part.term or withs is not part.withs:
            part = Expr(term, part.negated, withs, span=part.span)
        if withs:
            self.facts.withs.append(part)
        return part

    def line(self, expr: Expr) -> Expr:
        """A line that is a term, with its modifiers."""
        term = self.term(expr.term) if type(expr.term) is not Call else self.call(expr.term)
        return self.finish(expr, term, self.withs(expr.withs))

    def withs(self, withs: tuple[With, ...]) -> tuple[With, ...]:
        """The modifiers of a line."""
        resolved = tuple([self.modifier(one) for one in withs])
        return withs if all(map(_same, resolved, withs)) else resolved

    def modifier(self, one: With) -> With:
        """One modifier; the name of a built-in stands for it, and `input` for the document."""
        target, value = self.target(one.target), self.replaceable(one.value)
        return one if target is one.target and value is one.value else With(target, value, span=one.span)

    def target(self, target: Any) -> Any:
        """A target; a variable called `input` does not hide the document there."""
        if type(target) is not Ref or type(target.terms[0]) is not Var or target.terms[0].name != "input":
            return self.replaceable(target)
        terms = (target.terms[0], *self.all(target.terms[1:]))
        return target if all(map(_same, terms, target.terms)) else Ref(terms, span=target.span)

    def replaceable(self, term: Any) -> Any:
        """A target or value of a modifier: built-ins are meant by their names."""
        if type(term) is Var and term.name in self.builtins and self.is_variable(term.name):
            return Ref((term,), span=term.span)
        return self.term(term)

    def finish(self, expr: Expr, term: Any, withs: tuple[With, ...]) -> Expr:
        """A line with its parts resolved, and with what it does noted."""
        if term is not expr.term or withs is not expr.withs:
            expr = Expr(term, expr.negated, withs, span=expr.span)
        facts = self.facts
        if type(term) is Call:
            facts.lines.append(expr)
        if withs:
            facts.withs.append(expr)
        if expr.negated or type(term) is Not:
            facts.negations.append(expr)
        return expr


def _same(new: object, old: object) -> bool:
    return new is old
