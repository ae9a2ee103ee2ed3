"""The syntax tree: frozen dataclasses, each with the span of its text.

Spans take no part in equality, so two texts that differ in layout alone give equal trees.

Term                    null, boolean, number, string, variable, reference, collection, comprehension, call
Expr                    one line of a body, with its modifiers: a term, SomeDecl, Every, Not, LogicalAnd or LogicalOr
Rule, Import, Package   what a Module is made of
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from procurator_rules.spans import NO_SPAN, Source, Span

SPAN = field(default=NO_SPAN, compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Null:
    """`null`."""

    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Boolean:
    """`true` or `false`."""

    value: bool
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Number:
    """A number as its source text, so that no digit is lost."""

    text: str
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class String:
    """`"quoted"` or, with raw, `` `raw` ``; the value has its escapes resolved."""

    value: str
    raw: bool = False
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Var:
    """A variable; every `_` is a variable of its own, named `$0`, `$1`, … in the order of the text.

    After names are resolved, a local variable is called `name#number`, unique in its module.
    """

    name: str
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Ref:
    """`data.users[x].name`: a head and at least the operands written after it; the bare `input` and `data` too."""

    terms: "tuple[Term, ...]"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Array:
    """`[a, b]`."""

    items: "tuple[Term, ...]"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Object:
    """`{key: value}`, pairs in the order of the text."""

    items: "tuple[tuple[Term, Term], ...]"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class SetTerm:
    """`{a, b}` or `set()`."""

    items: "tuple[Term, ...]"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class ArrayComprehension:
    """`[head | body]`."""

    head: "Term"
    body: "Body"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class SetComprehension:
    """`{head | body}`."""

    head: "Term"
    body: "Body"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class ObjectComprehension:
    """`{key: value | body}`."""

    key: "Term"
    value: "Term"
    body: "Body"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Call:
    """`f(a, b)`, or with infix `a + b`: the operator is then a reference to the built-in's name, such as `plus`.

    `a in b` and `a, b in c` call `internal.member_2` and `internal.member_3`; `:=` and `=` call `assign` and `eq`.
    """

    operator: Ref
    args: "tuple[Term, ...]"
    infix: bool = False
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class TemplateString:
    """`$"text {expr}"`: constant strings and expressions by turns; multi_line for the form in back-ticks."""

    parts: "tuple[Term | Expr, ...]"
    multi_line: bool = False
    span: Span = SPAN


Scalar: TypeAlias = Null | Boolean | Number | String
Comprehension: TypeAlias = ArrayComprehension | SetComprehension | ObjectComprehension
Term: TypeAlias = Scalar | Var | Ref | Array | Object | SetTerm | Comprehension | Call | TemplateString


@dataclass(frozen=True, slots=True)
class With:
    """`with target as value`."""

    target: Term
    value: Term
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class SomeDecl:
    """`some x, y`, or `some k, v in xs` as a single call of `internal.member_2` or `internal.member_3`."""

    symbols: tuple[Term, ...]
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Every:
    """`every key, value in domain { body }`: true when the body holds for each member; true of an empty domain."""

    key: Term | None
    value: Term
    domain: Term
    body: "Body"
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Not:
    """`not { body }`, or `not expr` under `future.keywords.not`: holds when the body cannot be satisfied."""

    body: "Body"
    explicit: bool = False
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class LogicalAnd:
    """`left and right`: both can be satisfied; explicit tells whether an operand is written as `{ body }`."""

    left: "Body"
    right: "Body"
    explicit_left: bool = False
    explicit_right: bool = False
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class LogicalOr:
    """`left or right`: one can be satisfied, tried in order."""

    left: "Body"
    right: "Body"
    explicit_left: bool = False
    explicit_right: bool = False
    span: Span = SPAN


Statement: TypeAlias = SomeDecl | Every | Not | LogicalAnd | LogicalOr


@dataclass(frozen=True, slots=True)
class Expr:
    """One line of a body: holds when its term is defined and not false, or, negated, when it is not."""

    term: Term | Statement
    negated: bool = False
    withs: tuple[With, ...] = ()
    span: Span = SPAN


Body: TypeAlias = tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What a rule defines: `ref(args) := value`, `ref contains key`, `ref[key] := value`.

    Attributes:
        ref: the name, `p` or `p.q[x]`; a partial object's key is its last operand.
        args: operands of a function; None for what is not a function.
        key: the member of a partial set (`contains key`, in v0 `p[key]`), else None.
        value: the value given, else None: the rule is then true.
        assign: whether `:=` rather than `=` was written.
        contains: whether the `contains` keyword was written.
    """

    ref: Ref
    args: tuple[Term, ...] | None = None
    key: Term | None = None
    value: Term | None = None
    assign: bool = False
    contains: bool = False
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Else:
    """One `else := value if { body }`, tried when what stands before it is undefined."""

    value: Term | None
    body: Body
    assign: bool = False
    has_if: bool = False
    braces: bool = False
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; each body of a chain `p if { … } { … }` is a rule of its own, with chained set on all but the first.

    Attributes:
        body: empty where none is written, which means `true`.
        elses: the branches after the body, in order.
        default: whether this is a `default` rule.
        has_if: whether the `if` keyword was written.
        braces: whether the body stands in braces.
        annotations: the metadata blocks directly above the rule.
    """

    head: Head
    body: Body = ()
    elses: tuple[Else, ...] = ()
    default: bool = False
    has_if: bool = False
    braces: bool = False
    chained: bool = False
    annotations: "tuple[Annotation, ...]" = field(default=(), compare=False)
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Package:
    """`package a.b`: the path with `data` before it."""

    path: Ref
    annotations: "tuple[Annotation, ...]" = field(default=(), compare=False)
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Import:
    """`import data.a.b as c`."""

    path: Ref
    alias: str | None = None
    span: Span = SPAN

    @property
    def name(self) -> str:
        """The name the import has in its module: the alias, else the last part of the path."""
        if self.alias is not None:
            return self.alias
        last = self.path.terms[-1]
        return last.value if isinstance(last, String) else last.name if isinstance(last, Var) else ""


@dataclass(frozen=True, slots=True)
class Comment:
    """`# text`, the text without its `#`."""

    text: str
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class SchemaAnnotation:
    """The schema of one document: a path such as `input.user`, and `schema.name` or an inline definition."""

    path: Ref
    schema: Ref | None = None
    definition: object = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """A `# METADATA` block (OPA documentation, Annotations).

    Attributes:
        scope: rule, document, package or subpackages.
        fields: the block as written, values of YAML, every recognised key.
        schemas: the `schemas` entries, resolved.
        path: the path of the package or rule it stands at, once attached.
    """

    scope: str
    fields: Mapping[str, object]
    schemas: tuple[SchemaAnnotation, ...] = ()
    path: Ref | None = None
    span: Span = SPAN


@dataclass(frozen=True, slots=True)
class Module:
    """One policy file.

    Attributes:
        comments: all comments in the order of the text; they take no part in equality.
        annotations: all metadata blocks in the order of the text.
        rego_version: 0 or 1, after `import rego.v1`.
    """

    package: Package
    imports: tuple[Import, ...] = ()
    rules: tuple[Rule, ...] = ()
    comments: tuple[Comment, ...] = field(default=(), compare=False, repr=False)
    annotations: tuple[Annotation, ...] = field(default=(), compare=False, repr=False)
    rego_version: int = field(default=1, compare=False)
    source: Source = field(default=Source("", ""), compare=False, repr=False)


Node: TypeAlias = Term | Statement | Expr | With | Head | Else | Rule | Package | Import | Comment | Annotation | Module
