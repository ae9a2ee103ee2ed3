"""What a line of a body needs and what it binds: read against the variables that have values so far."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from procurator_rules.checks.locals import is_generated
from procurator_rules.checks.mentions import bound_in_operand, given_names, outer_variables
from procurator_rules.checks.patterns import CLOSURES, bound_names, names
from procurator_rules.checks.program import Program, function_name
from procurator_rules.checks.rule_tree import find_exact, is_always_defined
from procurator_rules.checks.unify import unify
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Call,
    Every,
    Expr,
    LogicalAnd,
    LogicalOr,
    Not,
    Object,
    ObjectComprehension,
    Ref,
    SetComprehension,
    SetTerm,
    SomeDecl,
    TemplateString,
    Var,
    With,
)
from procurator_rules.visitor import walk

NOTHING: Final[frozenset[str]] = frozenset()
EQUALITIES: Final = frozenset({"eq", "assign"})
COMPOSITE: Final = CLOSURES | {Array, Object, SetTerm, Call}
"""What a reference can begin with other than a variable."""


class Part:
    """A piece of a line that is evaluated on its own: a call, a line without the calls in it.

    Attributes:
        missing: variables without a value that it mentions outside of closures.
        bound: the names of those that its references bind.
        closures: what has bodies of its own.
    """

    __slots__ = ("bound", "closures", "missing")

    def __init__(self) -> None:
        self.missing: list[Var] = []
        self.bound: set[str] = set()
        self.closures: list[Any] = []

    def unbound(self, safe: set[str]) -> list[Var]:
        """The variables that it mentions, does not bind and are not safe."""
        return [var for var in self.missing if var.name not in self.bound and var.name not in safe]


class Reader:
    """Reads one line after another.

    Attributes:
        safe: the names of the variables that have values.
        given: those that had them before the first line.
        added: those of them that came with the line being read.
        stuck: the variables that keep the line from being evaluated now.
        closures: the closures of the line, each with what is safe in it.
    """

    def __init__(self, program: Program, safe: set[str]) -> None:
        self.program = program
        self.safe = safe
        self.given = frozenset(safe)
        self.added: list[str] = []
        self.stuck: list[Var] = []
        self.closures: list[tuple[Any, frozenset[str]]] = []
        self.part = Part()
        self.visible: Callable[[], frozenset[str]] = frozenset

    def read(self, expr: Expr) -> bool:
        """Whether a line can be evaluated now; what it binds is safe from then on."""
        self.begin()
        values_known = self.withs(expr.withs) if expr.withs else True
        binds = values_known and not expr.negated
        read = STATEMENTS.get(type(expr.term))
        if read is None:
            self.term(expr.term)
            self.settle(self.part, binds)
        else:
            read(self, expr.term, binds)
        return self.end()

    def read_term(self, term: Any) -> bool:
        """The same for a term that stands in a head."""
        self.begin()
        self.term(term)
        self.settle(self.part, True)
        return self.end()

    def begin(self) -> None:
        """Begin a line."""
        self.added, self.stuck, self.closures = [], [], []
        self.part = Part()

    def end(self) -> bool:
        """End a line: one that is stuck binds nothing."""
        if self.stuck:
            self.safe.difference_update(self.added)
        return not self.stuck

    def settle(self, part: Part, binds: bool) -> None:
        """Finish a part: either all that it needs is there, or the line is stuck."""
        if not binds:
            part.bound.clear()
        unbound = part.unbound(self.safe) if part.missing else []
        self.stuck += unbound
        if part.closures:
            self.settle_closures(part)
        if part.bound and not unbound:
            new = part.bound - self.safe
            self.safe |= new
            self.added += new

    def settle_closures(self, part: Part) -> None:
        """A closure needs what other lines of the body bind, and sees what is safe before its own."""
        seen = frozenset(self.safe)
        outer = self.visible() - self.given
        inside = [node for one in part.closures for node in walk(one) if type(node) is Var] if outer - seen else []
        needed = {node.name for node in inside if node.name in outer}
        if needed and needed == part.bound:
            self.stuck += [var for var in part.missing if var.name in part.bound]
        self.stuck += [node for node in inside if node.name in outer - seen - part.bound]
        self.closures += [(closure, seen) for closure in part.closures]

    def term(self, node: Any) -> None:
        """Read any term."""
        read = TERMS.get(type(node))
        if read is not None:
            read(self, node)

    def apart(self, node: Any) -> None:
        """Read a term whose value is there before the rest of the line is evaluated."""
        part, self.part = self.part, Part()
        self.term(node)
        self.settle(self.part, True)
        self.part = part

    def var(self, node: Var) -> None:
        """A variable."""
        if node.name not in self.safe:
            self.part.missing.append(node)

    def ref(self, node: Ref) -> None:
        """A reference: if its head is known, it binds the variables among its operands."""
        terms = node.terms
        head = terms[0]
        part = self.part
        if type(head) is Var:
            known = head.name in self.safe
            if not known:
                part.missing.append(head)
        else:
            (self.apart if type(head) in COMPOSITE else self.term)(head)
            known = True
        for operand in terms[1:]:
            read = TERMS.get(type(operand))
            if read is not None:
                before = len(part.missing)
                read(self, operand)
                if known and len(part.missing) > before:
                    part.bound.update(bound_in_operand(operand))

    def items(self, node: Any) -> None:
        """An array or a set."""
        for item in node.items:
            read = TERMS.get(type(item))
            if read is not None:
                read(self, item)

    def object(self, node: Object) -> None:
        """An object: its keys and values."""
        for key, value in node.items:
            self.term(key)
            self.term(value)

    def closure(self, node: Any) -> None:
        """What has a body of its own."""
        self.part.closures.append(node)

    def nested_call(self, node: Call) -> None:
        """A call among the operands of something: evaluated before it."""
        part, self.part = self.part, Part()
        for arg in node.args:
            self.term(arg)
        self.settle(self.part, True)
        self.part = part

    def template(self, node: TemplateString) -> None:
        """A template string: each expression is captured, undefined or not; variables must have values."""
        part, self.part = self.part, Part()
        for piece in node.parts:
            if type(piece) is Expr:
                if type(piece.term) is Var:
                    self.var(piece.term)
                elif not self.is_defined(piece.term):
                    self.part.closures.append(piece)
        self.settle(self.part, True)
        self.part = part

    def is_defined(self, term: Any) -> bool:
        """Whether a term is a reference to rules that always have a value."""
        node = find_exact(self.program.tree, term) if type(term) is Ref else None
        return node is not None and is_always_defined(node.definitions)

    def operands(self, node: Call) -> None:
        """The operands of a call; those beyond its arity are what it gives."""
        part, counts = self.part, []
        for arg in node.args:
            counts.append(len(part.missing))
            self.term(arg)
        if not part.missing:
            return
        arity = self.program.arity(node.operator)
        if 0 <= arity < len(node.args):
            inputs = part.missing[: counts[arity]]
            if all(var.name in part.bound or var.name in self.safe for var in inputs):
                part.bound.update(*map(given_names, node.args[arity:]))
            else:
                part.bound.clear()

    def call(self, node: Call, binds: bool) -> None:
        """A line that is a call."""
        part = self.part
        name = function_name(node.operator)
        if name in EQUALITIES and len(node.args) == 2:
            self.equality(node, part, name)
        elif name == "print":
            self.print(node)
        else:
            self.operands(node)
        self.settle(part, binds)

    def equality(self, node: Call, part: Part, name: str) -> None:
        """`left = right` or `left := right`, which gives values to the left alone."""
        left, right = node.args
        self.term(left)
        self.term(right)
        if not part.missing:
            return
        if name == "assign" and type(left) is Var and not part.bound and len(part.missing) == 1:
            part.bound.add(left.name)
            return
        known = self.safe | part.bound
        if name == "assign":
            known -= set(names(left))
        part.bound |= unify(left, right, known)

    def print(self, node: Call) -> None:
        """`print`: captures its operands, undefined or not."""
        if self.program.options.print_statements:
            self.part.closures += [Expr(arg, span=arg.span) for arg in node.args]

    def some_in(self, node: SomeDecl, binds: bool) -> None:
        """`some k, v in xs`: the domain has a value before it, the patterns get theirs from it."""
        call: Any = node.symbols[0]
        *keys, value, domain = call.args
        part = self.part
        known = self.domain(domain)
        for key in keys:
            self.term(key)
            if known:
                part.bound.update(bound_in_operand(key))
        self.term(value)
        if known and type(value) in (Var, Array, Object):
            part.bound.update(bound_names(value))
        self.settle(part, binds)

    def domain(self, domain: Any) -> bool:
        """Read what `some … in` takes members of; whether it has a value."""
        if type(domain) in COMPOSITE:
            self.apart(domain)
            return not self.stuck
        before = len(self.part.missing)
        self.term(domain)
        head = domain.terms[0] if type(domain) is Ref else domain
        return len(self.part.missing) == before or not (type(head) is Var and head.name not in self.safe)

    def every(self, node: Every, _binds: bool) -> None:
        """`every`: the domain has a value before it; the body sees key and value."""
        self.apart(node.domain)
        self.part.closures.append(node)
        self.settle(self.part, False)

    def negation(self, node: Not, _binds: bool) -> None:
        """`not`: what is not in braces mentions variables of the body around it."""
        if not node.explicit:
            self.mentioned(node.body)
        self.part.closures.append(node)
        self.settle(self.part, False)

    def logical(self, node: LogicalAnd | LogicalOr, _binds: bool) -> None:
        """`and`, `or`: so do operands that are not in braces."""
        if not node.explicit_left:
            self.mentioned(node.left)
        if not node.explicit_right:
            self.mentioned(node.right)
        self.part.closures.append(node)
        self.settle(self.part, False)

    def mentioned(self, body: tuple[Expr, ...]) -> None:
        """Lines that bind nothing: all their variables must have values."""
        found = (var for expr in body for var in outer_variables(expr))
        self.part.missing += [var for var in found if var.name not in self.safe and not is_generated(var.name)]

    def withs(self, withs: tuple[With, ...]) -> bool:
        """The modifiers of a line; whether all variables in them have values."""
        for one in withs:
            self.target(one.target)
            self.value(one.value)
        return not self.part.unbound(self.safe)

    def target(self, target: Any) -> None:
        """A target: the document or function at its head is no variable."""
        if type(target) is Ref:
            for operand in target.terms[1:]:
                self.term(operand)

    def value(self, value: Any) -> None:
        """A replacement: evaluated before the line unless it is a function."""
        if type(value) is Ref and self.is_function(value):
            return
        (self.term if type(value) is Var else self.apart)(value)

    def is_function(self, ref: Ref) -> bool:
        """Whether a reference names a function."""
        return function_name(ref) in self.program.options.capabilities.builtins or self.program.arity(ref) > 0


TERMS: Final[Mapping[type, Callable[[Reader, Any], None]]] = {
    Var: Reader.var,
    Ref: Reader.ref,
    Array: Reader.items,
    SetTerm: Reader.items,
    Object: Reader.object,
    ArrayComprehension: Reader.closure,
    SetComprehension: Reader.closure,
    ObjectComprehension: Reader.closure,
    Call: Reader.nested_call,
    TemplateString: Reader.template,
}
"""How each kind of term is read; the others mention no variables."""

STATEMENTS: Final[Mapping[type, Callable[[Reader, Any, bool], None]]] = {
    Call: Reader.call,
    SomeDecl: Reader.some_in,
    Every: Reader.every,
    Not: Reader.negation,
    LogicalAnd: Reader.logical,
    LogicalOr: Reader.logical,
}
"""How each kind of line is read that is not just a term."""
