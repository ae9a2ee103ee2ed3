"""Lines taken apart: each call, head of a reference and domain that is evaluated first becomes a line of its own.

`f(g(x)) > 1` becomes `g(x, #1); f(#1, #2); #2 > 1`. A variable whose name begins with `#` stands for such a value.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Final

from procurator_rules.checks.binding import COMPOSITE
from procurator_rules.checks.patterns import is_operator
from procurator_rules.checks.rebuild import rebuild
from procurator_rules.checks.text import line_span
from procurator_rules.nodes import (
    ArrayComprehension,
    Body,
    Call,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SomeDecl,
    TemplateString,
    Term,
    Var,
    With,
)
from procurator_rules.visitor import walk

EVALUATED: Final = frozenset({Ref, ArrayComprehension, SetComprehension, ObjectComprehension})
"""Terms whose value is not known from variables alone."""

EQ: Final = Ref((Var("eq"),))


def needs_evaluation(term: Any) -> bool:
    """Whether there is a reference or a comprehension in a term."""
    return any(type(node) in EVALUATED for node in walk(term, lambda node: type(node) is not Call))


class Flattener:
    """Takes lines apart; the names it makes up are unique for one flattener.

    Attributes:
        lines: the lines that must come before the one being taken apart.
        withs: the modifiers of that line.
    """

    def __init__(self) -> None:
        self._names: Iterator[int] = count(1)
        self.lines: list[Expr] = []
        self.withs: tuple[With, ...] = ()

    def new_name(self, term: Any) -> Var:
        """A variable for the value of a term."""
        return Var(f"#{next(self._names)}", span=term.span)

    def body(self, body: Body) -> Body:
        """The lines of a body, each after those it was taken apart into."""
        outer, self.lines = self.lines, []
        withs = self.withs
        for expr in body:
            self.line(expr)
        lines, self.lines, self.withs = tuple(self.lines), outer, withs
        return lines

    def body_with_heads(self, body: Body, heads: tuple[Term, ...]) -> tuple[Body, tuple[Term, ...]]:
        """A body and terms evaluated for each of its results; what has to be evaluated in them moves to its end."""
        outer, self.lines, withs = self.lines, list(self.body(body)), self.withs
        self.withs = ()
        flat = [self.term(head) for head in heads]
        named = tuple([self.named(head) if needs_evaluation(head) else head for head in flat])
        lines, self.lines, self.withs = tuple(self.lines), outer, withs
        return lines, named

    def line(self, expr: Expr) -> None:
        """One line: adds what it was taken apart into, and what is left of it."""
        self.withs = ()
        self.withs = tuple([self.modifier(one) for one in expr.withs])
        flatten = STATEMENTS.get(type(expr.term), Flattener.term)
        term = flatten(self, expr.term)
        self.lines.append(Expr(term, expr.negated, self.withs, span=line_span(expr)))

    def modifier(self, one: With) -> With:
        """A modifier: its value is evaluated before the line."""
        value = self.term(one.value)
        if needs_evaluation(value) and not (type(value) is Ref and len(value.terms) == 1):
            value = self.named(value)
        return one if value is one.value else replace(one, value=value)

    def named(self, term: Any) -> Var:
        """A variable that a new line gives the value of a term."""
        name = self.new_name(term)
        self.lines.append(Expr(Call(EQ, (name, term), True, span=term.span), False, self.withs, span=term.span))
        return name

    def term(self, node: Any) -> Any:
        """What is left of a term."""
        flatten = TERMS.get(type(node))
        return rebuild(node, self.term) if flatten is None else flatten(self, node)

    def nested_call(self, node: Call) -> Var:
        """A call among operands: its result gets a name."""
        args = tuple(map(self.term, node.args))
        name = self.new_name(node)
        call = Call(node.operator, (*args, name), span=node.span)
        self.lines.append(Expr(call, False, self.withs, span=node.span))
        return name

    def ref(self, node: Ref) -> Ref:
        """A reference: a composite head gets a name."""
        head, *operands = map(self.term, node.terms)
        if type(head) in COMPOSITE:
            head = self.named(head)
        return Ref((head, *operands), span=node.span)

    def comprehension(self, node: Any) -> Any:
        """A comprehension: its head is evaluated in its body."""
        body, (head,) = self.body_with_heads(node.body, (node.head,))
        return replace(node, head=head, body=body)

    def object_comprehension(self, node: ObjectComprehension) -> ObjectComprehension:
        """An object comprehension: so are its key and value."""
        body, (key, value) = self.body_with_heads(node.body, (node.key, node.value))
        return replace(node, key=key, value=value, body=body)

    def template(self, node: TemplateString) -> Var:
        """A template string is a call; its expressions are evaluated inside it."""
        return self.named(node)

    def call(self, node: Call) -> Call:
        """A line that is a call: its operands; `print` evaluates its own."""
        if is_operator(node.operator, "print"):
            return node
        return replace(node, args=tuple(map(self.term, node.args)))

    def some_in(self, node: SomeDecl) -> SomeDecl:
        """`some … in`: a composite domain gets a name."""
        call: Any = node.symbols[0]
        *patterns, domain = map(self.term, call.args)
        if type(domain) in COMPOSITE:
            domain = self.named(domain)
        return replace(node, symbols=(replace(call, args=(*patterns, domain)),))

    def every(self, node: Every) -> Every:
        """`every`: the domain gets a name."""
        domain = self.named(self.term(node.domain))
        return replace(node, domain=domain, body=self.body(node.body))

    def negation(self, node: Not) -> Not:
        """`not` with a body."""
        return replace(node, body=self.body(node.body))

    def logical(self, node: Any) -> Any:
        """`and`, `or`."""
        return replace(node, left=self.body(node.left), right=self.body(node.right))


TERMS: Final[Mapping[type, Callable[[Flattener, Any], Any]]] = {
    Call: Flattener.nested_call,
    Ref: Flattener.ref,
    ArrayComprehension: Flattener.comprehension,
    SetComprehension: Flattener.comprehension,
    ObjectComprehension: Flattener.object_comprehension,
    TemplateString: Flattener.template,
}
"""How terms are taken apart that need more than that their parts are."""

STATEMENTS: Final[Mapping[type, Callable[[Flattener, Any], Any]]] = {
    Call: Flattener.call,
    SomeDecl: Flattener.some_in,
    Every: Flattener.every,
    Not: Flattener.negation,
    LogicalAnd: Flattener.logical,
    LogicalOr: Flattener.logical,
}
"""How lines are taken apart that are not just a term."""
