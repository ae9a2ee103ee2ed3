"""The forms of rules: from the pieces of a statement to nodes, with the checks of syntax they need."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from procurator_rules.bodies import body_of, brace_term, line_expr, split_comprehension, term_of
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import dotted
from procurator_rules.heads import HeadLine, glued_operator, make_head
from procurator_rules.keywords import ALWAYS, V1
from procurator_rules.lines import Braces, Group, Logical, Modified, Pair
from procurator_rules.nodes import (
    ArrayComprehension,
    Body,
    Call,
    Else,
    Expr,
    Head,
    ObjectComprehension,
    Ref,
    Rule,
    SetComprehension,
    SetTerm,
    SomeDecl,
    Var,
)
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import KIND_NAMES, UNCLOSED, unexpected
from procurator_rules.tokens import Token, after_space
from procurator_rules.visitor import walk

_CLOSURES = (ArrayComprehension, ObjectComprehension, SetComprehension)
_NO_RULE = "cannot be used for rule head"


@dataclass(slots=True)
class RuleLines:
    """A rule while its bodies and branches are still being read."""

    line: HeadLine
    head: Head
    has_if: bool
    keyword: int = 0
    bodies: list[tuple[Body, bool, Span]] = field(default_factory=list)
    elses: list[Else] = field(default_factory=list)

    @classmethod
    def after_if(cls, line: HeadLine, keyword: Token, reading: Reading) -> "RuleLines":
        """A rule of which the head and `if` have been read."""
        if not line.takes_body:
            raise _no_head(line, keyword.start, reading)
        return cls(line, make_head(line, reading), has_if=True, keyword=keyword.start)

    @classmethod
    def before_brace(cls, line: HeadLine, braces: Braces, reading: Reading) -> "RuleLines":
        """A rule of which the head and a body in braces have been read."""
        if not line.takes_body:
            raise _no_head(line, braces.span.start, reading)
        return cls(line, make_head(line, reading, with_key=True), has_if=False).with_braces(braces, reading)

    def with_line(self, line: Any, reading: Reading) -> "RuleLines":
        """Add the body that follows `if`."""
        body, braces, end = _if_body(line, reading)
        self.bodies.append((body, braces, Span(reading.source, self.keyword, end)))
        return self

    def with_braces(self, braces: Braces, reading: Reading) -> "RuleLines":
        """Add a body that only its braces announce."""
        if self.elses:
            at = reading.source.location(braces.span.start)
            raise PolicyError(PARSE, "expected else keyword", at=at)
        self.bodies.append((body_of(braces, reading), True, braces.span))
        return self

    def with_else(self, keyword: Token, value: tuple[Token, Any] | None, line: Any, reading: Reading) -> "RuleLines":
        """Add an `else` branch; the line is its body: braces, or what follows `if`."""
        self._check_else(keyword, reading)
        term = term_of(value[1], reading) if value else None
        body: Body = ()
        braces, end = False, term.span.end if term else keyword.end
        has_if = line is not None and type(line) is not Braces
        if type(line) is Braces:
            body, braces, end = body_of(line, reading), True, line.span.end
        elif line is not None:
            body, braces, end = _else_body(line, reading)
        span = Span(reading.source, keyword.start, end)
        assign = value is not None and value[0].type == "ASSIGN"
        self.elses.append(Else(term, body, assign, has_if, braces, span=span))
        return self

    def _check_else(self, keyword: Token, reading: Reading) -> None:
        if len(self.bodies) > 1 or (self.elses and not self.elses[-1].body):
            raise unexpected(reading, keyword.start)
        operands = self.head.ref.terms[1:]
        if any(isinstance(found, Var) for term in operands for found in walk(term)):
            message = "else keyword cannot be used on rules with variables in head"
            raise PolicyError(PARSE, message, at=reading.span(keyword))
        if self.head.key is not None:
            raise PolicyError(PARSE, "else keyword cannot be used on multi-value rules", at=reading.span(keyword))

    def rules(self, reading: Reading) -> list[Rule]:
        """The rules of the statement: one for each body of a chain."""
        body, braces, at = self.bodies[0]
        end = self.elses[-1].span.end if self.elses else at.end
        span = Span(reading.source, _start_of(self.line), end)
        rules = [Rule(self.head, body, tuple(self.elses), has_if=self.has_if, braces=braces, span=span)]
        for body, braces, at in self.bodies[1:]:
            head = _fresh_wildcards(self.head, reading)
            rules.append(Rule(head, body, has_if=self.has_if, braces=braces, chained=True, span=at))
        return rules


def _no_head(line: HeadLine, at: int, reading: Reading) -> PolicyError:
    operator = glued_operator(line.line) if type(line.line) is list else None
    if operator is not None:
        return unexpected(reading, operator.start)
    hint = None
    if line.default is None:
        hint = "the head of a rule is a name, alone or with a value: `name := value if { ... }`"
    return unexpected(reading, at, hint=hint)


def _if_body(line: Any, reading: Reading) -> tuple[Body, bool, int]:
    """The body after `if`: braces are one unless they can be read as an object or a comprehension."""
    braces = _only_braces(line)
    if braces is None:
        expr = _line_after_if(line, reading)
        if type(line) is Modified and _only_braces(line.line) and isinstance(expr.term, SetTerm):
            # `{ … }` was the whole body.
            raise unexpected(reading, line.withs[0].span.start)
        return (expr,), False, expr.span.end
    end = braces.span.end
    if not braces.items or type(braces.items[0]) is Pair or split_comprehension(braces.items[0], reading):
        try:
            term = brace_term(braces, reading)
        except PolicyError:
            return body_of(braces, reading), True, end
        if not isinstance(term, SetTerm):
            return (Expr(term, span=term.span),), False, end
    return body_of(braces, reading), True, end


def _line_after_if(line: Any, reading: Reading) -> Expr:
    if type(line) is not list or type(line[0]) is not Braces:
        return line_expr(line, reading)
    try:
        return line_expr(line, reading)
    except PolicyError:
        # No term begins with these braces: they are the whole body.
        body_of(line[0], reading)
        raise unexpected(reading, line[1].start) from None


def _only_braces(line: Any) -> Braces | None:
    return line[0] if type(line) is list and len(line) == 1 and type(line[0]) is Braces else None


def _else_body(line: Any, reading: Reading) -> tuple[Body, bool, int]:
    braces = _leading_braces(line)
    if braces is None:
        expr = line_expr(line, reading)
        return (expr,), False, expr.span.end
    body = body_of(braces, reading)
    if _only_braces(line) is None:
        raise unexpected(reading, after_space(reading.source.text, braces.span.end))
    return body, True, braces.span.end


def _leading_braces(line: Any) -> Braces | None:
    while not isinstance(line, list):
        if not isinstance(line, Modified | Logical):
            return None
        line = line.line if isinstance(line, Modified) else line.parts[0]
    return line[0] if type(line[0]) is Braces else None


def _start_of(line: HeadLine) -> int:
    start: int = line.default.start if line.default is not None else line.line[0].span.start
    return start


def _fresh_wildcards(head: Head, reading: Reading) -> Head:
    if not head.args:
        return head
    args = tuple(
        Var(reading.wildcard(), span=arg.span) if isinstance(arg, Var) and arg.name.startswith("$") else arg
        for arg in head.args
    )
    return Head(head.ref, args, head.key, head.value, head.assign, head.contains, span=head.span)


# Rules without a body


def bare_rule(line: HeadLine, reading: Reading) -> Rule | PolicyError:
    """A rule without a body: `p := 1`, `default p := 1`, `p contains 1`, `f(x) = 1`; or why a statement is none."""
    if line.default is not None:
        return _default_rule(line, line.default, reading)
    if line.is_spaced and line.contains is None:
        return _spaced_rule(line.line[0], reading)
    if line.is_named and (line.contains is not None or len(line.line) > 1):
        head = make_head(line, reading)
        return Rule(head, span=head.span)
    if type(line.line) is list and (operator := glued_operator(line.line)):
        raise unexpected(reading, operator.start)
    expr = line_expr(line.line, reading)
    if type(line.line) is list and type(line.line[0]) is Group:
        expr = replace(expr, span=line.line[0].span)
    return _rule_of_expr(expr, reading)


def _spaced_rule(target: Ref | Call, reading: Reading) -> PolicyError:
    # OPA takes `f (x) := 1` for two statements, unless a body shows that it is a rule.
    if isinstance(target, Call) and len(target.args) > 1:
        raise unexpected(reading, after_space(reading.source.text, target.args[0].span.end), UNCLOSED)
    name = target.operator.terms[0] if isinstance(target, Call) else target.terms[0]
    hint = "leave out the white space behind the name"
    return PolicyError(PARSE, "var cannot be used for rule name", at=name.span, hint=hint)


def several(lines: list[Any], reading: Reading) -> PolicyError:
    """Why `a; b` is no rule."""
    exprs = [line_expr(line, reading) for line in lines]
    hint = "write each rule on a line of its own, without `;`"
    return PolicyError(PARSE, f"multiple expressions {_NO_RULE}", at=exprs[0].span, hint=hint)


def _no_rule(expr: Expr) -> PolicyError:
    """The error for an expression that no rule can be made of."""
    what = "expression"
    if expr.withs:
        what = "expressions using with keyword"
    elif expr.negated:
        what = "negated expressions"
    elif isinstance(expr.term, SomeDecl):
        what = "'some' declarations"
    hint = "a condition stands in the body of a rule: `name if { ... }`"
    return PolicyError(PARSE, f"{what} {_NO_RULE}", at=expr.span, hint=hint)


def _rule_of_expr(expr: Expr, reading: Reading) -> Rule | PolicyError:
    """A statement that is a single term: a name with operands is a rule that is true."""
    term = expr.term
    if type(term) not in KIND_NAMES or expr.negated or expr.withs:
        return _no_rule(expr)
    if isinstance(term, Call):
        name = term.operator.span.text
        if name in ("=", ":="):
            kind, text = KIND_NAMES[type(term.args[0])], term.args[0].span.text
            message = f"invalid rule head: {text}" if kind == "ref" else f"{kind} cannot be used for rule name"
            return PolicyError(PARSE, message, at=expr.span)
        if term.infix or dotted(term.operator) in reading.capabilities.builtins:
            return PolicyError(PARSE, "rule name conflicts with built-in function", at=expr.span)
        if not term.args:
            return PolicyError(PARSE, "rule argument list must take at least one argument", at=expr.span)
        return Rule(Head(term.operator, term.args, span=expr.span), span=expr.span)
    if not isinstance(term, Ref):
        hint = "give the rule a value: `name := value`, or a body: `name if …`" if isinstance(term, Var) else None
        message = f"{KIND_NAMES[type(term)]} cannot be used for rule name"
        return PolicyError(PARSE, message, at=expr.span, hint=hint)
    if len(term.terms) == 1:
        return PolicyError(PARSE, f"refs {_NO_RULE}", at=expr.span)
    if not isinstance(term.terms[0], Var):
        return PolicyError(PARSE, f"invalid rule head: {term.span.text}", at=expr.span)
    key, ref = None, term
    if len(term.terms) == 2:
        key, ref = term.terms[1], Ref(term.terms[:1], span=term.terms[0].span)
    return Rule(Head(ref, None, key, span=expr.span), span=expr.span)


def _default_rule(line: HeadLine, keyword: Token, reading: Reading) -> Rule:
    if not replace(line, default=None).takes_body:
        named = type(line.line) is list and replace(line, default=None, line=line.line[:1]).takes_body
        raise unexpected(reading, line.line[1].start if named else keyword.start)
    head = make_head(line, reading)
    at = Span(reading.source, keyword.start, head.span.end)
    name = head.ref.terms[0].span.text
    if len(head.ref.terms) == 1 and reading.is_keyword(name):
        raise PolicyError(PARSE, f"{name} keyword cannot be used for rule name", at=head.ref.span)
    problem = _default_problem(head)
    if problem is not None:
        raise PolicyError(PARSE, f"illegal default rule ({problem})", at=at)
    return Rule(head, default=True, span=at)


def _default_problem(head: Head) -> str | None:
    # A value is wanted only after `default p[x]`: OPA takes any other default rule without one for `true`.
    if head.value is None:
        return "must have a value" if head.contains or (len(head.ref.terms) == 2 and head.args is None) else None
    for found in walk(head.value, enter=lambda node: not isinstance(node, (*_CLOSURES, Ref, Call))):
        if isinstance(found, Ref | Var | Call):
            return f"value cannot contain {KIND_NAMES[type(found)]}"
    seen: set[str] = set()
    for arg in head.args or ():
        if not isinstance(arg, Var):
            return f"arguments cannot contain {KIND_NAMES[type(arg)]}"
        if arg.name in seen:
            return f"arguments cannot be repeated {arg.name}"
        seen.add(arg.name)
    return None


def v1_errors(rule: Rule) -> Iterator[PolicyError]:
    """What Rego v1 asks of a rule beyond v0: `if` before bodies, `contains` for partial sets, a value or a body."""
    head = rule.head
    kind = "rule" if head.args is None else "function"
    name = head.ref.terms[0].span.text
    if len(head.ref.terms) == 1 and name in ALWAYS | V1:
        yield PolicyError(PARSE, f"{name} keyword cannot be used for rule name", at=rule.span)
    bare = not rule.body and not rule.default
    if bare and head.value is None and head.key is None and head.args is None:
        yield PolicyError(PARSE, f"{kind} must have value assignment and/or body declaration", at=rule.span)
    parts: tuple[Rule | Else, ...] = (rule, *rule.elses)
    for part in parts:
        if part.body and not part.has_if:
            yield PolicyError(PARSE, f"`if` keyword is required before {kind} body", at=part.span, hint="add `if`")
    if head.key is not None and not head.contains:
        hint = f"use `{head.ref.span.text} contains {head.key.span.text}`"
        yield PolicyError(PARSE, "`contains` keyword is required for partial set rules", at=rule.span, hint=hint)
