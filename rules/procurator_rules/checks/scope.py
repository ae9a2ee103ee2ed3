"""What every name stands for: rules and imports become full references, declared variables get names of their own.

A rule or import `x` becomes `data.package.x`. A variable that `:=`, `some`, `every` or a function's head declares
becomes `x#7`, unique in its module. Lines `some x, y` vanish. All else stays as it was, down to the same nodes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from procurator_rules.checks.facts import Facts
from procurator_rules.checks.locals import ARGUMENT, ASSIGNED, DECLARED, Local
from procurator_rules.checks.modules import Names, exports, import_names, is_root
from procurator_rules.checks.patterns import (
    bound_names,
    declared_names,
    is_assignment,
    names,
    place_of_declaration,
    unified_names,
)
from procurator_rules.checks.program import Program
from procurator_rules.checks.resolve import NOTHING, TermResolver
from procurator_rules.checks.rule_tree import build
from procurator_rules.checks.text import line_span, shown_name
from procurator_rules.errors import COMPILE, PolicyError
from procurator_rules.nodes import (
    Array,
    ArrayComprehension,
    Body,
    Boolean,
    Call,
    Else,
    Every,
    Expr,
    Head,
    LogicalAnd,
    LogicalOr,
    Module,
    Not,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Ref,
    Rule,
    SetComprehension,
    SetTerm,
    SomeDecl,
    String,
    TemplateString,
    Term,
    Var,
)
from procurator_rules.spans import Span

NEGATED: Final = "cannot assign vars inside negated expression"
OPERAND: Final = {
    LogicalAnd: "cannot assign vars inside implicit and operand",
    LogicalOr: "cannot assign vars inside implicit or operand",
}

KINDS: Final[Mapping[type, str]] = {
    Null: "null",
    Boolean: "boolean",
    Number: "number",
    String: "string",
    Ref: "ref",
    Call: "call",
    SetTerm: "set",
    ArrayComprehension: "arraycomprehension",
    SetComprehension: "setcomprehension",
    ObjectComprehension: "objectcomprehension",
    TemplateString: "templatestring",
}
"""What errors call each kind of term that cannot be assigned to."""


@dataclass(frozen=True, slots=True)
class Scoped:
    """A module with its names resolved.

    Attributes:
        facts: for each rule those of its branches: of the body, then of each `else`.
        used: the names of rules and imports that are mentioned.
        errors: what is wrong with declarations.
        unused: variables and arguments that are never mentioned.
    """

    module: Module
    facts: tuple[tuple[Facts, ...], ...]
    used: frozenset[str]
    errors: tuple[PolicyError, ...]
    unused: tuple[PolicyError, ...]


@dataclass(frozen=True, slots=True)
class ScopedQuery:
    """A query with its names resolved; the fields mean what they mean for a module."""

    body: Body
    facts: Facts
    errors: tuple[PolicyError, ...]


def scope_module(module: Module, known: Names, builtins: frozenset[str], *, strict: bool = False) -> Scoped:
    """Resolve the names of a module.

    Args:
        module: as it was parsed.
        known: what names of rules and imports stand for.
        builtins: the names of built-in functions.
        strict: whether variables and arguments that are given values in vain are mistakes.
    """
    resolver = _Resolver(known, builtins, strict)
    rules = tuple([resolver.rule(rule, module.package.path.terms) for rule in module.rules])
    return Scoped(
        replace(module, rules=rules),
        tuple(resolver.branches),
        frozenset(resolver.used),
        tuple(resolver.errors),
        tuple(resolver.unused),
    )


def resolve_names(program: Program) -> tuple[Program, list[PolicyError]]:
    """Resolve the names of all modules; what is wrong with declarations is left for later stages to report."""
    exported = exports(program.modules)
    builtins = frozenset(program.options.capabilities.builtins)
    names_of, scoped = {}, {}
    for name, module in program.modules.items():
        names_of[name] = {**exported[module.package.path.terms], **import_names(module.imports)}
        scoped[name] = scope_module(module, names_of[name], builtins, strict=program.options.strict)
    modules = {name: one.module for name, one in scoped.items()}
    resolved = replace(
        program,
        modules=modules,
        scoped=modules,
        names=names_of,
        facts={name: one.facts for name, one in scoped.items()},
        used={name: one.used for name, one in scoped.items()},
        misdeclared=tuple([error for one in scoped.values() for error in one.errors]),
        unused=tuple([error for one in scoped.values() for error in one.unused]),
        tree=build(modules),
    )
    return resolved, []


def scope_query(body: Body, known: Names, builtins: frozenset[str], *, strict: bool = False) -> ScopedQuery:
    """Resolve the names of a query; its variables keep their names unless they are declared."""
    resolver = _Resolver(known, builtins, strict)
    resolver.frames.push(declared_names(body))
    resolved = resolver.body(body, frozenset)
    return ScopedQuery(resolved, resolver.facts, (*resolver.errors, *resolver.unused))


class _Resolver(TermResolver):
    """One pass over the rules of a module.

    Attributes:
        branches: the facts of each rule's branches.
        before: how many errors there were before the branch; one that has errors is not searched for unused variables.
    """

    def __init__(self, known: Names, builtins: frozenset[str], strict: bool) -> None:
        super().__init__(known, builtins)
        self.strict = strict
        self.unused: list[PolicyError] = []
        self.branches: list[tuple[Facts, ...]] = []
        self.before = 0
        self.statements: Mapping[type, Callable[[Any], Expr | None]] = {
            Call: self.call_line,
            SomeDecl: self.some,
            Every: self.every,
            Not: self.negation,
            LogicalAnd: self.logical,
            LogicalOr: self.logical,
        }

    def rule(self, rule: Rule, package: tuple[Term, ...]) -> Rule:
        """A rule: its arguments, then each branch with them in sight."""
        head, frames = rule.head, self.frames
        taken = declared_arguments(head.args) if head.args else NOTHING
        arguments = frames.push(taken)
        args = tuple(map(self.argument, head.args)) if head.args else head.args
        frames.pop()
        facts = [self.open(arguments, taken, rule.body)]
        body = self.body(rule.body, lambda: head_names(head))
        self.before = self.error_count()
        resolved = self.head(head, args, package)
        frames.pop()
        elses = tuple([self.branch(one, arguments, taken, facts) for one in rule.elses])
        self.branches.append(tuple(facts))
        if self.strict and head.args:
            self.check_arguments(head, [name for name, local in arguments.items() if not local.used])
        return replace(rule, head=resolved, body=body, elses=elses)

    def error_count(self) -> int:
        """How many errors there are so far."""
        return len(self.errors) + len(self.unused)

    def open(self, arguments: dict[str, Local], taken: frozenset[str], body: Body) -> Facts:
        """Open the frame of a branch: the arguments are in it, and have no second declaration."""
        declared = declared_names(body)
        self.frames.push(taken | declared if declared else taken).update(arguments)
        self.before = self.error_count()
        self.facts = Facts()
        return self.facts

    def branch(self, one: Else, arguments: dict[str, Local], taken: frozenset[str], facts: list[Facts]) -> Else:
        """An `else`, which sees the arguments and none of the variables before it."""
        facts.append(self.open(arguments, taken, one.body))
        body = self.body(one.body, lambda: NOTHING if one.value is None else frozenset(names(one.value)))
        self.before = self.error_count()
        self.frames.in_head = True
        value = self.term(one.value)
        self.frames.in_head = False
        self.frames.pop()
        return one if body is one.body and value is one.value else replace(one, value=value, body=body)

    def head(self, head: Head, args: tuple[Term, ...] | None, package: tuple[Term, ...]) -> Head:
        """A head: its full path, and the terms in it, which see the variables of the body."""
        name, *operands = head.ref.terms
        resolved = self.all(tuple(operands)) if operands else ()
        named = String(name.name, span=name.span) if isinstance(name, Var) else name
        ref = Ref((*package, named, *resolved), span=head.ref.span)
        self.frames.in_head = True
        key, value = self.term(head.key), self.term(head.value)
        self.frames.in_head = False
        return Head(ref, args, key, value, head.assign, head.contains, span=head.span)

    def check_arguments(self, head: Head, unused: list[str]) -> None:
        """Report the arguments that no branch mentions."""
        for name in unused:
            if name[0] != "$":
                message = f"unused argument {name}. (hint: use _ (wildcard variable) instead)"
                self.unused.append(PolicyError(COMPILE, message, at=head.span))

    def argument(self, node: Term) -> Term:
        """An argument: a pattern whose variables are declared, a second mention of one included."""
        kind = type(node)
        if isinstance(node, Var):
            return self.argument_name(node)
        if isinstance(node, Array):
            return replace(node, items=tuple(map(self.argument, node.items)))
        if isinstance(node, Object):
            return replace(node, items=tuple([(key, self.argument(value)) for key, value in node.items]))
        if isinstance(node, Ref):
            return replace(node, terms=tuple(map(self.argument, node.terms)))
        if kind is Call:
            self.report("rule arguments cannot contain calls", node.span)
            return node
        resolved: Term = self.term(node)
        return resolved

    def argument_name(self, node: Var) -> Var:
        """A variable of an argument."""
        if self.frames.declare(node.name, ARGUMENT) is None:
            local = self.frames.stack[-1][node.name]
        else:
            local = self.frames.stack[-1][node.name]
            local.used = True
        return node if local.name is None or local.name == node.name else Var(local.name, span=node.span)

    def body(self, body: Body, head_names: Callable[[], frozenset[str]]) -> Body:
        """The lines of a body; those that only declare are left out."""
        statements, changed = self.statements, False
        lines: list[Expr] = []
        for expr in body:
            resolve = statements.get(type(expr.term))
            new = self.line(expr) if resolve is None else resolve(expr)
            changed = changed or new is not expr
            if new is not None:
                lines.append(new)
        self.check_unused(body, head_names)
        if not changed:
            return body
        return tuple(lines) or (Expr(Boolean(True, span=body[0].span), span=body[0].span),)

    def check_unused(self, body: Body, head_names: Callable[[], frozenset[str]]) -> None:
        """Report what the innermost frame declares in vain, unless there are errors in the branch already."""
        if self.error_count() > self.before:
            return
        frames = self.frames
        declared = [name for name, local in frames.stack[-1].items() if local.name is not None and not local.used]
        if not declared:
            return
        mentioned = head_names()
        for how, text in ((ASSIGNED, "assigned"), (DECLARED, "declared")):
            unused = frames.unused(how, mentioned) if how is DECLARED or self.strict else []
            if how is ASSIGNED:
                unused = [name for name in unused if name[0] != "$"]
            for name in unused:
                at = place_of_declaration(body, name, assigned=how is ASSIGNED)
                self.unused.append(PolicyError(COMPILE, f"{text} var {shown_name(name)} unused", at=line_span(at)))
            if unused:
                return

    def call_line(self, expr: Expr) -> Expr:
        """A line that is a call: an assignment declares variables, all others only mention some."""
        return self.assignment(expr) if is_assignment(expr.term) else self.line(expr)

    def assignment(self, expr: Expr) -> Expr:
        """`pattern := value`: the value cannot see what the pattern declares."""
        if expr.negated:
            self.report(NEGATED, line_span(expr))
            return expr
        call: Any = expr.term
        pattern, value = call.args
        resolved = self.term(value)
        withs = self.withs(expr.withs)
        target = self.pattern(pattern)
        return self.finish(expr, Call(call.operator, (target, resolved), call.infix, span=call.span), withs)

    def pattern(self, node: Any) -> Any:
        """The left side of `:=`: variables, in arrays and values of objects."""
        kind = type(node)
        if kind is Var:
            return self.declare(node, node.span, ASSIGNED)
        if kind is Array:
            return Array(tuple(map(self.pattern, node.items)), span=node.span)
        if kind is Object:
            return Object(tuple([(key, self.pattern(value)) for key, value in node.items]), span=node.span)
        if kind is Ref and is_root(node):
            return self.declare(node.terms[0], node.span, ASSIGNED)
        self.report(f"cannot assign to {KINDS[kind]}", node.span)
        return node

    def declare(self, node: Var, at: Span, how: str) -> Var:
        """Declare a variable, or report that this is not possible here."""
        problem = self.frames.declare(node.name, how)
        if problem is not None:
            self.report(problem, at)
            return node
        name = self.frames.stack[-1][node.name].name
        return node if name is None or name == node.name else Var(name, span=node.span)

    def some(self, expr: Expr) -> Expr | None:
        """`some x, y` declares; `some k, v in xs` declares what its patterns bind, for it and what follows."""
        declaration: Any = expr.term
        symbols = declaration.symbols
        if type(symbols[0]) is Call:
            return self.some_in(expr, declaration, symbols[0])
        for symbol in symbols:
            problem = self.frames.declare(symbol.name, DECLARED)
            if problem is not None:
                self.report(problem, declaration.span)
                break
        return None

    def some_in(self, expr: Expr, declaration: SomeDecl, call: Call) -> Expr | None:
        """`some k, v in xs`, where xs cannot mention k and v."""
        patterns, domain = call.args[:-1], call.args[-1]
        bound = {name for pattern in patterns for name in bound_names(pattern) if name[0] != "$"}
        repeated = sorted(bound.intersection(names(domain, closures=False))) if bound else []
        for name in repeated:
            self.report(f"var {name} assigned before", declaration.span)
        if repeated or not self.declare_all(patterns, domain, declaration.span):
            return None
        value, members = self.all((patterns[-1], domain))
        resolved = Call(call.operator, (*self.all(patterns[:-1]), value, members), call.infix, span=call.span)
        return self.finish(expr, SomeDecl((resolved,), span=declaration.span), self.withs(expr.withs))

    def declare_all(self, patterns: tuple[Term, ...], domain: Term, at: Span) -> bool:
        """Declare what the patterns of `some … in` bind and its domain does not mention; whether that is possible."""
        declared = {*unified_names(patterns[-1]), *(name for key in patterns[:-1] for name in bound_names(key))}
        declared.difference_update(names(domain))
        for name in sorted(declared):
            problem = self.frames.declare(name, DECLARED)
            if problem is not None:
                self.report(problem, at)
                return False
        return True

    def every(self, expr: Expr) -> Expr | None:
        """`every k, v in xs { … }`: the domain cannot see the variables, the body can."""
        node: Any = expr.term
        names_declared = [part for part in (node.key, node.value) if part is not None]
        self.frames.hidden.append(frozenset(part.name for part in names_declared))
        domain = self.term(node.domain)
        self.frames.hidden.pop()
        self.frames.push(frozenset(part.name for part in names_declared))
        before = len(self.errors)
        renamed = [self.declare(part, node.span, DECLARED) for part in names_declared if part.name[0] != "$"]
        if len(self.errors) > before:
            self.frames.pop()
            return None
        by_name = {part.name.partition("#")[0]: part for part in renamed}
        body = self.body(node.body, frozenset)
        withs = self.withs(expr.withs)
        self.frames.pop()
        key = node.key and by_name.get(node.key.name, node.key)
        value = by_name.get(node.value.name, node.value)
        return self.finish(expr, Every(key, value, domain, body, span=node.span), withs)

    def negation(self, expr: Expr) -> Expr:
        """`not { … }` has a frame of its own; without braces it cannot declare anything."""
        node: Any = expr.term
        lines = node.body
        if not node.explicit:
            # What is negated without braces is where the `not` is.
            start = expr.span.start
            lines = tuple([replace(line, span=Span(line.span.source, start, line.span.end)) for line in lines])
        body = self.nested(lines, node.explicit, NEGATED)
        term = node if body is node.body else Not(body, node.explicit, span=node.span)
        return self.finish(expr, term, self.withs(expr.withs))

    def logical(self, expr: Expr) -> Expr:
        """`left and right`, `left or right`: an operand in braces has a frame of its own."""
        node: Any = expr.term
        kind = type(node)
        left = self.nested(node.left, node.explicit_left, OPERAND[kind])
        right = self.nested(node.right, node.explicit_right, OPERAND[kind])
        if left is not node.left or right is not node.right:
            node = kind(left, right, node.explicit_left, node.explicit_right, span=node.span)
        return self.finish(expr, node, self.withs(expr.withs))

    def nested(self, body: Body, explicit: bool, message: str) -> Body:
        """The body of a `not` or an operand: only one in braces can declare variables."""
        if not explicit:
            return self.implicit(body, message)
        mentioned = self.frames.push(NOTHING)
        resolved = self.body(body, frozenset)
        self.frames.pop()
        if message in OPERAND.values():
            self.frames.mention(mentioned)
        return resolved

    def implicit(self, body: Body, message: str) -> Body:
        """Lines that share the frame around them."""
        resolved: list[Expr] = []
        for expr in body:
            if is_assignment(expr.term):
                self.report(message, line_span(expr))
                continue
            resolve = self.statements.get(type(expr.term), self.line)
            resolved += [new for new in (resolve(expr),) if new is not None]
        return body if len(resolved) == len(body) and all(map(_same, resolved, body)) else tuple(resolved)


def head_names(head: Head) -> frozenset[str]:
    """The names that a head mentions other than as arguments."""
    parts = (*head.ref.terms[1:], *(part for part in (head.key, head.value) if part is not None))
    return frozenset(name for part in parts for name in names(part))


def declared_arguments(args: tuple[Term, ...]) -> frozenset[str]:
    """The names that arguments take from rules and imports."""
    return frozenset(name for arg in args for name in names(arg, closures=False))


def _same(new: object, old: object) -> bool:
    return new is old
