"""The syntax tree as the JSON that `opa parse` prints: the same keys in the same order, wildcards numbered alike."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from typing import Any, Final, NamedTuple, TypeAlias

from procurator_rules.annotation_json import annotation_json, annotation_text
from procurator_rules.ast_locations import (
    Located,
    alias_extent,
    base64_text,
    branch_extent,
    branch_head_extent,
    head_extent,
    implied_body_json,
    is_bare,
    is_constant,
    is_unary_minus,
    line_extent,
    location_json,
    part_json,
    rule_extent,
    span_json,
)
from procurator_rules.ast_order import Order
from procurator_rules.nodes import (
    Annotation,
    Array,
    ArrayComprehension,
    Body,
    Boolean,
    Call,
    Comment,
    Else,
    Every,
    Expr,
    Head,
    Import,
    LogicalAnd,
    LogicalOr,
    Module,
    Not,
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
    With,
)
from procurator_rules.spans import Span
from procurator_rules.visitor import children

Record: TypeAlias = dict[str, Any]
"""An object of JSON; a number in it is a `nodes.Number`, so that its digits stay."""


def module_json(module: Module, locations: bool = False, comments: bool = False) -> Record:
    """The module as OPA's JSON; locations and comments are what `--json-include` turns on."""
    encoder = _Encoder(locations, module.annotations)
    record: Record = {"package": encoder.package(module.package)}
    found = {
        "imports": [encoder.import_(one) for one in module.imports],
        "annotations": [encoder.annotation(one) for one in module.annotations],
        "rules": [encoder.rule(one) for one in module.rules],
        "comments": [encoder.comment(one) for one in module.comments] if comments else [],
    }
    return record | {key: value for key, value in found.items() if value}


def terms_json(terms: Iterable[Term]) -> list[Record]:
    """Terms as OPA's JSON, such as the parts of a reference; variables have the names that the policy gave them."""
    return _Encoder(locations=False).terms(terms)


class _Encoder:
    """One pass over a module in the order of its text, in which wildcards get their numbers.

    Attributes:
        fixed: where everything is said to stand, while OPA says so of a whole subtree.
        first: the rule whose head the further bodies of a chain share.
    """

    def __init__(self, locations: bool, blocks: Iterable[Annotation] = ()) -> None:
        self.locations = locations
        self.blocks = {block.span.start: block for block in blocks}
        self.fixed: Span | None = None
        self.first: Rule | None = None
        self.wildcards: dict[str, str] = {}
        self.numbered = 0
        self.order = Order()

    def at(self, node: Located) -> Record:
        """The entry `location`, where locations are wanted."""
        if not self.locations:
            return {}
        return {"location": span_json(self.fixed, text=True) if self.fixed else location_json(node)}

    def at_span(self, span: Span) -> Record:
        """The same for what stands at another place than its node."""
        return {"location": span_json(span, text=True)} if self.locations else {}

    def at_line(self, expr: Expr, operand: bool) -> Record:
        """The location of a line; as an operand it is without the round brackets around `and` or `or`."""
        return self.at_span(self.fixed or line_extent(expr, operand=operand)) if self.locations else {}

    @contextmanager
    def all_at(self, span: Span) -> Iterator[None]:
        """Say of everything encoded in here that it stands at span."""
        self.fixed = span
        yield
        self.fixed = None

    def package(self, package: Package) -> Record:
        return {**self.at(package), "path": self.package_path(package.path)}

    def package_path(self, path: Ref) -> list[Record]:
        """The path; the `data` before it, which nobody wrote, stands where the first name does."""
        root, first = path.terms[:2]
        return self.terms((replace(root, span=first.span), *path.terms[1:]))

    def import_(self, one: Import) -> Record:
        alias: Record = {} if one.alias is None else {"alias": one.alias}
        if one.alias is not None and self.locations:
            alias["alias_location"] = span_json(alias_extent(one), text=True)
        return {**alias, **self.at(one), "path": self.term(one.path)}

    def comment(self, comment: Comment) -> Record:
        place = span_json(comment.span, text=self.locations)
        if self.locations and comment.span.start in self.blocks:
            place["text"] = base64_text(annotation_text(self.blocks[comment.span.start]))
        return {"Text": base64_text(comment.text), "Location": place}

    def annotation(self, one: Annotation) -> Record:
        record = annotation_json(one, self.terms, _Encoder(False).terms)
        if self.locations:
            text = base64_text(annotation_text(one))
            record["location"] = {**span_json(one.span, text=False), "text": text}
        return {key: record[key] for key in sorted(record)}

    def rule(self, rule: Rule) -> Record:
        """A rule; its parts are encoded in the order in which OPA reads them, for the numbers of wildcards."""
        if rule.chained and self.first:
            body = self.body(rule.body)
            head = self.head(self.first, at=rule)
        else:
            self.first = rule
            head = self.head(rule)
            body = self.body(rule.body) if rule.body else self.implied_body(implied_body_json(rule))
        parts: Record = {
            "annotations": [self.annotation(one) for one in rule.annotations],
            "body": body,
            "default": rule.default,
            "else": self.elses(rule),
            "head": head,
        }
        return {key: part for key, part in parts.items() if part} | self.at_span(rule_extent(rule))

    def head(self, rule: Rule, at: Rule | None = None) -> Record:
        """The head of a rule; at is the further body of a chain that has this head again."""
        head = rule.head
        ref = self.terms(head.ref.terms)
        if at:
            self.fixed = at.span
        args = self.arguments(head, fresh=at is not None)
        old = old_names(rule)
        key = head.key or (head.ref.terms[1] if old.key else None)
        parts: Record = {
            "name": ref[0]["value"] if old.name else None,
            "args": args,
            "key": key and self.term(key),
            "value": self.head_value(rule),
            "assign": head.assign,
            "ref": ref,
            **self.at_span(self.fixed or head_extent(rule)),
        }
        self.fixed = None
        return {name: part for name, part in parts.items() if part}

    def head_value(self, rule: Rule) -> Record | None:
        if rule.head.value is not None:
            return self.term(rule.head.value)
        if rule.head.key is not None:
            return None
        located = is_bare(rule) or (rule.has_if and len(rule.head.ref.terms) == 2 and rule.head.args is None)
        return {**(self.at_span(head_extent(rule)) if located else {}), **TRUE}

    def elses(self, rule: Rule) -> Record | None:
        """The branches after the body, each held by the one before it."""
        branches = [self.branch(rule, branch) for branch in rule.elses]
        held: Record | None = None
        for record in reversed(branches):
            held = record if held is None else {"body": record.pop("body"), "else": held, **record}
        return held

    def branch(self, rule: Rule, branch: Else) -> Record:
        head = self.branch_head(rule, branch)
        span = branch_extent(rule, branch)
        if branch.body and not branch.braces:
            with self.all_at(span):
                body = self.body(branch.body)
        else:
            body = self.body(branch.body) if branch.body else self.implied_body(span_json(span, text=True))
        return {"body": body, "head": head, **self.at_span(span)}

    def branch_head(self, rule: Rule, branch: Else) -> Record:
        """The head of the rule with the value of the branch."""
        ref = self.terms(rule.head.ref.terms)
        parts: Record = {
            "name": ref[0]["value"] if old_names(rule).name else None,
            "args": self.arguments(rule.head, fresh=True),
            "value": self.term(branch.value) if branch.value is not None else TRUE,
            "assign": (branch if branch.value is not None else rule.head).assign,
            "ref": ref,
            **self.at_span(branch_head_extent(branch)),
        }
        return {name: part for name, part in parts.items() if part}

    def arguments(self, head: Head, *, fresh: bool) -> list[Record]:
        """The operands of a function; each further body of a rule has wildcards of its own for them."""
        args = head.args or ()
        if fresh:
            for name in [arg.name for arg in args if isinstance(arg, Var)]:
                self.wildcards.pop(name, None)
        return self.terms(args)

    def body(self, body: Body, *, operand: bool = False) -> list[Record]:
        """The lines of a body; operand tells whether it is one of `and` or `or`."""
        lines = []
        for index, expr in enumerate(body):
            encode = STATEMENTS.get(type(expr.term), _Encoder.line)
            record: Record = {"index": Number(str(index)), **self.at_line(expr, operand)}
            if expr.negated:
                record["negated"] = True
            record["terms"] = encode(self, expr.term)
            if isinstance(expr.term, Not) and not (expr.term.explicit or operand):
                record["terms"]["body"][0] |= self.at_line(expr, operand)
            if expr.withs:
                record["with"] = [self.with_(one) for one in expr.withs]
            lines.append(record)
        return lines

    def line(self, term: Term) -> Record | list[Record]:
        """A term that is a line of a body: a call there is the list of its parts."""
        return self.call(term) if isinstance(term, Call) else self.term(term)

    def implied_body(self, place: Record) -> list[Record]:
        """The body `true` that nobody wrote."""
        at = {"location": place} if self.locations else {}
        return [{"generated": True, "index": Number("0"), **at, "terms": {**at, **TRUE}}]

    def with_(self, one: With) -> Record:
        return {**self.at(one), "target": self.term(one.target), "value": self.term(one.value)}

    def some(self, decl: SomeDecl) -> Record:
        return {**self.at(decl), "symbols": self.terms(decl.symbols)}

    def every(self, every: Every) -> Record:
        key = every.key and self.term(every.key)
        value, domain = self.terms((every.value, every.domain))
        return {"body": self.body(every.body), "domain": domain, "key": key, **self.at(every), "value": value}

    def not_(self, negated: Not) -> Record:
        return {"body": self.body(negated.body), "explicit_body": negated.explicit, "type": "not"}

    def logical(self, logical: LogicalAnd | LogicalOr) -> Record:
        explicit = {"explicit_lhs": logical.explicit_left, "explicit_rhs": logical.explicit_right}
        return {
            **{key: True for key, written in explicit.items() if written},
            "lhs": self.body(logical.left, operand=not logical.explicit_left),
            "rhs": self.body(logical.right, operand=not logical.explicit_right),
            "type": "and" if isinstance(logical, LogicalAnd) else "or",
        }

    def term(self, term: Term) -> Record:
        kind, encode = TERMS[type(term)]
        if self.locations:
            return {**self.at(term), "type": kind, "value": encode(self, term)}
        return {"type": kind, "value": encode(self, term)}

    def call(self, term: Call) -> list[Record]:
        """The parts of a call; the operator of `-x` stands nowhere."""
        if self.locations and is_unary_minus(term):
            return [*_Encoder(False).terms((term.operator,)), *self.terms(term.args)]
        return list(map(self.term, (term.operator, *term.args)))

    def terms(self, terms: Iterable[Term]) -> list[Record]:
        return list(map(self.term, terms))

    def var(self, var: Var) -> str:
        if not var.name.startswith("$"):
            return var.name.partition("#")[0]
        if var.name not in self.wildcards:
            self.wildcards[var.name] = f"${self.numbered}"
            self.numbered += 1
        return self.wildcards[var.name]

    def object(self, term: Object) -> list[list[Record]]:
        parts = list(map(self.term, chain.from_iterable(term.items)))
        return self.order.sorted_pairs([list(pair) for pair in zip(parts[::2], parts[1::2], strict=True)])

    def set(self, term: SetTerm) -> list[Record]:
        return self.order.sorted_members(list(map(self.term, term.items)))

    def comprehension(self, term: ArrayComprehension | SetComprehension) -> Record:
        return {"term": self.term(term.head), "body": self.body(term.body)}

    def object_comprehension(self, term: ObjectComprehension) -> Record:
        return {"key": self.term(term.key), "value": self.term(term.value), "body": self.body(term.body)}

    def template(self, term: TemplateString) -> Record:
        # Go has no list where nothing was put into it.
        return {"parts": [self.part(term, part) for part in term.parts] or None, "multi_line": term.multi_line}

    def part(self, template: TemplateString, part: Term | Expr) -> Record:
        if isinstance(part, Expr):
            return self.body((part,))[0]
        if isinstance(part, String) and self.locations and not self.fixed and is_constant(part):
            return {"location": part_json(template, part), "type": "string", "value": part.value}
        return self.term(part)


class OldNames(NamedTuple):
    """Whether OPA's head repeats, for readers older than reference heads, its name and its last operand as key."""

    name: bool
    key: bool


def old_names(rule: Rule) -> OldNames:
    """What the head of a rule repeats."""
    head = rule.head
    terms = head.ref.terms
    if len(terms) == 1:
        return OldNames(True, False)
    if len(terms) > 2 or rule.default or head.contains:
        return OldNames(False, False)
    if rule.has_if:
        dynamic = isinstance(terms[1], Ref) or not is_ground(terms[1])
        return OldNames(head.value is not None or head.args is not None, dynamic and head.args is None)
    return OldNames(head.args is None, head.args is None)


def is_ground(term: Term) -> bool:
    """Whether a term has no variable, the heads of references not counted."""
    if isinstance(term, Var | ArrayComprehension | SetComprehension | ObjectComprehension | TemplateString):
        return False
    parts = children(term)
    return all(map(is_ground, parts[1:] if isinstance(term, Ref) else parts))


TRUE: Final[Mapping[str, Any]] = {"type": "boolean", "value": True}

TERMS: Final[Mapping[type, tuple[str, Callable[[_Encoder, Any], Any]]]] = {
    Null: ("null", lambda _encoder, _term: {}),
    Boolean: ("boolean", lambda _encoder, term: term.value),
    Number: ("number", lambda _encoder, term: Number(term.text)),
    String: ("string", lambda _encoder, term: term.value),
    Var: ("var", _Encoder.var),
    Ref: ("ref", lambda encoder, term: list(map(encoder.term, term.terms))),
    Array: ("array", lambda encoder, term: list(map(encoder.term, term.items))),
    Object: ("object", _Encoder.object),
    SetTerm: ("set", _Encoder.set),
    ArrayComprehension: ("arraycomprehension", _Encoder.comprehension),
    SetComprehension: ("setcomprehension", _Encoder.comprehension),
    ObjectComprehension: ("objectcomprehension", _Encoder.object_comprehension),
    Call: ("call", _Encoder.call),
    TemplateString: ("templatestring", _Encoder.template),
}
"""OPA's name of each kind of term, and what encodes its value."""

STATEMENTS: Final[Mapping[type, Callable[[_Encoder, Any], Any]]] = {
    SomeDecl: _Encoder.some,
    Every: _Encoder.every,
    Not: _Encoder.not_,
    LogicalAnd: _Encoder.logical,
    LogicalOr: _Encoder.logical,
}
