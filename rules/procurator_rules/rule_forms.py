"""The forms of rules, imports and packages: from the pieces of a statement to nodes, with the checks of syntax they need."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from lark.lexer import Token

from procurator_rules.bodies import (
    ASSIGNMENTS,
    body_of,
    brace_term,
    line_expr,
    operand_term,
    split_comprehension,
    term_of,
)
from procurator_rules.capabilities import REGO_V1_IMPORT, REGO_V2_IMPORT, Capabilities
from procurator_rules.errors import PARSE, PolicyError
from procurator_rules.expressions import MEMBER_WITH_KEY, find_operator, membership_with_key
from procurator_rules.keywords import ALWAYS, V1
from procurator_rules.lines import Braces, Pair
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
    Import,
    Null,
    Number,
    Object,
    ObjectComprehension,
    Package,
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
from procurator_rules.reading import Reading
from procurator_rules.spans import Span
from procurator_rules.syntax_errors import keyword_error, operator_error, token_error

KIND_NAMES: Final[dict[type, str]] = {
    Null: "null",
    Boolean: "boolean",
    Number: "number",
    String: "string",
    Var: "var",
    Ref: "ref",
    Array: "array",
    Object: "object",
    SetTerm: "set",
    ArrayComprehension: "arraycomprehension",
    SetComprehension: "setcomprehension",
    ObjectComprehension: "objectcomprehension",
    Call: "call",
    TemplateString: "templatestring",
}
"""What OPA calls each kind of term in messages."""

IMPORT_ROOTS: Final = frozenset({"data", "future", "input", "rego"})


@dataclass(slots=True)
class HeadLine:
    """The head of a rule as read: a chain that may hold an assignment, and what stood around it."""

    chain: list[Any]
    default: Token | None = None
    key: Term | None = None
    contains: Token | None = None


@dataclass(slots=True)
class RuleLines:
    """A rule while its bodies and branches are still being read."""

    head: HeadLine
    bodies: list[tuple[Body, bool, Span]] = field(default_factory=list)
    elses: list[Else] = field(default_factory=list)
    has_if: bool = False

    def with_body(self, line: Any, keyword: Token, reading: Reading) -> "RuleLines":
        """Add the body after `if`."""
        self.has_if = True
        body, braces, end = _if_body(line, reading)
        self.bodies.append((body, braces, Span(reading.source, keyword.start_pos or 0, end)))
        return self

    def with_braces(self, braces: Braces, reading: Reading) -> "RuleLines":
        """Add a body that only its braces announce."""
        if self.elses:
            raise PolicyError(
                PARSE, "expected else keyword", at=Span(reading.source, braces.span.start, braces.span.start + 1)
            )
        self.bodies.append((body_of(braces, reading), True, braces.span))
        return self

    def with_else(self, keyword: Token, value: tuple[Token, Any] | None, line: Any, reading: Reading) -> "RuleLines":
        """Add an `else` branch; the line is its body: braces, or what follows `if`."""
        if len(self.bodies) > 1:
            raise keyword_error(reading.source, keyword)
        term = term_of(value[1], reading, "expected else value term or rule body") if value else None
        body: Body = ()
        braces, end = False, term.span.end if term else keyword.end_pos or 0
        has_if = line is not None and type(line) is not Braces
        if type(line) is Braces:
            body, braces, end = body_of(line, reading), True, line.span.end
        elif line is not None:
            body, braces, end = _else_body(line, reading)
        span = Span(reading.source, keyword.start_pos or 0, end)
        assign = value is not None and value[0].type == "ASSIGN"
        self.elses.append(Else(term, body, assign, has_if, braces, span=span))
        return self

    def rules(self, reading: Reading) -> list[Rule]:
        """The rules of the statement: one for each body of a chain."""
        start = _start_of(self.head)
        if self.head.default is not None:
            at = self.bodies[0][2]
            raise token_error(reading.source, at.start, at.start + 1, "if" if self.has_if else "{")
        head = make_head(self.head, reading, has_body=True, has_if=self.has_if)
        _check_else(head, self, reading)
        body, braces, at = self.bodies[0]
        end = self.elses[-1].span.end if self.elses else at.end
        span = Span(reading.source, start, end)
        rules = [Rule(head, body, tuple(self.elses), has_if=self.has_if, braces=braces, span=span)]
        for body, braces, at in self.bodies[1:]:
            chained = _fresh_wildcards(head, reading)
            rules.append(Rule(chained, body, has_if=self.has_if, braces=braces, chained=True, span=at))
        return rules


def _if_body(line: Any, reading: Reading) -> tuple[Body, bool, int]:
    """The body after `if`: braces are one unless they can be read as an object or a comprehension."""
    if type(line) is list and len(line) == 1 and type(line[0]) is Braces:
        braces = line[0]
        end = braces.span.end
        if not braces.items or type(braces.items[0]) is Pair or split_comprehension(braces.items[0], reading):
            try:
                term = brace_term(braces, reading)
            except PolicyError:
                return body_of(braces, reading), True, end
            if not isinstance(term, SetTerm):
                return (Expr(term, span=term.span),), False, end
        return body_of(braces, reading), True, end
    expr = line_expr(line, reading)
    return (expr,), False, expr.span.end


def _else_body(line: Any, reading: Reading) -> tuple[Body, bool, int]:
    if type(line) is list and len(line) == 1 and type(line[0]) is Braces:
        return body_of(line[0], reading), True, line[0].span.end
    expr = line_expr(line, reading)
    return (expr,), False, expr.span.end


def _start_of(line: HeadLine) -> int:
    return line.default.start_pos or 0 if line.default is not None else line.chain[0].span.start


def _check_else(head: Head, lines: RuleLines, reading: Reading) -> None:
    if not lines.elses:
        return
    at = Span(reading.source, lines.elses[0].span.start, lines.elses[0].span.start + 4)
    if len(head.ref.terms) > 1 and any(True for _ in _variables(head.ref.terms[1:])):
        raise PolicyError(PARSE, "else keyword cannot be used on rules with variables in head", at=at)
    if head.key is not None:
        raise PolicyError(PARSE, "else keyword cannot be used on multi-value rules", at=at)


def _variables(terms: tuple[Term, ...]) -> Iterator[Term]:
    for term in terms:
        if isinstance(term, Var | Ref | Call):
            yield term
        elif isinstance(term, Array | SetTerm):
            yield from _variables(term.items)
        elif isinstance(term, Object):
            yield from _variables(tuple(part for pair in term.items for part in pair))


def _fresh_wildcards(head: Head, reading: Reading) -> Head:
    if not head.args:
        return head
    args = tuple(
        Var(reading.wildcard(), span=arg.span) if isinstance(arg, Var) and arg.name.startswith("$") else arg
        for arg in head.args
    )
    return Head(head.ref, args, head.key, head.value, head.assign, head.contains, span=head.span)


# Heads


def make_head(line: HeadLine, reading: Reading, *, has_body: bool, has_if: bool) -> Head:
    """The head of a rule that has a body, `contains` or `default`."""
    target, value, assign = _split_head(line, reading)
    ref, args = _name_of(target, reading)
    if line.contains is not None:
        if args is not None:
            note = f"the contains keyword can only be used with multi-value rule definitions (e.g., {ref.span.text} contains <VALUE> {{ ... }})"
            raise keyword_error(reading.source, line.contains, note)
        assert line.key is not None
        return Head(
            ref, None, line.key, None, False, True, span=Span(reading.source, ref.span.start, line.key.span.end)
        )
    key = None
    if has_body and not has_if and args is None and len(ref.terms) == 2 and value is None:
        # `p[x] { … }` of v0 is a partial set.
        key = ref.terms[1]
        ref = Ref(ref.terms[:1], span=ref.terms[0].span)
    end = value.span.end if value else line.chain[0].span.end
    return Head(ref, args, key, value, assign, span=Span(reading.source, target.span.start, end))


def _split_head(line: HeadLine, reading: Reading) -> tuple[Term, Term | None, bool]:
    """Name, value and whether `:=` stands between them."""
    chain = line.chain
    place = find_operator(chain, ASSIGNMENTS)
    if place < 0:
        if len(chain) > 1:
            raise operator_error(reading.source, chain[1], "")
        return operand_term(chain[0], reading), None, False
    if place > 1:
        raise operator_error(reading.source, chain[1], "")
    if line.contains is not None:
        raise keyword_error(reading.source, line.contains)
    return operand_term(chain[0], reading), term_of(chain[2:], reading), chain[1].type == "ASSIGN"


def _name_of(target: Term, reading: Reading) -> tuple[Ref, tuple[Term, ...] | None]:
    args = None
    if isinstance(target, Call) and not target.infix:
        args, target = target.args, target.operator
    if isinstance(target, Var):
        target = Ref((target,), span=target.span)
    if not isinstance(target, Ref) or not isinstance(target.terms[0], Var):
        raise PolicyError(PARSE, f"{KIND_NAMES[type(target)]} cannot be used for rule name", at=target.span)
    _refuse_keyword(target, reading)
    return target, args


def _refuse_keyword(ref: Ref, reading: Reading) -> None:
    first = ref.terms[0]
    reading.loose_keywords.pop(first.span.start, None)
    if len(ref.terms) == 1 and isinstance(first, Var) and reading.rego_version >= 1 and first.name in ALWAYS | V1:
        raise PolicyError(PARSE, f"{first.name} keyword cannot be used for rule name", at=first.span)


def bare_rule(line: HeadLine, reading: Reading) -> Rule:
    """A rule without a body: `p := 1`, `default p := 1`, `p contains 1`, `f(x) = 1`."""
    start = _start_of(line)
    if line.default is not None:
        return _default_rule(line, start, reading)
    if line.contains is not None:
        head = make_head(line, reading, has_body=False, has_if=False)
        return Rule(head, span=Span(reading.source, start, head.span.end))
    if find_operator(line.chain, ASSIGNMENTS) < 0:
        return _rule_of_term(line, start, reading)
    target = operand_term(line.chain[0], reading) if line.chain[1].type in ("EQ", "ASSIGN") else None
    if target is None:
        raise PolicyError(
            PARSE, "call cannot be used for rule name", at=Span(reading.source, start, line.chain[2].span.end)
        )
    head = make_head(line, reading, has_body=False, has_if=False)
    return Rule(head, span=Span(reading.source, start, head.span.end))


def _rule_of_term(line: HeadLine, start: int, reading: Reading) -> Rule:
    """A statement that is a single term: a name with operands is a rule that is true."""
    term = term_of(line.chain, reading)
    at = Span(reading.source, start, term.span.end)
    if isinstance(term, Call):
        if term.infix or _is_builtin(term, reading.capabilities):
            raise PolicyError(PARSE, "rule name conflicts with built-in function", at=at)
        if not term.args:
            raise PolicyError(PARSE, "rule argument list must take at least one argument", at=at)
    if isinstance(term, Ref) and len(term.terms) == 1:
        raise PolicyError(PARSE, "refs cannot be used for rule head", at=at)
    if not isinstance(term, Ref | Call):
        hint = "give the rule a value: `name := value`, or a body: `name if …`" if isinstance(term, Var) else None
        raise PolicyError(PARSE, f"{KIND_NAMES[type(term)]} cannot be used for rule name", at=at, hint=hint)
    ref, args = _name_of(term, reading)
    key = None
    if args is None and len(ref.terms) == 2:
        key, ref = ref.terms[1], Ref(ref.terms[:1], span=ref.terms[0].span)
    return Rule(Head(ref, args, key, None, span=at), span=at)


def _is_builtin(call: Call, capabilities: Capabilities) -> bool:
    return dotted(call.operator) in capabilities.builtins


def dotted(ref: Ref) -> str:
    """A reference of names as text: `internal.member_2`; empty where an operand is no name."""
    head, *rest = ref.terms
    names = [head.name if isinstance(head, Var) else ""]
    names += [part.value if isinstance(part, String) else "" for part in rest]
    return ".".join(names) if all(names) else ""


def _default_rule(line: HeadLine, start: int, reading: Reading) -> Rule:
    head = make_head(line, reading, has_body=False, has_if=False)
    at = Span(reading.source, start, head.span.end)
    if head.value is None:
        raise PolicyError(PARSE, "illegal default rule (must have a value)", at=at)
    for found in _variables((head.value,)):
        raise PolicyError(PARSE, f"illegal default rule (value cannot contain {KIND_NAMES[type(found)]})", at=at)
    seen: set[str] = set()
    for arg in head.args or ():
        if not isinstance(arg, Var):
            raise PolicyError(PARSE, f"illegal default rule (arguments cannot contain {KIND_NAMES[type(arg)]})", at=at)
        if arg.name in seen:
            raise PolicyError(PARSE, f"illegal default rule (arguments cannot be repeated {arg.name})", at=at)
        seen.add(arg.name)
    return Rule(head, default=True, span=at)


def v1_errors(rule: Rule, capabilities: Capabilities) -> Iterator[PolicyError]:
    """What Rego v1 asks of a rule beyond v0: `if` before bodies, `contains` for partial sets, a value or a body."""
    head = rule.head
    kind = "rule" if head.args is None else "function"
    bare = not rule.body and not rule.default
    if bare and head.value is None and head.key is None and head.args is None:
        yield PolicyError(PARSE, f"{kind} must have value assignment and/or body declaration", at=rule.span)
    if rule.body and not rule.has_if:
        at = rule.span
        yield PolicyError(PARSE, f"`if` keyword is required before {kind} body", at=at, hint="add `if`")
    for branch in rule.elses:
        if branch.body and not branch.has_if:
            yield PolicyError(PARSE, f"`if` keyword is required before {kind} body", at=branch.span, hint="add `if`")
    if head.key is not None and not head.contains:
        hint = f"use `{head.ref.span.text} contains {head.key.span.text}`" if head.ref.span.text else None
        yield PolicyError(PARSE, "`contains` keyword is required for partial set rules", at=rule.span, hint=hint)


# some, every


def _is_member(term: Term) -> bool:
    return isinstance(term, Call) and term.infix and dotted(term.operator) == "internal.member_2"


def _declaration_call(terms: list[Term]) -> Term | None:
    if _is_member(terms[-1]) and len(terms) <= 2:
        return terms[0] if len(terms) == 1 else membership_with_key(terms[0], terms[1])
    return None


def some_expr(keyword: Token, terms: list[Term], reading: Reading) -> Expr:
    """`some x, y` or `some k, v in xs`."""
    span = Span(reading.source, keyword.start_pos or 0, terms[-1].span.end)
    call = _declaration_call(terms)
    if call is not None:
        return Expr(SomeDecl((call,), span=span), span=span)
    for term in terms:
        if not isinstance(term, Var):
            note = "expected var" if len(terms) > 1 else "expected `x in xs` or `x, y in xs` expression"
            raise PolicyError(PARSE, f"unexpected {KIND_NAMES[type(term)]}: {note}", at=term.span)
    return Expr(SomeDecl(tuple(terms), span=span), span=span)


def every_expr(keyword: Token, terms: list[Term], braces: Braces, reading: Reading) -> Expr:
    """`every k, v in xs { … }`."""
    call = _declaration_call(terms)
    if not isinstance(call, Call):
        note = "expected `x[, y] in xs { ... }` expression"
        raise token_error(reading.source, braces.span.start, braces.span.start + 1, "{", note)
    *names, domain = call.args
    for what, name in zip(("value",) if len(names) == 1 else ("key", "value"), names, strict=True):
        if not isinstance(name, Var):
            raise token_error(
                reading.source, braces.span.start, braces.span.start + 1, "{", f"expected {what} to be a variable"
            )
    span = Span(reading.source, keyword.start_pos or 0, braces.span.end)
    key = names[0] if dotted(call.operator) == MEMBER_WITH_KEY else None
    return Expr(Every(key, names[-1], domain, body_of(braces, reading), span=span), span=span)


# package, import


def package(keyword: Token, term: Term, reading: Reading) -> Package:
    """`package a.b["c"]`."""
    span = Span(reading.source, keyword.start_pos or 0, term.span.end)
    terms = (term,) if isinstance(term, Var) else term.terms if isinstance(term, Ref) else ()
    if not terms:
        raise PolicyError(PARSE, f"unexpected {KIND_NAMES[type(term)]} token", at=term.span)
    head = terms[0]
    reading.loose_keywords.pop(head.span.start, None)
    if not isinstance(head, Var):
        raise PolicyError(PARSE, f"unexpected {KIND_NAMES[type(head)]} token: expecting var", at=head.span)
    _only_strings(terms[1:])
    path = (Var("data", span=head.span), String(head.name, span=head.span), *terms[1:])
    return Package(Ref(path, span=term.span), span=span)


def _only_strings(terms: tuple[Term, ...]) -> None:
    for part in terms:
        if not isinstance(part, String):
            raise PolicyError(PARSE, f"unexpected {KIND_NAMES[type(part)]} token: expecting string", at=part.span)


def import_(keyword: Token, term: Term, alias: Token | None, reading: Reading) -> Import:
    """`import data.a.b as c`."""
    if isinstance(term, Var):
        term = Ref((term,), span=term.span)
    if not isinstance(term, Ref):
        raise PolicyError(PARSE, "expected path", at=term.span)
    _only_strings(term.terms[1:])
    head = term.terms[0]
    reading.loose_keywords.pop(head.span.start, None)
    if not isinstance(head, Var) or head.name not in IMPORT_ROOTS:
        raise PolicyError(
            PARSE,
            "unexpected import path, must begin with one of: {data, future, input, rego}, "
            f"got: {head.name if isinstance(head, Var) else term.span.text}",
            at=term.span,
            hint="if this is unexpected, try updating OPA",
        )
    end = alias.end_pos or 0 if alias is not None else term.span.end
    node = Import(term, _alias(alias, reading), span=Span(reading.source, keyword.start_pos or 0, end))
    if alias is None:
        _check_last(term, head.name, reading)
    check = {"future": _check_future, "rego": _check_rego}.get(head.name)
    if check:
        check(node, alias, reading)
    reading.imports.append(node)
    return node


def _alias(alias: Token | None, reading: Reading) -> str | None:
    if alias is None:
        return None
    if alias in ("input", "data"):
        raise PolicyError(
            PARSE, f"unexpected import alias, must not be a reserved name, got: {alias}", at=reading.span(alias)
        )
    if alias in reading.reserved or "." in alias:
        raise keyword_error(reading.source, alias, "expected var")
    return str(alias)


def _check_last(path: Ref, root: str, reading: Reading) -> None:
    last = path.terms[-1]
    name = last.value if isinstance(last, String) else last.name if isinstance(last, Var) else ""
    words = ALWAYS | V1 if reading.rego_version >= 1 else ALWAYS
    if name in words and root not in ("future", "rego"):
        raise PolicyError(
            PARSE,
            f"unexpected import path, must not end with a keyword, got: {name}",
            at=last.span,
            hint="import a different path or use an alias",
        )


def _check_future(node: Import, alias: Token | None, reading: Reading) -> None:
    names = [part.value for part in node.path.terms[1:] if isinstance(part, String)]
    if names[:1] != ["keywords"]:
        raise PolicyError(PARSE, "invalid import, must be `future.keywords`", at=node.path.span)
    if alias is not None:
        raise PolicyError(PARSE, "`future` imports cannot be aliased", at=reading.span(alias))
    allowed = reading.capabilities.importable_keywords
    if len(names) > 1 and names[1] not in allowed:
        raise PolicyError(PARSE, f"unexpected keyword, must be one of [{' '.join(sorted(allowed))}]", at=node.path.span)


_REGO_FEATURES: Final = {"rego.v1": REGO_V1_IMPORT, "rego.v2": REGO_V2_IMPORT}


def _check_rego(node: Import, alias: Token | None, reading: Reading) -> None:
    path = dotted(node.path)
    feature = _REGO_FEATURES.get(path)
    if feature is None:
        raise PolicyError(PARSE, f"invalid import `{path}`, must be one of: `rego.v1`, `rego.v2`", at=node.path.span)
    if not reading.capabilities.supports(feature):
        raise PolicyError(
            PARSE, f"invalid import, `{path}` is not supported by current capabilities", at=node.path.span
        )
    if alias is not None:
        raise PolicyError(PARSE, "`rego` imports cannot be aliased", at=reading.span(alias))
