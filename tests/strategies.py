"""Hypothesis strategies that several folders share: syntax trees of every kind of node, with no text behind them.

The trees are as the parser leaves them: wildcards numbered in the order of the text, imports sorted, a body of one line
without braces, nothing said that is understood (`if true`, `:= true` before a body).
"""

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from itertools import count
from typing import Any

from hypothesis import strategies as st

from procurator_rules.expressions import INFIX, MEMBER_WITH_KEY, PRECEDENCE, operator_ref
from procurator_rules.keywords import ALWAYS, LOGICAL, V1
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
    Var,
    With,
)
from procurator_rules.printer.order import key_of
from procurator_rules.printer.statements import begins_with_brace
from procurator_rules.spans import NO_SPAN

TRUE = Boolean(True)
RESERVED = ALWAYS | V1 | LOGICAL | {"input", "data"}
CONSTANTS = (Null, Boolean, Number, String)

NAMES = st.one_of(
    st.sampled_from(["a", "b", "x", "y", "users", "allow", "_x", "Roles9"]),
    st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True),
).filter(lambda name: name not in RESERVED and name != "_" and name not in INFIX.values())
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=6)
RAW_TEXTS = TEXTS.filter(lambda text: "`" not in text and "\r" not in text)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.sampled_from(["0", "-0", "1.50", "1e3", "-2E-7", "0.10", "12345678901234567890.123"]),
)
WORDS = st.sampled_from(sorted(ALWAYS | V1 | LOGICAL))

VARS = st.one_of(NAMES, st.just("$0")).map(Var)
SCALARS = st.one_of(
    st.just(Null()),
    st.booleans().map(Boolean),
    NUMBERS.map(Number),
    TEXTS.map(String),
    RAW_TEXTS.map(lambda text: String(text, raw=True)),
)
ROOTS = st.sampled_from(["input", "data"]).map(lambda name: Ref((Var(name),)))
FIELDS = st.one_of(NAMES, WORDS, TEXTS).map(String)


def _distinct(terms: list[Any]) -> list[Any]:
    return list({key_of(term): term for term in reversed(terms)}.values())


@st.composite
def _refs(draw: st.DrawFn, terms: st.SearchStrategy[Any]) -> Ref:
    """`x.y[0]`, and references that begin with a collection or with what a call gives."""
    heads = (Array, SetTerm, Object, ArrayComprehension, SetComprehension, ObjectComprehension, Call)
    roots = ROOTS.map(lambda root: root.terms[0])
    head = draw(st.one_of(VARS, roots, terms.filter(lambda term: isinstance(term, heads))))
    parts = draw(st.lists(st.one_of(FIELDS, VARS, SCALARS, terms).filter(_is_kept), min_size=1, max_size=3))
    return Ref((head, *parts))


def _is_kept(part: Any) -> bool:
    """Whether an operand is printed as it is: a raw string comes to stand in quotes or behind a dot."""
    return not (isinstance(part, String) and part.raw)


@st.composite
def _calls(draw: st.DrawFn, terms: st.SearchStrategy[Any]) -> Call:
    """`f(x)` and `x + y`."""
    kind = draw(st.sampled_from(["plain", "plain", "infix", "infix", "member"]))
    if kind == "plain":
        name = draw(st.lists(NAMES, min_size=1, max_size=2).filter(lambda names: names != ["set"]))
        return Call(operator_ref(".".join(name), NO_SPAN), tuple(draw(st.lists(terms, max_size=3))))
    if kind == "member":
        args = tuple(draw(st.tuples(terms, terms, terms)))
        return Call(operator_ref(MEMBER_WITH_KEY, NO_SPAN), args, infix=True)
    symbol = draw(st.sampled_from(sorted(PRECEDENCE)))
    return Call(operator_ref(INFIX[symbol], NO_SPAN), draw(st.tuples(terms, terms)), infix=True)


@st.composite
def _templates(draw: st.DrawFn, terms: st.SearchStrategy[Any]) -> TemplateString:
    """Texts and expressions by turns; a backslash before a brace would escape it."""
    multi_line = draw(st.booleans())
    texts = (RAW_TEXTS if multi_line else TEXTS).filter(lambda text: text and not text.endswith("\\"))
    parts: list[Any] = []
    for _ in range(draw(st.integers(0, 3))):
        if draw(st.booleans()) and not (parts and isinstance(parts[-1], String)):
            parts.append(String(draw(texts), raw=multi_line))
        else:
            term = draw(terms.filter(lambda term: not isinstance(term, CONSTANTS)))
            parts.append(Expr(term, withs=draw(_withs(terms))))
    return TemplateString(tuple(parts), multi_line)


def _withs(terms: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[With, ...]]:
    targets = st.one_of(ROOTS, NAMES.map(Var), st.lists(NAMES, min_size=1, max_size=2).map(_document))
    withs = st.builds(With, targets, terms)
    return st.one_of(st.just(()), st.just(()), st.lists(withs, min_size=1, max_size=2).map(tuple))


def _document(names: list[str]) -> Ref:
    return Ref((Var("data"), *map(String, names)))


def _logical(expr: Expr) -> bool:
    return isinstance(expr.term, LogicalAnd | LogicalOr)


@st.composite
def _statements(draw: st.DrawFn, terms: st.SearchStrategy[Any], bodies: st.SearchStrategy[Body]) -> Any:
    """`some`, `every`, `not`, `and`, `or`."""
    kind = draw(st.sampled_from(["some", "some in", "every", "not", "and", "or"]))
    if kind == "some":
        return SomeDecl(tuple(map(Var, draw(st.lists(NAMES, min_size=1, max_size=3)))))
    if kind == "some in":
        number = draw(st.sampled_from([2, 3]))
        args = tuple(draw(terms) for _ in range(number))
        return SomeDecl((Call(operator_ref(f"internal.member_{number}", NO_SPAN), args, infix=True),))
    if kind == "every":
        return Every(draw(st.none() | VARS), draw(VARS), draw(terms), draw(bodies))
    if kind == "not":
        explicit = draw(st.booleans())
        return Not(draw(bodies if explicit else bodies.map(_operand)), explicit)
    left, right = draw(st.booleans()), draw(st.booleans())
    node = LogicalAnd if kind == "and" else LogicalOr
    operands = [draw(bodies if explicit else bodies.map(_operand)) for explicit in (left, right)]
    return node(operands[0], operands[1], left, right)


def _operand(body: Body) -> Body:
    """The first line that can be an operand without braces."""
    for expr in body:
        if not isinstance(expr.term, SomeDecl | Every):
            return (expr,)
    return (Expr(Var("x")),)


@st.composite
def _exprs(draw: st.DrawFn, terms: st.SearchStrategy[Any], bodies: st.SearchStrategy[Body]) -> Expr:
    """A line of a body."""
    kind = draw(st.sampled_from(["term", "term", "assignment", "statement"]))
    if kind == "assignment":
        name = draw(st.sampled_from(["eq", "assign"]))
        term: Any = Call(operator_ref(name, NO_SPAN), draw(st.tuples(terms, terms)), infix=True)
    else:
        term = draw(terms if kind == "term" else _statements(terms, bodies))
    plain = isinstance(term, SomeDecl) and len(term.symbols) and not isinstance(term.symbols[0], Call)
    return Expr(term, withs=() if plain else draw(_withs(terms)))


def _larger(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Terms around smaller terms; bodies are drawn from these too."""
    bodies: st.SearchStrategy[Body] = st.deferred(
        lambda: st.lists(_exprs(parts, SIMPLE_BODIES), min_size=1, max_size=3).map(tuple)
    )
    return st.one_of(
        _refs(parts),
        _calls(parts),
        st.lists(parts, max_size=3).map(lambda items: Array(tuple(items))),
        st.lists(parts, max_size=3).map(lambda items: SetTerm(tuple(_distinct(items)))),
        st.lists(st.tuples(parts, parts), max_size=3).map(lambda pairs: Object(tuple(pairs))),
        st.builds(ArrayComprehension, parts, bodies),
        st.builds(SetComprehension, parts, bodies),
        st.builds(ObjectComprehension, parts, parts, bodies),
        _templates(parts),
    )


SIMPLE_TERMS = st.one_of(VARS, SCALARS, ROOTS)
SIMPLE_BODIES = st.lists(
    st.one_of(
        st.builds(Expr, SIMPLE_TERMS),
        _exprs(SIMPLE_TERMS, st.builds(Expr, SIMPLE_TERMS).map(lambda expr: (expr,))),
    ),
    min_size=1,
    max_size=2,
).map(tuple)
TERMS = st.recursive(SIMPLE_TERMS, _larger, max_leaves=6)
BODIES: st.SearchStrategy[Body] = st.lists(_exprs(TERMS, SIMPLE_BODIES), min_size=1, max_size=3).map(tuple)


def terms() -> st.SearchStrategy[Any]:
    """Terms of every kind, as far as they can be read without an import."""
    return TERMS.map(_older_negation).filter(lambda term: not _keywords(term)).map(numbered)


# Rules and modules


@st.composite
def _names_of_rules(draw: st.DrawFn, ground: bool) -> Ref:
    parts = st.one_of(FIELDS, NUMBERS.map(Number)) if ground else st.one_of(FIELDS, NAMES.map(Var), ROOTS)
    return Ref((Var(draw(NAMES)), *draw(st.lists(parts, max_size=3))))


def _braces(body: Body) -> bool:
    return len(body) > 1 or (isinstance(body[0].term, SetTerm) and not body[0].negated)


def _else_braces(body: Body) -> bool:
    return _braces(body) or (begins_with_brace(body[0]) and not body[0].negated)


def _is_true(body: Body) -> bool:
    return body == (Expr(TRUE),)


@st.composite
def _elses(draw: st.DrawFn) -> tuple[Else, ...]:
    branches = []
    for _ in range(draw(st.integers(0, 2))):
        value = draw(st.none() | TERMS.filter(lambda term: term != TRUE))
        body = draw(BODIES.filter(lambda body: not _is_true(body)))
        branches.append(Else(value, body, value is not None, has_if=True, braces=_else_braces(body)))
    if branches and draw(st.booleans()):
        branches[-1] = Else(draw(TERMS), (), assign=True)
    return tuple(branches)


@st.composite
def _rules(draw: st.DrawFn) -> Rule:
    """Constants, defaults, sets, functions, with bodies and branches."""
    kind = draw(st.sampled_from(["constant", "default", "set", "rule", "rule", "function"]))
    args = tuple(draw(st.lists(TERMS, min_size=1, max_size=2))) if kind == "function" else None
    if kind == "default":
        args = draw(st.none() | st.just((Var("$0"), Var("x"))))
        return Rule(Head(draw(_names_of_rules(ground=True)), args, value=draw(SCALARS), assign=True), default=True)
    if kind == "constant":
        return Rule(Head(draw(_names_of_rules(ground=True)), value=draw(TERMS), assign=True))
    body = draw(BODIES.filter(lambda body: not _is_true(body)))
    if kind == "set":
        head = Head(draw(_names_of_rules(ground=False)), key=draw(TERMS), contains=True)
        return Rule(head, body, has_if=True, braces=_braces(body))
    ref = draw(_names_of_rules(ground=True))
    value = draw(st.none() | TERMS.filter(lambda term: term != TRUE))
    head = Head(ref, args, value=value, assign=value is not None)
    return Rule(head, body, draw(_elses()), has_if=True, braces=_braces(body))


@st.composite
def modules(draw: st.DrawFn) -> Module:
    """Modules of Rego v1, with the imports that their lines need."""
    path = Ref((Var("data"), String(draw(NAMES)), *draw(st.lists(FIELDS, max_size=2))))
    aliases = draw(st.lists(NAMES, max_size=2, unique=True))
    imports = [Import(_document([draw(NAMES)]), alias) for alias in aliases]
    rules = tuple(draw(st.lists(_rules(), max_size=3)))
    if draw(st.booleans()):
        rules = _older_negation(rules)
    keywords = [Import(Ref((Var("future"), String("keywords"), String(word)))) for word in sorted(_keywords(rules))]
    imports = sorted([*imports, *keywords], key=lambda node: (key_of(node.path), node.alias or ""))
    return numbered(Module(Package(path), tuple(imports), rules))


def _older_negation(node: Any) -> Any:
    """The same with `not x` as it is without `future.keywords.not`: a line that is negated."""
    if isinstance(node, Expr) and isinstance(node.term, Not):
        inner = _older_negation(node.term.body[0])
        plain = not isinstance(inner.term, SomeDecl | Every | LogicalAnd | LogicalOr) and not inner.negated
        return Expr(inner.term if plain else Var("x"), negated=True, withs=_older_negation(node.withs))
    return _rebuilt(node, _older_negation)


def _rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A node with its parts changed."""
    if isinstance(node, tuple):
        return tuple(map(change, node))
    if not is_dataclass(node) or isinstance(node, type):
        return node
    return replace(node, **{field.name: change(getattr(node, field.name)) for field in fields(node) if field.compare})


def _keywords(node: Any) -> set[str]:
    found = {"not"} if isinstance(node, Not) else set()
    found |= {"and"} if isinstance(node, LogicalAnd) else {"or"} if isinstance(node, LogicalOr) else set()
    for child in _children(node):
        found |= _keywords(child)
    return found


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        yield from node
    elif is_dataclass(node):
        yield from (getattr(node, field.name) for field in fields(node) if field.compare)


def numbered(tree: Any) -> Any:
    """A tree with its wildcards numbered in the order of the text, which is that of the fields."""
    numbers = count()

    def rebuilt(node: Any) -> Any:
        if isinstance(node, Var):
            return Var(f"${next(numbers)}") if node.name == "$0" else node
        return _rebuilt(node, rebuilt)

    return rebuilt(tree)
